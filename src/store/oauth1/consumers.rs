//! `oauth1_consumers`: the applications that speak OAuth 1.0a.

use time::OffsetDateTime;

use crate::model::application::Application;
use crate::model::ids::ApplicationId;
use crate::store::applications::columns;
use crate::store::{Db, Result, Tx};

/// An application with what its signatures are checked by, as it rests.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StoredConsumer {
    #[sqlx(flatten)]
    pub application: Application,
    pub secret_sealed: Vec<u8>,
    /// `SubjectPublicKeyInfo` in DER.
    pub rsa_public_key: Option<Vec<u8>>,
}

/// By its consumer key, which is the `client_id`. `None` also where it is disabled.
pub async fn find(db: &Db, client_id: &str) -> Result<Option<StoredConsumer>> {
    db.query(concat!(
        "SELECT ",
        columns!(),
        ", c.secret_sealed, c.rsa_public_key
         FROM applications a JOIN oauth1_consumers c ON c.application_id = a.id
         WHERE a.client_id = $1 AND a.disabled_at IS NULL AND a.deleted_at IS NULL"
    ))
    .bind(client_id)
    .optional()
    .await
}

/// False where it is one already, or is public or gone.
pub async fn insert(
    tx: &mut Tx,
    application: ApplicationId,
    secret_sealed: &[u8],
    rsa_public_key: Option<&[u8]>,
    now: OffsetDateTime,
) -> Result<bool> {
    tx.sql(
        "INSERT INTO oauth1_consumers (application_id, secret_sealed, rsa_public_key, created_at)
         SELECT a.id, $2, $3, $4 FROM applications a
         WHERE a.id = $1 AND a.confidential AND a.deleted_at IS NULL
         ON CONFLICT DO NOTHING",
    )
    .bind(application)
    .bind(secret_sealed)
    .bind(rsa_public_key)
    .bind(now)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// True where it is another than before.
pub async fn set_rsa_public_key(
    tx: &mut Tx,
    application: ApplicationId,
    rsa_public_key: Option<&[u8]>,
) -> Result<bool> {
    tx.sql(
        "UPDATE oauth1_consumers SET rsa_public_key = $2
         WHERE application_id = $1 AND rsa_public_key IS DISTINCT FROM $2",
    )
    .bind(application)
    .bind(rsa_public_key)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// Replaces the secret: what is signed with the earlier one is refused from now on. False where it is none.
pub async fn rotate(
    tx: &mut Tx,
    application: ApplicationId,
    secret_sealed: &[u8],
    now: OffsetDateTime,
) -> Result<bool> {
    tx.sql("UPDATE oauth1_consumers SET secret_sealed = $2, rotated_at = $3 WHERE application_id = $1")
        .bind(application)
        .bind(secret_sealed)
        .bind(now)
        .execute()
        .await
        .map(|rows| rows == 1)
}

/// Takes OAuth 1.0a from an application: its request tokens go with it, its access tokens are dead. False where it
/// spoke none.
pub async fn delete(tx: &mut Tx, application: ApplicationId) -> Result<bool> {
    let deleted = tx
        .sql("DELETE FROM oauth1_consumers WHERE application_id = $1")
        .bind(application)
        .execute()
        .await?;
    tx.sql("DELETE FROM oauth1_request_tokens WHERE application_id = $1")
        .bind(application)
        .execute()
        .await?;
    Ok(deleted == 1)
}
