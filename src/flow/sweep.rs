//! Housekeeping: deletes what has expired and writes when things were last used and which requests
//! failed.

use super::error::Refusal;
use super::{App, applications, audit, failed_requests, oauth1, usage};
use crate::store;

/// Statements a round of the background sweeper: little enough that requests hardly notice.
const BATCHES: usize = 40;

/// One round in the background.
///
/// # Errors
/// The store's; the next round tries again.
pub async fn round(app: &App) -> Result<u64, Refusal> {
    usage::flush(app).await;
    failed_requests::flush(app).await;
    audit::flush(app).await;
    applications::look_for_iss(app).await;
    let swept = store::sweep::sweep(&app.db, app.now(), BATCHES).await?;
    let swept = swept + audit::sweep(app, BATCHES).await?;
    oauth1::nonces::count(app).await;
    Ok(swept)
}

/// Everything that has expired. The number of rows.
///
/// # Errors
/// The store's.
pub async fn all(app: &App) -> Result<u64, Refusal> {
    let mut swept = 0;
    loop {
        let rows = store::sweep::sweep(&app.db, app.now(), 1000).await? + audit::sweep(app, 1000).await?;
        swept += rows;
        if rows == 0 {
            return Ok(swept);
        }
    }
}
