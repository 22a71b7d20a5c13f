//! Answers of the token endpoint and of the endpoints that take tokens (RFC 6749 §5, RFC 7009, RFC 7662).

use super::challenge;
use super::check::{Check, Outcome, Rule, Side};
use super::document::{Members, named, text};
use crate::base::secret::Secret;
use crate::protocol::answer::Answer;

const STATUS: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.2",
    "error_status",
    "What is refused is refused with 400, or with 401 where the client did not prove itself.",
    "Answer 400; a client takes 5xx for an outage and tries again, and 200 for success.",
);
const JSON: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.2",
    "error_json",
    "An error is a JSON object with an error code, sent as application/json.",
    "Send Content-Type: application/json and {\"error\": \"…\"}; look for a proxy that puts its own page in place of errors.",
);
const CHARACTERS: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.2",
    "error_characters",
    "Error and description are printable ASCII without quotation mark and backslash.",
    "Replace every other character.",
);
const NULLS: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.1 and §5.2",
    "answer_no_null",
    "No member of the answer is null.",
    "Leave out what is not there; typed clients refuse the whole answer for a null.",
);
const ERROR_NO_STORE: Rule = Rule::of_server(
    Outcome::Warn,
    "RFC 6749 §5.2",
    "error_no_store",
    "Errors are not to be cached either.",
    "Send Cache-Control: no-store with every answer of the endpoint.",
);
const NO_CHALLENGE: Rule = Rule::of_server(
    Outcome::Warn,
    "RFC 9110 §11.6.1",
    "no_challenge_on_400",
    "An error with status 400 carries no WWW-Authenticate.",
    "Send it with 401 alone: several HTTP clients take it for a question, and device polling and retries stop there.",
);
const UNKNOWN_CLIENT: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.2",
    "unknown_client_is_invalid_client",
    "A client that is not known is told invalid_client.",
    "Answer error=invalid_client; from it a client knows that it has to be registered anew.",
);
const BASIC: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.2",
    "basic_is_answered_401",
    "Credentials in the Authorization header that are wrong are answered with 401 and a challenge of that scheme.",
    "Answer 401 with WWW-Authenticate: Basic realm=\"…\".",
);
const UNKNOWN_CODE: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.2",
    "unknown_code_is_invalid_grant",
    "A code or refresh token that nobody issued is told invalid_grant.",
    "Answer error=invalid_grant; from it a client knows that the user has to authorize anew.",
);
const UNKNOWN_GRANT: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.2",
    "unknown_grant_is_refused",
    "A grant type that does not exist is refused.",
    "Answer error=unsupported_grant_type.",
);
const ISSUED: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.1",
    "token_issued",
    "The client gets a token by its credentials, in JSON with status 200.",
    "Look at the error: the client may not use client_credentials, or its secret is another.",
);
const TOKEN_NO_STORE: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.1",
    "token_no_store",
    "An answer with a token is kept out of every cache.",
    "Send Cache-Control: no-store, and keep a proxy from changing it.",
);
const TOKEN_TYPE: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.1",
    "token_type",
    "The answer names access_token and token_type, both as texts.",
    "Send both; token_type is Bearer where nothing else is meant.",
);
const EXPIRES_IN: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.1",
    "expires_in_is_a_number",
    "expires_in is a number of seconds, not a text.",
    "Send an integer; a client that cannot read it takes the token for good for ever, or refuses the answer.",
);
const HAS_EXPIRES_IN: Rule = Rule::of_server(
    Outcome::Warn,
    "RFC 6749 §5.1",
    "expires_in_is_told",
    "The answer says how long the token lives.",
    "Send expires_in.",
);
const SCOPE: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §5.1",
    "scope_is_a_text",
    "Where the answer tells the scope, it is one text.",
    "Send scope as one string with spaces between.",
);
const NO_REFRESH: Rule = Rule::of_server(
    Outcome::Warn,
    "RFC 6749 §4.4.3",
    "no_refresh_token_without_user",
    "A client that acts for itself gets no refresh token: it can ask again.",
    "Leave refresh_token out of answers to client_credentials.",
);
const REVOKED: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 7009 §2.2",
    "revocation_of_the_unknown",
    "Revoking a token that nobody issued is answered with 200.",
    "Answer 200: what the client wants is so already.",
);
const INTROSPECTION: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 7662 §2.1",
    "introspection_is_guarded",
    "Nobody may introspect without proving who they are.",
    "Answer 401 without credentials; otherwise tokens can be guessed at.",
);

/// What was asked that has to be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// An unknown client, named in the body.
    UnknownClient,
    /// An unknown client, by Basic.
    Basic,
    /// A code or refresh token that nobody issued, of the client that the operator named.
    UnknownCode,
    UnknownGrant,
}

/// What is to be said of an error answer.
pub fn refusal(answer: &Answer, asked: Refused) -> Vec<Check> {
    let (mut checks, members) = error(answer);
    let Some(members) = members else { return checks };
    let code = text(&members, "error").unwrap_or_default();
    let saw = || format!("status {}, error {code}", answer.status);
    checks.push(match asked {
        Refused::UnknownClient => UNKNOWN_CLIENT.judge(code == "invalid_client", saw),
        Refused::Basic => BASIC.judge(is_basic(answer), || {
            format!(
                "status {}, {}",
                answer.status,
                answer.header("www-authenticate").unwrap_or("no WWW-Authenticate")
            )
        }),
        Refused::UnknownCode if matches!(code, "invalid_client" | "unauthorized_client") => UNKNOWN_CODE
            .not_tried(format!(
                "{code}: the client is confidential or may not use this grant"
            )),
        Refused::UnknownCode => UNKNOWN_CODE.judge(code == "invalid_grant", saw),
        Refused::UnknownGrant => {
            let known = [
                "unsupported_grant_type",
                "invalid_client",
                "unauthorized_client",
                "invalid_request",
            ];
            UNKNOWN_GRANT.judge(known.contains(&code), saw)
        }
    });
    checks
}

fn is_basic(answer: &Answer) -> bool {
    answer.status == 401 && challenge::find(answer.headers("www-authenticate"), "Basic").is_some()
}

/// What holds of every OAuth error in JSON; its members, where they can be read.
pub(super) fn error(answer: &Answer) -> (Vec<Check>, Option<Members>) {
    let mut checks = vec![STATUS.judge(matches!(answer.status, 400 | 401), || {
        format!("status {}", answer.status)
    })];
    let members = answer
        .object()
        .filter(|members| answer.is_json() && text(members, "error").is_some());
    let kind = || {
        answer
            .header("content-type")
            .unwrap_or("no Content-Type")
            .to_owned()
    };
    checks.push(JSON.judge(members.is_some(), || format!("{} without an error code", kind())));
    if answer.status == 400 {
        let challenge = answer.header("www-authenticate");
        checks.push(NO_CHALLENGE.judge(challenge.is_none(), || challenge.unwrap_or_default().to_owned()));
    }
    let Some(members) = members else {
        return (checks, None);
    };
    checks.push(ERROR_NO_STORE.judge(answer.is_no_store(), || cache_control(answer)));
    checks.push(no_nulls(&members));
    let odd = named(&members, |name, value| {
        matches!(name, "error" | "error_description")
            && value.as_str().is_some_and(|text| !text.chars().all(is_plain))
    });
    checks.push(CHARACTERS.judge(odd.is_empty(), || odd));
    (checks, Some(members))
}

pub(super) fn no_nulls(members: &Members) -> Check {
    let nulls = named(members, |_, value| value.is_null());
    NULLS.judge(nulls.is_empty(), || nulls)
}

/// Whether an answer with a token or a device code is kept out of caches.
pub(super) fn no_store(answer: &Answer) -> Check {
    TOKEN_NO_STORE.judge(answer.is_no_store(), || cache_control(answer))
}

fn cache_control(answer: &Answer) -> String {
    answer.header("cache-control").map_or_else(
        || "no Cache-Control".to_owned(),
        |value| format!("Cache-Control: {value}"),
    )
}

const fn is_plain(character: char) -> bool {
    matches!(character, ' '..='~') && character != '"' && character != '\\'
}

/// That the client did not prove itself, for want of a safe way.
pub fn not_issued() -> Check {
    ISSUED.not_tried("the secret is not sent to a server that speaks http")
}

/// What is to be said of the answer to the client's own credentials. Shows nothing of the token.
pub fn issued(answer: &Answer) -> Vec<Check> {
    let members = answer.object().filter(|_| answer.is_json());
    let code = members
        .as_ref()
        .and_then(|members| text(members, "error"))
        .unwrap_or("none");
    if matches!(code, "unauthorized_client" | "unsupported_grant_type") {
        return vec![ISSUED.not_tried(format!("the client may not use client_credentials: error {code}"))];
    }
    let success = answer.status == 200 && members.is_some();
    let mut checks = vec![ISSUED.judge(success, || format!("status {}, error {code}", answer.status))];
    let Some(members) = members.filter(|_| success) else {
        let client = |check: Check| check.mended(Side::Client, ISSUED.mend);
        return checks.into_iter().map(client).collect();
    };
    let is_text = |name| text(&members, name).is_some_and(|text| !text.is_empty());
    checks.push(no_store(answer));
    checks.push(no_nulls(&members));
    checks.push(
        TOKEN_TYPE.judge(is_text("access_token") && is_text("token_type"), || {
            "one of them is missing".into()
        }),
    );
    let lifetime = members.get("expires_in");
    checks.push(HAS_EXPIRES_IN.judge(lifetime.is_some(), || "no expires_in".into()));
    if let Some(lifetime) = lifetime {
        checks.push(EXPIRES_IN.judge(lifetime.is_u64(), || lifetime.to_string()));
    }
    if let Some(scope) = members.get("scope") {
        checks.push(SCOPE.judge(scope.is_string(), || scope.to_string()));
    }
    let refresh = members.contains_key("refresh_token");
    checks.push(NO_REFRESH.judge(!refresh, || "a refresh_token".into()));
    checks
}

/// The access token of an answer.
pub fn access_token(answer: &Answer) -> Option<Secret> {
    let members = answer.object()?;
    text(&members, "access_token").map(Secret::new)
}

/// What is to be said of the answer to the revocation of a token that nobody issued.
pub fn revocation(answer: &Answer) -> Vec<Check> {
    if answer.status == 401 || refuses(answer, &["invalid_client", "unauthorized_client"]) {
        return vec![REVOKED.not_tried("the server wants the client to prove itself first")];
    }
    vec![REVOKED.judge(answer.status == 200, || format!("status {}", answer.status))]
}

fn refuses(answer: &Answer, codes: &[&str]) -> bool {
    let members = answer.object().unwrap_or_default();
    text(&members, "error").is_some_and(|code| codes.contains(&code))
}

/// What is to be said of the answer to an introspection without credentials.
pub fn introspection(answer: &Answer) -> Vec<Check> {
    if matches!(answer.status, 404..=406) {
        return vec![
            INTROSPECTION.not_tried(format!("status {}: there is nothing to POST to", answer.status)),
        ];
    }
    let refused = (400..500).contains(&answer.status);
    vec![INTROSPECTION.judge(refused, || format!("status {}", answer.status))]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Answer::new(status, headers, body.into())
    }

    const KIND: (&str, &str) = ("content-type", "application/json");
    const NO_STORE: (&str, &str) = ("cache-control", "no-store");
    const REFUSAL: &str = r#"{"error":"invalid_client"}"#;

    fn broken(checks: Vec<Check>) -> Vec<(&'static str, Outcome)> {
        let broken = checks.into_iter().filter(|check| check.outcome != Outcome::Pass);
        broken.map(|check| (check.rule, check.outcome)).collect()
    }

    #[test]
    fn an_error_has_its_shape() {
        use Outcome::{Fail, Warn};
        let challenge = ("www-authenticate", "Bearer");
        let told = |status, headers: &[_], body| {
            broken(refusal(&answer(status, headers, body), Refused::UnknownClient))
        };
        assert_eq!(told(400, &[KIND, NO_STORE], REFUSAL), []);
        assert_eq!(told(401, &[KIND, NO_STORE, challenge], REFUSAL), []);
        assert_eq!(told(400, &[KIND], REFUSAL), [("error_no_store", Warn)]);
        assert_eq!(
            told(400, &[KIND, NO_STORE, challenge], REFUSAL),
            [("no_challenge_on_400", Warn)]
        );
        assert_eq!(told(500, &[KIND, NO_STORE], REFUSAL), [("error_status", Fail)]);
        assert_eq!(told(400, &[NO_STORE], REFUSAL), [("error_json", Fail)]);
        assert_eq!(told(400, &[KIND, NO_STORE], "<html>"), [("error_json", Fail)]);
        let null = r#"{"error":"invalid_client","error_uri":null}"#;
        assert_eq!(told(400, &[KIND, NO_STORE], null), [("answer_no_null", Fail)]);
        let quoted = r#"{"error":"invalid_client","error_description":"\"a\" is unknown"}"#;
        assert_eq!(told(400, &[KIND, NO_STORE], quoted), [("error_characters", Fail)]);
        let other = r#"{"error":"server_error"}"#;
        assert_eq!(
            told(400, &[KIND, NO_STORE], other),
            [("unknown_client_is_invalid_client", Fail)]
        );
    }

    #[test]
    fn each_refusal_has_its_code() {
        let told = |status, code: &str, asked| {
            let body = json!({"error": code}).to_string();
            broken(refusal(&answer(status, &[KIND, NO_STORE], &body), asked))
        };
        assert_eq!(told(400, "invalid_grant", Refused::UnknownCode), []);
        assert_eq!(
            told(400, "invalid_request", Refused::UnknownCode)[0].1,
            Outcome::Fail
        );
        assert_eq!(
            told(401, "invalid_client", Refused::UnknownCode)[0].1,
            Outcome::NotTried
        );
        assert_eq!(told(400, "unsupported_grant_type", Refused::UnknownGrant), []);
        assert_eq!(
            told(401, "invalid_client", Refused::Basic),
            [("basic_is_answered_401", Outcome::Fail)]
        );
        let basic = answer(
            401,
            &[KIND, NO_STORE, ("www-authenticate", "Basic realm=\"r\"")],
            REFUSAL,
        );
        assert_eq!(broken(refusal(&basic, Refused::Basic)), []);
    }

    #[test]
    fn a_token_answer_has_its_shape_and_its_token_is_not_shown() {
        use Outcome::{Fail, Warn};
        let sound =
            json!({"access_token": "s3cret", "token_type": "Bearer", "expires_in": 60, "scope": "read"});
        let told = |member: &str, value: Value| {
            let mut changed = sound.clone();
            changed[member] = value;
            let checks = issued(&answer(200, &[KIND, NO_STORE], &changed.to_string()));
            assert!(!format!("{checks:?}").contains("s3cret"));
            broken(checks)
        };
        assert_eq!(told("scope", json!("read")), []);
        assert_eq!(
            told("expires_in", json!("60")),
            [("expires_in_is_a_number", Fail)]
        );
        assert_eq!(told("scope", json!(["read"])), [("scope_is_a_text", Fail)]);
        assert_eq!(told("token_type", json!("")), [("token_type", Fail)]);
        assert_eq!(
            told("refresh_token", json!("x")),
            [("no_refresh_token_without_user", Warn)]
        );
        assert_eq!(told("id_token", Value::Null), [("answer_no_null", Fail)]);
        let cached = issued(&answer(200, &[KIND], &sound.to_string()));
        assert_eq!(broken(cached), [("token_no_store", Fail)]);
        let refused = issued(&answer(401, &[KIND], REFUSAL));
        assert_eq!(refused[0].side, Some(Side::Client));
    }

    #[test]
    fn the_unknown_is_revoked_already_and_introspection_is_guarded() {
        assert_eq!(broken(revocation(&answer(200, &[], ""))), []);
        assert_eq!(broken(revocation(&answer(404, &[], "")))[0].1, Outcome::Fail);
        assert_eq!(
            broken(revocation(&answer(400, &[], REFUSAL)))[0].1,
            Outcome::NotTried
        );
        assert_eq!(broken(introspection(&answer(401, &[], ""))), []);
        assert_eq!(
            broken(introspection(&answer(200, &[], "{\"active\":false}")))[0].1,
            Outcome::Fail
        );
    }
}
