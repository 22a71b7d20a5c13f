//! `/sandbox/devices`: what becomes of device codes (RFC 8628), and after how many polls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::World;
use super::deed::{Decision, answer_of, application, conflict, not_done, not_found};
use super::json::{Body, answer, invalid};
use crate::base::secret::{Secret, SecretHash};
use crate::flow::App;
use crate::flow::device::Decided;
use crate::flow::error::Refusal;
use crate::flow::sandbox::Answer;
use crate::flow::sandbox::devices::{self as flow, Pace, Waiting};
use crate::http::extract::params::{is_form, read};
use crate::model::device::UserCode;
use crate::model::grant_type::GrantType;
use crate::protocol::params::Params;

/// Most orders that wait.
const MOST: usize = 1000;

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/devices", post(create))
}

/// Decisions to come.
#[derive(Debug, Default)]
pub(super) struct Devices(Mutex<Vec<Order>>);

/// A decision on one device code.
#[derive(Debug)]
struct Order {
    of: Of,
    /// So many polls are first told to slow down.
    slow_down: u32,
    /// And so many then to wait.
    pending: u32,
    answer: Answer,
}

/// Which device code is meant.
#[derive(Debug)]
enum Of {
    /// The one under this user code.
    Code(SecretHash),
    /// The first to be polled with that is meant by no other order; of this application, if one is named.
    Next { client_id: Option<String> },
}

impl Of {
    fn is(&self, waiting: &Waiting) -> bool {
        match self {
            Self::Code(user_code) => *user_code == waiting.user_code_hash,
            Self::Next { client_id } => client_id
                .as_ref()
                .is_none_or(|client_id| *client_id == waiting.client_id),
        }
    }
}

/// What is done before a poll is answered.
enum Step {
    Pace(Pace),
    Decide(Box<Answer>),
}

impl Devices {
    fn lock(&self) -> MutexGuard<'_, Vec<Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn are_none(&self) -> bool {
        self.lock().is_empty()
    }

    /// False where too many wait.
    fn add(&self, order: Order) -> bool {
        let mut orders = self.lock();
        if orders.len() >= MOST {
            return false;
        }
        orders.push(order);
        true
    }

    /// A poll counts: what its order wants. From the first poll on an order means that code alone.
    fn step(&self, waiting: &Waiting) -> Option<Step> {
        let mut orders = self.lock();
        let own = |order: &Order| matches!(order.of, Of::Code(_)) && order.of.is(waiting);
        let at = orders
            .iter()
            .position(own)
            .or_else(|| orders.iter().position(|order| order.of.is(waiting)))?;
        let order = &mut orders[at];
        order.of = Of::Code(waiting.user_code_hash);
        if order.slow_down > 0 {
            order.slow_down -= 1;
            return Some(Step::Pace(Pace::TooFast));
        }
        if order.pending > 0 {
            order.pending -= 1;
            return Some(Step::Pace(Pace::Fit));
        }
        Some(Step::Decide(Box::new(orders.remove(at).answer)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    user_code: Option<String>,
    client_id: Option<String>,
    decision: Decision,
    /// Polls that are told to wait before it is decided.
    #[serde(default)]
    after_polls: u32,
    /// Polls before those that are told to slow down.
    #[serde(default)]
    slow_down: u32,
    /// `None`: the user with whom a sandbox begins.
    username: Option<String>,
    scope: Option<String>,
}

async fn create(State(world): State<Arc<World>>, Body(sent): Body<Sent>) -> Response {
    match order(&world, sent).await {
        Ok(answered) | Err(answered) => answered,
    }
}

async fn order(world: &World, sent: Sent) -> Result<Response, Response> {
    let app = &world.app;
    let decided = answer_of(
        app,
        sent.username.as_deref(),
        sent.decision,
        sent.scope.as_deref(),
    )
    .await?;
    let of = match (&sent.user_code, sent.client_id) {
        (Some(code), None) => Of::Code(user_code(code)?),
        (None, Some(client_id)) => {
            application(app, &client_id).await?;
            Of::Next {
                client_id: Some(client_id),
            }
        }
        (None, None) => Of::Next { client_id: None },
        (Some(_), Some(_)) => return Err(invalid("A user_code needs no client_id: send one of the two")),
    };
    if let Of::Code(user_code) = of
        && sent.after_polls == 0
        && sent.slow_down == 0
    {
        return now(app, user_code, &decided).await;
    }
    let order = Order {
        of,
        slow_down: sent.slow_down,
        pending: sent.after_polls,
        answer: decided,
    };
    if !world.devices.add(order) {
        return Err(conflict(format!(
            "{MOST} decisions wait for polls already: POST /sandbox/reset takes them away"
        )));
    }
    Ok(answer(StatusCode::CREATED, &json!({ "decided": false })))
}

fn user_code(text: &str) -> Result<SecretHash, Response> {
    UserCode::parse(text)
        .map(|code| code.hash())
        .ok_or_else(|| invalid("A user_code has eight letters, as the device was told"))
}

async fn now(app: &App, user_code: SecretHash, decided: &Answer) -> Result<Response, Response> {
    match flow::decide(app, user_code, decided).await {
        Ok(Some(Decided::Done { .. })) => Ok(answer(StatusCode::OK, &json!({ "decided": true }))),
        Ok(Some(Decided::Denied { application })) => Err(conflict(format!(
            "{} may not use {application}: an administrator decides who may",
            decided.user.username
        ))),
        Ok(Some(Decided::Over) | None) => Err(not_found(
            "No device waits with this user_code: it is decided, has expired, or another user typed it",
        )),
        Err(refusal) => Err(not_done(&refusal)),
    }
}

/// Around the routes of a world: what is ordered for a device code is done as it is polled with.
pub(super) async fn poll(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let is_poll = request.method() == Method::POST
        && world.path_of(request.uri().path()) == "/oauth/token"
        && is_form(request.headers());
    if !is_poll || world.devices.are_none() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = match read(body).await {
        Ok(body) => body,
        Err(refused) => return refused.into_response(),
    };
    if let Some(code) = device_code(&body)
        && let Err(refusal) = polled(&world, &code).await
    {
        tracing::warn!(%refusal, "a decision on a device code was not made");
    }
    next.run(Request::from_parts(parts, body.into())).await
}

fn device_code(body: &[u8]) -> Option<Secret> {
    let params = Params::parse(body).ok()?;
    let grant = params.get("grant_type")?;
    (grant == GrantType::DeviceCode.wire()).then_some(())?;
    params.get("device_code").map(Secret::new)
}

async fn polled(world: &World, code: &Secret) -> Result<(), Refusal> {
    let app = &world.app;
    let Some(waiting) = flow::waiting(app, code).await? else {
        return Ok(());
    };
    match world.devices.step(&waiting) {
        Some(Step::Pace(pace)) => flow::pace(app, &waiting, pace).await,
        Some(Step::Decide(answer)) => flow::decide(app, waiting.user_code_hash, &answer).await.map(drop),
        None => Ok(()),
    }
}
