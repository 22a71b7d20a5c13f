//! What was asked and answered, secrets masked, and why it was refused.

mod why;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;

use self::why::Refused;
use super::World;
use super::ending::Ending;
use super::mask;
use super::scripts::Scripted;
use super::seen::{Endpoint, Seen};
use crate::protocol::sent::harmless;

/// The last requests that are kept.
const MOST: usize = 1000;
/// Larger answers are not looked into.
const LARGEST: usize = 64 * 1024;
/// What nobody asks for in a test.
const PASSED_OVER: [&str; 3] = ["/assets/", "/healthz", "/readyz"];

/// The requests and answers of one world, in the order in which they were answered.
#[derive(Debug, Default)]
pub(super) struct Record {
    entries: Mutex<Entries>,
    /// The number of the last one.
    last: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Entries(VecDeque<Arc<Entry>>);

/// One request and its answer.
#[derive(Debug, Default, Serialize)]
pub(super) struct Entry {
    pub(super) number: u64,
    /// When it came, by the clock of the sandbox.
    pub(super) at: String,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Map<String, Value>,
    pub(super) headers: Map<String, Value>,
    /// Of the body: of a form, or the members of a JSON object.
    pub(super) parameters: Map<String, Value>,
    /// `None` where there was no answer.
    pub(super) status: Option<u16>,
    pub(super) outcome: Ending,
    /// JSON as it is, other text of a script as a text, of a page nothing.
    pub(super) answer: Value,
    pub(super) answer_headers: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<String>,
    #[serde(flatten)]
    pub(super) refused: Option<Refused>,
    /// The id of the script that made the answer what it is.
    pub(super) scripted: Option<u64>,
    pub(super) request_id: Option<String>,
}

impl Record {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, mut entry: Entry) {
        self.last.send_modify(|last| {
            *last += 1;
            entry.number = *last;
            let entries = &mut self.entries().0;
            if entries.len() == MOST {
                entries.pop_front();
            }
            entries.push_back(Arc::new(entry));
        });
    }

    /// Tells the number of the last one.
    pub(super) fn last(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// Those after `number` that are `wanted`.
    pub(super) fn after(&self, number: u64, wanted: impl Fn(&Entry) -> bool) -> Vec<Arc<Entry>> {
        let entries = self.entries();
        let later = entries
            .0
            .iter()
            .filter(|entry| entry.number > number && wanted(entry));
        later.cloned().collect()
    }

    /// The numbers go on.
    pub(super) fn clear(&self) {
        self.entries().0.clear();
    }
}

/// Notes a request and its answer, and sends that as it is to be sent.
pub(super) async fn note(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let path = world.path_of(request.uri().path());
    if PASSED_OVER.iter().any(|passed| path.starts_with(passed)) {
        return next.run(request).await;
    }
    let (seen, mut request) = Seen::read(&world, request).await;
    let seen = Arc::new(seen);
    request.extensions_mut().insert(Arc::clone(&seen));
    let waiting = Waiting {
        entry: Some(asked(&world, &seen)),
        world: Arc::clone(&world),
    };
    let mut response = next.run(request).await;
    let ending = response.extensions_mut().remove::<Ending>().unwrap_or_default();
    let (response, body) = look_into(response, ending).await;
    waiting.answered(&seen, &response, &body, ending);
    let released = world.scripts.released();
    drop(world);
    ending.carry_out(response, body, released).await
}

/// A request without its answer. Where that never comes, since the client hangs up, it is noted all the same.
struct Waiting {
    world: Arc<World>,
    entry: Option<Entry>,
}

impl Waiting {
    fn answered(mut self, seen: &Seen, response: &Response, body: &Bytes, ending: Ending) {
        let Some(entry) = self.entry.take() else { return };
        let scripted = response.extensions().get::<Scripted>();
        let entry = Entry {
            outcome: ending,
            scripted: scripted.map(|script| script.0),
            ..entry
        };
        let entry = if ending.has_answer() {
            with_answer(entry, seen, response, body, self.world.app.now())
        } else {
            entry
        };
        self.world.record.add(entry);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.world.record.add(Entry {
                outcome: Ending::HungUp,
                ..entry
            });
        }
    }
}

fn asked(world: &World, seen: &Seen) -> Entry {
    Entry {
        at: world.app.now().format(&Rfc3339).unwrap_or_default(),
        endpoint: seen.endpoint,
        method: seen.method.to_string(),
        path: harmless("", &seen.path),
        query: mask::params(&seen.query),
        headers: mask::headers(&seen.headers),
        parameters: parameters(seen),
        client_id: seen.client_id.as_deref().map(|client_id| harmless("", client_id)),
        ..Entry::default()
    }
}

fn parameters(seen: &Seen) -> Map<String, Value> {
    let sent = mask::params(&seen.form);
    if !sent.is_empty() {
        return sent;
    }
    match serde_json::from_slice(&seen.body).map(mask::json) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

fn with_answer(
    entry: Entry,
    seen: &Seen,
    response: &Response,
    body: &Bytes,
    now: time::OffsetDateTime,
) -> Entry {
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let document = serde_json::from_slice::<Value>(body).ok();
    let refused = if entry.scripted.is_none() {
        Refused::of(seen, response, document.as_ref(), now)
    } else {
        None
    };
    let id = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    let answer = match document {
        Some(document) => mask::json(document),
        None if body.is_empty() || (is_page && entry.scripted.is_none()) => Value::Null,
        None => harmless("", &String::from_utf8_lossy(body)).into(),
    };
    Entry {
        status: Some(response.status().as_u16()),
        answer,
        answer_headers: mask::headers(headers),
        refused,
        request_id: id.map(str::to_owned),
        ..entry
    }
}

/// The body of an answer, where it is one to look into, and the answer as it was.
async fn look_into(response: Response, ending: Ending) -> (Response, Bytes) {
    let headers = response.headers();
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let hint = axum::body::HttpBody::size_hint(response.body()).upper();
    let known = length.or(hint.and_then(|upper| usize::try_from(upper).ok()));
    let is_small = known.is_some_and(|length| length <= LARGEST);
    if !is_small && ending != Ending::Truncated {
        return (response, Bytes::new());
    }
    let (parts, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => (Response::from_parts(parts, Body::from(bytes.clone())), bytes),
        Err(_) => (broken_off(), Bytes::new()),
    }
}

fn broken_off() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_thousand_are_kept_and_the_numbers_go_on() {
        let record = Record::default();
        for _ in 0..MOST + 5 {
            record.add(Entry::default());
        }
        let kept = record.after(0, |_| true);
        assert_eq!(kept.len(), MOST);
        assert_eq!((kept[0].number, kept[MOST - 1].number), (6, MOST as u64 + 5));
        record.clear();
        record.add(Entry::default());
        let kept = record.after(0, |_| true);
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].number, MOST as u64 + 6);
        assert_eq!(*record.last().borrow(), MOST as u64 + 6);
    }
}
