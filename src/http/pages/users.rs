//! `/users`: made, looked at, disabled, deleted by administrators.
//!
//! For people in a browser alone: whoever may make an administrator may do everything, so no token opens it.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::account::session_rows;
use super::applications::form::lines;
use super::applications::{page_number, search_text, to, what_ended};
use super::authorized::rows as authorized_rows;
use super::error;
use super::render::{chrome, page};
use crate::base::generated_password;
use crate::base::secret::Secret;
use crate::flow::applications::{self, Manager};
use crate::flow::users::{self as flow, Deed, NewUserRefused, PAGE, Profile};
use crate::flow::{App, access, authorized, sessions};
use crate::http::extract::administrator::{Administrator, AdministratorForm};
use crate::http::extract::form::Form;
use crate::http::extract::params::QueryParams;
use crate::http::extract::subject::{Subject, SubjectForm};
use crate::http::extract::viewer::Viewer;
use crate::http::middleware::request::RequestId;
use crate::http::view::users::{UserConfirm, UserForm, UserRow, UserShow, UsersList};
use crate::http::view::{FieldErrors, When};
use crate::model::redirect_uri::append;
use crate::model::user::User;

const PATH: &str = "/users";
const LAST: &str = "Nothing was changed: this is the last enabled administrator. Make another one first.";

/// `GET /users`.
pub(in crate::http) async fn index(
    State(app): State<App>,
    QueryParams(query): QueryParams,
    Administrator(viewer): Administrator,
) -> Response {
    let query = query.unwrap_or_default();
    let (search, number) = (search_text(&query), page_number(&query));
    let (listed, total) = match flow::page(&app, &search, number).await {
        Ok(found) => found,
        Err(refusal) => return error::refused(&refusal),
    };
    if listed.is_empty() && number > 0 {
        return to(&app, &page_href(&search, 0));
    }
    let chrome = match chrome(&app, &viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let now = app.now();
    let rows = listed.into_iter().map(|user| UserRow {
        id: user.id.to_string(),
        disabled: !user.is_enabled(),
        username: user.username,
        email: user.email,
        admin: user.admin,
        created: When::new(user.created_at, now),
        signed_in: user.signed_in_at.map(|at| When::new(at, now)),
    });
    let view = UsersList {
        rows: rows.collect(),
        total: total.unsigned_abs(),
        previous_href: (number > 0).then(|| page_href(&search, number - 1)),
        next_href: ((number + 1) * PAGE < total).then(|| page_href(&search, number + 1)),
        query: search,
        chrome,
    };
    page(StatusCode::OK, &view)
}

fn page_href(search: &str, number: i64) -> String {
    append(PATH, &[("q", search), ("page", &(number + 1).to_string())])
}

/// `GET /users/new`.
pub(in crate::http) async fn new(State(app): State<App>, Administrator(viewer): Administrator) -> Response {
    form(
        &app,
        &viewer,
        String::new(),
        String::new(),
        false,
        FieldErrors::new(),
    )
    .await
}

async fn form(
    app: &App,
    viewer: &Viewer,
    username: String,
    email: String,
    admin: bool,
    errors: FieldErrors,
) -> Response {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    match chrome(app, viewer).await {
        Ok(chrome) => {
            let view = UserForm {
                chrome,
                username,
                email,
                admin,
                errors,
            };
            page(status, &view)
        }
        Err(refused) => refused,
    }
}

/// `POST /users`.
pub(in crate::http) async fn create(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    AdministratorForm(sent): AdministratorForm,
) -> Response {
    let typed = sent.text("password");
    let generated = typed
        .is_empty()
        .then(|| generated_password::generate(&app.entropy));
    let profile = Profile {
        username: sent.text("username"),
        email: Some(sent.text("email")),
        password: generated.clone().unwrap_or_else(|| Secret::new(typed)),
        groups: Vec::new(),
    };
    let admin = sent.is_on("admin");
    match flow::create(&app, &sent.caller, &profile, admin).await {
        // Shown as the answer itself: a password that waited for the next page would have to be kept.
        Ok(user) => {
            let shown = Shown {
                new_password: generated,
                ..Shown::default()
            };
            show_page(&app, &sent.viewer, user, shown, StatusCode::CREATED).await
        }
        Err(NewUserRefused::Fields(faults)) => {
            let email = profile.email.unwrap_or_default();
            let errors = faults.into_iter().collect();
            form(&app, &sent.viewer, profile.username, email, admin, errors).await
        }
        Err(NewUserRefused::Gone) => error::gone(Some(&request_id)),
        Err(NewUserRefused::Refused(refusal)) => error::refused(&refusal),
    }
}

/// `GET /users/:id`.
pub(in crate::http) async fn show(State(app): State<App>, Subject { viewer, user }: Subject) -> Response {
    show_page(&app, &viewer, user, Shown::default(), StatusCode::OK).await
}

/// What the page shows beside what is stored.
#[derive(Default)]
struct Shown {
    /// Generated just now.
    new_password: Option<Secret>,
    /// Groups as they were typed, and what is wrong with them.
    typed: Option<(String, FieldErrors)>,
}

async fn show_page(app: &App, viewer: &Viewer, user: User, shown: Shown, status: StatusCode) -> Response {
    let (groups, errors) = match shown.typed {
        Some(typed) => typed,
        None => match access::groups_of(app, user.id).await {
            Ok(groups) => (groups.join("\n"), FieldErrors::new()),
            Err(refusal) => return error::refused(&refusal),
        },
    };
    let sessions = match sessions::list(app, user.id, viewer.session_hash()).await {
        Ok(sessions) => sessions,
        Err(refusal) => return error::refused(&refusal),
    };
    let allowed = match authorized::list(app, user.id).await {
        Ok(allowed) => allowed,
        Err(refusal) => return error::refused(&refusal),
    };
    let owned = match applications::all(app, Manager::Owner(user.id)).await {
        Ok(owned) => owned.into_iter().map(|row| row.application),
        Err(refusal) => return error::refused(&refusal),
    };
    let chrome = match chrome(app, viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let now = app.now();
    let view = UserShow {
        id: user.id.to_string(),
        disabled: !user.is_enabled(),
        is_self: is_self(viewer, &user),
        username: user.username,
        email: user.email,
        admin: user.admin,
        created: When::new(user.created_at, now),
        signed_in: user.signed_in_at.map(|at| When::new(at, now)),
        new_password: shown.new_password,
        groups,
        errors,
        sessions: session_rows(sessions, now),
        applications: authorized_rows(app, allowed),
        owned: owned
            .map(|owned| (owned.id.to_string(), owned.settings.name))
            .collect(),
        chrome,
    };
    page(status, &view)
}

fn is_self(viewer: &Viewer, user: &User) -> bool {
    viewer.user().is_some_and(|own| own.id == user.id)
}

/// `GET /users/:id/disable`.
pub(in crate::http) async fn confirm_disable(State(app): State<App>, subject: Subject) -> Response {
    let sentence = "The user cannot sign in any more. Every session ends at once, and with it every token that \
                    applications hold for the user.";
    confirm(&app, subject, ("Disable", "disable", sentence)).await
}

/// `GET /users/:id/delete`.
pub(in crate::http) async fn confirm_delete(State(app): State<App>, subject: Subject) -> Response {
    let sentence = "Every session and every token that applications hold for the user ends at once. Applications \
                    that the user owns stay. There is no way back.";
    confirm(&app, subject, ("Delete", "delete", sentence)).await
}

async fn confirm(
    app: &App,
    Subject { viewer, user }: Subject,
    (verb, deed, sentence): (&'static str, &'static str, &'static str),
) -> Response {
    match chrome(app, &viewer).await {
        Ok(chrome) => {
            let view = UserConfirm {
                chrome,
                id: user.id.to_string(),
                is_self: is_self(&viewer, &user),
                username: user.username,
                verb,
                deed,
                sentence,
            };
            page(StatusCode::OK, &view)
        }
        Err(refused) => refused,
    }
}

/// `POST /users/:id/disable`.
pub(in crate::http) async fn disable(
    State(app): State<App>,
    SubjectForm { sent, user }: SubjectForm,
) -> Response {
    perform(&app, &sent, &user, Deed::Disable).await
}

/// `POST /users/:id/delete`.
pub(in crate::http) async fn delete(
    State(app): State<App>,
    SubjectForm { sent, user }: SubjectForm,
) -> Response {
    perform(&app, &sent, &user, Deed::Delete).await
}

/// `POST /users/:id/administrator`: made one, or one no longer.
pub(in crate::http) async fn switch_administrator(
    State(app): State<App>,
    SubjectForm { sent, user }: SubjectForm,
) -> Response {
    let deed = if sent.is_on("admin") {
        Deed::Promote
    } else {
        Deed::Demote
    };
    perform(&app, &sent, &user, deed).await
}

async fn perform(app: &App, sent: &Form, user: &User, deed: Deed) -> Response {
    let name = &user.username;
    let notice = match flow::perform(app, &sent.caller, user.id, deed).await {
        Ok(false) => not_done(user, deed),
        Ok(true) => match deed {
            Deed::Disable => format!("{name} is disabled, and signed out everywhere."),
            Deed::Promote => format!("{name} is an administrator."),
            Deed::Demote => format!("{name} is no administrator any more."),
            Deed::Delete => {
                sent.viewer.leave_notice(&format!("{name} is deleted.")).await;
                return to(app, PATH);
            }
        },
        Err(refusal) => return error::refused(&refusal),
    };
    told(app, sent, user, &notice).await
}

/// Back to the user's page, which shows `notice`.
async fn told(app: &App, sent: &Form, user: &User, notice: &str) -> Response {
    sent.viewer.leave_notice(notice).await;
    to(app, &format!("{PATH}/{}", user.id))
}

/// `user`: as it was before.
fn not_done(user: &User, deed: Deed) -> String {
    let name = &user.username;
    match deed {
        Deed::Disable if !user.is_enabled() => format!("{name} was disabled already."),
        Deed::Promote => format!("{name} was an administrator already."),
        Deed::Demote if !user.admin => format!("{name} was no administrator."),
        _ => LAST.to_owned(),
    }
}

/// `POST /users/:id/enable`.
pub(in crate::http) async fn enable(
    State(app): State<App>,
    SubjectForm { sent, user }: SubjectForm,
) -> Response {
    if let Err(refusal) = flow::enable(&app, &sent.caller, user.id).await {
        return error::refused(&refusal);
    }
    let notice = format!("{} is enabled.", user.username);
    told(&app, &sent, &user, &notice).await
}

/// `POST /users/:id/password`: generates a new one, which this answer shows.
pub(in crate::http) async fn reset_password(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    SubjectForm { sent, user }: SubjectForm,
) -> Response {
    // There the current one is asked for.
    if is_self(&sent.viewer, &user) {
        return to(&app, "/account");
    }
    let password = generated_password::generate(&app.entropy);
    match flow::set_password(&app, &sent.caller, user.id, password.clone()).await {
        Ok(()) => {
            let shown = Shown {
                new_password: Some(password),
                ..Shown::default()
            };
            show_page(&app, &sent.viewer, user, shown, StatusCode::OK).await
        }
        Err(NewUserRefused::Refused(refusal)) => error::refused(&refusal),
        Err(_) => error::gone(Some(&request_id)),
    }
}

/// `POST /users/:id/groups`.
pub(in crate::http) async fn set_groups(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    SubjectForm { sent, user }: SubjectForm,
) -> Response {
    let typed = sent.text("groups");
    match access::set_groups(&app, &sent.caller, user.id, &lines(&typed)).await {
        Ok(withdrawn) => {
            let whose = format!("of {}, who may no longer use the application,", user.username);
            told(&app, &sent, &user, &what_ended(withdrawn, &whose)).await
        }
        Err(NewUserRefused::Fields(faults)) => {
            let shown = Shown {
                typed: Some((typed, faults.into_iter().collect())),
                ..Shown::default()
            };
            show_page(&app, &sent.viewer, user, shown, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(NewUserRefused::Gone) => error::gone(Some(&request_id)),
        Err(NewUserRefused::Refused(refusal)) => error::refused(&refusal),
    }
}

/// `POST /users/:id/sessions/delete`.
pub(in crate::http) async fn end_sessions(
    State(app): State<App>,
    SubjectForm { sent, user }: SubjectForm,
) -> Response {
    if let Err(refusal) = sessions::end_all(&app, &sent.caller, user.id, None).await {
        return error::refused(&refusal);
    }
    let notice = format!("{} is signed out everywhere.", user.username);
    told(&app, &sent, &user, &notice).await
}

/// `POST /users/:id/authorized_applications/:application/delete`.
pub(in crate::http) async fn withdraw(
    State(app): State<App>,
    Path((_, application)): Path<(String, String)>,
    Extension(request_id): Extension<RequestId>,
    SubjectForm { sent, user }: SubjectForm,
) -> Response {
    let Ok(application) = application.parse() else {
        return error::gone(Some(&request_id));
    };
    match authorized::withdraw(&app, &sent.caller, user.id, application).await {
        Ok(Some(name)) => {
            let notice = format!("{name} can no longer use the account of {}.", user.username);
            told(&app, &sent, &user, &notice).await
        }
        Ok(None) => error::gone(Some(&request_id)),
        Err(refusal) => error::refused(&refusal),
    }
}
