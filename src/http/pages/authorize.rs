//! `/oauth/authorize` (RFC 6749 §3.1): what a client asks, and what a person decides.

use axum::extract::{FromRequestParts, OriginalUri, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, RequestExt};

use super::error::{self, blank};
use super::render::{chrome, page};
use crate::base::secret::Secret;
use crate::flow::App;
use crate::flow::applications::Manager;
use crate::flow::authorize::{self, Consent, Decision, Delivered, Next};
use crate::flow::failed_requests::Attempt;
use crate::flow::sandbox::{self, Answer};
use crate::http::extract::form::{CSRF_FIELD, Form, page_body};
use crate::http::extract::params::QueryParams;
use crate::http::extract::viewer::Viewer;
use crate::http::middleware::headers::{FormAction, HandOver};
use crate::http::middleware::request::{RequestId, Why};
use crate::http::view::error::{ErrorPage, Mismatch};
use crate::http::view::{self, Chrome, Link, ScopeLine, When};
use crate::model::application::Application;
use crate::model::caller::Caller;
use crate::model::failed_request::Endpoint;
use crate::model::redirect_uri::RedirectUri;
use crate::model::scope::Scope;
use crate::protocol::authorize::{Delivery, Unproven};
use crate::protocol::params::Params;
use crate::protocol::reason::Reason;

/// Names a kept request in our own URLs and forms.
const HANDLE: &str = "authorization";

/// What every answer here needs to know of the request.
struct Asking<'a> {
    app: &'a App,
    viewer: &'a Viewer,
    request_id: RequestId,
    /// What the client asked in this request, if it asked.
    params: Option<&'a Params>,
    /// After a POST the browser is to go on with a GET (RFC 9700 §4.12).
    redirect: StatusCode,
}

/// `GET`: a client asks, or the browser comes back with a handle.
pub(in crate::http) async fn show(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    caller: Caller,
    QueryParams(query): QueryParams,
    answer: Option<Extension<Answer>>,
    viewer: Viewer,
) -> Response {
    let mut asking = Asking {
        app: &app,
        viewer: &viewer,
        request_id,
        params: None,
        redirect: StatusCode::FOUND,
    };
    let params = match query {
        Ok(params) => params,
        Err(problem) => return asking.unreadable(problem.description()),
    };
    asking.params = Some(&params);
    let handle = params.get(HANDLE).filter(|_| params.get("client_id").is_none());
    let next = match (handle, answer.filter(|_| app.is_sandbox)) {
        (Some(handle), _) => authorize::resume(&app, Secret::new(handle), viewer.for_authorize()).await,
        (None, Some(Extension(answer))) => sandbox::authorize(&app, &params, &answer).await,
        (None, None) => authorize::begin(&app, &caller, &params, viewer.for_authorize(), false).await,
    };
    match next {
        Ok(next) => asking.answer(next).await,
        Err(refusal) => error::refused(&refusal),
    }
}

/// `HEAD`: nothing is asked, kept or issued.
pub(in crate::http) async fn head() -> StatusCode {
    StatusCode::OK
}

/// `POST`: the consent form, or a request like a GET's, which is kept and never approves anything.
pub(in crate::http) async fn post(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    OriginalUri(uri): OriginalUri,
    caller: Caller,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let (bytes, params) = match page_body(&parts.headers, body).await {
        Ok(read) => read,
        Err((status, sentence)) => return error::plain(status, sentence, Some(&request_id)),
    };
    if params.get(HANDLE).is_some() || params.get(CSRF_FIELD).is_some() {
        parts.extensions.insert(request_id.clone());
        let request = Request::from_parts(parts, bytes.into());
        return match request.extract_with_state::<Form, _, _>(&app).await {
            Ok(form) => decide(&app, &form, request_id).await,
            Err(refused) => refused,
        };
    }
    let query = Params::parse(uri.query().unwrap_or_default().as_bytes());
    let strict = Params::parse(&bytes);
    let viewer = match Viewer::from_request_parts(&mut parts, &app).await {
        Ok(viewer) => viewer,
        Err(refused) => return refused,
    };
    let mut asking = Asking {
        app: &app,
        viewer: &viewer,
        request_id,
        params: None,
        redirect: StatusCode::SEE_OTHER,
    };
    let (Ok(query), Ok(strict)) = (query, strict) else {
        return asking.unreadable("The parameters cannot be read");
    };
    let params = query.merge(strict);
    asking.params = Some(&params);
    match authorize::begin(&app, &caller, &params, viewer.for_authorize(), true).await {
        Ok(next) => asking.answer(next).await,
        Err(refusal) => error::refused(&refusal),
    }
}

/// `DELETE`: denies, with the form's own fields.
pub(in crate::http) async fn deny(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    form: Form,
) -> Response {
    settle(&app, &form, request_id, Decision::Deny).await
}

async fn decide(app: &App, form: &Form, request_id: RequestId) -> Response {
    let decision = match form.params.get("decision") {
        Some("authorize") => Decision::Authorize,
        _ => Decision::Deny,
    };
    settle(app, form, request_id, decision).await
}

async fn settle(app: &App, form: &Form, request_id: RequestId, decision: Decision) -> Response {
    let asking = Asking {
        app,
        viewer: &form.viewer,
        request_id,
        params: None,
        redirect: StatusCode::SEE_OTHER,
    };
    let (Some(user), Some(handle)) = (form.viewer.user(), form.params.get(HANDLE)) else {
        return asking.gone();
    };
    let ticked = form
        .params
        .all("scopes")
        .filter_map(|name| Scope::parse(name).ok())
        .collect();
    match authorize::decide(app, &form.caller, &Secret::new(handle), user, decision, &ticked).await {
        Ok(next) => asking.answer(next).await,
        Err(refusal) => error::refused(&refusal),
    }
}

impl Asking<'_> {
    async fn answer(&self, next: Next) -> Response {
        match next {
            Next::Unproven { why, application } => self.unproven(&why, application.as_deref()),
            Next::Deliver(delivered) => self.deliver(delivered, None).await,
            Next::Refused {
                delivered,
                application,
                error,
            } => {
                self.attempt(&Params::default())
                    .refused(self.app, application, &error);
                let mut response = self.deliver(delivered, Some(error.fault().reason)).await;
                response.extensions_mut().insert(Why(error.fault()));
                response
            }
            Next::SignIn { handle, .. } => self.go(&format!("/login?continue={}", handle.expose())),
            Next::GoOn { handle } => self.go(&format!("/oauth/authorize?{HANDLE}={}", handle.expose())),
            Next::Consent(consent) => self.consent(*consent).await,
            Next::Gone => self.gone(),
        }
    }

    /// `none`: what stands in for the parameters of a request that was kept.
    fn attempt<'b>(&'b self, none: &'b Params) -> Attempt<'b> {
        Attempt {
            endpoint: Endpoint::Authorize,
            params: self.params.unwrap_or(none),
            request_id: &self.request_id.0,
        }
    }

    fn go(&self, path: &str) -> Response {
        redirect(self.redirect, &format!("{}{path}", self.app.issuer.path()))
    }

    /// `why`: what the answer was refused for.
    async fn deliver(&self, delivered: Delivered, why: Option<Reason>) -> Response {
        match delivered.delivery {
            Delivery::Redirect(url) => redirect(self.redirect, &url),
            Delivery::FormPost { action, fields } => self.hand_over(delivered.application, action, fields),
            Delivery::NativeCode => {
                let code = delivered.code.as_ref().map(Secret::expose).unwrap_or_default();
                self.go(&format!("/oauth/authorize/native?code={code}"))
            }
            Delivery::NativeError { code, description } => {
                let chrome = match chrome(self.app, self.viewer).await {
                    Ok(chrome) => chrome,
                    Err(refused) => return refused,
                };
                let view = view::native::NativeError {
                    chrome,
                    application: delivered.application,
                    denied: why == Some(Reason::UserDenied),
                    not_allowed: why == Some(Reason::UserNotAllowed),
                    error: code.as_str().to_owned(),
                    description,
                };
                page(StatusCode::OK, &view)
            }
        }
    }

    /// Whoever brings the request need not be signed in, nor have a session: the page needs neither.
    fn hand_over(&self, application: String, action: String, fields: Vec<(String, String)>) -> Response {
        let Some(to) = RedirectUri::csp_source_of(&action) else {
            return error::unavailable("a form was to lead where no policy can name it");
        };
        let nonce = Secret::generate(&self.app.entropy, "").expose().to_owned();
        let view = view::form_post::FormPost {
            chrome: Chrome::new(Secret::new("")).of(self.app),
            application,
            host: people_host(&action, RedirectUri::from_stored(action.clone()).ok().as_ref()),
            action,
            fields: fields
                .into_iter()
                .map(|(name, value)| (name, Secret::new(value)))
                .collect(),
            nonce: nonce.clone(),
        };
        let mut response = page(StatusCode::OK, &view);
        response.extensions_mut().insert(HandOver { nonce, to });
        response
    }

    async fn consent(&self, consent: Consent) -> Response {
        let (Some(user), Ok(chrome)) = (self.viewer.user(), chrome(self.app, self.viewer).await) else {
            return error::unavailable("the consent page could not be made");
        };
        let now = self.app.now();
        let target = &consent.request.target;
        let uri = consent.application.settings.redirect_uri(target.redirect_uri());
        let view = view::consent::Consent {
            chrome,
            application: consent.application.settings.name.clone(),
            owner: consent.application.owner_words(),
            redirect_host: people_host(target.redirect_uri(), uri),
            username: user.username.clone(),
            scopes: scope_lines(&consent),
            resources: consent.request.resources.to_strings(),
            known_since: consent.known.map(|known| When::new(known.created_at, now)),
            remembers: consent.remembers,
            native: target.is_native(),
            nothing_ticked: consent.nothing_ticked,
            authorization: Some(consent.handle.expose().to_owned()),
            action: "/oauth/authorize".to_owned(),
            onward: ("continue", consent.handle.expose().to_owned()),
        };
        let status = if view.nothing_ticked {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        };
        let mut response = page(status, &view);
        // Chromium applies form-action to the redirect that follows the form, too.
        if let Some(source) = RedirectUri::csp_source_of(target.redirect_uri()) {
            response.extensions_mut().insert(FormAction(source));
        }
        response
    }

    fn gone(&self) -> Response {
        let view = blank(
            StatusCode::BAD_REQUEST,
            "This request is over",
            "It was answered already, took too long, or belongs to another account. Nothing more was authorized.",
            "Go back to the application and start again.",
        );
        error::show(self.framed(view))
    }

    fn unreadable(&self, description: &str) -> Response {
        let view = blank(
            StatusCode::BAD_REQUEST,
            "The application's request cannot be read",
            description,
            "Whoever develops the application can mend this.",
        );
        error::show(self.framed(view))
    }

    fn unproven(&self, why: &Unproven, application: Option<&Application>) -> Response {
        let (title, sentence) = words(why);
        if let Some(application) = application {
            self.attempt(&Params::default())
                .unproven(self.app, application, why);
        }
        let who =
            "Nothing was authorized. Whoever develops or runs the application can mend this; you cannot.";
        let mut view = self.framed(blank(StatusCode::BAD_REQUEST, title, &sentence, who));
        let manager = self.viewer.user().and_then(|user| Manager::of(self.app, user));
        let disabled = application.filter(|application| !application.is_enabled());
        let is_theirs = |by: Manager| application.map_or(by.is_administrator(), |known| by.manages(known));
        if disabled.is_none() && manager.is_some_and(is_theirs) {
            "Nothing was authorized. Register the address, or tell whoever develops the application."
                .clone_into(&mut view.who);
            view.mismatch = mismatch(why, application);
        }
        if let Some(disabled) = disabled.filter(|_| manager.is_some_and(Manager::is_administrator)) {
            view = for_who_can_enable(view, disabled);
        }
        tracing::info!(event = "authorization_unproven", why = title);
        let mut response = error::show(view);
        response
            .extensions_mut()
            .insert(Why(why.fault_of_any(application)));
        response
    }

    fn framed(&self, view: ErrorPage) -> ErrorPage {
        ErrorPage {
            request_id: error::id(Some(&self.request_id)),
            ..view
        }
    }
}

/// Of an application that is known, what it never had is marked as new.
fn scope_lines(consent: &Consent) -> Vec<ScopeLine> {
    let asks_more = |name: &str| {
        let known = consent.known.as_ref();
        known.is_some_and(|known| !known.scopes.iter().any(|scope| scope.as_str() == name))
    };
    let line = |(name, text): &(String, String)| {
        let mut line = ScopeLine::new(name, text);
        if consent.request.optional.contains(name) {
            line = line.optional(!consent.nothing_ticked);
        }
        if asks_more(name) {
            line.new_this_time()
        } else {
            line
        }
    };
    consent.scopes.iter().map(line).collect()
}

pub(in crate::http) fn people_host(asked: &str, registered: Option<&RedirectUri>) -> String {
    registered.map_or_else(|| asked.to_owned(), RedirectUri::people_host)
}

pub(in crate::http) fn words(why: &Unproven) -> (&'static str, String) {
    match why {
        Unproven::MissingClientId => (
            "The application did not say who it is",
            "The parameter client_id is missing.".into(),
        ),
        Unproven::UnknownClient => (
            "This application cannot be used here",
            "Its client_id belongs to no application of this server, or to one that an administrator has switched off."
                .into(),
        ),
        Unproven::Repeated(name) => (
            "The application's request contradicts itself",
            format!("The parameter {name} was sent more than once."),
        ),
        Unproven::MissingRedirectUri => (
            "The application did not say where to go on",
            "The parameter redirect_uri is missing, and the application has not registered exactly one."
                .into(),
        ),
        Unproven::Mismatch { .. } => (
            "This link does not lead back to the application",
            "The application asked to send you to an address that is not registered for it.".into(),
        ),
    }
}

/// For administrators alone: others are not told an unknown application from a disabled one.
fn for_who_can_enable(view: ErrorPage, disabled: &Application) -> ErrorPage {
    ErrorPage {
        title: format!("{} is disabled", disabled.settings.name),
        sentence: "An administrator has switched it off. Others are told only that it cannot be used here."
            .to_owned(),
        who: "Nothing was authorized. You are an administrator, so you can enable it on its page.".to_owned(),
        back: Some(Link {
            href: format!("/oauth/applications/{}", disabled.id),
            label: "Go to the application".to_owned(),
        }),
        ..view
    }
}

/// For who manages the application: others must not learn what is registered.
fn mismatch(why: &Unproven, application: Option<&Application>) -> Option<Mismatch> {
    let (Unproven::Mismatch { sent }, Some(application)) = (why, application) else {
        return None;
    };
    Some(Mismatch {
        sent: sent.clone(),
        registered: application
            .settings
            .redirect_uris
            .iter()
            .map(|uri| uri.as_str().to_owned())
            .collect(),
        application: application.settings.name.clone(),
        edit_href: format!("/oauth/applications/{}/edit", application.id),
        failures_href: format!("/oauth/applications/{}/failed_requests", application.id),
    })
}

/// `GET /oauth/authorize/native?code=…`: shows the code of a client without a redirect URI of its own.
pub(in crate::http) async fn native(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    QueryParams(query): QueryParams,
    viewer: Viewer,
) -> Response {
    let Some(user) = viewer.user() else {
        return redirect(StatusCode::SEE_OTHER, &format!("{}/login", app.issuer.path()));
    };
    let code = query
        .ok()
        .and_then(|params| params.get("code").map(Secret::new))
        .unwrap_or_else(|| Secret::new(""));
    let application = match authorize::native(&app, user.id, &code).await {
        Ok(Some(application)) => application,
        Ok(None) => return error::gone(Some(&request_id)),
        Err(refusal) => return error::refused(&refusal),
    };
    match chrome(&app, &viewer).await {
        Ok(chrome) => page(
            StatusCode::OK,
            &view::native::NativeCode {
                chrome,
                application,
                code,
            },
        ),
        Err(refused) => refused,
    }
}

pub(in crate::http) fn redirect(status: StatusCode, location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, location);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            (status, headers).into_response()
        }
        Err(fault) => error::unavailable(&fault.to_string()),
    }
}
