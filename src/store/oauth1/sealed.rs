//! `sealing_keys`, and whatever rests sealed under them: to be sealed anew.

use time::OffsetDateTime;

use crate::base::secret::SecretHash;
use crate::model::ids::ApplicationId;
use crate::store::{Db, Result, Tx};

/// A sealed value and where it stands.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub place: Place,
    pub value: Vec<u8>,
}

/// A row with a sealed value.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    Consumer(ApplicationId),
    RequestToken(SecretHash),
    AccessToken(SecretHash),
}

/// Until the transaction ends nobody else says which keys there are.
pub async fn hold(tx: &mut Tx) -> Result<()> {
    tx.sql("UPDATE locks SET held = held + 1 WHERE name = 'sealing_keys'")
        .execute()
        .await
        .map(drop)
}

/// The ids of the keys that seal something, or may.
pub async fn known_keys(db: &Db) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = db.query("SELECT id FROM sealing_keys ORDER BY id").all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The same, read where nobody else can say otherwise: see [`hold`].
pub async fn known_keys_in(tx: &mut Tx) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = tx.sql("SELECT id FROM sealing_keys ORDER BY id").all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Those of them that were first used at `then` or before.
pub async fn known_keys_before(tx: &mut Tx, then: OffsetDateTime) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = tx
        .sql("SELECT id FROM sealing_keys WHERE first_used_at <= $1 ORDER BY id")
        .bind(then)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

const ADD: &str = "INSERT INTO sealing_keys (id, first_used_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";

pub async fn add_key(tx: &mut Tx, id: &str, now: OffsetDateTime) -> Result<()> {
    tx.sql(ADD).bind(id).bind(now).execute().await.map(drop)
}

/// The same by itself, for whoever has no transaction.
pub async fn add_key_alone(db: &Db, id: &str, now: OffsetDateTime) -> Result<()> {
    db.command(ADD).bind(id).bind(now).execute().await.map(drop)
}

/// False where it was not known.
pub async fn forget_key(tx: &mut Tx, id: &str) -> Result<bool> {
    let forget = tx.sql("DELETE FROM sealing_keys WHERE id = $1").bind(id);
    Ok(forget.execute().await? == 1)
}

/// How many values rest sealed under the key with these eight bytes.
pub async fn values_under(tx: &mut Tx, key: &[u8]) -> Result<i64> {
    let (values,): (i64,) = tx
        .sql(
            "SELECT (SELECT count(*) FROM oauth1_consumers WHERE substr(secret_sealed, 2, 8) = $1)
                  + (SELECT count(*) FROM oauth1_request_tokens WHERE substr(secret_sealed, 2, 8) = $1)
                  + (SELECT count(*) FROM oauth1_access_tokens WHERE substr(secret_sealed, 2, 8) = $1)",
        )
        .bind(key)
        .unhurried()
        .one()
        .await?;
    Ok(values)
}

/// The eight bytes of every key's id under which something rests.
pub async fn keys_in_use(tx: &mut Tx) -> Result<Vec<Vec<u8>>> {
    let rows: Vec<(Vec<u8>,)> = tx
        .sql(
            "SELECT substr(secret_sealed, 2, 8) FROM oauth1_consumers
             UNION SELECT substr(secret_sealed, 2, 8) FROM oauth1_request_tokens
             UNION SELECT substr(secret_sealed, 2, 8) FROM oauth1_access_tokens",
        )
        .unhurried()
        .all()
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A batch of what is not sealed under `key`, of each table by its own order; `after` is the last of the batch before.
pub async fn under_others(
    tx: &mut Tx,
    kind: Kind,
    key: &[u8],
    after: Option<&Sealed>,
    limit: i64,
) -> Result<Vec<Sealed>> {
    match kind {
        Kind::Consumers => consumers(tx, key, after, limit).await,
        Kind::RequestTokens => {
            let text = "SELECT hash, secret_sealed FROM oauth1_request_tokens
                 WHERE hash > $1 AND substr(secret_sealed, 2, 8) <> $2 ORDER BY hash LIMIT $3";
            tokens(tx, text, Place::RequestToken, key, after, limit).await
        }
        Kind::AccessTokens => {
            let text = "SELECT hash, secret_sealed FROM oauth1_access_tokens
                 WHERE hash > $1 AND substr(secret_sealed, 2, 8) <> $2 ORDER BY hash LIMIT $3";
            tokens(tx, text, Place::AccessToken, key, after, limit).await
        }
    }
}

/// A table with sealed values.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Consumers,
    RequestTokens,
    AccessTokens,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Consumers, Self::RequestTokens, Self::AccessTokens];
}

async fn consumers(tx: &mut Tx, key: &[u8], after: Option<&Sealed>, limit: i64) -> Result<Vec<Sealed>> {
    let after = match after.map(|last| last.place) {
        Some(Place::Consumer(id)) => Some(id),
        _ => None,
    };
    let rows: Vec<(ApplicationId, Vec<u8>)> = tx
        .sql(
            "SELECT application_id, secret_sealed FROM oauth1_consumers
             WHERE ($1 IS NULL OR application_id > $1) AND substr(secret_sealed, 2, 8) <> $2
             ORDER BY application_id LIMIT $3",
        )
        .bind(after)
        .bind(key)
        .bind(limit)
        .unhurried()
        .all()
        .await?;
    let sealed = |(id, value)| Sealed {
        place: Place::Consumer(id),
        value,
    };
    Ok(rows.into_iter().map(sealed).collect())
}

async fn tokens(
    tx: &mut Tx,
    text: &'static str,
    place: fn(SecretHash) -> Place,
    key: &[u8],
    after: Option<&Sealed>,
    limit: i64,
) -> Result<Vec<Sealed>> {
    let after = match after.map(|last| last.place) {
        Some(Place::RequestToken(hash) | Place::AccessToken(hash)) => hash.to_vec(),
        _ => Vec::new(),
    };
    let rows: Vec<(Vec<u8>, Vec<u8>)> = tx
        .sql(text)
        .bind(after)
        .bind(key)
        .bind(limit)
        .unhurried()
        .all()
        .await?;
    let sealed = |(hash, value): (Vec<u8>, _)| {
        let place = place(SecretHash::from_stored(&hash)?);
        Some(Sealed { place, value })
    };
    Ok(rows.into_iter().filter_map(sealed).collect())
}

/// Puts `fresh` in place of what was there, if it still is.
pub async fn replace(tx: &mut Tx, old: &Sealed, fresh: &[u8]) -> Result<bool> {
    let rows = match old.place {
        Place::Consumer(id) => {
            tx.sql(
                "UPDATE oauth1_consumers SET secret_sealed = $2 WHERE application_id = $1 AND secret_sealed = $3",
            )
            .bind(id)
            .bind(fresh)
            .bind(old.value.as_slice())
            .execute()
            .await?
        }
        Place::RequestToken(hash) => {
            tx.sql("UPDATE oauth1_request_tokens SET secret_sealed = $2 WHERE hash = $1 AND secret_sealed = $3")
                .bind(hash.to_vec())
                .bind(fresh)
                .bind(old.value.as_slice())
                .execute()
                .await?
        }
        Place::AccessToken(hash) => {
            tx.sql("UPDATE oauth1_access_tokens SET secret_sealed = $2 WHERE hash = $1 AND secret_sealed = $3")
                .bind(hash.to_vec())
                .bind(fresh)
                .bind(old.value.as_slice())
                .execute()
                .await?
        }
    };
    Ok(rows == 1)
}
