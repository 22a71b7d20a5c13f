//! `{issuer}/sandbox/scripts`: what the next answers are to be, or every one from now on.

mod change;
mod said;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::timeout;

use super::World;
use super::ending::Ending;
use super::json::{Body, answer, invalid, refused};
use super::script::{Dropping, Script};
use super::seen::Seen;
use crate::http::middleware::cors;

/// Scripts of one world.
const MOST: usize = 1000;

/// The scripts of one world, in the order of their making.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    list: Mutex<List>,
    released: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct List {
    last: u64,
    scripts: Vec<Listed>,
}

#[derive(Clone, Debug, Serialize)]
struct Listed {
    id: u64,
    #[serde(flatten)]
    script: Arc<Script>,
    /// `None`: without end.
    remaining: Option<u64>,
    /// Answers that it made.
    hits: u64,
    /// Requests that it is still to let pass.
    #[serde(skip)]
    passing: u64,
}

/// Which script made an answer what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scripted(pub(super) u64);

impl Scripts {
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of every request that is stalled or delayed.
    pub(super) fn release(&self) {
        self.released.send_replace(());
    }

    /// Tells such a request when it is let go.
    pub(super) fn released(&self) -> watch::Receiver<()> {
        let mut released = self.released.subscribe();
        released.mark_unchanged();
        released
    }

    fn add(&self, script: Script) -> Option<Listed> {
        let mut list = self.list();
        if list.scripts.len() >= MOST {
            list.scripts.retain(Listed::has_more);
        }
        if list.scripts.len() >= MOST {
            return None;
        }
        list.last += 1;
        let listed = Listed {
            id: list.last,
            remaining: script.times.limit(),
            passing: script.after,
            hits: 0,
            script: Arc::new(script),
        };
        list.scripts.push(listed.clone());
        Some(listed)
    }

    /// The first script for this request, which has one answer less to make.
    fn take(&self, seen: &Seen) -> Option<(Scripted, Arc<Script>)> {
        let mut list = self.list();
        let mut fitting = list
            .scripts
            .iter_mut()
            .filter(|listed| listed.has_more() && listed.script.is_for(seen));
        let listed = fitting.find_map(Listed::passed)?;
        listed.hits += 1;
        listed.remaining = listed.remaining.map(|remaining| remaining - 1);
        Some((Scripted(listed.id), Arc::clone(&listed.script)))
    }

    /// It had nothing to change.
    fn give_back(&self, Scripted(id): Scripted) {
        let mut list = self.list();
        if let Some(listed) = list.scripts.iter_mut().find(|listed| listed.id == id) {
            listed.hits -= 1;
            listed.remaining = listed.remaining.map(|remaining| remaining + 1);
        }
    }

    /// Whether it was there.
    fn remove(&self, id: u64) -> bool {
        let mut list = self.list();
        let before = list.scripts.len();
        list.scripts.retain(|listed| listed.id != id);
        list.scripts.len() < before
    }
}

impl Listed {
    fn has_more(&self) -> bool {
        self.remaining != Some(0)
    }

    /// `None` where it lets the request pass.
    fn passed(&mut self) -> Option<&mut Self> {
        if self.passing == 0 {
            return Some(self);
        }
        self.passing -= 1;
        None
    }
}

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/sandbox/scripts", get(index).post(create).delete(clear))
        .route("/sandbox/scripts/{id}", delete(remove))
}

async fn index(State(world): State<Arc<World>>) -> Response {
    let scripts = world.scripts.list().scripts.clone();
    answer(StatusCode::OK, &json!({ "scripts": scripts }))
}

async fn create(State(world): State<Arc<World>>, Body(script): Body<Script>) -> Response {
    if let Err(why) = script.check() {
        return invalid(why);
    }
    match world.scripts.add(script) {
        Some(listed) => answer(StatusCode::CREATED, &listed),
        None => refused(
            StatusCode::CONFLICT,
            "conflict",
            format!("there are {MOST} scripts that wait for requests: remove some by DELETE"),
        ),
    }
}

async fn clear(State(world): State<Arc<World>>) -> Response {
    world.scripts.list().scripts.clear();
    world.scripts.release();
    StatusCode::NO_CONTENT.into_response()
}

async fn remove(State(world): State<Arc<World>>, Path(id): Path<String>) -> Response {
    if id.parse().is_ok_and(|id| world.scripts.remove(id)) {
        return StatusCode::NO_CONTENT.into_response();
    }
    refused(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is no such script: GET /sandbox/scripts lists them",
    )
}

/// Makes of an answer what the first script for its request wants.
pub(super) async fn act(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let Some(seen) = request.extensions().get::<Arc<Seen>>().cloned() else {
        return next.run(request).await;
    };
    let Some((id, script)) = world.scripts.take(&seen) else {
        return next.run(request).await;
    };
    if let Some(delay) = script.answer.delay {
        let mut released = world.scripts.released();
        let _ = timeout(delay.0, released.changed()).await;
    }
    let mut response = match Ending::instead_of(&script.answer) {
        Some(ending) => {
            let mut nothing = Response::default();
            nothing.extensions_mut().insert(ending);
            nothing
        }
        None => match answered(&world, &seen, &script, request, next).await {
            Ok(response) => response,
            Err(untouched) => {
                world.scripts.give_back(id);
                return untouched;
            }
        },
    };
    response.extensions_mut().insert(id);
    response
}

/// The answer as it is to be.
///
/// # Errors
/// The real one, where there is nothing in it to change.
async fn answered(
    world: &World,
    seen: &Seen,
    script: &Script,
    request: Request,
    next: Next,
) -> Result<Response, Response> {
    let wanted = &script.answer;
    let (mut response, is_said) = match said::instead(world, seen, wanted).await {
        said::Said::This(response) => (as_served(world, seen, response).await, true),
        said::Said::Nothing => (next.run(request).await, false),
        said::Said::Impossible => return Err(next.run(request).await),
    };
    let mut is_changed = is_said || !wanted.changes_members();
    if wanted.changes_members() {
        let (changed, response_after) = change::members(response, wanted).await;
        is_changed |= changed;
        response = response_after;
    }
    if !is_changed {
        return Err(response);
    }
    for (name, value) in wanted.header_values() {
        response.headers_mut().insert(name, value);
    }
    if wanted.drop == Dropping::Answer {
        response.extensions_mut().insert(Ending::Lost);
    } else if wanted.truncate {
        response.extensions_mut().insert(Ending::Truncated);
    }
    Ok(response)
}

/// What every real answer has, too: an id, and that pages of applications' own origins may read it.
async fn as_served(world: &World, seen: &Seen, mut response: Response) -> Response {
    let id = world.app.entropy.id(world.app.now()).simple().to_string();
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    cors::let_read(&world.app, cors::origin(&seen.headers), &mut response).await;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_is_done_makes_room() {
        let scripts = Scripts::default();
        let script = |times: u64| -> Script {
            let answer = json!({ "status": 503 });
            serde_json::from_value(json!({ "endpoint": "token", "times": times, "answer": answer })).unwrap()
        };
        for _ in 0..MOST {
            assert!(scripts.add(script(1)).is_some());
        }
        assert!(scripts.add(script(1)).is_none());
        scripts.list().scripts[0].remaining = Some(0);
        let last = scripts.add(script(1)).unwrap();
        assert_eq!(last.id, MOST as u64 + 1);
    }
}
