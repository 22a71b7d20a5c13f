//! What people granted an application, and what came of each grant, for whoever runs the server.

mod timeline;

use serde::Serialize;
use time::OffsetDateTime;

use super::App;
use super::audit::{self, Detail, EventName};
use super::error::Refusal;
use crate::base::secret::Secret;
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::certificate::Thumbprint;
use crate::model::family::{Fingerprint, ListedGrant, ListedToken, WholeGrant};
use crate::model::grant::RevokedReason;
use crate::model::grant_kind::GrantKind;
use crate::model::ids::{ApplicationId, GrantId, UserId};
use crate::model::resource::Resources;
use crate::model::scope::Scopes;
use crate::protocol::token::TokenKind;
use crate::store::{self, families as rows};

pub use timeline::Entry;

/// Rows of a page.
pub const PAGE: i64 = 50;
/// What is counted no further.
pub const MOST_COUNTED: i64 = 10_000;

/// An application's live grants and own tokens.
#[derive(Clone, Debug, Serialize)]
pub struct Live {
    /// A page of them, newest first.
    pub grants: Vec<ListedGrant>,
    /// After which the next page begins; `None`: this is the last.
    pub next: Option<GrantId>,
    /// How many there are in all, [`MOST_COUNTED`] for as many or more.
    pub grants_total: i64,
    /// The newest [`PAGE`] of them.
    pub own_tokens: Vec<ListedToken>,
    /// As `grants_total`.
    pub own_tokens_total: i64,
}

/// The page that follows `after` of the grants of users whose name contains `search`.
///
/// # Errors
/// That the store did not do it.
pub async fn live(
    app: &App,
    application: ApplicationId,
    search: &str,
    after: Option<GrantId>,
) -> Result<Live, Refusal> {
    let now = app.now();
    let (mut grants, mut grants_total) = (Vec::new(), 0);
    // Postgres keeps no NUL in a text, so nothing can match one.
    if !search.contains('\0') {
        let limit = PAGE + 1;
        let page = rows::Page { after, limit };
        grants = rows::of_application(&app.db, application, search, page, now).await?;
        grants_total = rows::count_of_application(&app.db, application, search, MOST_COUNTED, now).await?;
    }
    let next = cut(&mut grants, PAGE);
    Ok(Live {
        next,
        grants,
        grants_total,
        own_tokens: rows::own_tokens(&app.db, application, PAGE, now).await?,
        own_tokens_total: rows::count_own_tokens(&app.db, application, MOST_COUNTED, now).await?,
    })
}

/// Cuts `grants` to `most`. The last that stays, where any went.
fn cut(grants: &mut Vec<ListedGrant>, most: i64) -> Option<GrantId> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let more = grants.len() > most;
    grants.truncate(most);
    grants.last().filter(|_| more).map(|last| last.id)
}

/// Whose grants or tokens are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Whose {
    Application(ApplicationId),
    User(UserId),
    Both(UserId, ApplicationId),
}

/// A list, and whether it was cut.
#[derive(Clone, Debug)]
pub struct Cut<T> {
    pub rows: Vec<T>,
    pub more: bool,
}

impl<T> Cut<T> {
    fn at_most(mut rows: Vec<T>, limit: i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        Self { rows, more }
    }
}

/// The newest live grants, at most `limit`.
///
/// # Errors
/// That the store did not do it.
pub async fn list(app: &App, whose: Whose, limit: i64) -> Result<Cut<ListedGrant>, Refusal> {
    let (now, after) = (app.now(), None);
    let page = rows::Page {
        after,
        limit: limit.saturating_add(1),
    };
    let found = match whose {
        Whose::Application(application) => rows::of_application(&app.db, application, "", page, now).await?,
        Whose::User(user) => rows::of_user(&app.db, user, None, page, now).await?,
        Whose::Both(user, application) => rows::of_user(&app.db, user, Some(application), page, now).await?,
    };
    Ok(Cut::at_most(found, limit))
}

/// The newest live tokens, at most `limit`.
///
/// # Errors
/// That the store did not do it.
pub async fn tokens(app: &App, whose: Whose, limit: i64) -> Result<Cut<ListedToken>, Refusal> {
    let (now, one_more) = (app.now(), limit.saturating_add(1));
    let found = match whose {
        Whose::Application(application) => {
            rows::tokens_of_application(&app.db, application, one_more, now).await?
        }
        Whose::User(user) => rows::tokens_of_user(&app.db, user, None, one_more, now).await?,
        Whose::Both(user, application) => {
            rows::tokens_of_user(&app.db, user, Some(application), one_more, now).await?
        }
    };
    Ok(Cut::at_most(found, limit))
}

/// A grant with a page of what happened to it.
#[derive(Clone, Debug)]
pub struct Family {
    pub grant: WholeGrant,
    /// `None`: it is live.
    pub why_not: Option<String>,
    /// Newest last. How it began stands on the first page, how it ended on the last.
    pub timeline: Vec<Entry>,
    /// From 0.
    pub page: i64,
    pub pages: i64,
}

/// A grant, live or dead.
///
/// # Errors
/// That the store did not do it.
pub async fn find(app: &App, id: GrantId) -> Result<Option<WholeGrant>, Refusal> {
    Ok(rows::find(&app.db, id, app.now()).await?)
}

/// The family of a grant; of a long one page `page` (from 0), or the last.
///
/// # Errors
/// That the store did not do it.
pub async fn family(app: &App, id: GrantId, page: Option<i64>) -> Result<Option<Family>, Refusal> {
    let now = app.now();
    let Some(mut grant) = rows::find(&app.db, id, now).await? else {
        return Ok(None);
    };
    if !grant.is_live(now) {
        // What has not expired is dead with its grant all the same.
        grant.live_access_tokens = 0;
        grant.live_refresh_tokens = 0;
    }
    let pages = grant
        .refresh_tokens
        .unsigned_abs()
        .div_ceil(PAGE.unsigned_abs())
        .max(1)
        .cast_signed();
    let page = page.unwrap_or(pages - 1).clamp(0, pages - 1);
    let refresh_tokens = rows::refresh_tokens(&app.db, id, PAGE, page * PAGE).await?;
    let mut events = Vec::new();
    if page == 0 {
        let device = rows::device(&app.db, id).await?;
        let codes = rows::codes(&app.db, id).await?;
        events.extend(timeline::beginning(&grant, device.as_ref(), &codes, now));
        if grant.grant_type == GrantKind::OAuth1 {
            let token = rows::request_token(&app.db, id).await?;
            events.extend(token.iter().filter_map(|token| timeline::exchange(token, now)));
        }
    }
    events.extend(timeline::refreshes(&grant, &refresh_tokens));
    if page + 1 == pages {
        events.extend(timeline::ending(&grant, &refresh_tokens, now));
    }
    Ok(Some(Family {
        why_not: timeline::why_not(&grant, now),
        timeline: events,
        grant,
        page,
        pages,
    }))
}

/// The family of a grant of `application`; otherwise as [`family`].
///
/// # Errors
/// That the store did not do it.
pub async fn family_of(
    app: &App,
    application: ApplicationId,
    id: GrantId,
    page: Option<i64>,
) -> Result<Option<Family>, Refusal> {
    let found = family(app, id, page).await?;
    Ok(found.filter(|family| family.grant.application_id == application))
}

/// A grant as programs read it.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    pub id: GrantId,
    /// Its application's `client_id`.
    pub application: String,
    pub user: String,
    pub grant_type: &'static str,
    pub scopes: Scopes,
    pub resources: Resources,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    pub live: bool,
    /// In words; null where it is live.
    pub why_not: Option<String>,
    /// `x5t#S256` of the certificate that the newest of its access tokens is bound to (RFC 8705 §3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Thumbprint>,
    pub live_access_tokens: i64,
    pub live_refresh_tokens: i64,
    /// Newest last.
    pub timeline: Vec<Entry>,
    /// Of the timeline, from 1.
    pub page: i64,
    pub pages: i64,
}

impl From<Family> for Told {
    fn from(family: Family) -> Self {
        let grant = family.grant;
        Self {
            id: grant.id,
            application: grant.client_id.to_string(),
            user: grant.username,
            grant_type: grant.grant_type.name(),
            scopes: grant.scopes,
            resources: grant.resources,
            created_at: grant.created_at,
            last_used_at: grant.last_used_at,
            expires_at: grant.expires_at,
            live: family.why_not.is_none(),
            why_not: family.why_not,
            certificate: grant.certificate,
            live_access_tokens: grant.live_access_tokens,
            live_refresh_tokens: grant.live_refresh_tokens,
            timeline: family.timeline,
            page: family.page + 1,
            pages: family.pages,
        }
    }
}

/// What a token is, as whoever holds it in hand is told.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    pub fingerprint: String,
    /// `access_token`, `refresh_token`, or `oauth1_token`.
    pub kind: &'static str,
    /// Its application's `client_id`.
    pub application: String,
    /// Null where the application has it on its own behalf; so are `grant` and `grant_type`.
    pub user: Option<String>,
    pub grant: Option<GrantId>,
    pub grant_type: Option<&'static str>,
    pub scopes: Scopes,
    /// Where it may be used (RFC 8707); empty: anywhere.
    pub resources: Resources,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    pub live: bool,
    /// In words; null where it is live.
    pub why_not: Option<String>,
    /// `x5t#S256` of the certificate that it is bound to (RFC 8705 §3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Thumbprint>,
}

/// What an access token, of OAuth 2.0 or 1.0a, or a refresh token is. `None`: it is neither, or unknown.
///
/// # Errors
/// That the store did not do it.
pub async fn show(app: &App, token: &Secret) -> Result<Option<Shown>, Refusal> {
    let hash = token.hash();
    let (kind, found) = match TokenKind::parse(token.expose()) {
        Some(TokenKind::AccessToken) => ("access_token", rows::access_token(&app.db, hash).await?),
        Some(TokenKind::RefreshToken) => ("refresh_token", rows::refresh_token(&app.db, hash).await?),
        Some(TokenKind::OAuth1) => ("oauth1_token", rows::oauth1_token(&app.db, hash).await?),
        _ => return Ok(None),
    };
    let Some(found) = found else { return Ok(None) };
    let now = app.now();
    let grant = match found.grant_id {
        Some(id) => rows::find(&app.db, id, now).await?,
        None => None,
    };
    let why_not = timeline::why_token_not(&found, grant.as_ref(), now);
    Ok(Some(Shown {
        fingerprint: Fingerprint::text(hash.as_bytes()),
        kind,
        application: found.client_id.to_string(),
        user: grant.as_ref().map(|grant| grant.username.clone()),
        grant: found.grant_id,
        grant_type: grant.map(|grant| grant.grant_type.name()),
        scopes: found.scopes,
        resources: found.resources,
        created_at: found.created_at,
        expires_at: found.expires_at,
        live: why_not.is_none(),
        why_not,
        certificate: found.certificate,
    }))
}

/// Revokes one grant of `application`. False where there is no such grant that could still be used.
///
/// # Errors
/// That the store did not do it.
pub async fn revoke(
    app: &App,
    caller: &Caller,
    application: ApplicationId,
    id: GrantId,
) -> Result<bool, Refusal> {
    let now = app.now();
    let found = rows::find(&app.db, id, now).await?;
    let revocable = |grant: &WholeGrant| grant.application_id == application && grant.is_revocable(now);
    let Some(found) = found.filter(revocable) else {
        return Ok(false);
    };
    let mut tx = app.db.write().await?;
    if !store::grants::revoke(&mut tx, id, RevokedReason::Operator, now).await? {
        return Ok(false);
    }
    let event = Event::new(EventName::GrantRevoked)
        .user(found.user_id)
        .application(application)
        .grant(id);
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    tracing::info!(event = "grant_revoked", %application, grant = %id);
    Ok(true)
}

/// Revokes what `application` has on its own behalf under that fingerprint. False where there is none.
///
/// # Errors
/// That the store did not do it.
pub async fn revoke_own_token(
    app: &App,
    caller: &Caller,
    application: ApplicationId,
    fingerprint: Fingerprint,
) -> Result<bool, Refusal> {
    let mut tx = app.db.write().await?;
    let revoked = rows::revoke_own_token(&mut tx, application, fingerprint, app.now()).await?;
    if revoked > 0 {
        let detail = Detail {
            fingerprint: Some(fingerprint),
            ..Detail::default()
        };
        let event = Event::new(EventName::TokenRevoked)
            .application(application)
            .detail(detail);
        audit::record(app, &mut tx, caller, event).await?;
    }
    tx.commit().await?;
    tracing::info!(event = "own_token_revoked", %application, %fingerprint, revoked);
    Ok(revoked > 0)
}
