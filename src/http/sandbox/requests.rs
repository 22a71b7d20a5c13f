//! `{issuer}/sandbox/requests`: the record, to be waited for and asserted on.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use serde_json::{Value, from_value};
use tokio::time::timeout;

use super::World;
use super::json::{answer, invalid};
use super::record::Entry;
use super::seen::Endpoint;
use crate::protocol::params::Params;

/// Longest wait.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/requests", get(index).delete(clear))
}

/// Which requests are wanted, and how long they are waited for.
#[derive(Clone, Debug, Default)]
struct Wanted {
    endpoint: Option<Endpoint>,
    client_id: Option<String>,
    status: Option<u16>,
    after: u64,
    count: usize,
    wait: Duration,
}

impl Wanted {
    fn read(query: &str) -> Result<Self, String> {
        let params = Params::parse(query.as_bytes()).map_err(|error| error.to_string())?;
        if let Some(name) = params.first_repeated_but(&[]) {
            return Err(format!("{name} was sent twice"));
        }
        let mut wanted = Self {
            count: 1,
            ..Self::default()
        };
        for (name, value) in params.pairs() {
            wanted.take(name, value)?;
        }
        Ok(wanted)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "endpoint" => self.endpoint = Some(endpoint(value)?),
            "client_id" => self.client_id = Some(value.to_owned()),
            "status" => self.status = Some(number(name, value)?),
            "after" => self.after = number(name, value)?,
            "count" => self.count = number(name, value)?,
            "wait" => self.wait = wait(value)?,
            other => {
                return Err(format!(
                    "{other} is none of endpoint, client_id, status, after, count and wait"
                ));
            }
        }
        Ok(())
    }

    fn is_met_by(&self, entry: &Entry) -> bool {
        self.endpoint
            .is_none_or(|endpoint| entry.endpoint == Some(endpoint))
            && self.status.is_none_or(|status| entry.status == Some(status))
            && self
                .client_id
                .as_ref()
                .is_none_or(|client_id| entry.client_id.as_ref() == Some(client_id))
    }
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    from_value(Value::from(text)).map_err(|error| format!("endpoint: {error}"))
}

fn number<N: FromStr>(name: &str, text: &str) -> Result<N, String> {
    text.parse()
        .map_err(|_| format!("{name} is a whole number, not {text}"))
}

fn wait(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|wait| *wait <= PATIENCE)
        .ok_or_else(|| "wait is a number of seconds, at most 60".to_owned())
}

#[derive(Debug, Serialize)]
struct Listed<'a> {
    requests: &'a [Arc<Entry>],
    /// To be sent as `after` to be told what came since.
    next: u64,
}

async fn index(State(world): State<Arc<World>>, uri: Uri) -> Response {
    let wanted = match Wanted::read(uri.query().unwrap_or_default()) {
        Ok(wanted) => wanted,
        Err(why) => return invalid(why),
    };
    let _ = timeout(wanted.wait, enough(&world, &wanted)).await;
    let next = *world.record.last().borrow();
    let requests = world.record.after(wanted.after, |entry| wanted.is_met_by(entry));
    let listed = Listed {
        next: requests.last().map_or(next, |last| last.number.max(next)),
        requests: &requests,
    };
    answer(StatusCode::OK, &listed)
}

/// Returns when there are as many as are waited for.
async fn enough(world: &World, wanted: &Wanted) {
    let mut last = world.record.last();
    loop {
        last.mark_unchanged();
        let found = world.record.after(wanted.after, |entry| wanted.is_met_by(entry));
        if found.len() >= wanted.count || last.changed().await.is_err() {
            return;
        }
    }
}

async fn clear(State(world): State<Arc<World>>) -> Response {
    world.record.clear();
    StatusCode::NO_CONTENT.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for query in [
            "endpoint=tokens",
            "status=ok",
            "wait=61",
            "wait=-1",
            "wait=NaN",
            "count=many",
            "after=1&after=2",
            "methode=GET",
            "a=%zz",
        ] {
            assert!(Wanted::read(query).is_err(), "{query}");
        }
    }

    #[test]
    fn all_that_is_sent_must_be_met() {
        let entry = Entry {
            endpoint: Some(Endpoint::Token),
            status: Some(400),
            client_id: Some("memo".to_owned()),
            ..Entry::default()
        };
        for (query, is_met) in [
            ("", true),
            ("endpoint=token&status=400&client_id=memo", true),
            ("endpoint=memos", false),
            ("status=200", false),
            ("client_id=other", false),
        ] {
            assert_eq!(Wanted::read(query).unwrap().is_met_by(&entry), is_met, "{query}");
        }
    }
}
