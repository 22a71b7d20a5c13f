//! What people granted an application, and what came of each grant, for whoever runs the server.

use super::App;
use super::error::Refusal;
use crate::model::family::{FamilyCode, FamilyRefreshToken, Fingerprint, ListedGrant, OwnToken, WholeGrant};
use crate::model::grant::RevokedReason;
use crate::model::ids::{ApplicationId, GrantId};
use crate::store::{self, families as rows};

/// Rows of a page.
pub const PAGE: i64 = 50;

/// An application's live grants and own tokens.
#[derive(Clone, Debug)]
pub struct Live {
    /// A page of them, newest first.
    pub grants: Vec<ListedGrant>,
    /// How many there are in all.
    pub grants_total: i64,
    /// The newest [`PAGE`] of them.
    pub own_tokens: Vec<OwnToken>,
    pub own_tokens_total: i64,
}

/// Page `page` (from 0) of the grants of users whose name contains `search`.
///
/// # Errors
/// That the store did not do it.
pub async fn live(app: &App, application: ApplicationId, search: &str, page: i64) -> Result<Live, Refusal> {
    let now = app.now();
    // Postgres keeps no NUL in a text, so nothing can match one.
    let grants = if search.contains('\0') {
        Vec::new()
    } else {
        rows::live(
            &app.db,
            application,
            search,
            (PAGE, page.saturating_mul(PAGE)),
            now,
        )
        .await?
    };
    let own_tokens = rows::own_tokens(&app.db, application, PAGE, now).await?;
    Ok(Live {
        grants_total: grants.first().map_or(0, |first| first.total),
        grants,
        own_tokens_total: own_tokens.first().map_or(0, |first| first.total),
        own_tokens,
    })
}

/// A grant with its codes and a page of its refresh tokens.
#[derive(Clone, Debug)]
pub struct Family {
    pub grant: WholeGrant,
    pub codes: Vec<FamilyCode>,
    /// Newest last.
    pub refresh_tokens: Vec<FamilyRefreshToken>,
    /// From 0.
    pub page: i64,
    pub pages: i64,
}

/// The family of a grant of `application`; of a long one page `page` (from 0), or the last.
///
/// # Errors
/// That the store did not do it.
pub async fn family(
    app: &App,
    application: ApplicationId,
    id: GrantId,
    page: Option<i64>,
) -> Result<Option<Family>, Refusal> {
    let Some(grant) = rows::find(&app.db, application, id, app.now()).await? else {
        return Ok(None);
    };
    let pages = grant
        .refresh_tokens
        .unsigned_abs()
        .div_ceil(PAGE.unsigned_abs())
        .max(1)
        .cast_signed();
    let page = page.unwrap_or(pages - 1).clamp(0, pages - 1);
    Ok(Some(Family {
        codes: rows::codes(&app.db, id).await?,
        refresh_tokens: rows::refresh_tokens(&app.db, id, PAGE, page * PAGE).await?,
        grant,
        page,
        pages,
    }))
}

/// Revokes one grant of `application`. False where there is no such live grant.
///
/// # Errors
/// That the store did not do it.
pub async fn revoke(app: &App, application: ApplicationId, id: GrantId) -> Result<bool, Refusal> {
    let now = app.now();
    let found = rows::find(&app.db, application, id, now).await?;
    if !found.is_some_and(|grant| grant.is_live(now)) {
        return Ok(false);
    }
    let mut tx = app.db.write().await?;
    store::grants::revoke(&mut tx, id, RevokedReason::Operator, now).await?;
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
    application: ApplicationId,
    fingerprint: Fingerprint,
) -> Result<bool, Refusal> {
    let mut tx = app.db.write().await?;
    let revoked = rows::revoke_own_token(&mut tx, application, fingerprint, app.now()).await?;
    tx.commit().await?;
    tracing::info!(event = "own_token_revoked", %application, %fingerprint, revoked);
    Ok(revoked > 0)
}
