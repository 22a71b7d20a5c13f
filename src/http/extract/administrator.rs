//! Who may administer: an administrator's session; for programs also a token with the scope
//! `applications` that an administrator granted (RFC 6750). Where the server lets users have applications of
//! their own, the same opens those to their owner: [`Managing`] and its kin say who it is.

use axum::Json;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::form::{Form, header_token, is_ours};
use super::params::is_media_type;
use super::viewer::Viewer;
use crate::flow::App;
use crate::flow::applications::Manager;
use crate::http::bearer::{BearerError, RequireBearer, thumbprint};
use crate::http::error::NO_STORE;
use crate::http::middleware::request::{Cause, RequestId};
use crate::http::pages::authorize::redirect;
use crate::http::pages::error;
use crate::http::pages::login::is_own_path;
use crate::model::caller::Caller;
use crate::model::user::User;
use crate::protocol::bearer::Challenge;
use crate::protocol::scope::APPLICATIONS;

/// Where somebody goes on who has to sign in before sending a form.
const HOME: &str = "/oauth/applications";
const ADMINISTRATORS_ALONE: &str = "Only administrators may do this";

/// Somebody who manages applications and looks at a page. Anonymous: to the sign-in page; who manages none:
/// 403. Which applications `by` says: a page asks for the one that it is about in the name of `by`.
#[derive(Debug)]
pub(in crate::http) struct Managing {
    pub(in crate::http) viewer: Viewer,
    pub(in crate::http) by: Manager,
}

impl<S: Sync + Send> FromRequestParts<S> for Managing
where
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let app = App::from_ref(state);
        let viewer = Viewer::from_request_parts(parts, state).await?;
        let by = if is_program(&parts.headers) {
            by_session(&app, viewer.user())?.0
        } else {
            let request_id = parts.extensions.get::<RequestId>();
            admit(&app, viewer.user(), parts.uri.path(), request_id)?
        };
        Ok(Self { viewer, by })
    }
}

/// A form that somebody who manages applications sent from one of our pages.
#[derive(Debug)]
pub(in crate::http) struct ManagingForm {
    pub(in crate::http) sent: Form,
    pub(in crate::http) by: Manager,
}

impl<S: Sync + Send> FromRequest<S> for ManagingForm
where
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let request_id = request.extensions().get::<RequestId>().cloned();
        let sent = Form::from_request(request, state).await?;
        let by = admit(
            &App::from_ref(state),
            sent.viewer.user(),
            HOME,
            request_id.as_ref(),
        )?;
        Ok(Self { sent, by })
    }
}

/// An administrator who looks at a page. Anonymous: to the sign-in page; anybody else: 403.
#[derive(Debug)]
pub(in crate::http) struct Administrator(pub(in crate::http) Viewer);

impl<S: Sync + Send> FromRequestParts<S> for Administrator
where
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Managing { viewer, by } = Managing::from_request_parts(parts, state).await?;
        if by.is_administrator() {
            return Ok(Self(viewer));
        }
        if is_program(&parts.headers) {
            return Err(forbidden(ADMINISTRATORS_ALONE));
        }
        Err(error::forbidden(parts.extensions.get::<RequestId>()))
    }
}

/// A form that an administrator sent from one of our pages.
#[derive(Debug)]
pub(in crate::http) struct AdministratorForm(pub(in crate::http) Form);

impl<S: Sync + Send> FromRequest<S> for AdministratorForm
where
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let request_id = request.extensions().get::<RequestId>().cloned();
        let ManagingForm { sent, by } = ManagingForm::from_request(request, state).await?;
        if by.is_administrator() {
            return Ok(Self(sent));
        }
        Err(error::forbidden(request_id.as_ref()))
    }
}

fn admit(
    app: &App,
    user: Option<&User>,
    path: &str,
    request_id: Option<&RequestId>,
) -> Result<Manager, Response> {
    let Some(user) = user else {
        let next = if is_own_path(path) { path } else { HOME };
        let login = format!("{}/login?next={next}", app.issuer.path());
        return Err(redirect(StatusCode::SEE_OTHER, &login));
    };
    Manager::of(app, user).ok_or_else(|| error::forbidden(request_id))
}

/// A program that acts for somebody who manages applications; it is told in JSON what it may not do.
#[derive(Clone, Debug)]
pub(in crate::http) struct ManagingProgram(pub(in crate::http) Manager, pub(in crate::http) Caller);

impl<S: Sync + Send> FromRequestParts<S> for ManagingProgram
where
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let app = App::from_ref(state);
        let Ok(caller) = Caller::from_request_parts(parts, state).await;
        if bears_token(&parts.headers) {
            return by_token(&app, parts, &caller).await;
        }
        let viewer = Viewer::from_request_parts(parts, state).await?;
        let (by, user) = by_session(&app, viewer.user())?;
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        if reads || is_from_our_page(&parts.headers, &app, &viewer).await {
            return Ok(Self(by, caller.as_user(user.id)));
        }
        Err(forbidden(
            "Send the session's token in the X-CSRF-Token header, from this server's own origin",
        ))
    }
}

/// A program that acts for an administrator.
#[derive(Clone, Debug)]
pub(in crate::http) struct AdministratorProgram(pub(in crate::http) Caller);

impl<S: Sync + Send> FromRequestParts<S> for AdministratorProgram
where
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let ManagingProgram(by, caller) = ManagingProgram::from_request_parts(parts, state).await?;
        if by.is_administrator() {
            return Ok(Self(caller));
        }
        Err(forbidden(ADMINISTRATORS_ALONE))
    }
}

/// Whether the request wants JSON or brings what only programs have.
pub(in crate::http) fn is_program(headers: &HeaderMap) -> bool {
    error::prefers_json(headers) || is_media_type(headers, "application/json") || bears_token(headers)
}

/// Another scheme may belong to a proxy in front of us.
fn bears_token(headers: &HeaderMap) -> bool {
    headers.get_all(header::AUTHORIZATION).iter().any(|value| {
        value
            .as_bytes()
            .get(..6)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
    })
}

async fn by_token(app: &App, parts: &Parts, caller: &Caller) -> Result<ManagingProgram, Response> {
    let token = RequireBearer::new(app.clone(), &[APPLICATIONS])
        .authenticate(&parts.headers, thumbprint(&parts.extensions))
        .await
        .map_err(IntoResponse::into_response)?;
    // Whatever it is for, it is not this: a resource that passes it on opens nothing here (RFC 8707).
    if !token.resources.is_empty() {
        let challenge = Challenge::invalid_token("The access token is for another resource");
        return Err(BearerError::from(challenge).into_response());
    }
    let program = token.user_id.and_then(|user| {
        let by = Manager::acting_for(app, user, token.admin)?;
        let caller = caller.as_user(user).through(token.application_id);
        Some(ManagingProgram(by, caller))
    });
    program.ok_or_else(|| {
        let challenge = Challenge::insufficient_privileges("The token is not an administrator's");
        BearerError::from(challenge).into_response()
    })
}

fn by_session<'u>(app: &App, user: Option<&'u User>) -> Result<(Manager, &'u User), Response> {
    match user {
        Some(user) => Manager::of(app, user)
            .map(|by| (by, user))
            .ok_or_else(|| forbidden(ADMINISTRATORS_ALONE)),
        None => Err(BearerError::from(Challenge::unauthorized()).into_response()),
    }
}

async fn is_from_our_page(headers: &HeaderMap, app: &App, viewer: &Viewer) -> bool {
    let sent = header_token(headers).unwrap_or_default();
    is_ours(headers, app) && viewer.csrf_matches(&sent).await
}

fn forbidden(why: &'static str) -> Response {
    let body = Json(json!({ "error": "forbidden", "error_description": why }));
    let mut response = (StatusCode::FORBIDDEN, NO_STORE, body).into_response();
    response.extensions_mut().insert(Cause(why.to_owned()));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn with(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_program_is_known_by_what_it_sends() {
        assert!(is_program(&with(header::ACCEPT, "application/json")));
        assert!(is_program(&with(header::CONTENT_TYPE, "application/json")));
        assert!(is_program(&with(header::AUTHORIZATION, "bearer tga_x")));
    }

    #[test]
    fn a_browser_is_none_even_behind_a_proxy_with_a_password() {
        assert!(!is_program(&with(
            header::ACCEPT,
            "text/html,application/json;q=0.9,*/*"
        )));
        assert!(!is_program(&with(header::AUTHORIZATION, "Basic YTpi")));
        assert!(!is_program(&HeaderMap::new()));
    }
}
