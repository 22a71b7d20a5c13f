//! The authorization endpoint, by somebody who never signs in.

use url::Url;

use super::Walk;
use crate::flow::outbound::Call;
use crate::protocol::answer::Answer;
use crate::protocol::doctor::Side;
use crate::protocol::doctor::authorize::{self, Wrong};
use crate::protocol::doctor::metadata::Known;

/// Of a name that nobody can have (RFC 6761 §6.4).
const NOBODYS: &str = "https://doctor.invalid/callback";
/// The pair's other half stays here: no code is ever redeemed.
const CHALLENGE: [(&str, &str); 2] = [
    ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ("code_challenge_method", "S256"),
];
const PLAIN: [(&str, &str); 2] = [CHALLENGE[0], ("code_challenge_method", "plain")];
const SERVER: Side = Side::AuthorizationServer;

/// A registered client, and the address of the endpoint.
struct Registered<'a> {
    endpoint: &'a str,
    client_id: &'a str,
    redirect_uri: &'a str,
    state: &'a str,
    scope: Option<&'a str>,
}

impl Registered<'_> {
    /// The parameters of a sound request but the challenge.
    fn call(&self, response_type: &str, redirect_uri: &str, more: &[(&str, &str)]) -> Option<Call> {
        let mut fields = vec![
            ("response_type", response_type),
            ("client_id", self.client_id),
            ("redirect_uri", redirect_uri),
            ("state", self.state),
        ];
        fields.extend(self.scope.map(|scope| ("scope", scope)));
        fields.extend(more);
        with_query(self.endpoint, &fields)
    }
}

impl Walk<'_> {
    pub(super) async fn authorization_endpoint(&mut self, known: &Known) {
        let Some(endpoint) = known
            .authorization_endpoint
            .as_deref()
            .filter(|_| known.offers_code)
        else {
            return;
        };
        let plan = self.plan;
        let stranger = self.stranger();
        // what a careless server changes on its way: space, plus, percent, slash, equals
        let state = format!("doctor +%2F/=~{}", &stranger[14..]);
        let registered = Registered {
            endpoint,
            client_id: plan.client_id.as_deref().unwrap_or(&stranger),
            redirect_uri: plan.redirect_uri.as_deref().unwrap_or(NOBODYS),
            state: &state,
            scope: plan.scope.as_deref(),
        };
        if plan.client_id.is_some() && plan.redirect_uri.is_some() {
            return self.registered(&registered, known).await;
        }
        if let Some(call) = registered.call("code", NOBODYS, &CHALLENGE) {
            let judge = |answer: &Answer| vec![authorize::unregistered(answer, NOBODYS, None)];
            self.try_out(
                "Ask with a redirect URI that nobody registered",
                SERVER,
                call,
                judge,
            )
            .await;
        }
        let why = "it takes a client: name one with --client-id and --redirect-uri";
        self.say("Ask as a registered client", authorize::not_tried(why));
    }

    async fn registered(&mut self, registered: &Registered<'_>, known: &Known) {
        let uri = registered.redirect_uri;
        let Some(call) = registered.call("code", uri, &CHALLENGE) else {
            return;
        };
        let judge = |answer: &Answer| vec![authorize::sound(answer, uri)];
        let Some(sound) = self
            .try_out("Ask as the client should", SERVER, call, judge)
            .await
        else {
            return;
        };

        for other in others(uri) {
            if let Some(call) = registered.call("code", &other, &CHALLENGE) {
                let judge = |answer: &Answer| vec![authorize::unregistered(answer, &other, Some(&sound))];
                self.try_out(
                    "Ask with a redirect URI that nobody registered",
                    SERVER,
                    call,
                    judge,
                )
                .await;
            }
        }
        if let Some(call) = registered.call("code", uri, &PLAIN) {
            let judge = |answer: &Answer| vec![authorize::plain_challenge(answer, uri, &sound)];
            self.try_out("Ask with a plain challenge", SERVER, call, judge)
                .await;
        }
        if let Some(call) = registered.call("code", uri, &[]) {
            let judge = |answer: &Answer| vec![authorize::missing_challenge(answer, uri, &sound)];
            self.try_out("Ask without a challenge", SERVER, call, judge).await;
        }
        let wrong = Wrong {
            redirect_uri: uri,
            state: registered.state,
            issuer: known.issuer.as_deref().unwrap_or_default(),
            promises_iss: known.promises_iss,
        };
        if let Some(call) = registered.call("no-such-type", uri, &CHALLENGE) {
            let judge = |answer: &Answer| authorize::wrong_response_type(answer, wrong);
            self.try_out("Ask for a response type that does not exist", SERVER, call, judge)
                .await;
        }
    }
}

/// Redirect URIs that a careless comparison takes for `uri`.
fn others(uri: &str) -> Vec<String> {
    let mut others = vec![NOBODYS.to_owned()];
    let Ok(url) = Url::parse(uri) else { return others };
    if !matches!(url.scheme(), "http" | "https") {
        return others;
    }
    let mut longer = url.clone();
    longer.set_path(&format!("{}/doctor", url.path().trim_end_matches('/')));
    let mut with_query = url.clone();
    with_query.query_pairs_mut().append_pair("doctor", "1");
    others.extend([longer.into(), with_query.into()]);
    let mut elsewhere = url.clone();
    let host = url.domain().map(|host| format!("{host}.doctor.invalid"));
    if host.is_some_and(|host| elsewhere.set_host(Some(&host)).is_ok()) {
        others.push(elsewhere.into());
    }
    others
}

/// What the endpoint's own query has stays (RFC 6749 §3.1).
fn with_query(endpoint: &str, fields: &[(&str, &str)]) -> Option<Call> {
    let mut url = Url::parse(endpoint).ok()?;
    url.query_pairs_mut().extend_pairs(fields);
    Some(Call::get(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_redirect_uris_look_like_the_registered_one() {
        assert_eq!(
            others("https://app.example/callback?a=1"),
            [
                NOBODYS,
                "https://app.example/callback/doctor?a=1",
                "https://app.example/callback?a=1&doctor=1",
                "https://app.example.doctor.invalid/callback?a=1",
            ]
        );
        assert_eq!(others("com.example.app:/callback"), [NOBODYS]);
        assert_eq!(others("http://127.0.0.1/callback").len(), 3);
    }

    #[test]
    fn the_endpoints_own_query_stays() {
        let call = with_query("https://id.example/authorize?tenant=a", &[("state", "a b")]).unwrap();
        assert_eq!(
            call.to_string(),
            "GET https://id.example/authorize?tenant=a&state=a+b"
        );
    }
}
