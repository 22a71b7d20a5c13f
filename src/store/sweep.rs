//! Deletes what has expired, a small batch at a time, so that requests hardly notice.

use std::time::Instant;

use time::{Duration, OffsetDateTime};

use super::{Db, Result};

/// Rows a statement.
const BATCH: i64 = 500;
/// A revoked family is kept this long as evidence, and as tombstone for replays; a failed request for whoever
/// runs the application.
const KEPT: Duration = Duration::days(30);

/// One table's sweep: a statement with `$1` = now, `$2` = the latest revocation to forget, `$3` = batch.
struct Sweep {
    what: &'static str,
    text: Either,
}

/// The statement for SQLite, where one writes at a time, and for Postgres.
struct Either {
    sqlite: &'static str,
    postgres: &'static str,
}

/// Of several that sweep at once each takes rows of its own: who waited for another's would find them gone, and take
/// that for the end.
macro_rules! either {
    ($text:literal) => {
        Either {
            sqlite: concat!($text, ")"),
            postgres: concat!($text, " FOR UPDATE SKIP LOCKED)"),
        }
    };
}

const SWEEPS: &[Sweep] = &[
    Sweep {
        what: "sealed answers",
        text: either!(
            "UPDATE refresh_tokens SET retry_sealed = NULL WHERE hash IN
                (SELECT hash FROM refresh_tokens WHERE retry_sealed IS NOT NULL AND retry_until <= $1
                 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "authorization requests",
        text: either!(
            "DELETE FROM authorization_requests WHERE hash IN
                (SELECT hash FROM authorization_requests WHERE expires_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "device codes",
        text: either!(
            "DELETE FROM device_codes WHERE hash IN
                (SELECT hash FROM device_codes WHERE forget_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "sessions",
        text: either!(
            "DELETE FROM sessions WHERE hash IN
                (SELECT hash FROM sessions WHERE expires_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "known browsers",
        text: either!(
            "DELETE FROM known_browsers WHERE hash IN
                (SELECT hash FROM known_browsers WHERE expires_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "access tokens",
        text: either!(
            "DELETE FROM access_tokens WHERE hash IN
                (SELECT hash FROM access_tokens WHERE expires_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    // A used code stays until its family has ended: its replay must still revoke the family.
    Sweep {
        what: "unused authorization codes",
        text: either!(
            "DELETE FROM authorization_codes WHERE hash IN
                (SELECT hash FROM authorization_codes WHERE expires_at <= $1 AND used_at IS NULL
                 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "refresh tokens",
        text: either!(
            "DELETE FROM refresh_tokens WHERE hash IN
                (SELECT hash FROM refresh_tokens WHERE expires_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "ended grants",
        text: either!(
            "DELETE FROM grants WHERE id IN
                (SELECT g.id FROM grants g
                 WHERE g.expires_at <= $1
                   AND NOT EXISTS (SELECT 1 FROM access_tokens t WHERE t.grant_id = g.id)
                   AND NOT EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.grant_id = g.id)
                   AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "failed requests",
        text: either!(
            "DELETE FROM failed_requests WHERE id IN
                (SELECT id FROM failed_requests WHERE last_seen_at <= $2 AND $1 >= $2 LIMIT $3"
        ),
    },
    Sweep {
        what: "revoked grants",
        text: either!(
            "DELETE FROM grants WHERE id IN
                (SELECT g.id FROM grants g
                 WHERE g.revoked_at <= $2
                   AND NOT EXISTS (SELECT 1 FROM access_tokens t WHERE t.grant_id = g.id)
                   AND $1 >= $2 LIMIT $3"
        ),
    },
];

/// Deletes until nothing expired is left or `batches` statements have run. The number of rows.
pub async fn sweep(db: &Db, now: OffsetDateTime, batches: usize) -> Result<u64> {
    let mut swept = 0;
    let mut left = batches;
    for sweep in SWEEPS {
        while left > 0 {
            left -= 1;
            let begun = Instant::now();
            let rows = db
                .command(match db {
                    Db::Sqlite { .. } => sweep.text.sqlite,
                    Db::Postgres { .. } => sweep.text.postgres,
                })
                .bind(now)
                .bind(now - KEPT)
                .bind(BATCH)
                .unhurried()
                .execute()
                .await?;
            swept += rows;
            if rows > 0 {
                tracing::debug!(rows, "swept {}", sweep.what);
            }
            if rows < BATCH.unsigned_abs() {
                break;
            }
            give_way(db, begun.elapsed()).await;
        }
    }
    Ok(swept + sweep_throttles(db, now, batches).await?)
}

/// SQLite's lock goes to whoever asks while it is free, and a process that waits asks a few times a second: if one
/// sweeps without a pause, a server beside it waits for seconds.
pub(super) async fn give_way(db: &Db, took: std::time::Duration) {
    if matches!(db, Db::Sqlite { .. }) {
        tokio::time::sleep(took).await;
    }
}

async fn sweep_throttles(db: &Db, now: OffsetDateTime, batches: usize) -> Result<u64> {
    let mut swept = 0;
    for _ in 0..batches {
        let rows = db
            .command(
                "DELETE FROM throttles WHERE key IN
                    (SELECT key FROM throttles WHERE full_until <= $1 LIMIT $2)",
            )
            .bind(now.unix_timestamp())
            .bind(BATCH)
            .execute()
            .await?;
        swept += rows;
        if rows < BATCH.unsigned_abs() {
            break;
        }
    }
    Ok(swept)
}
