//! Acting as a client against any authorization server or resource, and telling what is wrong with it.
//!
//! Nothing is assumed of the other side, nobody signs in, and nothing is left behind but a device code that
//! expires and, where a secret was given, a token that is revoked again.

mod authorize;
mod endpoints;
mod resource;

use super::outbound::{Call, NotAnswered, Outbound};
use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::protocol::answer::Answer;
use crate::protocol::doctor::metadata::{self, Known, Place, SecretPlace};
use crate::protocol::doctor::{Check, Outcome, Report, Rule, Side, Step, resource as rules, shown, token};
use crate::protocol::metadata as server_metadata;

/// A resource may name many authorization servers, and a server many resources: so many are looked at.
const MOST: usize = 3;

/// In characters, of what a report repeats of a URL.
const LONGEST_REQUEST: usize = 2000;

const ANSWERS: Rule = Rule {
    name: "answers",
    section: "RFC 9110 §15",
    says: "The server answers over HTTP.",
    mend: "Look at the address, the DNS, the firewall and the certificate; an authority of your own is named by SSL_CERT_FILE.",
    side: Side::AuthorizationServer,
    broken: Outcome::Fail,
};

/// What is known of the client, and where to look.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The issuer or the resource, as it was typed: absolute, without query and fragment.
    pub target: String,
    pub client_id: Option<String>,
    pub client_secret: Option<Secret>,
    /// One that is registered for the client.
    pub redirect_uri: Option<String>,
    pub scope: Option<String>,
}

/// Tries all that can be tried.
pub async fn examine(plan: &Plan, outbound: &Outbound, entropy: &Entropy) -> Report {
    let mut walk = Walk {
        plan,
        outbound,
        secret: None,
        is_secret_in_body: false,
        nonce: Secret::generate(entropy, ""),
        steps: Vec::new(),
    };
    walk.start().await;
    Report::new(plan.target.clone(), walk.steps)
}

struct Walk<'a> {
    plan: &'a Plan,
    outbound: &'a Outbound,
    /// The plan's, while with the server that it is for: one that a stranger names is not shown it.
    secret: Option<&'a Secret>,
    is_secret_in_body: bool,
    /// What nobody has issued and nobody has registered.
    nonce: Secret,
    steps: Vec<Step>,
}

/// A request and what came of it.
struct Asked {
    request: String,
    answer: Result<Answer, NotAnswered>,
}

impl Asked {
    fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref().ok()
    }
}

impl Walk<'_> {
    /// Finds out whether it is an issuer or a resource; where it could be both, it is what its document says.
    async fn start(&mut self) {
        let target = self.plan.target.clone();
        let server = self.ask(metadata_of(&target)).await;
        if server.answer.is_err() {
            self.note("Reach the server", Side::AuthorizationServer, &server, |_| {
                Vec::new()
            });
            return;
        }
        if server.answer().and_then(metadata::issuer).as_deref() == Some(&*target) {
            return Box::pin(self.server_with_resources(&target, server)).await;
        }
        if self.is_resource(&target).await {
            return Box::pin(self.resource_with_servers(&target)).await;
        }
        Box::pin(self.server_with_resources(&target, server)).await;
    }

    async fn is_resource(&self, target: &str) -> bool {
        let document = self.ask(resource::metadata_of(target)).await;
        if document.answer().is_some_and(rules::is_document) {
            return true;
        }
        self.ask(Call::get(target))
            .await
            .answer()
            .is_some_and(|answer| answer.status == 401)
    }

    /// A server, and the resources that it says it protects.
    async fn server_with_resources(&mut self, issuer: &str, asked: Asked) {
        let Some(known) = self.server(issuer, Side::Client, asked).await else {
            return;
        };
        for url in known.protected_resources.iter().take(MOST) {
            let servers = self.resource(url, Side::AuthorizationServer).await;
            if let Some(servers) = servers {
                self.say(
                    "Compare what server and resource say of each other",
                    vec![rules::names(&servers, issuer)],
                );
            }
        }
    }

    /// A resource, and the servers that it takes tokens of.
    async fn resource_with_servers(&mut self, url: &str) {
        let servers = self.resource(url, Side::Client).await.unwrap_or_default();
        for issuer in rules::callable(&servers, url).take(MOST) {
            let asked = self.ask(metadata_of(issuer)).await;
            let Some(known) = self.server(issuer, Side::Resource, asked).await else {
                continue;
            };
            if let Some(check) = rules::is_listed(url, &known.protected_resources) {
                self.say("Compare what server and resource say of each other", vec![check]);
            }
        }
    }

    /// The whole of one authorization server, whose metadata were `asked` for.
    async fn server(&mut self, issuer: &str, named_by: Side, asked: Asked) -> Option<Known> {
        let (place, asked) = self.or_openid(issuer, asked).await;
        let mut known = None;
        self.note(
            "Read the metadata of the authorization server",
            Side::AuthorizationServer,
            &asked,
            |answer| {
                let (checks, read) = metadata::read(answer, place, issuer, named_by);
                known = read;
                checks
            },
        );
        let known = known?;
        let is_its_own = named_by == Side::Client && known.issuer.as_deref() == Some(issuer);
        let is_private = known.secret != SecretPlace::Nowhere;
        let secret = self.plan.client_secret.as_ref().filter(|_| is_its_own);
        if secret.is_some() && !is_private {
            self.say("Prove the client by its secret", vec![token::not_issued()]);
        }
        self.secret = secret.filter(|_| is_private);
        self.is_secret_in_body = known.secret == SecretPlace::Body;
        Box::pin(self.token_endpoint(&known)).await;
        Box::pin(self.authorization_endpoint(&known)).await;
        Box::pin(self.other_endpoints(&known)).await;
        Some(known)
    }

    /// Where OAuth has no metadata, OpenID Connect may have.
    async fn or_openid(&self, issuer: &str, asked: Asked) -> (Place, Asked) {
        if asked.answer().is_none_or(|answer| answer.status < 400) {
            return (Place::OAuth, asked);
        }
        let url = format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        );
        let other = self.ask(Call::get(url)).await;
        if other.answer().and_then(metadata::issuer).is_some() {
            (Place::OpenId, other)
        } else {
            (Place::OAuth, asked)
        }
    }

    async fn ask(&self, call: Call) -> Asked {
        Asked {
            request: shown(&call.to_string(), LONGEST_REQUEST),
            answer: self.outbound.ask(call).await,
        }
    }

    /// Asks and takes down what `judge` says of the answer, which is given back.
    async fn try_out(
        &mut self,
        about: &'static str,
        side: Side,
        call: Call,
        judge: impl FnOnce(&Answer) -> Vec<Check>,
    ) -> Option<Answer> {
        let asked = self.ask(call).await;
        self.note(about, side, &asked, judge);
        asked.answer.ok()
    }

    /// Takes down what `judge` says of an answer; of none, and of a server that is tired of us, there is
    /// nothing to judge.
    fn note(
        &mut self,
        about: &'static str,
        side: Side,
        asked: &Asked,
        judge: impl FnOnce(&Answer) -> Vec<Check>,
    ) {
        let checks = match &asked.answer {
            Err(why) => vec![ANSWERS.broken(why.to_string()).mended(side, ANSWERS.mend)],
            Ok(answer) if answer.status == 429 => {
                vec![ANSWERS.not_tried("429: the server wants to be left alone for a while")]
            }
            Ok(answer) => judge(answer),
        };
        self.steps.push(Step {
            about,
            request: Some(asked.request.clone()),
            status: asked.answer().map(|answer| answer.status),
            checks,
        });
    }

    /// Takes down what needed no request.
    fn say(&mut self, about: &'static str, checks: Vec<Check>) {
        self.steps.push(Step {
            about,
            request: None,
            status: None,
            checks,
        });
    }

    /// A `client_id` that nobody has registered.
    fn stranger(&self) -> String {
        format!("tegata-doctor-{}", &self.nonce.expose()[..16])
    }
}

/// The metadata of an issuer (RFC 8414 §3.1).
fn metadata_of(issuer: &str) -> Call {
    Call::get(format!(
        "{}{}",
        origin(issuer),
        server_metadata::well_known_path(issuer)
    ))
}

/// Scheme, host and port, as they are written.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find('/').map_or(url.len(), |at| host + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_names_go_between_host_and_path() {
        for (url, path) in [
            (
                "https://id.example:8443",
                "https://id.example:8443/.well-known/oauth-authorization-server",
            ),
            (
                "https://id.example/",
                "https://id.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://id.example/a/b",
                "https://id.example/.well-known/oauth-authorization-server/a/b",
            ),
        ] {
            assert_eq!(metadata_of(url).to_string(), format!("GET {path}"));
        }
        let path = "https://id.example/.well-known/oauth-protected-resource/a";
        assert_eq!(
            resource::metadata_of("https://id.example/a").to_string(),
            format!("GET {path}")
        );
    }
}
