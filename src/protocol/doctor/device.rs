//! The device authorization endpoint, and one poll (RFC 8628 §3.2 and §3.5).

use super::check::{Check, Outcome, Rule, Side};
use super::document::text;
use super::token;
use crate::base::secret::Secret;
use crate::protocol::answer::Answer;

const GIVEN: Rule = Rule {
    name: "device_codes",
    section: "RFC 8628 §3.2",
    says: "The answer has device_code, user_code and verification_uri, and expires_in and interval as numbers.",
    mend: "Send what is missing, and numbers as JSON numbers.",
    side: Side::AuthorizationServer,
    broken: Outcome::Fail,
};
const PENDING: Rule = Rule {
    name: "device_poll_is_pending",
    section: "RFC 8628 §3.5",
    says: "Before the user has decided, a poll is told authorization_pending.",
    mend: "Answer 400 with error=authorization_pending; from anything else the device takes it that it is over.",
    side: Side::AuthorizationServer,
    broken: Outcome::Fail,
};

/// What is to be said of the codes, and the device code to poll with.
pub fn codes(answer: &Answer) -> (Vec<Check>, Option<Secret>) {
    if answer.status != 200 {
        let (mut checks, members) = token::error(answer);
        let code = members
            .as_ref()
            .and_then(|members| text(members, "error"))
            .unwrap_or("no error code");
        checks.push(GIVEN.not_tried(format!("the client is refused: {code}")));
        return (checks, None);
    }
    let Some(members) = answer.object().filter(|_| answer.is_json()) else {
        return (vec![GIVEN.broken("no JSON object")], None);
    };
    let texts = ["device_code", "user_code", "verification_uri"];
    let mut wrong: Vec<&str> = texts
        .into_iter()
        .filter(|name| text(&members, name).is_none())
        .collect();
    let is_number = |name| members.get(name).is_some_and(serde_json::Value::is_u64);
    wrong.extend((!is_number("expires_in")).then_some("expires_in"));
    wrong.extend((members.contains_key("interval") && !is_number("interval")).then_some("interval"));
    let checks = vec![
        GIVEN.judge(wrong.is_empty(), || wrong.join(", ")),
        token::no_store(answer),
        token::no_nulls(&members),
    ];
    (checks, text(&members, "device_code").map(Secret::new))
}

/// What is to be said of the answer to the first poll.
pub fn poll(answer: &Answer) -> Vec<Check> {
    let (mut checks, members) = token::error(answer);
    let Some(members) = members else { return checks };
    let code = text(&members, "error").unwrap_or_default();
    checks.push(match code {
        "invalid_client" => PENDING.not_tried("the client is confidential"),
        code => PENDING.judge(code == "authorization_pending", || format!("error {code}")),
    });
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(status: u16, body: &str) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        Answer::new(status, headers, body.into())
    }

    fn broken(checks: &[Check]) -> Vec<(&str, Outcome)> {
        let broken = checks.iter().filter(|check| check.outcome != Outcome::Pass);
        broken.map(|check| (check.rule, check.outcome)).collect()
    }

    #[test]
    fn the_codes_have_their_shape() {
        let sound = r#"{"device_code":"d","user_code":"u","verification_uri":"https://v","expires_in":600,"interval":5}"#;
        let (checks, code) = codes(&json(200, sound));
        assert_eq!((broken(&checks), code.is_some()), (vec![], true));
        for (from, to) in [
            ("600", "\"600\""),
            ("\"interval\":5", "\"interval\":\"5\""),
            ("user_code", "userCode"),
        ] {
            let (checks, _) = codes(&json(200, &sound.replace(from, to)));
            assert_eq!(broken(&checks), [("device_codes", Outcome::Fail)], "{to}");
        }
        let (checks, code) = codes(&json(400, r#"{"error":"unauthorized_client"}"#));
        assert_eq!(
            (broken(&checks), code.is_some()),
            (vec![("device_codes", Outcome::NotTried)], false)
        );
    }

    #[test]
    fn the_first_poll_is_pending() {
        assert_eq!(
            broken(&poll(&json(400, r#"{"error":"authorization_pending"}"#))),
            []
        );
        let slow = poll(&json(400, r#"{"error":"slow_down"}"#));
        assert_eq!(broken(&slow), [("device_poll_is_pending", Outcome::Fail)]);
        let confidential = poll(&json(401, r#"{"error":"invalid_client"}"#));
        assert_eq!(
            broken(&confidential),
            [("device_poll_is_pending", Outcome::NotTried)]
        );
    }
}
