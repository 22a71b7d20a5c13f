//! What happened to a grant, in words for people who run servers and read no RFC.

use serde::Serialize;
use time::OffsetDateTime;

use crate::model::family::{
    AnyToken, FamilyCode, FamilyDevice, FamilyRefreshToken, FamilyRequestToken, Fingerprint, WholeGrant,
};
use crate::model::grant_kind::GrantKind;
use crate::model::grant_type::GrantType;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub what: String,
    /// What it means; may be empty.
    pub detail: String,
}

fn entry(at: OffsetDateTime, what: impl Into<String>, detail: impl Into<String>) -> Entry {
    Entry {
        at,
        what: what.into(),
        detail: detail.into(),
    }
}

/// From the question to the first tokens.
pub(super) fn beginning(
    grant: &WholeGrant,
    device: Option<&FamilyDevice>,
    codes: &[FamilyCode],
    now: OffsetDateTime,
) -> Vec<Entry> {
    let mut events = Vec::new();
    if let Some(device) = device {
        let from = format!("It is at the address {}.", device.requested_from);
        events.push(entry(device.created_at, "A device asked for access", from));
    }
    let user = &grant.username;
    let what = match grant.grant_type {
        GrantKind::OAuth2(GrantType::DeviceCode) => format!("{user} allowed it on the device page"),
        GrantKind::OAuth2(GrantType::Password) => format!("The application signed in with {user}’s password"),
        GrantKind::OAuth1 => format!("{user} authorized the application by OAuth 1.0a"),
        GrantKind::OAuth2(_) => format!("{user} authorized the application"),
    };
    let scopes = if grant.scopes.is_empty() {
        "No scope was granted.".to_owned()
    } else {
        format!("Granted: {}.", grant.scopes)
    };
    events.push(entry(grant.created_at, what, scopes));
    events.extend(device.and_then(|device| device_end(device, now)));
    events.extend(codes.iter().flat_map(|code| code_events(code, now)));
    events
}

fn device_end(device: &FamilyDevice, now: OffsetDateTime) -> Option<Entry> {
    if let Some(at) = device.used_at {
        return Some(entry(at, "The device fetched its first tokens", ""));
    }
    (device.expires_at <= now).then(|| {
        let detail = "It was allowed, but did not come back in time.";
        entry(device.expires_at, "The device never fetched its tokens", detail)
    })
}

fn code_events(code: &FamilyCode, now: OffsetDateTime) -> Vec<Entry> {
    let wrong = "with a wrong proof of who had asked for it, and was refused.";
    let failures = match code.failures {
        0 => String::new(),
        1 => format!(" Once it came {wrong}"),
        many => format!(" {many} times it came {wrong}"),
    };
    let detail = format!("It went to the application by way of the browser, and works once.{failures}");
    let mut events = vec![entry(code.created_at, "Authorization code issued", detail)];
    match code.used_at {
        Some(at) => events.push(entry(
            at,
            "Authorization code redeemed",
            "The application exchanged it for its first tokens.",
        )),
        None if code.expires_at <= now => events.push(entry(
            code.expires_at,
            "Authorization code expired",
            "The application did not redeem it in time, so it never got a token.",
        )),
        None => {}
    }
    events
}

/// What became of the request token that the application had asked for before.
pub(super) fn exchange(token: &FamilyRequestToken, now: OffsetDateTime) -> Option<Entry> {
    if let Some(at) = token.used_at {
        let detail = "The application signed with its secret and named the verifier.";
        return Some(entry(at, "Request token exchanged for an access token", detail));
    }
    (token.expires_at <= now).then(|| {
        let detail = "The application did not exchange it in time, so it never got an access token.";
        entry(token.expires_at, "Request token expired", detail)
    })
}

/// A page of its renewals.
pub(super) fn refreshes(grant: &WholeGrant, tokens: &[FamilyRefreshToken]) -> Vec<Entry> {
    let issued = tokens.iter().map(|token| {
        let new = Fingerprint::text(&token.hash);
        let Some(parent) = &token.parent_hash else {
            let detail = format!(
                "With it the application renews its access without asking {} again.",
                grant.username
            );
            return entry(
                token.created_at,
                format!("First refresh token issued: {new}"),
                detail,
            );
        };
        let lost = "The answer may have been lost on its way: it was given again";
        let again = match token.retries {
            0 => String::new(),
            1 => format!(" {lost} once."),
            many => format!(" {lost} {many} times."),
        };
        let old = Fingerprint::text(parent);
        let detail = format!("Refresh token {new} replaced {old}.{again}");
        entry(token.created_at, "Access renewed", detail)
    });
    issued.collect()
}

/// How it ended, or how its last refresh token did; `tokens` is the last page of them.
pub(super) fn ending(grant: &WholeGrant, tokens: &[FamilyRefreshToken], now: OffsetDateTime) -> Vec<Entry> {
    let mut events = Vec::new();
    if let Some(last) = tokens.last() {
        events.extend(last_refresh_token(grant, last, tokens, now));
    }
    events.extend(end(grant, now));
    events
}

fn last_refresh_token(
    grant: &WholeGrant,
    last: &FamilyRefreshToken,
    tokens: &[FamilyRefreshToken],
    now: OffsetDateTime,
) -> Option<Entry> {
    let name = Fingerprint::text(&last.hash);
    if let Some(at) = last.used_at {
        let replaced = tokens
            .iter()
            .any(|token| token.parent_hash.as_ref() == Some(&last.hash));
        let detail = format!("Refresh token {name} was used, and none replaced it.");
        return (!replaced).then(|| entry(at, "Access renewed for the last time", detail));
    }
    let until = grant.revoked_at.unwrap_or(now);
    (last.expires_at <= until).then(|| {
        let detail = "The application did not use it in time.";
        entry(last.expires_at, format!("Refresh token {name} expired"), detail)
    })
}

fn end(grant: &WholeGrant, now: OffsetDateTime) -> Option<Entry> {
    if let Some(at) = grant.revoked_at {
        let (why, detail) = reason(grant.revoked_reason.as_deref().unwrap_or_default());
        return Some(entry(at, format!("Revoked: {why}"), detail));
    }
    (grant.expires_at <= now).then(|| entry(grant.expires_at, "Ended", TOO_OLD))
}

const TOO_OLD: &str = "A grant lives no longer than that; the user has to authorize the application again.";

/// Why a grant does not work though nobody revoked it.
fn cut_off(grant: &WholeGrant) -> Option<&'static str> {
    [
        (grant.application_deleted, "the application was deleted"),
        (grant.application_disabled, "the application is disabled"),
        (grant.user_deleted, "the user was deleted"),
        (grant.user_disabled, "the user is disabled"),
        (
            grant.outdated,
            "everything of the user was ended since, as by a new password, or who may use the application was changed",
        ),
    ]
    .into_iter()
    .find_map(|(holds, why)| holds.then_some(why))
}

/// Why a grant was revoked: in a phrase, and what it means.
fn reason(reason: &str) -> (&str, &'static str) {
    match reason {
        "client" => (
            "the application gave it back",
            "Applications do so when somebody signs out of them.",
        ),
        "withdrawn" => (
            "the user’s permission was taken back",
            "By the user, on the page of the applications they have authorized, or for them by an administrator.",
        ),
        "code_replayed" => (
            "its authorization code came a second time",
            "A code works once, so somebody may have copied this one on its way. To be safe every token of the \
             grant was ended; the user can authorize the application again. An application that sends its code \
             twice by mistake looks the same.",
        ),
        "refresh_token_replayed" => (
            "a refresh token came again that was replaced before",
            "Each works once, so two may hold it: the application, and somebody who stole it. Nobody can tell which \
             is which, so to be safe every token of the grant was ended; the user can authorize the application \
             again. An application that was restored from a backup, or that renews in two places at once, looks \
             the same.",
        ),
        "request_token_replayed" => (
            "its request token came a second time",
            "A request token of OAuth 1.0a works once. Whoever sent it again knew the application’s secrets, so to be \
             safe the access token was ended; the user can authorize the application again. An application that \
             exchanges its token twice by mistake looks the same.",
        ),
        "oauth1_disabled" => (
            "OAuth 1.0a was switched off for the application",
            "By an administrator. The user can authorize it again by OAuth 2.0.",
        ),
        "password_changed" => (
            "the user’s password was changed",
            "Whoever knew the old password may have authorized applications with it, so all was ended.",
        ),
        "user_disabled" => ("the user was disabled or deleted", ""),
        "application_disabled" => ("the application was disabled", ""),
        "application_deleted" => ("the application was deleted", ""),
        "operator" => (
            "an administrator did it",
            "On these pages, or by a command on the server. The audit log says who.",
        ),
        "superseded" => (
            "the user authorized the application anew",
            "The application is set to keep one authorization of each user.",
        ),
        "access_withdrawn" => (
            "the user may no longer use the application",
            "An administrator restricted it to others, or took the user from its list or from a group on it.",
        ),
        other => (other, ""),
    }
}

/// Why a grant is not live; `None` where it is.
pub(super) fn why_not(grant: &WholeGrant, now: OffsetDateTime) -> Option<String> {
    family_why_not(grant).or_else(|| (grant.expires_at <= now).then(|| sentence("it has reached its end")))
}

fn family_why_not(grant: &WholeGrant) -> Option<String> {
    if grant.revoked_at.is_some() {
        let (why, _) = reason(grant.revoked_reason.as_deref().unwrap_or_default());
        return Some(sentence(&format!("it was revoked: {why}")));
    }
    cut_off(grant).map(sentence)
}

/// Why a token is not live; `None` where it is. `grant` is the one that it came of, if any.
pub(super) fn why_token_not(
    token: &AnyToken,
    grant: Option<&WholeGrant>,
    now: OffsetDateTime,
) -> Option<String> {
    if token.grant_id.is_some() && grant.is_none() {
        return Some(sentence("its grant is gone"));
    }
    if let Some(why) = grant.and_then(family_why_not) {
        return Some(why.replacen("It was revoked", "Its grant was revoked", 1));
    }
    if !token.application_live {
        return Some(sentence("the application is disabled or deleted"));
    }
    if token.revoked_at.is_some() {
        return Some(sentence("it was revoked"));
    }
    if token.used_at.is_some() {
        return Some(sentence("it was used before, and each works once"));
    }
    (token.expires_at <= now).then(|| sentence("it has expired"))
}

/// Begins with a capital letter and ends with a stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests;
