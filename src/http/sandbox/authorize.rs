//! `/sandbox/authorize`: people decide without a browser; and `login_hint`, by which they do so at the address
//! where every client asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next as Onward;
use axum::response::Response;
use axum::routing::{post, put};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::{Url, form_urlencoded};

use super::deed::{self, Decision, answer_of, conflict, not_done};
use super::json::{Body, answer, invalid};
use super::{World, redirects};
use crate::flow::App;
use crate::flow::authorize::{Delivered, Next};
use crate::flow::sandbox::{self, Answer};
use crate::flow::users;
use crate::http::pages;
use crate::model::application::Application;
use crate::model::redirect_uri::RedirectUri;
use crate::model::scope::Scopes;
use crate::protocol::authorize::{Delivery, Unproven};
use crate::protocol::params::Params;

const PATH: &str = "/oauth/authorize";

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/sandbox/authorize", post(create))
        .route("/sandbox/hint", put(set_hint))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    /// What the client would open in a browser.
    url: Option<String>,
    /// Or what it asks there.
    parameters: Option<BTreeMap<String, Values>>,
    /// `None`: the user with whom a sandbox begins.
    username: Option<String>,
    #[serde(default)]
    decision: Decision,
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a parameter is a text, or an array of texts where it is repeated"
)]
enum Values {
    One(String),
    Many(Vec<String>),
}

impl Values {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

async fn create(State(world): State<Arc<World>>, Body(sent): Body<Sent>) -> Response {
    match decide(&world, &sent).await {
        Ok(answered) | Err(answered) => answered,
    }
}

async fn decide(world: &World, sent: &Sent) -> Result<Response, Response> {
    let app = &world.app;
    let params = asked(app, sent)?;
    redirects::learn_from(world, &params).await;
    let decided = answer_of(
        app,
        sent.username.as_deref(),
        sent.decision,
        sent.scope.as_deref(),
    )
    .await?;
    is_narrower(&params, decided.scope.as_ref())?;
    match sandbox::authorize(app, &params, &decided).await {
        Ok(next) => Ok(told(next)),
        Err(refusal) => Err(not_done(&refusal)),
    }
}

/// # Errors
/// 400 where it is asked at another address, or cannot be read.
fn asked(app: &App, sent: &Sent) -> Result<Params, Response> {
    let query = match (&sent.url, &sent.parameters) {
        (Some(url), None) => query_of(app, url)?,
        (None, Some(parameters)) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for (name, values) in parameters {
                query.extend_pairs(values.as_slice().iter().map(|value| (name, value)));
            }
            query.finish()
        }
        _ => {
            return Err(invalid(
                "Send the url that the client opens in a browser, or the parameters of its request",
            ));
        }
    };
    Params::parse(query.as_bytes()).map_err(|fault| invalid(fault.to_string()))
}

/// The host may be another: a container may know the server by a name of its own.
fn query_of(app: &App, text: &str) -> Result<String, Response> {
    let expected = app.issuer.join(PATH);
    let url = Url::parse(&expected)
        .and_then(|endpoint| endpoint.join(text))
        .map_err(|fault| invalid(format!("The url cannot be read: {fault}")))?;
    if url.path() != format!("{}{PATH}", app.issuer.path()) {
        return Err(invalid(format!(
            "The url leads to {}, where nobody is asked: the authorization endpoint here is {expected}",
            url.path()
        )));
    }
    Ok(url.query().unwrap_or_default().to_owned())
}

fn is_narrower(params: &Params, wanted: Option<&Scopes>) -> Result<(), Response> {
    let asked = params.get("scope").map(Scopes::parse);
    let (Some(wanted), Some(Ok(asked))) = (wanted, asked) else {
        return Ok(());
    };
    let beyond = wanted.difference(&asked);
    if beyond.is_empty() {
        return Ok(());
    }
    Err(invalid(format!(
        "Nobody can give more than is asked: {beyond} is not in the request's scope"
    )))
}

fn told(next: Next) -> Response {
    match next {
        Next::Deliver(delivered) | Next::Refused { delivered, .. } => delivery(delivered),
        Next::Unproven { why, application } => invalid(unproven(&why, application.as_deref())),
        Next::SignIn { .. } | Next::GoOn { .. } | Next::Consent(_) | Next::Gone => {
            conflict("Something that the request depends on was changed meanwhile: try again")
        }
    }
}

/// What would be told on a page, and what only who manages the application may read there.
fn unproven(why: &Unproven, application: Option<&Application>) -> String {
    let (title, sentence) = pages::authorize::words(why);
    let (Unproven::Mismatch { sent }, Some(application)) = (why, application) else {
        return format!("{title}. {sentence}");
    };
    let registered = application.settings.redirect_uris.iter();
    let registered: Vec<_> = registered.map(RedirectUri::as_str).collect();
    let registered = registered.join(" ");
    format!("{title}. {sentence} It sent {sent}; registered: {registered}.")
}

fn delivery(delivered: Delivered) -> Response {
    let (method, redirect_to, parameters) = match delivered.delivery {
        Delivery::Redirect(url) => {
            let parameters = parameters_of(&url);
            ("GET", Some(url), parameters)
        }
        Delivery::FormPost { action, fields } => ("POST", Some(action), fields.into_iter().collect()),
        Delivery::NativeCode => {
            let code = delivered.code.map(|code| code.expose().to_owned());
            ("GET", None, named("code", code))
        }
        Delivery::NativeError { code, description } => {
            let mut parameters = named("error", Some(code.as_str().to_owned()));
            parameters.extend(named("error_description", Some(description)));
            ("GET", None, parameters)
        }
    };
    answer(
        StatusCode::OK,
        &json!({ "redirect_to": redirect_to, "method": method, "parameters": parameters }),
    )
}

fn named(name: &str, value: Option<String>) -> BTreeMap<String, String> {
    value.map(|value| (name.to_owned(), value)).into_iter().collect()
}

/// Those of the query and those of the fragment.
fn parameters_of(url: &str) -> BTreeMap<String, String> {
    let (before, fragment) = url.split_once('#').unwrap_or((url, ""));
    let query = before.split_once('?').map_or("", |(_, query)| query);
    [query, fragment]
        .into_iter()
        .flat_map(|part| form_urlencoded::parse(part.as_bytes()).into_owned())
        .collect()
}

/// How who is named by `login_hint` decides.
#[derive(Debug, Default)]
pub(super) struct Hint(Mutex<Hinted>);

#[derive(Clone, Debug, Default)]
struct Hinted {
    decision: Decision,
    /// `None`: all that is asked.
    scope: Option<Scopes>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SentHint {
    #[serde(default)]
    decision: Decision,
    scope: Option<String>,
}

impl Hint {
    fn lock(&self) -> MutexGuard<'_, Hinted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn set_hint(State(world): State<Arc<World>>, Body(sent): Body<SentHint>) -> Response {
    let scope = match sent.scope.as_deref().map(deed::scopes).transpose() {
        Ok(scope) => scope,
        Err(refused) => return refused,
    };
    *world.hint.lock() = Hinted {
        decision: sent.decision,
        scope,
    };
    answer(StatusCode::OK, &sent)
}

/// Around the routes of a world: a request that names a user is answered as if they had decided.
pub(super) async fn by_hint(State(world): State<Arc<World>>, mut request: Request, next: Onward) -> Response {
    if request.method() == Method::GET
        && world.path_of(request.uri().path()).trim_end_matches('/') == PATH
        && let Some(answer) = hinted(&world, request.uri().query().unwrap_or_default()).await
    {
        request.extensions_mut().insert(answer);
    }
    next.run(request).await
}

async fn hinted(world: &World, query: &str) -> Option<Answer> {
    let params = Params::parse(query.as_bytes()).ok()?;
    let user = users::find_by_name(&world.app, params.get("login_hint")?)
        .await
        .ok()??;
    let hinted = world.hint.lock().clone();
    Some(Answer {
        user,
        decision: hinted.decision.into(),
        scope: hinted.scope,
    })
}
