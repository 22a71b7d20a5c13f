//! `/sandbox/tokens`: tokens without a flow, also those that no flow gives.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use time::Duration;

use super::World;
use super::deed::{application, not_done, scopes, user};
use super::json::{Body, answer, invalid};
use crate::flow::App;
use crate::flow::sandbox::{self, Wanted, seeds};
use crate::model::resource::{Resource, Resources};
use crate::protocol::token::TokenResponse;

/// A hundred years, in seconds.
const LONGEST: i64 = 100 * 366 * 86_400;

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/tokens", post(create))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    /// `None`: the confidential application with which a sandbox begins.
    client_id: Option<String>,
    #[serde(default)]
    username: Whose,
    scope: Option<String>,
    /// Seconds.
    expires_in: Option<i64>,
    #[serde(default)]
    resource: Vec<String>,
    #[serde(default)]
    expired: bool,
    #[serde(default)]
    revoked: bool,
    refresh_token: Option<bool>,
}

/// Whose tokens they are to be.
#[derive(Default, Deserialize)]
#[serde(untagged, expecting = "username is a text, or null for no user")]
enum Whose {
    /// Of the user with whom a sandbox begins.
    #[default]
    #[serde(skip)]
    Usual,
    User(String),
    Nobody(()),
}

async fn create(State(world): State<Arc<World>>, Body(wanted): Body<Sent>) -> Response {
    match mint(&world.app, wanted).await {
        Ok(minted) => answer(StatusCode::CREATED, &minted),
        Err(refused) => refused,
    }
}

async fn mint(app: &App, wanted: Sent) -> Result<TokenResponse, Response> {
    let client_id = wanted.client_id.as_deref().unwrap_or(seeds::CONFIDENTIAL);
    let application = application(app, client_id).await?;
    let user = match &wanted.username {
        Whose::Usual => Some(user(app, None).await?),
        Whose::User(name) => Some(user(app, Some(name)).await?),
        Whose::Nobody(()) => None,
    };
    let wanted = Wanted {
        application: &application,
        user: user.as_ref(),
        scopes: wanted.scope.as_deref().map(scopes).transpose()?,
        resources: resources(app, &wanted.resource)?,
        access_token_ttl: ttl(&wanted)?,
        refresh_token: wanted.refresh_token,
        revoked: wanted.revoked,
    };
    sandbox::mint(app, &wanted)
        .await
        .map_err(|refusal| not_done(&refusal))
}

fn ttl(wanted: &Sent) -> Result<Option<Duration>, Response> {
    match (wanted.expires_in, wanted.expired) {
        (Some(_), true) => Err(invalid(
            "A token that is expired has no expires_in: send one of the two",
        )),
        (None, true) => Ok(Some(Duration::ZERO)),
        (None, false) => Ok(None),
        (Some(seconds @ 0..=LONGEST), false) => Ok(Some(Duration::seconds(seconds))),
        (Some(_), false) => Err(invalid(format!(
            "expires_in is a number of seconds from 0 to {LONGEST}"
        ))),
    }
}

/// Those that the server knows in its spelling, for which it gives tokens; any other as it is written.
fn resources(app: &App, texts: &[String]) -> Result<Resources, Response> {
    let read = |text: &String| {
        let resource = Resource::parse(text).map_err(|why| invalid(format!("The resource {text} {why}")))?;
        Ok(app.resources.find(&resource).cloned().unwrap_or(resource))
    };
    texts.iter().map(read).collect()
}
