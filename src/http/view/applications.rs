//! The administration of applications, `/oauth/applications`.

use askama::Template;

use crate::base::secret::Secret;

use super::assets::SCRIPT;
use super::authentication::{AuthenticationFields, AuthenticationShown};
use super::sample::{NOW, Sample, Say, administrator, ago};
use super::{Chrome, FieldErrors, ScopeLine, When, counted, grouped};

/// `GET /oauth/applications`.
#[derive(Clone, Debug, Template)]
#[template(path = "applications/list.html")]
pub struct ApplicationsList {
    pub chrome: Chrome,
    pub rows: Vec<ApplicationRow>,
    /// What was searched for; empty for all.
    pub query: String,
    /// How many match, on all pages.
    pub total: u64,
    pub previous_href: Option<String>,
    pub next_href: Option<String>,
}

#[derive(Clone, Debug)]
pub struct ApplicationRow {
    pub id: String,
    pub name: String,
    pub client_id: String,
    /// `Confidential` or `Public` (RFC 6749 §2.1).
    pub kind: &'static str,
    pub last_used: Option<When>,
    pub live_grants: u64,
    pub disabled: bool,
    pub restricted: bool,
    pub owner: Option<Owner>,
}

/// The user whose an application is.
#[derive(Clone, Debug)]
pub struct Owner {
    pub id: String,
    /// `None`: the user is deleted.
    pub username: Option<String>,
}

impl ApplicationRow {
    fn grants(&self) -> String {
        grouped(self.live_grants)
    }
}

impl ApplicationsList {
    /// Whether there is no application at all, as against none that matches.
    fn is_bare(&self) -> bool {
        self.rows.is_empty() && self.query.is_empty() && self.previous_href.is_none()
    }

    fn count(&self) -> String {
        counted(self.total, "application", "applications")
    }
}

/// The form of `GET /oauth/applications/new` and `GET /oauth/applications/:id/edit`, and its answer to
/// a wrong `POST`.
#[derive(Clone, Debug, Template)]
#[template(path = "applications/form.html")]
pub struct ApplicationForm {
    pub chrome: Chrome,
    pub heading: String,
    /// Where the form posts to.
    pub action: String,
    pub cancel_href: String,
    pub values: FormValues,
    /// Of the fields of [`FormValues`], `scopes`, `grants`.
    pub errors: FieldErrors,
    pub scopes: Vec<Choice>,
    pub default_scopes: Vec<Choice>,
    pub optional_scopes: Vec<Choice>,
    pub grants: Vec<Choice>,
    /// Of what each grant gives.
    pub lifetimes: Vec<GrantLifetime>,
    /// Shown where the server sees the certificates of clients.
    pub authentication: Option<AuthenticationFields>,
    /// The server's own lifetimes, shown where the field is empty.
    pub defaults: Lifetimes,
    /// The version the form was filled from, so that two administrators do not overwrite each other.
    pub version: Option<i64>,
    /// The id that a new application will have, so that a form that is sent twice registers one.
    pub new_id: Option<String>,
    pub is_new: bool,
    /// Whether this server speaks OAuth 1.0a.
    pub speaks_oauth1: bool,
}

impl ApplicationForm {
    /// Whether the part about certificates is in use, or at fault.
    fn opens_certificates(&self) -> bool {
        let fields = [
            "tls_client_auth_subject_dn",
            "tls_client_auth_san_dns",
            "tls_client_auth_san_uri",
            "tls_client_auth_san_ip",
            "tls_client_auth_san_email",
            "certificates",
            "jwks",
        ];
        let is_filled = self
            .authentication
            .as_ref()
            .is_some_and(AuthenticationFields::is_filled);
        is_filled || fields.iter().any(|field| self.errors.has(field))
    }
}

/// What was typed, kept as typed.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one a checkbox of the form")]
pub struct FormValues {
    pub name: String,
    /// One a line.
    pub redirect_uris: String,
    pub confidential: bool,
    pub trusted: bool,
    pub require_pkce: bool,
    pub introspect: bool,
    pub send_iss: bool,
    pub localhost_any_port: bool,
    pub access_token_ttl: String,
    pub refresh_token_ttl: String,
    pub refresh_token_max_ttl: String,
    pub reuse_access_token: bool,
    pub reuse_refresh_token: bool,
    pub revoke_previous_tokens: bool,
    /// One a line.
    pub allowed_origins: String,
    /// Speaks OAuth 1.0a too, and the key of its RSA-SHA1 signatures as a PEM text.
    pub oauth1: bool,
    pub oauth1_rsa_public_key: String,
    /// A user name.
    pub owner: String,
    /// For those alone that are named below, one a line.
    pub restricted: bool,
    pub users: String,
    pub groups: String,
}

/// How long the access tokens of one grant live.
#[derive(Clone, Debug)]
pub struct GrantLifetime {
    /// The name of the field.
    pub field: String,
    pub grant: &'static str,
    pub value: String,
}

/// A checkbox of a list; its name is also its value.
#[derive(Clone, Debug)]
pub struct Choice {
    pub name: String,
    pub description: String,
    pub checked: bool,
}

/// Durations as `60s`, `15m`, `1h`, `30d`.
#[derive(Clone, Debug)]
pub struct Lifetimes {
    pub access_token_ttl: String,
    pub refresh_token_ttl: String,
    pub refresh_token_max_ttl: String,
}

/// `GET /oauth/applications/:id`.
#[derive(Clone, Debug, Template)]
#[template(path = "applications/show.html")]
#[expect(clippy::struct_excessive_bools, reason = "one a switch of the application")]
pub struct ApplicationShow {
    pub chrome: Chrome,
    pub id: String,
    pub name: String,
    pub client_id: String,
    pub confidential: bool,
    pub trusted: bool,
    pub disabled: bool,
    pub owner: Option<Owner>,
    pub created: When,
    pub last_used: Option<When>,
    pub authentication: AuthenticationShown,
    /// At most two; the older first.
    pub secrets: Vec<SecretRow>,
    /// A secret made just now: shown on this page and never again.
    pub new_secret: Option<Secret>,
    /// Where it speaks OAuth 1.0a.
    pub consumer: Option<Consumer>,
    /// As `new_secret`.
    pub new_consumer_secret: Option<Secret>,
    pub redirect_uris: Vec<RedirectRow>,
    /// What the codes that the test links bring are redeemed with (RFC 7636 §4.1).
    pub code_verifier: &'static str,
    pub script_href: String,
    pub scopes: Vec<ScopeLine>,
    /// Grants by name.
    pub grants: Vec<String>,
    pub lifetimes: Lifetimes,
    pub require_pkce: bool,
    pub introspect: bool,
    pub send_iss: bool,
    pub localhost_any_port: bool,
    /// What a request without a scope gets.
    pub default_scopes: Vec<ScopeLine>,
    /// What a person may untick.
    pub optional_scopes: Vec<ScopeLine>,
    /// Grant and duration, where they differ.
    pub grant_lifetimes: Vec<(String, String)>,
    pub reuse_access_token: bool,
    pub reuse_refresh_token: bool,
    pub revoke_previous_tokens: bool,
    pub allowed_origins: Vec<String>,
    /// For those alone that are named.
    pub restricted: bool,
    pub allowed_users: Vec<String>,
    pub allowed_groups: Vec<String>,
    pub commands: Vec<Command>,
    /// Users with a live grant.
    pub users: u64,
    pub live_tokens: u64,
    /// Kinds of requests that were refused within a day.
    pub failures: u64,
}

/// An application that speaks OAuth 1.0a.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// What it is, and the address that a client is configured with.
    pub urls: Vec<(&'static str, String)>,
    pub rsa_public_key: bool,
    /// Where the server does not speak it now, nothing of it works.
    pub works: bool,
}

#[derive(Clone, Debug)]
pub struct SecretRow {
    pub id: String,
    pub created: When,
    pub last_used: Option<When>,
    pub expires: Option<When>,
}

#[derive(Clone, Debug)]
pub struct RedirectRow {
    /// As registered.
    pub uri: String,
    /// An authorization request of ours that leads there; `None` where the grant is not allowed.
    pub test_href: Option<String>,
}

/// A command ready to be copied.
#[derive(Clone, Debug)]
pub struct Command {
    pub title: String,
    pub text: String,
}

impl ApplicationShow {
    fn refused(&self) -> String {
        match self.failures {
            0 => "None within a day".to_owned(),
            count => format!("{} within a day", counted(count, "kind", "kinds")),
        }
    }

    fn keys(&self) -> String {
        counted(self.authentication.keys, "public key", "public keys")
    }

    fn usage(&self) -> String {
        usage(self.users, self.live_tokens)
    }

    fn loss(&self) -> String {
        loss(self.users, self.live_tokens)
    }
}

/// `GET /oauth/applications/:id/delete`: asks before it is done.
#[derive(Clone, Debug, Template)]
#[template(path = "applications/delete.html")]
pub struct ApplicationDelete {
    pub chrome: Chrome,
    pub id: String,
    pub name: String,
    pub users: u64,
    pub live_tokens: u64,
}

impl ApplicationDelete {
    fn loss(&self) -> String {
        loss(self.users, self.live_tokens)
    }
}

/// `GET /oauth/applications/:id/disable`: asks before it is done.
#[derive(Clone, Debug, Template)]
#[template(path = "applications/disable.html")]
pub struct ApplicationDisable {
    pub chrome: Chrome,
    pub id: String,
    pub name: String,
    pub users: u64,
    pub live_tokens: u64,
}

impl ApplicationDisable {
    fn loss(&self) -> String {
        loss(self.users, self.live_tokens)
    }
}

fn usage(users: u64, live_tokens: u64) -> String {
    format!(
        "{}, {}",
        counted(users, "user", "users"),
        counted(live_tokens, "live token", "live tokens")
    )
}

fn loss(users: u64, live_tokens: u64) -> String {
    match (users, live_tokens) {
        (0, 0) => "Nobody uses it now.".to_owned(),
        _ => format!("This stops working at once for {}.", usage(users, live_tokens)),
    }
}

impl Sample for ApplicationsList {
    fn sample_in(say: Say<'_>) -> Self {
        let row = |name: &str, kind, last_used: Option<i64>, live_grants, disabled| ApplicationRow {
            id: say("0192f0c1-5a3e-7cc2-8f6e-2f9f0a4f5d11"),
            name: say(name),
            client_id: say("0192f0c1-5a3e-7cc2-8f6e-2f9f0a4f5d11"),
            kind,
            last_used: last_used.map(|seconds| When::new(ago(seconds), *NOW)),
            live_grants,
            disabled,
            owner: disabled.then(|| owner(say)),
            restricted: disabled,
        };
        Self {
            chrome: administrator(say),
            rows: vec![
                row("Memo Bot", "Confidential", Some(180), 12, false),
                row(
                    "Memo Bot for the terminal",
                    "Public",
                    Some(86_400 * 3),
                    1_204,
                    false,
                ),
                row("Old importer", "Confidential", None, 0, true),
            ],
            query: say("mem"),
            total: 1_003,
            previous_href: Some(say("/oauth/applications?page=1")),
            next_href: Some(say("/oauth/applications?page=3")),
        }
    }
}

impl Sample for ApplicationForm {
    fn sample_in(say: Say<'_>) -> Self {
        let choice = |name: &str, description: &str, checked| Choice {
            name: say(name),
            description: say(description),
            checked,
        };
        Self {
            chrome: administrator(say),
            heading: say("Register an application"),
            action: say("/oauth/applications"),
            cancel_href: say("/oauth/applications"),
            values: FormValues {
                name: say("Memo Bot"),
                redirect_uris: say("http://app.example/cb"),
                confidential: true,
                send_iss: true,
                oauth1: true,
                access_token_ttl: say("soon"),
                restricted: true,
                users: say("hanako\nnobody"),
                groups: say("staff"),
                ..FormValues::default()
            },
            errors: FieldErrors::new()
                .with("redirect_uris", say("“http://app.example/cb” is not allowed: use https, or http with localhost for development."))
                .with("access_token_ttl", say("“soon” is not a duration: write 60s, 15m, 1h or 30d."))
                .with("users", say("There is no user `nobody`.")),
            scopes: vec![choice("read", "Read your memos", true), choice("write", "Write and delete memos in your name", false)],
            grants: vec![
                choice("authorization_code", "A person signs in and consents (RFC 6749 §4.1)", true),
                choice("refresh_token", "Stay connected without asking again (RFC 6749 §6)", true),
                choice("client_credentials", "Act in its own name, without a person (RFC 6749 §4.4)", false),
            ],
            default_scopes: vec![choice("read", "Read your memos", true)],
            optional_scopes: vec![choice("write", "Write and delete memos in your name", false)],
            lifetimes: vec![GrantLifetime {
                field: say("access_token_ttl_client_credentials"),
                grant: "client_credentials",
                value: say("15m"),
            }],
            authentication: Some(AuthenticationFields::sample_in(say)),
            defaults: lifetimes(say),
            version: Some(3),
            new_id: Some(say("0192f0c1-5a3e-7cc2-8f6e-2f9f0a4f5d11")),
            is_new: true,
            speaks_oauth1: true,
        }
    }
}

impl Sample for ApplicationShow {
    fn sample_in(say: Say<'_>) -> Self {
        let secret = |id: &str, created: i64, last_used: Option<i64>| SecretRow {
            id: say(id),
            created: When::new(ago(created), *NOW),
            last_used: last_used.map(|seconds| When::new(ago(seconds), *NOW)),
            expires: None,
        };
        let redirect = |uri: &str| RedirectRow {
            uri: say(uri),
            test_href: Some(say("/oauth/authorize?client_id=0192f0c1")),
        };
        Self {
            chrome: administrator(say).with_notice(say("Memo Bot has a second secret. Both work.")),
            id: say("0192f0c1-5a3e"),
            name: say("Memo Bot"),
            client_id: say("0192f0c1-5a3e-7cc2-8f6e-2f9f0a4f5d11"),
            confidential: true,
            trusted: true,
            disabled: false,
            owner: Some(owner(say)),
            created: When::new(ago(200 * 86_400), *NOW),
            last_used: Some(When::new(ago(180), *NOW)),
            authentication: AuthenticationShown::default(),
            secrets: vec![secret("a", 200 * 86_400, Some(180)), secret("b", 4, None)],
            new_secret: Some(Secret::new(say(
                "tgs_q0Yd4mV3s9XbG7hJt2LwZ8nRkP5cE1uFaT6iOyBvMxK",
            ))),
            consumer: Some(Consumer {
                urls: vec![
                    ("Request token", say("https://id.example/oauth/request_token")),
                    ("Authorize", say("https://id.example/oauth/authorize")),
                    ("Access token", say("https://id.example/oauth/access_token")),
                ],
                rsa_public_key: true,
                works: true,
            }),
            new_consumer_secret: Some(Secret::new(say(
                "tgs_a0Yd4mV3s9XbG7hJt2LwZ8nRkP5cE1uFaT6iOyBvMxK",
            ))),
            redirect_uris: vec![
                redirect("https://memo.example/callback"),
                redirect("http://localhost:8080/callback"),
            ],
            code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            script_href: SCRIPT.href(),
            scopes: vec![
                ScopeLine::new(say("read"), say("Read your memos")),
                ScopeLine::new(say("write"), say("Write and delete memos in your name")),
            ],
            grants: vec![say("authorization_code"), say("refresh_token")],
            lifetimes: lifetimes(say),
            require_pkce: true,
            introspect: false,
            send_iss: true,
            localhost_any_port: false,
            default_scopes: vec![ScopeLine::new("read", "Read your memos")],
            optional_scopes: vec![ScopeLine::new("write", "Write and delete memos in your name")],
            grant_lifetimes: vec![(say("client_credentials"), say("15m"))],
            reuse_access_token: false,
            reuse_refresh_token: false,
            revoke_previous_tokens: true,
            allowed_origins: vec![say("https://app.example")],
            restricted: true,
            allowed_users: vec![say("hanako"), say("ichiro")],
            allowed_groups: vec![say("staff")],
            commands: vec![Command {
                title: say("A token in its own name, with curl"),
                text: say(
                    "curl -u \"$CLIENT_ID:$CLIENT_SECRET\" \\\n  -d grant_type=client_credentials \\\n  http://localhost:3801/oauth/token",
                ),
            }],
            users: 3,
            live_tokens: 12,
            failures: 3,
        }
    }
}

impl Sample for ApplicationDelete {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: administrator(say),
            id: say("0192f0c1-5a3e"),
            name: say("Memo Bot"),
            users: 3,
            live_tokens: 12,
        }
    }
}

impl Sample for ApplicationDisable {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: administrator(say),
            id: say("0192f0c1-5a3e"),
            name: say("Memo Bot"),
            users: 3,
            live_tokens: 12,
        }
    }
}

fn owner(say: Say<'_>) -> Owner {
    Owner {
        id: say("0192f0c1-5a3a"),
        username: Some(say("ichiro")),
    }
}

fn lifetimes(say: Say<'_>) -> Lifetimes {
    Lifetimes {
        access_token_ttl: say("1h"),
        refresh_token_ttl: say("30d"),
        refresh_token_max_ttl: say("365d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_stop_is_counted() {
        assert_eq!(loss(0, 0), "Nobody uses it now.");
        assert_eq!(
            loss(3, 12),
            "This stops working at once for 3 users, 12 live tokens."
        );
        assert_eq!(loss(1, 1), "This stops working at once for 1 user, 1 live token.");
    }

    #[test]
    fn no_match_is_not_the_same_as_no_application() {
        let mut list = ApplicationsList {
            rows: Vec::new(),
            previous_href: None,
            ..ApplicationsList::sample()
        };
        assert!(!list.is_bare());
        list.query.clear();
        assert!(list.is_bare());
    }

    #[test]
    fn an_old_secret_can_be_retired_only_while_there_is_another() {
        let mut page = ApplicationShow::sample();
        let both = page.render().unwrap();
        assert!(both.contains("/secrets/a/delete") && !both.contains("rotate-secret"));
        page.secrets.pop();
        let one = page.render().unwrap();
        assert!(!one.contains("/secrets/a/delete") && one.contains("rotate-secret"));
    }

    #[test]
    fn a_wrong_field_is_told_in_the_summary_and_beside_itself_and_takes_the_focus() {
        let page = ApplicationForm::sample().render().unwrap();
        assert!(page.contains(r##"<a href="#redirect_uris">"##));
        assert!(page.contains(
            r#"aria-invalid="true" aria-describedby="redirect_uris-help redirect_uris-error" autofocus"#
        ));
        assert_eq!(page.matches("autofocus").count(), 1);
        assert!(page.contains("http://app.example/cb</textarea>"));
    }
}
