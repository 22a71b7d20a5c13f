//! `oauth1_nonces`: which signed requests have come.

use time::OffsetDateTime;

use crate::base::secret::SecretHash;
use crate::model::ids::ApplicationId;
use crate::store::{Db, Result};

/// Records a request, in one statement. False where it was recorded before, by whichever node.
pub async fn record(
    db: &Db,
    hash: SecretHash,
    application: ApplicationId,
    expires_at: OffsetDateTime,
) -> Result<bool> {
    db.command(
        "INSERT INTO oauth1_nonces (hash, application_id, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (hash) DO NOTHING",
    )
    .bind(hash.to_vec())
    .bind(application)
    .bind(expires_at)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// The applications that have at least `most` live ones.
pub async fn full(db: &Db, most: i64, now: OffsetDateTime) -> Result<Vec<ApplicationId>> {
    let rows: Vec<(ApplicationId,)> = db
        .query(
            "SELECT application_id FROM oauth1_nonces WHERE expires_at > $1
             GROUP BY application_id HAVING count(*) >= $2",
        )
        .bind(now)
        .bind(most)
        .unhurried()
        .all()
        .await?;
    Ok(rows.into_iter().map(|(application,)| application).collect())
}
