//! `/sandbox/users`: who can sign in.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::World;
use super::deed::{conflict, not_done, user};
use super::json::{Body, answer, invalid};
use crate::base::generated_password;
use crate::base::secret::Secret;
use crate::flow::users::{self, Deed, NewUserRefused, Profile};
use crate::flow::{App, access};
use crate::model::caller::Caller;
use crate::model::ids::UserId;
use crate::model::user::User;

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/sandbox/users", get(index).post(create))
        .route("/sandbox/users/{username}", patch(change).delete(remove))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    username: String,
    /// `None`: generated.
    password: Option<String>,
    email: Option<String>,
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    groups: Vec<String>,
}

#[derive(Serialize)]
struct Shown {
    id: UserId,
    username: String,
    /// Left out of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    admin: bool,
    email: Option<String>,
    groups: Vec<String>,
    disabled: bool,
}

impl Shown {
    fn new(user: User, groups: Vec<String>, password: Option<&Secret>) -> Self {
        Self {
            id: user.id,
            disabled: !user.is_enabled(),
            username: user.username,
            password: password.map(|password| password.expose().to_owned()),
            admin: user.admin,
            email: user.email,
            groups,
        }
    }
}

async fn index(State(world): State<Arc<World>>) -> Response {
    match users::list(&world.app).await {
        Ok(listed) => {
            let users: Vec<_> = listed
                .into_iter()
                .map(|listed| Shown::new(listed.user, listed.groups.into_vec(), None))
                .collect();
            answer(StatusCode::OK, &json!({ "users": users }))
        }
        Err(refusal) => not_done(&refusal),
    }
}

async fn create(State(world): State<Arc<World>>, Body(new): Body<New>) -> Response {
    let app = &world.app;
    let profile = Profile {
        username: new.username,
        email: new.email,
        password: new
            .password
            .map_or_else(|| generated_password::generate(&app.entropy), Secret::new),
        groups: new.groups,
    };
    let user = match users::create(app, &Caller::OPERATOR, &profile, new.admin).await {
        Ok(user) => user,
        Err(refused) => return not_made(app, &profile.username, refused).await,
    };
    match access::groups_of(app, user.id).await {
        Ok(groups) => answer(
            StatusCode::CREATED,
            &Shown::new(user, groups, Some(&profile.password)),
        ),
        Err(refusal) => not_done(&refusal),
    }
}

/// What may be changed; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    /// Ends every session and grant, as any new password does.
    password: Option<String>,
    admin: Option<bool>,
    groups: Option<Vec<String>>,
    disabled: Option<bool>,
}

async fn change(
    State(world): State<Arc<World>>,
    Path(username): Path<String>,
    Body(wanted): Body<Changes>,
) -> Response {
    let app = &world.app;
    let user = match user(app, Some(&username)).await {
        Ok(user) => user,
        Err(refused) => return refused,
    };
    let demoted = wanted.admin == Some(false);
    if let Err(refused) = changed(app, user.id, wanted).await {
        return not_made(app, "", refused).await;
    }
    match (
        users::find(app, user.id).await,
        access::groups_of(app, user.id).await,
    ) {
        (Ok(Some(user)), _) if demoted && user.admin => conflict("The last administrator stays one"),
        (Ok(Some(user)), Ok(groups)) => answer(StatusCode::OK, &Shown::new(user, groups, None)),
        (Ok(None), _) => conflict("The user was deleted meanwhile"),
        (Err(refusal), _) | (_, Err(refusal)) => not_done(&refusal),
    }
}

async fn changed(app: &App, user: UserId, wanted: Changes) -> Result<(), NewUserRefused> {
    let caller = &Caller::OPERATOR;
    if let Some(password) = wanted.password {
        users::set_password(app, caller, user, Secret::new(password)).await?;
    }
    if let Some(groups) = wanted.groups {
        access::set_groups(app, caller, user, &groups).await?;
    }
    match wanted.admin {
        Some(true) => drop(users::perform(app, caller, user, Deed::Promote).await?),
        Some(false) => drop(users::perform(app, caller, user, Deed::Demote).await?),
        None => {}
    }
    match wanted.disabled {
        Some(true) => users::disable(app, caller, user).await?,
        Some(false) => users::enable(app, caller, user).await?,
        None => {}
    }
    Ok(())
}

async fn not_made(app: &App, username: &str, refused: NewUserRefused) -> Response {
    let faults = match refused {
        NewUserRefused::Fields(faults) => faults,
        NewUserRefused::Refused(refusal) => return not_done(&refusal),
        NewUserRefused::Gone => Vec::new(),
    };
    let told: Vec<_> = faults
        .iter()
        .map(|(field, fault)| format!("{field}: {fault}"))
        .collect();
    let told = told.join(" ");
    match users::find_by_name(app, username).await {
        Ok(Some(_)) => conflict(told),
        Ok(None) => invalid(told),
        Err(refusal) => not_done(&refusal),
    }
}

async fn remove(State(world): State<Arc<World>>, Path(username): Path<String>) -> Response {
    let app = &world.app;
    let user = match user(app, Some(&username)).await {
        Ok(user) => user,
        Err(refused) => return refused,
    };
    match users::delete(app, &Caller::OPERATOR, user.id).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => not_done(&refusal),
    }
}
