//! Every page with something on it, so that pages can be looked at and tested without a server.

use std::sync::LazyLock;

use askama::Template;
use time::{Duration, OffsetDateTime};

use crate::base::secret::Secret;

use super::account::Account;
use super::applications::{
    ApplicationDelete, ApplicationDisable, ApplicationForm, ApplicationShow, ApplicationsList,
};
use super::audit::AuditLog;
use super::authorized::Authorized;
use super::consent::Consent;
use super::debugger::{Debugger, DebuggerWalk};
use super::device::{Device, DeviceConfirm, DeviceDone};
use super::error::ErrorPage;
use super::explanation::{Explained, Explanations};
use super::failed_requests::FailedRequests;
use super::families::{GrantShow, GrantsList, GrantsRevoke};
use super::form_post::FormPost;
use super::login::Login;
use super::native::{NativeCode, NativeError, Pin};
use super::setup::{Setup, SetupGone};
use super::users::{UserConfirm, UserForm, UserShow, UsersList};
use super::{Chrome, FieldErrors};

/// Makes the text that is shown out of the text that was meant: itself, a longer one, a hostile one.
pub type Say<'a> = &'a dyn Fn(&str) -> String;

/// A view that can be filled without a server.
pub trait Sample: Sized {
    /// Filled, every text of it passed through `say`.
    fn sample_in(say: Say<'_>) -> Self;

    fn sample() -> Self {
        Self::sample_in(&str::to_owned)
    }
}

/// Every page, rendered, by name; some in several states.
///
/// # Errors
/// When a template fails to write.
pub fn pages(say: Say<'_>) -> Result<Vec<(&'static str, String)>, askama::Error> {
    let mut pages = filled(say)?;
    pages.extend(empty(say)?);
    pages.extend(empty_users(say)?);
    pages.extend(owned(say)?);
    pages.extend(empty_logs(say)?);
    Ok(pages)
}

fn filled(say: Say<'_>) -> Result<Vec<(&'static str, String)>, askama::Error> {
    Ok(vec![
        ("login", Login::sample_in(say).render()?),
        ("setup", Setup::sample_in(say).render()?),
        ("setup-gone", SetupGone::sample_in(say).render()?),
        ("consent", Consent::sample_in(say).render()?),
        ("debugger", Debugger::sample_in(say).render()?),
        ("debugger-walk", DebuggerWalk::sample_in(say).render()?),
        ("device", Device::sample_in(say).render()?),
        ("device-confirm", DeviceConfirm::sample_in(say).render()?),
        ("device-done", DeviceDone::sample_in(say).render()?),
        ("form-post", FormPost::sample_in(say).render()?),
        ("native-code", NativeCode::sample_in(say).render()?),
        ("oauth1-pin", Pin::sample_in(say).render()?),
        ("native-error", NativeError::sample_in(say).render()?),
        ("applications", ApplicationsList::sample_in(say).render()?),
        ("application-form", ApplicationForm::sample_in(say).render()?),
        ("application", ApplicationShow::sample_in(say).render()?),
        ("application-delete", ApplicationDelete::sample_in(say).render()?),
        (
            "application-disable",
            ApplicationDisable::sample_in(say).render()?,
        ),
        ("failed-requests", FailedRequests::sample_in(say).render()?),
        ("grants", GrantsList::sample_in(say).render()?),
        ("grants-revoke", GrantsRevoke::sample_in(say).render()?),
        ("grant", GrantShow::sample_in(say).render()?),
        ("audit", AuditLog::sample_in(say).render()?),
        ("authorized", Authorized::sample_in(say).render()?),
        ("account", Account::sample_in(say).render()?),
        ("users", UsersList::sample_in(say).render()?),
        ("user-form", UserForm::sample_in(say).render()?),
        ("user", UserShow::sample_in(say).render()?),
        ("user-confirm", UserConfirm::sample_in(say).render()?),
        ("error", ErrorPage::sample_in(say).render()?),
        ("explanation", Explained::sample_in(say).render()?),
        ("explanations", Explanations::sample_in(say).render()?),
    ])
}

/// The same pages where there is nothing to show, or nothing wrong.
fn empty(say: Say<'_>) -> Result<Vec<(&'static str, String)>, askama::Error> {
    let login = Login {
        error: None,
        application: None,
        username: String::new(),
        ..Login::sample_in(say)
    };
    let mut first_consent = Consent {
        known_since: None,
        native: true,
        remembers: false,
        ..Consent::sample_in(say)
    };
    first_consent
        .scopes
        .iter_mut()
        .for_each(|scope| scope.is_new = false);
    let device = Device {
        error: None,
        user_code: String::new(),
        ..Device::sample_in(say)
    };
    let device_denied = DeviceDone {
        authorized: false,
        ..DeviceDone::sample_in(say)
    };
    let bare = ApplicationsList {
        rows: Vec::new(),
        previous_href: None,
        ..ApplicationsList::sample_in(say)
    };
    let first = ApplicationsList {
        query: String::new(),
        ..bare.clone()
    };
    let form = ApplicationForm {
        errors: FieldErrors::new(),
        ..ApplicationForm::sample_in(say)
    };
    let public = ApplicationShow {
        confidential: false,
        disabled: true,
        last_used: None,
        users: 0,
        live_tokens: 0,
        failures: 0,
        new_secret: None,
        redirect_uris: Vec::new(),
        restricted: false,
        ..ApplicationShow::sample_in(say)
    };
    let mut settled = ApplicationShow {
        new_secret: None,
        ..ApplicationShow::sample_in(say)
    };
    settled.secrets.truncate(1);
    let none_failed = FailedRequests {
        rows: Vec::new(),
        ..FailedRequests::sample_in(say)
    };
    let authorized = Authorized {
        rows: Vec::new(),
        ..Authorized::sample_in(say)
    };
    let account = Account {
        errors: FieldErrors::new(),
        email: None,
        ..Account::sample_in(say)
    };
    let error = ErrorPage {
        mismatch: None,
        code: None,
        ..ErrorPage::sample_in(say)
    };
    Ok(vec![
        ("login-empty", login.render()?),
        ("consent-first", first_consent.render()?),
        ("device-empty", device.render()?),
        ("device-denied", device_denied.render()?),
        ("applications-nothing-matches", bare.render()?),
        ("applications-empty", first.render()?),
        ("application-form-right", form.render()?),
        ("application-public", public.render()?),
        ("application-one-secret", settled.render()?),
        ("failed-requests-none", none_failed.render()?),
        ("authorized-empty", authorized.render()?),
        ("account-right", account.render()?),
        ("error-plain", error.render()?),
    ])
}

/// The same of the users' pages.
fn empty_users(say: Say<'_>) -> Result<Vec<(&'static str, String)>, askama::Error> {
    let nobody = UsersList {
        rows: Vec::new(),
        ..UsersList::sample_in(say)
    };
    let oneself = UserShow {
        is_self: true,
        disabled: true,
        email: None,
        signed_in: None,
        new_password: None,
        sessions: Vec::new(),
        applications: Vec::new(),
        owned: Vec::new(),
        groups: String::new(),
        errors: FieldErrors::new(),
        ..UserShow::sample_in(say)
    };
    Ok(vec![
        ("users-nobody-matches", nobody.render()?),
        ("user-bare", oneself.render()?),
    ])
}

/// The same of the audit log.
fn empty_logs(say: Say<'_>) -> Result<Vec<(&'static str, String)>, askama::Error> {
    let nothing_matches = AuditLog {
        rows: Vec::new(),
        errors: FieldErrors::new(),
        older_href: None,
        ..AuditLog::sample_in(say)
    };
    let nothing_happened = AuditLog {
        searched: false,
        newest_href: None,
        ..nothing_matches.clone()
    };
    Ok(vec![
        ("audit-nothing-matches", nothing_matches.render()?),
        ("audit-empty", nothing_happened.render()?),
    ])
}

/// As somebody sees them who is no administrator and manages their own applications.
fn owned(say: Say<'_>) -> Result<Vec<(&'static str, String)>, askama::Error> {
    let chrome = || anonymous().signed_in(say("ichiro"), false).managing(true);
    let list = ApplicationsList {
        chrome: chrome(),
        ..ApplicationsList::sample_in(say)
    };
    let form = ApplicationForm {
        chrome: chrome(),
        ..ApplicationForm::sample_in(say)
    };
    let show = ApplicationShow {
        chrome: chrome(),
        disabled: true,
        ..ApplicationShow::sample_in(say)
    };
    Ok(vec![
        ("applications-owned", list.render()?),
        ("application-form-owned", form.render()?),
        ("application-owned", show.render()?),
    ])
}

pub(super) static NOW: LazyLock<OffsetDateTime> =
    LazyLock::new(|| OffsetDateTime::UNIX_EPOCH + Duration::seconds(1_800_000_000));

pub(super) fn ago(seconds: i64) -> OffsetDateTime {
    *NOW - Duration::seconds(seconds)
}

pub(super) fn anonymous() -> Chrome {
    Chrome::new(Secret::new("sample-csrf-token"))
}

pub(super) fn administrator(say: Say<'_>) -> Chrome {
    anonymous().signed_in(say("hanako"), true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::view::assets::SCRIPT;

    const HOSTILE: &str = r#"<img src=x onerror=alert(1)>"'</title></textarea>{{1234567*9}}"#;

    fn plain() -> Vec<(&'static str, String)> {
        pages(&str::to_owned).unwrap()
    }

    #[test]
    fn hostile_text_is_escaped_wherever_it_stands() {
        for (name, page) in pages(&|_| HOSTILE.to_owned()).unwrap() {
            assert!(!page.contains("<img src=x"), "{name} lets an element in");
            assert!(!page.contains("onerror=alert(1)>\""), "{name} lets a quote in");
            assert_eq!(page.matches("</title>").count(), 1, "{name} lets the title end");
            assert_eq!(
                page.matches("</textarea>").count(),
                page.matches("<textarea").count(),
                "{name}"
            );
            assert!(!page.contains("11111103"), "{name} evaluates what it shows");
        }
        let page = Consent::sample_in(&|_| HOSTILE.to_owned()).render().unwrap();
        assert!(page.contains("&#60;img src=x onerror=alert(1)&#62;&#34;&#39;"));
    }

    #[test]
    fn a_name_of_200_characters_is_shown_whole() {
        let long = "長".repeat(200);
        for page in [
            Consent::sample_in(&|_| long.clone()).render().unwrap(),
            ApplicationsList::sample_in(&|_| long.clone()).render().unwrap(),
        ] {
            assert!(page.contains(&format!("<bdi>{long}</bdi>")));
        }
    }

    const HAND_OVER: &str = "<script nonce=\"c2FtcGxl\">document.forms[0].submit()</script>";

    #[test]
    fn no_page_carries_a_script_or_a_style_or_loads_from_elsewhere() {
        let ours = format!("<script src=\"{}\" defer></script>", SCRIPT.href());
        let with_ours = [
            "application",
            "application-public",
            "application-one-secret",
            "application-owned",
        ];
        for (name, page) in plain() {
            assert_eq!(
                page.matches(&ours).count(),
                usize::from(with_ours.contains(&name)),
                "{name}"
            );
            let page = page.replace(&ours, "");
            let page = if name == "form-post" {
                page.replace(HAND_OVER, "")
            } else {
                page
            };
            for forbidden in [
                "<script",
                "<style",
                " style=",
                " onclick=",
                "javascript:",
                "src=\"http",
                "<iframe",
            ] {
                assert!(!page.contains(forbidden), "{name} has {forbidden}");
            }
        }
    }

    #[test]
    fn every_form_that_posts_carries_the_token_and_stays_on_its_origin() {
        let own = plain().into_iter().filter(|(name, _)| *name != "form-post");
        for (name, page) in own {
            for form in page.split("<form").skip(1) {
                let form = form.split_once("</form>").unwrap().0;
                assert!(
                    form.contains("action=\"/"),
                    "{name} has a form that leads elsewhere"
                );
                if form.contains("method=\"post\"") {
                    assert!(
                        form.contains(r#"name="csrf_token" value="sample-csrf-token""#),
                        "{name}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_page_has_a_title_one_heading_and_ids_that_are_its_own() {
        for (name, page) in plain() {
            assert!(
                page.contains("<html lang=\"en\">") && page.contains(" · Tegata</title>"),
                "{name}"
            );
            assert_eq!(page.matches("<h1").count(), 1, "{name}");
            let mut ids: Vec<&str> = page
                .split(" id=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .collect();
            let all = ids.len();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), all, "{name} has an id twice");
            for target in page
                .split("aria-describedby=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
            {
                for id in target.split(' ') {
                    assert!(
                        ids.binary_search(&id).is_ok(),
                        "{name} is described by {id}, which is not there"
                    );
                }
            }
        }
    }

    #[test]
    fn programs_find_the_ids_they_rely_on() {
        let login = Login::sample().render().unwrap();
        for id in ["username", "password", "sign-in"] {
            assert!(login.contains(&format!("id=\"{id}\"")), "{id}");
        }
        let consent = Consent::sample().render().unwrap();
        assert!(consent.contains(r#"id="authorize" name="decision" value="authorize""#));
        assert!(consent.contains(r#"id="deny" name="decision" value="deny""#));
        let device = Device::sample().render().unwrap();
        for id in ["user-code", "continue"] {
            assert!(device.contains(&format!("id=\"{id}\"")), "{id}");
        }
        let confirm = DeviceConfirm::sample().render().unwrap();
        assert!(confirm.contains(r#"id="authorize" name="decision" value="authorize""#));
        assert!(confirm.contains(r#"id="deny" name="decision" value="deny""#));
        let code = NativeCode::sample_in(&|_| "tgc_0".to_owned()).render().unwrap();
        assert!(code.contains(r#"id="authorization-code">tgc_0</code>"#));
    }

    #[test]
    fn what_is_handed_over_is_the_answer_and_nothing_of_ours() {
        let page = FormPost::sample().render().unwrap();
        assert!(
            page.contains(r#"<form class="stack" method="post" action="https://memo.example/callback">"#)
        );
        assert!(page.contains(r#"<button class="main" id="continue">"#) && page.contains(HAND_OVER));
        assert!(!page.contains("csrf"));
    }

    #[test]
    fn only_who_manages_applications_is_led_to_them() {
        let mut page = Account::sample();
        assert!(page.render().unwrap().contains("href=\"/oauth/applications\""));
        page.chrome.manages = false;
        assert!(!page.render().unwrap().contains("href=\"/oauth/applications\""));
    }

    #[test]
    fn debug_of_a_view_tells_no_secret() {
        let views = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            Pin::sample(),
            UserShow::sample(),
            ApplicationShow::sample(),
            NativeCode::sample(),
            Setup::sample()
        );
        for secret in [
            "tgs_",
            "tgc_",
            "1xY5bD0",
            "7q0yd4mv",
            "k3tz9-",
            "sample-csrf-token",
        ] {
            assert!(!views.contains(secret), "{secret}");
        }
    }
}
