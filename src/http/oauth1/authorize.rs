//! `/oauth/authorize?oauth_token=…` (RFC 5849 §2.2): what a person decides about a request token.
//!
//! Stands before the endpoint of OAuth 2.0 at the same address, which knows nothing of it.

use axum::RequestExt;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next as Inner;
use axum::response::{IntoResponse, Response};

use crate::base::secret::Secret;
use crate::flow::App;
use crate::flow::authorize::Decision;
use crate::flow::oauth1::authorize::{self, Consent, Gone, Next};
use crate::flow::oauth1::enabled;
use crate::http::extract::form::Form;
use crate::http::extract::viewer::Viewer;
use crate::http::middleware::headers::FormAction;
use crate::http::middleware::request::RequestId;
use crate::http::pages::authorize::{people_host, redirect};
use crate::http::pages::error::{self, blank};
use crate::http::pages::login::{REQUEST_TOKEN, sign_in_href};
use crate::http::pages::render::{chrome, page};
use crate::http::view::error::ErrorPage;
use crate::http::view::{self, ScopeLine, When};
use crate::model::redirect_uri::RedirectUri;
use crate::protocol::params::Params;
use crate::protocol::token::TokenKind;

/// The parameter by which a request is of OAuth 1.0a, and those by which it is not.
const TOKEN: &str = "oauth_token";
const OAUTH2: [&str; 2] = ["client_id", "response_type"];

/// Answers what names a request token, where OAuth 1.0a is on; all else goes on.
pub(in crate::http) async fn divert(State(app): State<App>, request: Request, inner: Inner) -> Response {
    if !enabled(&app) {
        return inner.run(request).await;
    }
    let query = Params::parse(request.uri().query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let is_ours = query.all(TOKEN).next().is_some() && OAUTH2.iter().all(|name| query.get(name).is_none());
    if !is_ours {
        return inner.run(request).await;
    }
    let id = request.extensions().get::<RequestId>().cloned();
    let token = match query.all(TOKEN).collect::<Vec<_>>()[..] {
        [token] if TokenKind::parse(token) == Some(TokenKind::OAuth1) => Secret::new(token),
        _ => return gone(Gone::Unknown, id.as_ref()),
    };
    match *request.method() {
        Method::GET => show(&app, token, request, id.as_ref()).await,
        Method::HEAD => StatusCode::OK.into_response(),
        Method::POST => decide(&app, token, request, id.as_ref()).await,
        _ => inner.run(request).await,
    }
}

async fn show(app: &App, token: Secret, request: Request, id: Option<&RequestId>) -> Response {
    let (mut parts, _) = request.into_parts();
    let viewer = match Viewer::from_request_parts(&mut parts, app).await {
        Ok(viewer) => viewer,
        Err(refused) => return refused,
    };
    match authorize::begin(app, &token, viewer.user()).await {
        Ok(next) => answer(app, &viewer, &token, next, StatusCode::FOUND, id).await,
        Err(refusal) => error::refused(&refusal),
    }
}

async fn decide(app: &App, token: Secret, request: Request, id: Option<&RequestId>) -> Response {
    let form = match request.extract_with_state::<Form, _, _>(app).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let Some(user) = form.viewer.user() else {
        return gone(Gone::Unknown, id);
    };
    let decision = match form.params.get("decision") {
        Some("authorize") => Decision::Authorize,
        _ => Decision::Deny,
    };
    match authorize::decide(app, &form.caller, &token, user, decision).await {
        Ok(next) => answer(app, &form.viewer, &token, next, StatusCode::SEE_OTHER, id).await,
        Err(refusal) => error::refused(&refusal),
    }
}

async fn answer(
    app: &App,
    viewer: &Viewer,
    token: &Secret,
    next: Next,
    status: StatusCode,
    id: Option<&RequestId>,
) -> Response {
    let chrome = match chrome(app, viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    match next {
        Next::SignIn => redirect(status, &sign_in_href(app, &path(token))),
        Next::Redirect(url) => redirect(status, &url),
        Next::Consent(consent) => ask(app, viewer, token, chrome, &consent),
        Next::Pin { application, pin } => page(
            StatusCode::OK,
            &view::native::Pin {
                chrome,
                application,
                pin,
            },
        ),
        Next::Denied { application } => native_error(chrome, application, true),
        Next::NotAllowed { application } => native_error(chrome, application, false),
        Next::Gone(why) => gone(why, id),
    }
}

fn path(token: &Secret) -> String {
    format!("{REQUEST_TOKEN}{}", token.expose())
}

fn ask(app: &App, viewer: &Viewer, token: &Secret, chrome: view::Chrome, consent: &Consent) -> Response {
    let Some(user) = viewer.user() else {
        return error::unavailable("the consent page could not be made");
    };
    let settings = &consent.application.settings;
    let callback = consent.callback.as_deref();
    let view = view::consent::Consent {
        chrome,
        application: settings.name.clone(),
        owner: consent.application.owner_words(),
        redirect_host: callback.map_or_else(String::new, |uri| people_host(uri, settings.redirect_uri(uri))),
        username: user.username.clone(),
        scopes: scope_lines(consent),
        resources: Vec::new(),
        known_since: consent
            .known
            .as_ref()
            .map(|known| When::new(known.created_at, app.now())),
        remembers: consent.remembers,
        native: callback.is_none(),
        nothing_ticked: false,
        authorization: None,
        action: path(token),
        onward: ("next", path(token)),
    };
    let mut response = page(StatusCode::OK, &view);
    // Chromium applies form-action to the redirect that follows the form, too.
    if let Some(source) = callback.and_then(RedirectUri::csp_source_of) {
        response.extensions_mut().insert(FormAction(source));
    }
    response
}

/// Of an application that is known, what it never had is marked as new.
fn scope_lines(consent: &Consent) -> Vec<ScopeLine> {
    let is_new = |name: &str| {
        consent
            .known
            .as_ref()
            .is_some_and(|known| !known.scopes.contains(name))
    };
    let line = |(name, text): &(String, String)| {
        let line = ScopeLine::new(name, text);
        if is_new(name) { line.new_this_time() } else { line }
    };
    consent.scopes.iter().map(line).collect()
}

fn native_error(chrome: view::Chrome, application: String, denied: bool) -> Response {
    let description = if denied {
        "The user denied the request"
    } else {
        "This user may not use the application: an administrator decides who may"
    };
    let view = view::native::NativeError {
        chrome,
        application,
        denied,
        not_allowed: !denied,
        error: "access_denied".to_owned(),
        description: description.to_owned(),
    };
    page(StatusCode::OK, &view)
}

fn gone(why: Gone, id: Option<&RequestId>) -> Response {
    let (title, sentence) = match why {
        Gone::Unknown => (
            "This request is not known here",
            "Its request token was never issued here, or its application can no longer use it. Nothing was authorized.",
        ),
        Gone::Expired => (
            "This request took too long",
            "A request token is good for 15 minutes. Nothing was authorized.",
        ),
        Gone::Decided => (
            "This request is answered already",
            "You have authorized or denied it. Nothing more was authorized.",
        ),
        Gone::Foreign => (
            "This request belongs to another account",
            "Somebody else was asked about it, or you were not asked yet. Nothing was authorized.",
        ),
    };
    let view = blank(
        StatusCode::BAD_REQUEST,
        title,
        sentence,
        "Go back to the application and start again.",
    );
    error::show(ErrorPage {
        request_id: error::id(id),
        ..view
    })
}
