//! The metadata of an authorization server, as its clients need them (RFC 8414, RFC 7636, RFC 9207, RFC 9700).

use super::check::{Check, Outcome, Rule, Side};
use super::document::{self, Document, Kind, Members, list, text};
use crate::protocol::answer::Answer;

const SERVER: Side = Side::AuthorizationServer;

const DOCUMENT: Document = Document::of(
    SERVER,
    "RFC 8414 §3.2",
    "RFC 8414 §2",
    &[
        ("issuer", Kind::Url),
        ("authorization_endpoint", Kind::Url),
        ("token_endpoint", Kind::Url),
        ("revocation_endpoint", Kind::Url),
        ("introspection_endpoint", Kind::Url),
        ("device_authorization_endpoint", Kind::Url),
        ("registration_endpoint", Kind::Url),
        ("pushed_authorization_request_endpoint", Kind::Url),
        ("jwks_uri", Kind::Url),
        ("scopes_supported", Kind::List),
        ("response_types_supported", Kind::List),
        ("response_modes_supported", Kind::List),
        ("grant_types_supported", Kind::List),
        ("token_endpoint_auth_methods_supported", Kind::List),
        ("revocation_endpoint_auth_methods_supported", Kind::List),
        ("introspection_endpoint_auth_methods_supported", Kind::List),
        ("code_challenge_methods_supported", Kind::List),
        ("protected_resources", Kind::Urls),
        ("service_documentation", Kind::Text),
        ("authorization_response_iss_parameter_supported", Kind::Flag),
        ("tls_client_certificate_bound_access_tokens", Kind::Flag),
        ("client_id_metadata_document_supported", Kind::Flag),
        ("require_pushed_authorization_requests", Kind::Flag),
    ],
    &["response_types_supported"],
);

const WELL_KNOWN: Rule = Rule {
    name: "metadata_of_oauth",
    section: "RFC 8414 §3",
    says: "The metadata are at /.well-known/oauth-authorization-server, not only where OpenID Connect has them.",
    mend: "Serve the same document there too; clients of OAuth alone look nowhere else.",
    side: SERVER,
    broken: Outcome::Warn,
};
const ISSUER: Rule = Rule {
    name: "issuer_is_the_one_asked",
    section: "RFC 8414 §3.3",
    says: "The issuer in the metadata is the one that was asked for, byte for byte.",
    mend: "Set the issuer to the URL that clients know the server by; a client must not use a document of another issuer.",
    side: SERVER,
    broken: Outcome::Fail,
};
/// In place of [`ISSUER`]'s.
const SLASH: &str = "Only the slash at the end differs, and issuers are compared byte for byte: write the issuer as the \
                     metadata spell it, or change it there.";
const BARE_ISSUER: Rule = Rule {
    name: "issuer_is_bare",
    section: "RFC 8414 §2",
    says: "The issuer has no query and no fragment.",
    mend: "Cut the issuer before the ? or the #.",
    side: SERVER,
    broken: Outcome::Fail,
};
const REQUIRED: Rule = Rule {
    name: "metadata_required",
    section: "RFC 8414 §2",
    says: "The endpoints are named that the grants need, and the response types.",
    mend: "Add the missing members.",
    side: SERVER,
    broken: Outcome::Fail,
};
const S256: Rule = Rule {
    name: "pkce_s256",
    section: "RFC 9700 §2.1.1",
    says: "PKCE with S256 is offered, and the metadata say so.",
    mend: "List S256 in code_challenge_methods_supported; a client that finds no such member has to take it that there is no PKCE.",
    side: SERVER,
    broken: Outcome::Fail,
};
const PLAIN: Rule = Rule {
    name: "pkce_not_plain",
    section: "RFC 9700 §2.1.1",
    says: "PKCE is not offered as plain, which shows the verifier to whoever sees the request.",
    mend: "Take plain out of code_challenge_methods_supported, and refuse it.",
    side: SERVER,
    broken: Outcome::Warn,
};
const OLD_GRANTS: Rule = Rule {
    name: "no_old_grants",
    section: "RFC 9700 §2.1.2 and §2.4",
    says: "Neither the implicit grant nor the password grant is offered.",
    mend: "Switch them off, and list grant_types_supported: left out, it means authorization_code and implicit.",
    side: SERVER,
    broken: Outcome::Warn,
};
const METHODS: Rule = Rule {
    name: "client_authentication_told",
    section: "RFC 8414 §2",
    says: "The metadata say how clients may authenticate.",
    mend: "List token_endpoint_auth_methods_supported, with none where there are public clients; left out, it means client_secret_basic alone.",
    side: SERVER,
    broken: Outcome::Warn,
};
const ISS: Rule = Rule {
    name: "iss_promised",
    section: "RFC 9207 §3",
    says: "Answers of the authorization endpoint are promised to name their issuer, so that servers cannot be mixed up.",
    mend: "Send iss in every answer, errors too, and set authorization_response_iss_parameter_supported to true.",
    side: SERVER,
    broken: Outcome::Warn,
};
const DEVICE: Rule = Rule {
    name: "device_endpoint_and_grant",
    section: "RFC 8628 §4",
    says: "The device authorization endpoint is named where the device grant is offered, and only there.",
    mend: "Name both or neither.",
    side: SERVER,
    broken: Outcome::Warn,
};

pub const CODE_GRANT: &str = "authorization_code";
pub const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What the rest of the walk needs of the metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub issuer: Option<String>,
    pub authorization_endpoint: Option<String>,
    pub token_endpoint: Option<String>,
    pub revocation_endpoint: Option<String>,
    pub introspection_endpoint: Option<String>,
    pub device_authorization_endpoint: Option<String>,
    pub promises_iss: bool,
    pub offers_code: bool,
    pub secret: SecretPlace,
    pub protected_resources: Vec<String>,
}

/// How a client sends its secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretPlace {
    /// Issuer or endpoints are called by http, which others read.
    #[default]
    Nowhere,
    Basic,
    /// The server takes it there, and not by Basic.
    Body,
}

/// Where the document came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The well-known path of RFC 8414.
    OAuth,
    /// That of OpenID Connect Discovery, since there was none at the other.
    OpenId,
}

/// What is to be said of the answer at the well-known path of `issuer`, whom `named_by` names; and what the
/// document says, where it can be read.
pub fn read(answer: &Answer, place: Place, issuer: &str, named_by: Side) -> (Vec<Check>, Option<Known>) {
    let (mut checks, members) = DOCUMENT.read(answer, issuer);
    let Some(members) = members else {
        return (checks, None);
    };
    let elsewhere = || "only at /.well-known/openid-configuration".to_owned();
    checks.push(WELL_KNOWN.judge(place == Place::OAuth, elsewhere));
    checks.extend(issuer_checks(&members, issuer, named_by));
    checks.extend(content_checks(&members));
    (
        checks,
        Some(known(&members, |url| document::is_callable(url, issuer))),
    )
}

/// The issuer that the document names, if it is one.
pub fn issuer(answer: &Answer) -> Option<String> {
    let members = answer.object().filter(|_| answer.status == 200)?;
    text(&members, "issuer").map(str::to_owned)
}

fn issuer_checks(members: &Members, asked: &str, named_by: Side) -> [Check; 2] {
    let told = text(members, "issuer").unwrap_or_default();
    let matches = ISSUER.judge(told == asked, || {
        format!("asked for {asked}, the metadata say {told}")
    });
    let only_slash = told != asked && told.trim_end_matches('/') == asked.trim_end_matches('/');
    let matches = if only_slash {
        matches.mended(named_by, SLASH)
    } else {
        matches
    };
    [
        matches,
        BARE_ISSUER.judge(!told.contains(['?', '#']), || told.to_owned()),
    ]
}

fn content_checks(members: &Members) -> Vec<Check> {
    let grants = grants(members);
    let methods = list(members, "code_challenge_methods_supported");
    let offers = |method| methods.iter().flatten().any(|offered| *offered == method);
    let missing = missing(members, &grants);
    let old: Vec<_> = grants
        .iter()
        .filter(|grant| matches!(**grant, "implicit" | "password"))
        .copied()
        .collect();
    let mut checks = vec![REQUIRED.judge(missing.is_empty(), || missing.join(", "))];
    if grants.contains(&CODE_GRANT) {
        let told = || {
            methods
                .as_ref()
                .map_or("no code_challenge_methods_supported".into(), |list| {
                    list.join(", ")
                })
        };
        checks.push(S256.judge(offers("S256"), told));
        checks.push(PLAIN.judge(!offers("plain"), || "plain".into()));
        let promised = promises_iss(members);
        checks.push(ISS.judge(promised, || {
            "no authorization_response_iss_parameter_supported".into()
        }));
    }
    checks.push(OLD_GRANTS.judge(old.is_empty(), || old.join(", ")));
    let told = members.contains_key("token_endpoint_auth_methods_supported");
    checks.push(METHODS.judge(told, || "no token_endpoint_auth_methods_supported".into()));
    let endpoint = members.contains_key("device_authorization_endpoint");
    checks.push(DEVICE.judge(endpoint == grants.contains(&DEVICE_GRANT), || {
        let only = if endpoint { "the endpoint" } else { "the grant" };
        format!("only {only}")
    }));
    checks
}

/// With the default of RFC 8414 §2 where they are left out.
fn grants(members: &Members) -> Vec<&str> {
    list(members, "grant_types_supported").unwrap_or_else(|| vec![CODE_GRANT, "implicit"])
}

fn promises_iss(members: &Members) -> bool {
    let promise = members.get("authorization_response_iss_parameter_supported");
    promise.and_then(serde_json::Value::as_bool).unwrap_or(false)
}

fn missing(members: &Members, grants: &[&str]) -> Vec<&'static str> {
    let by_redirect = grants
        .iter()
        .any(|grant| matches!(*grant, CODE_GRANT | "implicit"));
    let by_token = grants.iter().any(|grant| *grant != "implicit");
    let needed = [
        ("issuer", true),
        ("response_types_supported", true),
        ("authorization_endpoint", by_redirect),
        ("token_endpoint", by_token),
    ];
    let absent = needed
        .into_iter()
        .filter(|(name, is)| *is && !members.contains_key(*name));
    absent.map(|(name, _)| name).collect()
}

fn secret_place(members: &Members) -> SecretPlace {
    let issuer = text(members, "issuer").unwrap_or_default();
    let proving = [
        "issuer",
        "token_endpoint",
        "revocation_endpoint",
        "device_authorization_endpoint",
    ];
    let mut urls = proving.into_iter().filter_map(|name| text(members, name));
    if !urls.all(|url| document::is_safe(url, issuer)) {
        return SecretPlace::Nowhere;
    }
    let methods = list(members, "token_endpoint_auth_methods_supported").unwrap_or_default();
    if methods.contains(&"client_secret_post") && !methods.contains(&"client_secret_basic") {
        SecretPlace::Body
    } else {
        SecretPlace::Basic
    }
}

fn known(members: &Members, callable: impl Fn(&str) -> bool) -> Known {
    let endpoint = |name| text(members, name).filter(|url| callable(url)).map(str::to_owned);
    Known {
        issuer: text(members, "issuer").map(str::to_owned),
        authorization_endpoint: endpoint("authorization_endpoint"),
        token_endpoint: endpoint("token_endpoint"),
        revocation_endpoint: endpoint("revocation_endpoint"),
        introspection_endpoint: endpoint("introspection_endpoint"),
        device_authorization_endpoint: endpoint("device_authorization_endpoint"),
        promises_iss: promises_iss(members),
        offers_code: grants(members).contains(&CODE_GRANT),
        secret: secret_place(members),
        protected_resources: list(members, "protected_resources")
            .unwrap_or_default()
            .into_iter()
            .filter(|url| callable(url))
            .map(str::to_owned)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://id.example";

    fn sound() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    fn answer(document: &Value) -> Answer {
        let kind = ("content-type".to_owned(), b"application/json".to_vec());
        Answer::new(200, [kind], document.to_string().into_bytes())
    }

    /// Names and outcomes of what a document with another member breaks; a null takes the member away.
    fn broken(member: &str, value: Value) -> Vec<(&'static str, Outcome)> {
        let mut document = sound();
        match value {
            Value::Null => drop(document.as_object_mut().unwrap().remove(member)),
            value => document[member] = value,
        }
        breaks(&answer(&document))
    }

    fn breaks(answer: &Answer) -> Vec<(&'static str, Outcome)> {
        let (checks, _) = read(answer, Place::OAuth, ISSUER, Side::Client);
        let broken = checks.into_iter().filter(|check| check.outcome != Outcome::Pass);
        broken.map(|check| (check.rule, check.outcome)).collect()
    }

    #[test]
    fn a_secret_goes_nowhere_by_http() {
        let known = |member: &str, url: &str| {
            let mut document = sound();
            document["issuer"] = json!("http://127.0.0.1:3801");
            document[member] = json!(url);
            let (_, known) = read(
                &answer(&document),
                Place::OAuth,
                "http://127.0.0.1:3801",
                Side::Client,
            );
            known.unwrap().secret != SecretPlace::Nowhere
        };
        assert!(known("token_endpoint", "http://127.0.0.1:3801/token"));
        assert!(known("token_endpoint", "https://id.example/token"));
        for member in [
            "token_endpoint",
            "revocation_endpoint",
            "device_authorization_endpoint",
        ] {
            assert!(!known(member, "http://id.example/token"), "{member}");
        }
        assert!(!known("issuer", "http://id.example"));
    }

    #[test]
    fn an_issuer_has_no_query_and_no_fragment() {
        for issuer in ["https://id.example?tenant=a", "https://id.example#a"] {
            let checks = issuer_checks(sound_with(issuer).as_object().unwrap(), issuer, Side::Client);
            let broken = checks.into_iter().filter(|check| check.outcome == Outcome::Fail);
            assert_eq!(
                broken.map(|check| check.rule).collect::<Vec<_>>(),
                ["issuer_is_bare"]
            );
        }
    }

    fn sound_with(issuer: &str) -> Value {
        let mut document = sound();
        document["issuer"] = json!(issuer);
        document
    }

    #[test]
    fn a_sound_document_breaks_nothing_and_each_fault_its_rule() {
        use Outcome::{Fail, Warn};
        assert_eq!(breaks(&answer(&sound())), []);
        let code_and_device = json!(["authorization_code", DEVICE_GRANT]);
        for (member, value, expected) in [
            (
                "issuer",
                json!("https://evil.example"),
                ("issuer_is_the_one_asked", Fail),
            ),
            (
                "token_endpoint",
                json!("http://id.example/token"),
                ("metadata_https", Fail),
            ),
            ("token_endpoint", json!("/token"), ("metadata_https", Fail)),
            (
                "token_endpoint",
                json!("https://id.example/token#x"),
                ("metadata_https", Fail),
            ),
            ("token_endpoint", json!(7), ("metadata_types", Fail)),
            ("token_endpoint", Value::Null, ("metadata_required", Fail)),
            ("authorization_endpoint", Value::Null, ("metadata_required", Fail)),
            ("scopes_supported", json!("read write"), ("metadata_types", Fail)),
            ("scopes_supported", json!([]), ("metadata_no_empty_list", Fail)),
            (
                "code_challenge_methods_supported",
                Value::Null,
                ("pkce_s256", Fail),
            ),
            (
                "code_challenge_methods_supported",
                json!(["S256", "plain"]),
                ("pkce_not_plain", Warn),
            ),
            ("grant_types_supported", Value::Null, ("no_old_grants", Warn)),
            (
                "grant_types_supported",
                json!(["authorization_code", "password"]),
                ("no_old_grants", Warn),
            ),
            (
                "grant_types_supported",
                code_and_device,
                ("device_endpoint_and_grant", Warn),
            ),
            (
                "token_endpoint_auth_methods_supported",
                Value::Null,
                ("client_authentication_told", Warn),
            ),
            (
                "authorization_response_iss_parameter_supported",
                json!(false),
                ("iss_promised", Warn),
            ),
        ] {
            assert_eq!(broken(member, value.clone()), [expected], "{member}: {value}");
        }
    }

    #[test]
    fn a_null_is_told_by_its_name() {
        let mut document = sound();
        document["jwks_uri"] = Value::Null;
        let (checks, _) = read(&answer(&document), Place::OAuth, ISSUER, Side::Client);
        let found = checks
            .iter()
            .find(|check| check.outcome == Outcome::Fail)
            .unwrap();
        assert_eq!(
            (found.rule, found.saw.as_deref()),
            ("metadata_no_null", Some("jwks_uri"))
        );
    }

    #[test]
    fn a_slash_alone_is_for_whoever_wrote_the_issuer() {
        for named_by in [Side::Client, Side::Resource] {
            let (checks, _) = read(&answer(&sound()), Place::OAuth, "https://id.example/", named_by);
            let found = checks
                .iter()
                .find(|check| check.outcome == Outcome::Fail)
                .unwrap();
            assert_eq!(
                (found.rule, found.side),
                ("issuer_is_the_one_asked", Some(named_by))
            );
            assert!(found.mend.unwrap().contains("slash"), "{found:?}");
        }
    }

    #[test]
    fn what_is_no_document_is_looked_at_no_further() {
        let kind = |kind: &str| ("content-type".to_owned(), kind.as_bytes().to_vec());
        let to = ("location".to_owned(), b"https://id.example/".to_vec());
        for (answer, rule) in [
            (Answer::new(404, [], Vec::new()), "metadata_found"),
            (Answer::new(302, [to], Vec::new()), "metadata_no_redirect"),
            (
                Answer::new(200, [kind("application/json")], b"[]".to_vec()),
                "metadata_object",
            ),
        ] {
            assert_eq!(breaks(&answer), [(rule, Outcome::Fail)]);
            assert_eq!(read(&answer, Place::OAuth, ISSUER, Side::Client).1, None);
        }
        let page = Answer::new(200, [kind("text/html")], sound().to_string().into_bytes());
        assert_eq!(breaks(&page), [("metadata_media_type", Outcome::Fail)]);
    }

    #[test]
    fn an_endpoint_that_no_client_may_call_is_not_called() {
        let mut document = sound();
        document["token_endpoint"] = json!("http://id.example/token");
        let endpoint = |issuer| {
            read(&answer(&document), Place::OAuth, issuer, Side::Client)
                .1
                .unwrap()
                .token_endpoint
        };
        assert_eq!(endpoint(ISSUER), None);
        assert_eq!(
            endpoint("http://id.example").as_deref(),
            Some("http://id.example/token")
        );
    }
}
