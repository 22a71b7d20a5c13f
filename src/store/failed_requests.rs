//! `failed_requests`: written now and then, many at once.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Db, Result, Statement, Tx};
use crate::model::failed_request::FailedRequest;
use crate::model::ids::{ApplicationId, FailedRequestId};

/// Rows that an application keeps: those seen last.
const KEPT: i64 = 50;
/// Applications a statement of [`prune`].
const BATCH: usize = 16;

/// Adds them to what is there, whichever node wrote that. One transaction, so one write to the disk; the
/// caller bounds how many there are.
pub async fn add(db: &Db, failed: &[FailedRequest]) -> Result<()> {
    // In one order on every node, so that two that write the same rows wait for each other instead of dying.
    let mut failed: Vec<&FailedRequest> = failed.iter().collect();
    failed.sort_unstable_by_key(|row| Uuid::from(row.id));
    let mut tx = db.write().await?;
    for row in &failed {
        merge(&mut tx, row).await?;
    }
    let mut applications: Vec<Uuid> = failed.iter().map(|row| row.application_id.into()).collect();
    applications.sort_unstable();
    applications.dedup();
    for batch in applications.chunks(BATCH) {
        prune(&mut tx, batch).await?;
    }
    tx.commit().await
}

async fn merge(tx: &mut Tx, row: &FailedRequest) -> Result<()> {
    tx.sql(
        "INSERT INTO failed_requests (id, application_id, endpoint, error, reason, parameter, value, request_id,
             first_seen_at, last_seen_at, count)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (id) DO UPDATE SET
             count = failed_requests.count + excluded.count,
             request_id = CASE WHEN excluded.last_seen_at >= failed_requests.last_seen_at
                 THEN excluded.request_id ELSE failed_requests.request_id END,
             last_seen_at = CASE WHEN excluded.last_seen_at >= failed_requests.last_seen_at
                 THEN excluded.last_seen_at ELSE failed_requests.last_seen_at END",
    )
    .bind(row.id)
    .bind(row.application_id)
    .bind(&row.endpoint)
    .bind(&row.error)
    .bind(&row.reason)
    .bind(&row.parameter)
    .bind(&row.value)
    .bind(&row.request_id)
    .bind(row.first_seen_at)
    .bind(row.last_seen_at)
    .bind(row.count)
    .execute()
    .await
    .map(drop)
}

/// Forgets all but the [`KEPT`] seen last of each application (at most [`BATCH`]).
async fn prune(tx: &mut Tx, applications: &[Uuid]) -> Result<()> {
    let Some(&first) = applications.first() else {
        return Ok(());
    };
    let statement = tx
        .sql(
            "DELETE FROM failed_requests WHERE id IN
                (SELECT id FROM
                    (SELECT id, row_number() OVER
                        (PARTITION BY application_id ORDER BY last_seen_at DESC, request_id DESC) AS place
                     FROM failed_requests WHERE application_id IN
                        ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)) placed
                 WHERE place > $1)",
        )
        .bind(KEPT);
    let padded = applications
        .iter()
        .copied()
        .chain(std::iter::repeat(first))
        .take(BATCH);
    padded.fold(statement, Statement::bind).execute().await.map(drop)
}

/// Those of an application, the last seen first.
pub async fn list(db: &Db, application: ApplicationId) -> Result<Vec<FailedRequest>> {
    db.query(
        "SELECT id, application_id, endpoint, error, reason, parameter, value, request_id, first_seen_at,
             last_seen_at, count
         FROM failed_requests WHERE application_id = $1 ORDER BY last_seen_at DESC, request_id DESC LIMIT $2",
    )
    .bind(application)
    .bind(KEPT)
    .all()
    .await
}

/// One of an application's own.
pub async fn find(db: &Db, application: ApplicationId, id: FailedRequestId) -> Result<Option<FailedRequest>> {
    db.query(
        "SELECT id, application_id, endpoint, error, reason, parameter, value, request_id, first_seen_at,
             last_seen_at, count
         FROM failed_requests WHERE application_id = $1 AND id = $2",
    )
    .bind(application)
    .bind(id)
    .optional()
    .await
}

/// How many kinds of an application were seen since.
pub async fn count_since(db: &Db, application: ApplicationId, since: OffsetDateTime) -> Result<i64> {
    let (count,): (i64,) = db
        .query("SELECT count(*) FROM failed_requests WHERE application_id = $1 AND last_seen_at >= $2")
        .bind(application)
        .bind(since)
        .one()
        .await?;
    Ok(count)
}
