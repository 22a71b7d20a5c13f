//! `/account`: one's own password and sessions.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use time::OffsetDateTime;

use super::authorize::redirect;
use super::error;
use super::login::known_browser;
use super::render::{chrome, page};
use crate::base::secret::Secret;
use crate::flow::login::Attempt;
use crate::flow::users::NewUserRefused;
use crate::flow::{App, sessions, users};
use crate::http::extract::form::Form;
use crate::http::extract::viewer::Viewer;
use crate::http::view::account::{Account, SessionRow};
use crate::http::view::{FieldErrors, When};

pub(in crate::http) async fn show(State(app): State<App>, viewer: Viewer) -> Response {
    account(&app, &viewer, FieldErrors::new()).await
}

async fn account(app: &App, viewer: &Viewer, errors: FieldErrors) -> Response {
    let Some(user) = viewer.user() else {
        return to_login(app);
    };
    let listed = match sessions::list(app, user.id, viewer.session_hash()).await {
        Ok(listed) => listed,
        Err(refusal) => return error::refused(&refusal),
    };
    let chrome = match chrome(app, viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let view = Account {
        chrome,
        username: user.username.clone(),
        email: user.email.clone(),
        errors,
        sessions: session_rows(listed, app.now()),
    };
    page(status, &view)
}

pub(super) fn session_rows(listed: Vec<sessions::Listed>, now: OffsetDateTime) -> Vec<SessionRow> {
    let row = |session: sessions::Listed| SessionRow {
        started: When::new(session.started, now),
        last_seen: When::new(session.seen, now),
        current: session.current,
        agent: browser(&session.agent),
    };
    listed.into_iter().map(row).collect()
}

fn to_login(app: &App) -> Response {
    redirect(
        StatusCode::SEE_OTHER,
        &format!("{}/login?next=/account", app.issuer.path()),
    )
}

/// `Firefox on Linux`, as far as a user agent can be believed.
fn browser(agent: &str) -> String {
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let first = |known: &[(&str, &'static str)]| {
        known
            .iter()
            .find(|(mark, _)| agent.contains(mark))
            .map(|(_, name)| *name)
    };
    match (first(&BROWSERS), first(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => "An unknown browser".to_owned(),
    }
}

pub(in crate::http) async fn change_password(
    State(app): State<App>,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let viewer = &form.viewer;
    let Some(user) = viewer.user() else {
        return to_login(&app);
    };
    let new = form.text("password");
    if new != form.text("password_confirmation") {
        let differ = "The two passwords differ: enter the same twice.";
        return account(
            &app,
            viewer,
            FieldErrors::new().with("password_confirmation", differ),
        )
        .await;
    }
    let current = Attempt {
        username: user.username.clone(),
        password: Secret::new(form.text("current_password")),
        caller: form.caller.clone(),
        browser: known_browser(&headers, &app),
    };
    match users::change_password(&app, user, &current, Secret::new(new), viewer.session_hash()).await {
        Ok(changed) => {
            if let Err(fault) = viewer.renew(&app, &changed).await {
                return error::unavailable(&fault.to_string());
            }
            viewer
                .leave_notice(
                    "Your password is changed. You are signed out everywhere else, and applications must ask you again.",
                )
                .await;
            redirect(StatusCode::SEE_OTHER, &format!("{}/account", app.issuer.path()))
        }
        Err(NewUserRefused::Fields(faults)) => account(&app, viewer, faults.into_iter().collect()).await,
        Err(NewUserRefused::Gone) => to_login(&app),
        Err(NewUserRefused::Refused(refusal)) => error::refused(&refusal),
    }
}

/// Signs out everywhere, here too.
pub(in crate::http) async fn end_sessions(State(app): State<App>, form: Form) -> Response {
    let Some(user) = form.viewer.user() else {
        return to_login(&app);
    };
    if let Err(refusal) = sessions::end_all(&app, &form.caller, user.id, None).await {
        return error::refused(&refusal);
    }
    if let Err(fault) = form.viewer.session.flush().await {
        return error::unavailable(&fault.to_string());
    }
    redirect(StatusCode::SEE_OTHER, &format!("{}/login", app.issuer.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_told_in_words() {
        assert_eq!(
            browser("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox on Linux"
        );
        assert_eq!(browser("curl/8.0"), "curl");
        assert_eq!(browser(""), "An unknown browser");
    }
}
