//! HTTP ⇄ flow: every handler extracts, calls one flow, renders. This file is the whole URL table.

mod api;
pub mod bearer;
mod error;
mod extract;
mod middleware;
mod oauth;
mod oauth1;
mod pages;
pub mod sandbox;
pub mod view;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::{from_fn, from_fn_with_state, map_request};
use axum::routing::{delete, get, post};
use tower::Layer;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration as CookieDuration;
use tower_sessions::{Expiry, SessionManagerLayer};

use self::bearer::RequireBearer;
use crate::flow::sessions::Sessions;
use crate::flow::{App, MEMOS};
use crate::protocol::explanation;
use crate::protocol::metadata::{WELL_KNOWN, well_known_path};
use crate::protocol::resource;

/// What handlers are given.
#[derive(Clone, Debug)]
pub struct Http {
    app: App,
    /// Asked by `/readyz`: whether the server is on its way out.
    stopping: Stopping,
}

/// Tells whether the server was asked to stop.
pub type IsStopping = dyn Fn() -> bool + Send + Sync;

#[derive(Clone)]
struct Stopping(std::sync::Arc<IsStopping>);

impl std::fmt::Debug for Stopping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stopping")
    }
}

impl FromRef<Http> for App {
    fn from_ref(http: &Http) -> Self {
        http.app.clone()
    }
}

/// Every URL, in its layers.
pub fn router(app: App, stopping: std::sync::Arc<IsStopping>) -> Router {
    let state = Http {
        app: app.clone(),
        stopping: Stopping(stopping),
    };
    let prefix = app.issuer.path().to_owned();
    let routes = Router::new()
        .merge(pages(&app))
        .merge(protocol(&app))
        .merge(api::routes(&app))
        .merge(oauth1::routes(&app))
        .merge(operation());
    let metadata = get(oauth::metadata::show).options(oauth::metadata::preflight);
    let memos = get(oauth::metadata::memos).options(oauth::metadata::preflight);
    let nested = if prefix.is_empty() {
        routes
    } else {
        // Behind a proxy that passes on nothing but the prefix, the places of RFC 8414 §3.1 and RFC 9728 §3.1
        // are out of reach.
        Router::new()
            .nest(&prefix, routes)
            .route(&format!("{prefix}{WELL_KNOWN}"), metadata.clone())
            .route(&format!("{prefix}{}{MEMOS}", resource::WELL_KNOWN), memos.clone())
    };
    let whole = nested
        .route(&well_known_path(app.issuer.as_str()), metadata)
        .route(&resource::well_known_path(&app.memos), memos)
        .fallback(pages::error::not_found)
        .method_not_allowed_fallback(pages::error::method_not_allowed)
        .with_state(state);
    layered(app, whole)
}

/// The layers' order, from the outside: request id and log line, path without trailing slash, security
/// headers, error pages, the pages that errors name, panics, then the route.
fn layered(app: App, routes: Router) -> Router {
    let inner = routes
        .layer(from_fn(middleware::panic::caught))
        .layer(from_fn_with_state(app.clone(), middleware::error_page::write))
        .layer(from_fn_with_state(app.clone(), middleware::error_uri::write))
        .layer(from_fn_with_state(app.clone(), middleware::headers::secure));
    // Routing happens inside: only a service around the router can still change the path.
    let trimmed = map_request(middleware::path::without_trailing_slash).layer(inner);
    Router::new()
        .fallback_service(trimmed)
        .layer(from_fn_with_state(app, middleware::request::logged))
}

/// RFC 6749, 7009, 7662, 8628: what clients call.
fn protocol(app: &App) -> Router<Http> {
    let bearer = RequireBearer::new(app.clone(), &[]);
    let preflight = from_fn_with_state((app.clone(), "POST"), middleware::cors::preflight);
    Router::new()
        .route(
            "/oauth/token",
            post(oauth::token::create)
                .fallback(oauth::method_not_allowed)
                .layer(preflight.clone()),
        )
        .route(
            "/oauth/device_authorization",
            post(oauth::device_authorization::create)
                .fallback(oauth::method_not_allowed)
                .layer(preflight.clone()),
        )
        .route(
            "/oauth/revoke",
            post(oauth::revoke::create)
                .fallback(oauth::method_not_allowed)
                .layer(preflight.clone()),
        )
        .route(
            "/oauth/introspect",
            post(oauth::introspect::create).fallback(oauth::method_not_allowed),
        )
        .route(
            "/oauth/token/info",
            get(oauth::token_info::show)
                .layer(bearer)
                .fallback(oauth::method_not_allowed),
        )
}

/// What people see; all of it knows the session.
fn pages(app: &App) -> Router<Http> {
    use pages::{account, audit, authorize, authorized, device, home, login, setup, users};

    Router::new()
        .route("/", get(home::show))
        .route(
            "/oauth/authorize",
            get(authorize::show)
                .head(authorize::head)
                .post(authorize::post)
                .delete(authorize::deny)
                .layer(from_fn_with_state(app.clone(), oauth1::authorize::divert)),
        )
        .route("/oauth/authorize/native", get(authorize::native))
        .route("/oauth/device", get(device::show).post(device::create))
        .route("/login", get(login::show).post(login::create))
        .route("/logout", post(login::delete))
        .route("/setup", get(setup::show).post(setup::create))
        .route("/account", get(account::show))
        .route("/account/password", post(account::change_password))
        .route("/account/sessions/delete", post(account::end_sessions))
        .merge(applications())
        .route("/users", get(users::index).post(users::create))
        .route("/users/new", get(users::new))
        .route("/users/{id}", get(users::show))
        .route(
            "/users/{id}/disable",
            get(users::confirm_disable).post(users::disable),
        )
        .route("/users/{id}/enable", post(users::enable))
        .route(
            "/users/{id}/delete",
            get(users::confirm_delete).post(users::delete),
        )
        .route("/users/{id}/administrator", post(users::switch_administrator))
        .route("/users/{id}/password", post(users::reset_password))
        .route("/users/{id}/groups", post(users::set_groups))
        .route("/users/{id}/sessions/delete", post(users::end_sessions))
        .route(
            "/users/{id}/authorized_applications/{application}/delete",
            post(users::withdraw),
        )
        .route("/audit", get(audit::index))
        .route("/audit.jsonl", get(audit::export))
        .route("/oauth/authorized_applications", get(authorized::index))
        .route(
            "/oauth/authorized_applications/{id}",
            axum::routing::delete(authorized::delete),
        )
        .route(
            "/oauth/authorized_applications/{id}/delete",
            post(authorized::delete),
        )
        .layer(session_layer(app))
        .layer(from_fn(middleware::session::store_faults))
}

/// What administrators, and programs in their names, do with applications.
fn applications() -> Router<Http> {
    use pages::applications;

    Router::new()
        .route(
            "/oauth/applications",
            get(applications::index).post(applications::create),
        )
        .route("/oauth/applications/new", get(applications::new))
        .route(
            "/oauth/applications/{id}",
            get(applications::show)
                .post(applications::update)
                .patch(applications::patch)
                .delete(applications::remove),
        )
        .route("/oauth/applications/{id}/edit", get(applications::edit))
        .route(
            "/oauth/applications/{id}/delete",
            get(applications::confirm_delete).post(applications::delete),
        )
        .route(
            "/oauth/applications/{id}/disable",
            get(applications::switch::confirm).post(applications::switch::disable),
        )
        .route(
            "/oauth/applications/{id}/enable",
            post(applications::switch::enable),
        )
        .route(
            "/oauth/applications/{id}/failed_requests",
            get(applications::failed_requests::index),
        )
        .route(
            "/oauth/applications/{id}/failed_requests/{failure}/redirect_uri",
            post(applications::failed_requests::add_redirect_uri),
        )
        .route(
            "/oauth/applications/{id}/grants",
            get(applications::families::index).delete(applications::families::remove_all),
        )
        .route(
            "/oauth/applications/{id}/grants/revoke",
            get(applications::families::confirm_revoke_all).post(applications::families::revoke_all),
        )
        .route(
            "/oauth/applications/{id}/grants/{grant}",
            get(applications::families::show).delete(applications::families::remove),
        )
        .route(
            "/oauth/applications/{id}/grants/{grant}/revoke",
            post(applications::families::revoke),
        )
        .route(
            "/oauth/applications/{id}/tokens/{fingerprint}",
            delete(applications::families::remove_own_token),
        )
        .route(
            "/oauth/applications/{id}/tokens/{fingerprint}/revoke",
            post(applications::families::revoke_own_token),
        )
        .route(
            "/oauth/applications/{id}/secrets",
            post(applications::rotate_secret),
        )
        .route(
            "/oauth/applications/{id}/secrets/{secret}/delete",
            post(applications::retire_secret),
        )
        .route(
            "/oauth/applications/{id}/consumer_secret",
            post(applications::rotate_consumer_secret),
        )
}

fn operation() -> Router<Http> {
    Router::new()
        .route("/healthz", get(pages::health::alive))
        .route("/readyz", get(pages::health::ready))
        .route("/assets/{name}", get(pages::assets::show))
        .route(explanation::PATH, get(pages::explanation::index))
        .route("/oauth/errors/{code}", get(pages::explanation::show))
}

/// On plain http, as for trying out, not every client takes `Secure` cookies, so the prefix that needs
/// them is left off. That prefix wants the path `/`; in a sandbox without it, the worlds of one host keep their
/// cookies from one another.
fn session_layer(app: &App) -> SessionManagerLayer<Sessions> {
    let secure = app.issuer.is_https();
    let idle = CookieDuration::seconds(app.config.session_ttl.whole_seconds());
    SessionManagerLayer::new(Sessions(app.clone()))
        .with_name(if secure { "__Host-tegata" } else { "tegata" })
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path(match app.issuer.path() {
            path if app.is_sandbox && !secure && !path.is_empty() => path.to_owned(),
            _ => "/".to_owned(),
        })
        .with_expiry(Expiry::OnInactivity(idle))
}

#[cfg(test)]
mod tests;
