//! A script: which requests it is for, how often, and what becomes of their answers.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, from_value};

use super::seen::{Endpoint, Seen};
use crate::base::config::seconds;
use crate::model::grant_type::GrantType;

/// Longest delay.
const PATIENCE: Duration = Duration::from_mins(10);
/// Headers by which the connection is run.
const FRAMING: [&str; 5] = [
    "connection",
    "content-length",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// A script as it is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    endpoint: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<GrantType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default)]
    pub(super) times: Times,
    /// So many pass first.
    #[serde(default)]
    pub(super) after: u64,
    pub(super) answer: Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", rename_all = "snake_case")]
enum Place {
    Any,
    #[serde(untagged)]
    One(Endpoint),
}

impl TryFrom<Value> for Place {
    type Error = String;

    fn try_from(spelled: Value) -> Result<Self, String> {
        if spelled == "any" {
            return Ok(Self::Any);
        }
        from_value(spelled)
            .map(Self::One)
            .map_err(|error| format!("endpoint: {error}, or any"))
    }
}

/// How many answers it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", rename_all = "snake_case")]
pub(super) enum Times {
    Every,
    #[serde(untagged)]
    Next(u64),
}

impl TryFrom<Value> for Times {
    type Error = String;

    fn try_from(spelled: Value) -> Result<Self, String> {
        if spelled == "every" {
            return Ok(Self::Every);
        }
        spelled
            .as_u64()
            .filter(|times| *times > 0)
            .map(Self::Next)
            .ok_or_else(|| "times is a number from 1, or \"every\"".to_owned())
    }
}

impl Default for Times {
    fn default() -> Self {
        Self::Next(1)
    }
}

impl Times {
    pub(super) const fn limit(self) -> Option<u64> {
        match self {
            Self::Every => None,
            Self::Next(times) => Some(times),
        }
    }
}

/// What becomes of an answer. What [says](Self::says_something) something stands in for the real one; the rest
/// changes whichever there is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_description: Option<String>,
    /// A text as it is, anything else as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) template: Option<Template>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, String>,
    /// In seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<u32>,
    /// Members of a JSON body, or parameters of a redirect to a client.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) omit: Vec<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) set: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delay: Option<Delay>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) stall: bool,
    #[serde(skip_serializing_if = "Dropping::is_never")]
    pub(super) drop: Dropping,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) truncate: bool,
}

/// An answer that a careless server gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Template {
    MalformedJson,
    WrongContentType,
    Empty,
}

/// When the connection is closed instead of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", rename_all = "snake_case")]
pub(super) enum Dropping {
    #[default]
    Never,
    /// Before the server sees the request.
    Request,
    /// When the server has done what it was asked: the answer is lost.
    Answer,
}

impl Dropping {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    const fn is_never(&self) -> bool {
        matches!(self, Self::Never)
    }
}

impl TryFrom<Value> for Dropping {
    type Error = String;

    fn try_from(spelled: Value) -> Result<Self, String> {
        match &spelled {
            Value::Bool(false) => Ok(Self::Never),
            Value::Bool(true) => Ok(Self::Request),
            Value::String(text) if text == "request" => Ok(Self::Request),
            Value::String(text) if text == "answer" => Ok(Self::Answer),
            _ => Err("drop is true, which is \"request\", or \"answer\"".to_owned()),
        }
    }
}

/// Seconds, or a text: `200ms`, `2s`, `1m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "DelaySpelled")]
pub(super) struct Delay(pub(super) Duration);

impl Serialize for Delay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs_f64())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum DelaySpelled {
    Seconds(f64),
    Text(String),
}

impl TryFrom<DelaySpelled> for Delay {
    type Error = String;

    fn try_from(spelled: DelaySpelled) -> Result<Self, String> {
        let read = match &spelled {
            DelaySpelled::Seconds(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
            DelaySpelled::Text(text) => duration(text),
        };
        read.filter(|delay| *delay <= PATIENCE).map(Self).ok_or_else(|| {
            "a delay is a number of seconds, or a text such as 200ms, 2s or 1m, up to 10m".into()
        })
    }
}

fn duration(text: &str) -> Option<Duration> {
    if let Some(millis) = text.strip_suffix("ms") {
        return millis.parse().ok().map(Duration::from_millis);
    }
    seconds(text)?.try_into().ok().map(Duration::from_secs)
}

impl Script {
    /// What is wrong with it, and what would be right.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.grant.is_some() && !matches!(self.endpoint, Place::Any | Place::One(Endpoint::Token)) {
            return Err("grant tells token requests apart: the endpoint must be token".into());
        }
        if let Some(method) = &self.method {
            Method::from_bytes(method.as_bytes()).map_err(|_| format!("method: {method} is none"))?;
        }
        self.answer.check()
    }

    /// Whether it is for this request.
    pub(super) fn is_for(&self, seen: &Seen) -> bool {
        let Some(endpoint) = seen.endpoint else {
            return false;
        };
        let place = match self.endpoint {
            Place::Any => true,
            Place::One(wanted) => wanted == endpoint,
        };
        let method = match &self.method {
            Some(method) => method.eq_ignore_ascii_case(seen.method.as_str()),
            // what browsers ask first is no request of a client's
            None => seen.method != Method::OPTIONS,
        };
        place
            && method
            && self.grant.is_none_or(|grant| seen.grant() == Some(grant))
            && self
                .client_id
                .as_ref()
                .is_none_or(|id| seen.client_id.as_ref() == Some(id))
    }
}

impl Answer {
    /// Whether it stands in for the real one, which is not computed then: nothing is used up.
    pub(super) const fn says_something(&self) -> bool {
        self.status.is_some() || self.error.is_some() || self.body.is_some() || self.template.is_some()
    }

    pub(super) fn changes_members(&self) -> bool {
        !self.omit.is_empty() || !self.set.is_empty()
    }

    fn check(&self) -> Result<(), String> {
        if self.does_nothing() {
            return Err(
                "answer: say what becomes of the answer, by status, error, body, template, content_type, headers, \
                 retry_after, omit, set, delay, stall, drop or truncate"
                    .into(),
            );
        }
        let spoken = [self.error.is_some(), self.body.is_some(), self.template.is_some()];
        if spoken.into_iter().filter(|said| *said).count() > 1 {
            return Err("answer: error, body and template exclude each other".into());
        }
        if self.error_description.is_some() && self.error.is_none() {
            return Err("answer: error_description needs an error".into());
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("answer: status is a number from 200 to 599".into());
        }
        if self.error.as_deref().is_some_and(|error| !is_error_code(error)) {
            return Err(
                "answer: error is a word of printable ASCII without \" and \\ (RFC 6749 §5.2)".into(),
            );
        }
        self.check_headers()
    }

    fn does_nothing(&self) -> bool {
        !self.says_something()
            && self.content_type.is_none()
            && self.headers.is_empty()
            && self.retry_after.is_none()
            && !self.changes_members()
            && self.delay.is_none()
            && !self.stall
            && self.drop.is_never()
            && !self.truncate
    }

    fn check_headers(&self) -> Result<(), String> {
        for name in self.headers.keys() {
            if FRAMING.contains(&&*name.to_ascii_lowercase()) {
                return Err(format!(
                    "answer: headers: {name} is the connection's own; drop and truncate break one off"
                ));
            }
        }
        let all = self.headers.iter().map(|(name, value)| (&**name, value));
        let kind = self.content_type.iter().map(|value| ("content-type", value));
        for (name, value) in all.chain(kind) {
            header(name, value).ok_or_else(|| format!("answer: {name}: {value} is no header"))?;
        }
        Ok(())
    }

    /// Those that are set, whatever the answer had.
    pub(super) fn header_values(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let all = self.headers.iter().map(|(name, value)| (&**name, value.clone()));
        let kind = self
            .content_type
            .iter()
            .map(|value| ("content-type", value.clone()));
        let retry = self
            .retry_after
            .iter()
            .map(|after| ("retry-after", after.to_string()));
        all.chain(kind)
            .chain(retry)
            .filter_map(|(name, value)| header(name, &value))
    }
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    Some((name, HeaderValue::from_str(value).ok()?))
}

fn is_error_code(text: &str) -> bool {
    let is_allowed = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    !text.is_empty() && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn script(text: Value) -> Result<Script, String> {
        let script: Script = serde_json::from_value(text).map_err(|error| error.to_string())?;
        script.check().map(|()| script)
    }

    #[test]
    fn a_script_is_read_in_every_spelling() {
        let good = [
            json!({ "endpoint": "token", "answer": { "status": 503 } }),
            json!({ "endpoint": "any", "times": "every", "answer": { "drop": true } }),
            json!({ "endpoint": "token", "grant": "urn:ietf:params:oauth:grant-type:device_code",
                    "times": 3, "after": 2, "answer": { "error": "slow_down" } }),
            json!({ "endpoint": "authorize", "answer": { "set": { "state": "other" }, "omit": ["iss"] } }),
            json!({ "endpoint": "memos", "method": "POST", "answer": { "delay": "200ms", "drop": "answer" } }),
            json!({ "endpoint": "metadata", "answer": { "delay": 0.5, "headers": { "X-A": "b" } } }),
            json!({ "endpoint": "token_info", "answer": { "template": "malformed_json" } }),
        ];
        for text in good {
            let read = script(text.clone()).unwrap_or_else(|why| panic!("{text}: {why}"));
            let again = script(serde_json::to_value(&read).unwrap()).unwrap();
            assert_eq!(format!("{read:?}"), format!("{again:?}"));
        }
    }

    #[test]
    fn a_script_that_cannot_be_meant_is_refused() {
        let bad = [
            json!({ "endpoint": "tokens", "answer": { "status": 503 } }),
            json!({ "endpoint": "token", "answer": {} }),
            json!({ "endpoint": "token", "answer": { "status": 101 } }),
            json!({ "endpoint": "token", "answer": { "stauts": 503 } }),
            json!({ "endpoint": "token", "times": 0, "answer": { "status": 503 } }),
            json!({ "endpoint": "token", "times": "often", "answer": { "status": 503 } }),
            json!({ "endpoint": "memos", "grant": "refresh_token", "answer": { "status": 503 } }),
            json!({ "endpoint": "token", "grant": "guess", "answer": { "status": 503 } }),
            json!({ "endpoint": "token", "answer": { "error": "a\"b" } }),
            json!({ "endpoint": "token", "answer": { "error": "a", "body": "b" } }),
            json!({ "endpoint": "token", "answer": { "error_description": "why" } }),
            json!({ "endpoint": "token", "answer": { "headers": { "Content-Length": "3" } } }),
            json!({ "endpoint": "token", "answer": { "headers": { "a b": "3" } } }),
            json!({ "endpoint": "token", "answer": { "content_type": "a\r\nb" } }),
            json!({ "endpoint": "token", "answer": { "delay": "soon" } }),
            json!({ "endpoint": "token", "answer": { "delay": -1 } }),
            json!({ "endpoint": "token", "answer": { "delay": "11m" } }),
        ];
        for text in bad {
            assert!(script(text.clone()).is_err(), "{text}");
        }
    }

    #[test]
    fn delays_are_seconds_or_texts() {
        for (text, millis) in [
            (json!(2), 2000),
            (json!(0.25), 250),
            (json!("2s"), 2000),
            (json!("200ms"), 200),
            (json!("1m"), 60_000),
        ] {
            let delay: Delay = serde_json::from_value(text).unwrap();
            assert_eq!(delay.0.as_millis(), millis);
        }
    }
}
