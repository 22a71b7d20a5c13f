//! `/login` and `/logout`.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::authorize::redirect;
use super::device::CONFIRMATION;
use super::error;
use super::render::{chrome, page};
use crate::base::secret::Secret;
use crate::flow::App;
use crate::flow::authorize;
use crate::flow::device;
use crate::flow::error::Refusal;
use crate::flow::login::{self, Attempt, BROWSER_KNOWN, NotSignedIn};
use crate::flow::oauth1;
use crate::flow::sessions;
use crate::http::extract::form::Form;
use crate::http::extract::params::QueryParams;
use crate::http::extract::viewer::Viewer;
use crate::http::middleware::headers::FormAction;
use crate::http::view::login::Login;
use crate::model::redirect_uri::{RedirectUri, append};
use crate::protocol::params::Params;
use crate::protocol::token::TokenKind;

/// Where to go on after signing in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Onward {
    /// A kept authorization request.
    Authorization(String),
    /// One of our own paths.
    Path(String),
    Home,
}

impl Onward {
    /// Reads `continue` (a handle) or `next` (a path). Whatever is neither leads home.
    fn of(params: &Params) -> Self {
        if let Some(handle) = params.get("continue").filter(|text| is_handle(text)) {
            return Self::Authorization(handle.to_owned());
        }
        params
            .get("next")
            .filter(|path| is_own_path(path))
            .map_or(Self::Home, |path| Self::Path(path.to_owned()))
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Authorization(text) => Some(text.clone()),
            Self::Path(_) | Self::Home => None,
        }
    }

    fn next(&self) -> Option<String> {
        match self {
            Self::Path(path) => Some(path.clone()),
            Self::Authorization(_) | Self::Home => None,
        }
    }

    fn href(&self, app: &App) -> String {
        let prefix = app.issuer.path();
        match self {
            Self::Authorization(handle) => format!("{prefix}/oauth/authorize?authorization={handle}"),
            Self::Path(path) => format!("{prefix}{path}"),
            Self::Home => format!("{prefix}/"),
        }
    }
}

fn is_handle(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A path of ours, and nothing that a browser could read as another host: no `//`, no backslash, no
/// escapes, no dots. A user code may follow, since it is typed off a screen or comes from a QR code, or a request token
/// of OAuth 1.0a that is to be decided.
pub(in crate::http) fn is_own_path(path: &str) -> bool {
    if request_token(path).is_some() {
        return true;
    }
    let (path, query) = path.split_once('?').unwrap_or((path, "user_code="));
    is_path(path)
        && query
            .strip_prefix("user_code=")
            .is_some_and(|code| is_handle(code) && !code.contains('_'))
}

/// The path that decides a request token of OAuth 1.0a, which follows.
pub(in crate::http) const REQUEST_TOKEN: &str = "/oauth/authorize?oauth_token=";

/// The request token that a path of ours is to decide.
fn request_token(path: &str) -> Option<Secret> {
    path.strip_prefix(REQUEST_TOKEN)
        .filter(|token| TokenKind::parse(token) == Some(TokenKind::OAuth1))
        .map(Secret::new)
}

fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 200
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_'))
        && !path.contains("//")
}

/// Where to sign in, to go on to a path of ours.
pub(in crate::http) fn sign_in_href(app: &App, path: &str) -> String {
    append(&format!("{}/login", app.issuer.path()), &[("next", path)])
}

pub(in crate::http) async fn show(
    State(app): State<App>,
    QueryParams(query): QueryParams,
    viewer: Viewer,
) -> Response {
    let onward = query.as_ref().map_or(Onward::Home, Onward::of);
    if viewer.user().is_some() && !matches!(onward, Onward::Authorization(_)) {
        return redirect(StatusCode::SEE_OTHER, &onward.href(&app));
    }
    form(&app, &viewer, &onward, String::new(), None, StatusCode::OK).await
}

async fn form(
    app: &App,
    viewer: &Viewer,
    onward: &Onward,
    username: String,
    error: Option<String>,
    status: StatusCode,
) -> Response {
    let (application, redirect_uri) = match waiting(app, onward).await {
        Ok(waiting) => waiting.unzip(),
        Err(refusal) => return error::refused(&refusal),
    };
    // Chromium applies form-action to every redirect that follows the form, up to the client's.
    let leads_to = redirect_uri
        .flatten()
        .and_then(|uri| RedirectUri::csp_source_of(&uri));
    let chrome = match chrome(app, viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let view = Login {
        chrome,
        username,
        error,
        continue_to: onward.field(),
        next: onward.next(),
        application,
    };
    let mut response = page(status, &view);
    if let Some(source) = leads_to {
        response.extensions_mut().insert(FormAction(source));
    }
    response
}

/// The application that waits for somebody to sign in, and where the answer will lead.
async fn waiting(app: &App, onward: &Onward) -> Result<Option<(String, Option<String>)>, Refusal> {
    match onward {
        Onward::Authorization(handle) => {
            let waiting = authorize::waiting(app, &Secret::new(handle)).await?;
            Ok(waiting.map(|waiting| (waiting.application, Some(waiting.redirect_uri))))
        }
        Onward::Path(path) => match request_token(path).filter(|_| oauth1::enabled(app)) {
            Some(token) => oauth1::authorize::waiting(app, &token).await,
            None => Ok(None),
        },
        Onward::Home => Ok(None),
    }
}

pub(in crate::http) async fn create(State(app): State<App>, headers: HeaderMap, form_sent: Form) -> Response {
    let onward = Onward::of(&form_sent.params);
    let browser = known_browser(&headers, &app);
    let attempt = Attempt {
        username: form_sent.text("username"),
        password: Secret::new(form_sent.params.get("password").unwrap_or_default()),
        caller: form_sent.caller.clone(),
        browser: browser.clone(),
    };
    let viewer = &form_sent.viewer;
    match login::sign_in(&app, &attempt).await {
        Ok(user) => {
            let agent = headers
                .get(header::USER_AGENT)
                .and_then(|agent| agent.to_str().ok())
                .unwrap_or_default();
            if let Err(fault) = viewer.sign_in(&app, &user, agent).await {
                return error::unavailable(&fault.to_string());
            }
            match login::remember_browser(&app, browser, user.id).await {
                Ok(browser) => remembered(&app, &onward.href(&app), &browser),
                Err(refusal) => error::refused(&refusal),
            }
        }
        Err(NotSignedIn::Wrong) => {
            let error = "This user name and this password do not go together. Check both and try again.";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            form(
                &app,
                viewer,
                &onward,
                attempt.username,
                Some(error.to_owned()),
                status,
            )
            .await
        }
        Err(NotSignedIn::Wait { seconds }) => {
            let error = format!("Too many attempts failed. Wait {seconds} seconds, then try again.");
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut response = form(&app, viewer, &onward, attempt.username, Some(error), status).await;
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
        Err(NotSignedIn::Refused(refusal)) => error::refused(&refusal),
    }
}

/// Sets the cookie that names a browser in which somebody has signed in. It signs nobody in: it only
/// spares its owner from being slowed down by strangers.
fn remembered(app: &App, location: &str, browser: &Secret) -> Response {
    let mut response = redirect(StatusCode::SEE_OTHER, location);
    let cookie = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{}",
        browser_cookie(app),
        browser.expose(),
        BROWSER_KNOWN.whole_seconds(),
        if app.issuer.is_https() { "; Secure" } else { "" }
    );
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

fn browser_cookie(app: &App) -> &'static str {
    if app.issuer.is_https() {
        "__Host-tegata-browser"
    } else {
        "tegata-browser"
    }
}

pub(super) fn known_browser(headers: &HeaderMap, app: &App) -> Option<Secret> {
    let name = browser_cookie(app);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(key, value)| *key == name && value.len() == 43 && is_handle(value))
        .map(|(_, value)| Secret::new(value))
}

/// Ends the session; with `continue` or `next`, somebody else signs in to go on.
pub(in crate::http) async fn delete(State(app): State<App>, form: Form) -> Response {
    let user = form.viewer.user().map(|user| user.id);
    if let (Some(user), Some(confirmation)) = (user, form.params.get(CONFIRMATION))
        && let Err(refusal) = device::hand_over(&app, &Secret::new(confirmation), user).await
    {
        return error::refused(&refusal);
    }
    if let Some(user) = user
        && let Err(refusal) = sessions::sign_out(&app, &form.caller, user, form.viewer.session_hash()).await
    {
        return error::refused(&refusal);
    }
    if let Err(fault) = form.viewer.session.flush().await {
        return error::unavailable(&fault.to_string());
    }
    let prefix = app.issuer.path();
    match Onward::of(&form.params) {
        Onward::Authorization(handle) => {
            let handed_over = match user {
                Some(user) => authorize::hand_over(&app, &Secret::new(&*handle), user).await,
                None => Ok(()),
            };
            if let Err(refusal) = handed_over {
                return error::refused(&refusal);
            }
            redirect(
                StatusCode::SEE_OTHER,
                &format!("{prefix}/login?continue={handle}"),
            )
        }
        Onward::Path(path) => {
            if let (Some(token), Some(user)) = (request_token(&path), user)
                && let Err(refusal) = oauth1::authorize::hand_over(&app, &token, user).await
            {
                return error::refused(&refusal);
            }
            redirect(StatusCode::SEE_OTHER, &sign_in_href(&app, &path))
        }
        Onward::Home => redirect(StatusCode::SEE_OTHER, &format!("{prefix}/login")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_our_own_are_gone_on_to() {
        for path in [
            "/",
            "/oauth/applications",
            "/oauth/applications/0192-ab",
            "/oauth/device?user_code=WDJB-MJHT",
            "/oauth/authorize?oauth_token=tgo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(is_own_path(path), "{path}");
        }
        for path in [
            "//evil",
            "/\\evil",
            "https:evil",
            "/%09/evil",
            "/..//evil",
            "https://evil",
            "evil",
            "",
            "/a//b",
            "/a?b",
            "/a?next=b",
            "/a?user_code=b&c",
            "/a?user_code=/b",
            "/a?user_code=%2f",
            "/a?user_code=b?c",
            "/oauth/authorize?oauth_token=",
            "/oauth/authorize?oauth_token=tgo_A",
            "/oauth/authorize?oauth_token=tga_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "/oauth/authorize?oauth_token=tgo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&a=b",
            "/a?oauth_token=tgo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "/a\tb",
        ] {
            assert!(!is_own_path(path), "{path}");
        }
    }

    #[test]
    fn a_handle_is_nothing_but_base64url() {
        assert!(is_handle("aZ0-_"));
        assert!(!is_handle("a&b=c"));
        assert!(!is_handle(&"a".repeat(65)));
    }
}
