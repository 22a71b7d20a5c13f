//! A protected resource: its challenges and its metadata (RFC 6750 §3, RFC 9728).

use super::challenge::{self, Challenge};
use super::check::{Check, Outcome, Rule, Side};
use super::document::{self, Document, Kind, Members, list, text};
use crate::protocol::answer::Answer;

const RESOURCE: Side = Side::Resource;

const DOCUMENT: Document = Document::of(
    RESOURCE,
    "RFC 9728 §3.2",
    "RFC 9728 §2",
    &[
        ("resource", Kind::Url),
        ("authorization_servers", Kind::Urls),
        ("jwks_uri", Kind::Url),
        ("scopes_supported", Kind::List),
        ("bearer_methods_supported", Kind::List),
        ("resource_name", Kind::Text),
        ("resource_documentation", Kind::Text),
        ("tls_client_certificate_bound_access_tokens", Kind::Flag),
        ("dpop_bound_access_tokens_required", Kind::Flag),
    ],
    // an empty list says that no method is taken
    &["bearer_methods_supported"],
);

const REFUSED: Rule = Rule {
    name: "resource_asks_for_a_token",
    section: "RFC 6750 §3",
    says: "Without a token the resource answers 401.",
    mend: "Answer 401 with a challenge, not 403, a redirect or a sign-in page: from the 401 a client knows that it needs a token.",
    side: RESOURCE,
    broken: Outcome::Fail,
};
const CHALLENGE: Rule = Rule {
    name: "challenge_bearer",
    section: "RFC 6750 §3",
    says: "The refusal carries a Bearer challenge.",
    mend: "Send WWW-Authenticate: Bearer with every 401, and let the proxy in front pass it.",
    side: RESOURCE,
    broken: Outcome::Fail,
};
const NO_ERROR: Rule = Rule {
    name: "challenge_without_error",
    section: "RFC 6750 §3.1",
    says: "To a request without a token the challenge names no error.",
    mend: "Leave error out where no token was sent; clients would throw away the token that they have.",
    side: RESOURCE,
    broken: Outcome::Warn,
};
const LEADS: Rule = Rule {
    name: "challenge_leads_to_metadata",
    section: "RFC 9728 §5.1",
    says: "The challenge says where the resource's metadata are.",
    mend: "Add resource_metadata=\"URL\" to the challenge; without it a client has to guess who gives the tokens.",
    side: RESOURCE,
    broken: Outcome::Warn,
};
const INVALID: Rule = Rule {
    name: "invalid_token_refused",
    section: "RFC 6750 §3.1",
    says: "A token that nobody issued is refused with 401 and error=\"invalid_token\".",
    mend: "Check every token before anything is answered, and answer 401 with error=\"invalid_token\", from which a client knows that it should refresh.",
    side: RESOURCE,
    broken: Outcome::Fail,
};
const SAME: Rule = Rule {
    name: "resource_is_the_one_asked",
    section: "RFC 9728 §3.3",
    says: "The resource in the metadata is the URL that was asked, byte for byte.",
    mend: "Let the document name the URL that clients call; they must not use it otherwise, and ask tokens for another resource.",
    side: RESOURCE,
    broken: Outcome::Fail,
};
/// In place of [`SAME`]'s.
const SLASH: &str =
    "Only the slash at the end differs: call the resource as its metadata spell it, or change it there.";
const SERVERS: Rule = Rule {
    name: "resource_names_servers",
    section: "RFC 9728 §2",
    says: "The metadata name the authorization servers whose tokens are taken.",
    mend: "List the issuers in authorization_servers, each as its own metadata spell it.",
    side: RESOURCE,
    broken: Outcome::Warn,
};
const METHODS: Rule = Rule {
    name: "token_not_in_url",
    section: "RFC 9700 §4.3.2",
    says: "Tokens are not taken from the URL, where logs and histories keep them.",
    mend: "Take query out of bearer_methods_supported and take tokens in the Authorization header alone.",
    side: RESOURCE,
    broken: Outcome::Warn,
};
const BOTH: Rule = Rule {
    name: "server_and_resource_know_each_other",
    section: "RFC 9728 §4",
    says: "The authorization server and the resource name each other.",
    mend: "List the issuer in the resource's authorization_servers, and the resource in the server's protected_resources or that member not at all.",
    side: RESOURCE,
    broken: Outcome::Fail,
};

/// What is to be said of the answer to a request without a token, and the challenge in it.
pub fn without_token(answer: &Answer) -> (Vec<Check>, Option<Challenge>) {
    if matches!(answer.status, 404..=406) {
        let why = format!("status {}: there is nothing to GET at this URL", answer.status);
        return (vec![REFUSED.not_tried(why)], None);
    }
    let mut checks = vec![REFUSED.judge(answer.status == 401, || format!("status {}", answer.status))];
    if answer.status != 401 {
        return (checks, None);
    }
    let found = challenge::find(answer.headers("www-authenticate"), "Bearer");
    let Some(challenge) = found else {
        let other = answer.header("www-authenticate").unwrap_or("no WWW-Authenticate");
        checks.push(CHALLENGE.broken(other));
        return (checks, None);
    };
    checks.push(CHALLENGE.kept());
    let error = challenge.parameter("error");
    checks.push(NO_ERROR.judge(error.is_none(), || format!("error={}", error.unwrap_or_default())));
    let leads = challenge.parameter("resource_metadata").is_some();
    checks.push(LEADS.judge(leads, || "no resource_metadata".into()));
    (checks, Some(challenge))
}

/// Where a challenge says that the metadata of `resource` are, if a client may look there.
pub fn metadata_url<'a>(challenge: &'a Challenge, resource: &str) -> Option<&'a str> {
    let url = challenge.parameter("resource_metadata")?;
    document::is_callable(url, resource).then_some(url)
}

/// What is to be said of the answer to a token that nobody issued.
pub fn with_unknown_token(answer: &Answer) -> Vec<Check> {
    if matches!(answer.status, 404..=406) {
        return vec![INVALID.not_tried(format!("status {}", answer.status))];
    }
    let challenge = challenge::find(answer.headers("www-authenticate"), "Bearer").unwrap_or_default();
    let error = challenge.parameter("error");
    let kept = answer.status == 401 && error == Some("invalid_token");
    let saw = || format!("status {}, error {}", answer.status, error.unwrap_or("not named"));
    vec![INVALID.judge(kept, saw)]
}

/// What is to be said of the metadata of the resource `asked`, which `named_by` names, and the authorization
/// servers in them.
pub fn read(answer: &Answer, asked: &str, named_by: Side) -> (Vec<Check>, Option<Vec<String>>) {
    let (mut checks, members) = DOCUMENT.read(answer, asked);
    let Some(members) = members else {
        return (checks, None);
    };
    checks.push(same(&members, asked, named_by));
    let servers = list(&members, "authorization_servers").unwrap_or_default();
    checks.push(SERVERS.judge(!servers.is_empty(), || "no authorization_servers".into()));
    let methods = list(&members, "bearer_methods_supported").unwrap_or_default();
    checks.push(METHODS.judge(!methods.contains(&"query"), || methods.join(", ")));
    (checks, Some(servers.into_iter().map(str::to_owned).collect()))
}

/// Those of the servers that `resource` names at which a client may look.
pub fn callable<'a>(servers: &'a [String], resource: &str) -> impl Iterator<Item = &'a str> {
    let urls = servers.iter().map(String::as_str);
    urls.filter(move |url| document::is_callable(url, resource))
}

/// Whether the answer is such a document at all.
pub fn is_document(answer: &Answer) -> bool {
    let members = answer.object().filter(|_| answer.status == 200);
    members.is_some_and(|members| text(&members, "resource").is_some())
}

/// Whether the resource that a server says it protects names that server.
pub fn names(servers: &[String], issuer: &str) -> Check {
    let told = || format!("the resource names {}, not {issuer}", servers.join(", "));
    BOTH.judge(servers.iter().any(|server| server == issuer), told)
}

/// Whether a server that lists its resources lists this one.
pub fn is_listed(resource: &str, protected: &[String]) -> Option<Check> {
    let listed = protected
        .iter()
        .any(|listed| listed.trim_end_matches('/') == resource.trim_end_matches('/'));
    let told = || format!("protected_resources are {}", protected.join(", "));
    (!protected.is_empty()).then(|| {
        let check = BOTH.judge(listed, told);
        if listed {
            check
        } else {
            check.mended(Side::AuthorizationServer, BOTH.mend)
        }
    })
}

fn same(members: &Members, asked: &str, named_by: Side) -> Check {
    let told = text(members, "resource").unwrap_or_default();
    let check = SAME.judge(told == asked, || {
        format!("asked {asked}, the metadata say {told}")
    });
    if told != asked && told.trim_end_matches('/') == asked.trim_end_matches('/') {
        return check.mended(named_by, SLASH);
    }
    check
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const API: &str = "https://api.example/v1";

    fn challenged(status: u16, challenge: &str) -> Answer {
        let header = ("www-authenticate".to_owned(), challenge.as_bytes().to_vec());
        Answer::new(status, [header], Vec::new())
    }

    fn document(value: &Value) -> Answer {
        let kind = ("content-type".to_owned(), b"application/json".to_vec());
        Answer::new(200, [kind], value.to_string().into_bytes())
    }

    fn broken(checks: &[Check]) -> Vec<(&'static str, Outcome)> {
        let broken = checks.iter().filter(|check| check.outcome != Outcome::Pass);
        broken.map(|check| (check.rule, check.outcome)).collect()
    }

    #[test]
    fn a_challenge_asks_for_a_token_and_leads_to_the_metadata() {
        use Outcome::{Fail, NotTried, Warn};
        let sound = r#"Bearer realm="r", resource_metadata="https://api.example/m""#;
        let (checks, challenge) = without_token(&challenged(401, sound));
        assert_eq!(broken(&checks), []);
        assert_eq!(
            challenge.unwrap().parameter("resource_metadata"),
            Some("https://api.example/m")
        );
        for (status, header, expected) in [
            (403, sound, ("resource_asks_for_a_token", Fail)),
            (200, sound, ("resource_asks_for_a_token", Fail)),
            (302, sound, ("resource_asks_for_a_token", Fail)),
            (404, sound, ("resource_asks_for_a_token", NotTried)),
            (401, "Basic realm=\"r\"", ("challenge_bearer", Fail)),
            (401, "Bearer realm=\"r\"", ("challenge_leads_to_metadata", Warn)),
            (
                401,
                "Bearer error=\"invalid_token\", resource_metadata=\"u\"",
                ("challenge_without_error", Warn),
            ),
        ] {
            assert_eq!(
                broken(&without_token(&challenged(status, header)).0),
                [expected],
                "{status} {header}"
            );
        }
    }

    #[test]
    fn a_resource_that_names_no_server_is_told() {
        let told = document(&json!({ "resource": API, "authorization_servers": "https://id.example" }));
        let (checks, servers) = read(&told, API, Side::Client);
        assert!(
            broken(&checks).contains(&("resource_names_servers", Outcome::Warn)),
            "{checks:?}"
        );
        assert_eq!(servers, Some(Vec::new()));
    }

    #[test]
    fn only_servers_that_a_client_may_call_are_looked_at() {
        let servers = ["https://id.example", "http://127.0.0.1:8080", "http://id.example"].map(str::to_owned);
        assert_eq!(
            callable(&servers, API).collect::<Vec<_>>(),
            ["https://id.example"]
        );
        let challenge = |url: &str| {
            let text = format!("Bearer resource_metadata=\"{url}\"");
            without_token(&challenged(401, &text)).1.unwrap()
        };
        assert_eq!(metadata_url(&challenge("http://localhost/m"), API), None);
        assert!(metadata_url(&challenge("https://api.example/m"), API).is_some());
    }

    #[test]
    fn a_token_that_nobody_issued_is_invalid() {
        let told = |status, header| broken(&with_unknown_token(&challenged(status, header))).len();
        assert_eq!(told(401, "Bearer error=\"invalid_token\""), 0);
        assert_eq!(told(401, "Bearer"), 1);
        assert_eq!(told(200, "Bearer error=\"invalid_token\""), 1);
    }

    #[test]
    fn the_document_is_of_the_resource_that_was_asked() {
        use Outcome::{Fail, Warn};
        let sound = json!({"resource": API, "authorization_servers": ["https://id.example"],
            "bearer_methods_supported": ["header"]});
        let look = |value: &Value| read(&document(value), API, Side::Client);
        let (checks, servers) = look(&sound);
        assert_eq!(
            (broken(&checks), servers),
            (vec![], Some(vec!["https://id.example".to_owned()]))
        );
        for (member, value, expected) in [
            (
                "resource",
                json!("https://api.example/other"),
                ("resource_is_the_one_asked", Fail),
            ),
            (
                "resource",
                json!("https://api.example/v1/"),
                ("resource_is_the_one_asked", Fail),
            ),
            (
                "authorization_servers",
                json!("https://id.example"),
                ("metadata_types", Fail),
            ),
            (
                "bearer_methods_supported",
                json!(["header", "query"]),
                ("token_not_in_url", Warn),
            ),
            ("jwks_uri", Value::Null, ("metadata_no_null", Fail)),
        ] {
            let mut changed = sound.clone();
            changed[member] = value;
            assert_eq!(broken(&look(&changed).0)[0], expected, "{changed}");
        }
    }

    #[test]
    fn server_and_resource_name_each_other() {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            names(&texts(&["https://id.example"]), "https://id.example").outcome,
            Outcome::Pass
        );
        assert_eq!(
            names(&texts(&["https://id.example/"]), "https://id.example").outcome,
            Outcome::Fail
        );
        assert_eq!(is_listed(API, &[]), None);
        let unlisted = is_listed(API, &texts(&["https://api.example/v2"])).unwrap();
        assert_eq!(unlisted.side, Some(Side::AuthorizationServer));
    }
}
