//! The real answer with other members: of its JSON, or of the parameters that a redirect brings to a client.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Map, Value};

use crate::base::form;
use crate::http::sandbox::script::Answer;
use crate::model::redirect_uri;

/// Larger bodies are left as they are.
const LARGEST: usize = 1024 * 1024;

/// Whether anything was changed, and the answer as it is now.
pub(super) async fn members(response: Response, wanted: &Answer) -> (bool, Response) {
    if response.status().is_redirection() {
        return redirect(response, wanted);
    }
    let (mut parts, body) = response.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        return (false, Response::from_parts(parts, body));
    }
    let Ok(bytes) = to_bytes(body, LARGEST).await else {
        return (false, Response::from_parts(parts, Body::empty()));
    };
    let changed = serde_json::from_slice(&bytes)
        .ok()
        .and_then(|document| object(document, wanted));
    let body = match &changed {
        Some(document) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            Value::Object(document.clone()).to_string().into()
        }
        None => Body::from(bytes),
    };
    (changed.is_some(), Response::from_parts(parts, body))
}

fn object(mut document: Map<String, Value>, wanted: &Answer) -> Option<Map<String, Value>> {
    let before = document.clone();
    for name in &wanted.omit {
        document.remove(name);
    }
    document.extend(wanted.set.clone());
    (document != before).then_some(document)
}

/// To our own pages nothing is changed: only what goes to a client.
fn redirect(mut response: Response, wanted: &Answer) -> (bool, Response) {
    let location = response.headers().get(header::LOCATION);
    let Some(url) = location.and_then(|url| url.to_str().ok()) else {
        return (false, response);
    };
    if url.starts_with('/') {
        return (false, response);
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let set: Vec<(&str, String)> = wanted
        .set
        .iter()
        .map(|(name, value)| (&**name, text(value)))
        .collect();
    let set: Vec<(&str, &str)> = set.iter().map(|(name, value)| (*name, &**value)).collect();
    let omit: Vec<&str> = wanted.omit.iter().map(String::as_str).collect();
    let changed = with_parameters(url, &omit, &set);
    if changed == url {
        return (false, response);
    }
    let Ok(changed) = HeaderValue::from_str(&changed) else {
        return (false, response);
    };
    response.headers_mut().insert(header::LOCATION, changed);
    (true, response)
}

/// An answer to a client with other parameters, in its fragment where it has one, else in its query.
pub(super) fn with_parameters(url: &str, omit: &[&str], set: &[(&str, &str)]) -> String {
    let mark = if url.contains('#') { '#' } else { '?' };
    let (base, carried) = url.split_once(mark).unwrap_or((url, ""));
    let goes = |pair: &&str| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        let name = form::decode(name.as_bytes()).unwrap_or_default();
        !omit.contains(&&*name) && set.iter().all(|(other, _)| *other != name)
    };
    let kept: Vec<&str> = carried
        .split('&')
        .filter(|pair| !pair.is_empty())
        .filter(goes)
        .collect();
    let kept = if kept.is_empty() {
        base.to_owned()
    } else {
        format!("{base}{mark}{}", kept.join("&"))
    };
    if mark == '#' {
        redirect_uri::with_fragment(&kept, set)
    } else {
        redirect_uri::append(&kept, set)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_parameters_of_a_redirect_are_left_out_and_set() {
        let cases = [
            (
                "http://localhost/cb?a=1&code=x&state=y",
                "http://localhost/cb?a=1&state=z%20%26",
            ),
            (
                "http://localhost/cb#code=x&state=y",
                "http://localhost/cb#state=z%20%26",
            ),
            ("http://localhost/cb", "http://localhost/cb?state=z%20%26"),
            ("http://localhost/cb?code=x", "http://localhost/cb?state=z%20%26"),
        ];
        for (url, changed) in cases {
            assert_eq!(with_parameters(url, &["code"], &[("state", "z &")]), changed);
        }
    }

    #[test]
    fn an_object_that_stays_the_same_is_no_change() {
        let wanted = |text: Value| -> Answer { serde_json::from_value(text).unwrap() };
        let document = || json!({ "a": 1, "b": 2 }).as_object().unwrap().clone();
        let changed = |text| object(document(), &wanted(text)).map(Value::Object);
        assert_eq!(changed(json!({ "omit": ["c"] })), None);
        assert_eq!(changed(json!({ "set": { "a": 1 } })), None);
        assert_eq!(changed(json!({ "omit": ["a"] })), Some(json!({ "b": 2 })));
        assert_eq!(
            changed(json!({ "omit": ["a"], "set": { "b": "soon" } })),
            Some(json!({ "b": "soon" }))
        );
    }
}
