//! Deletes what has expired, a small batch at a time, so that requests hardly notice.

use std::time::Instant;

use time::{Duration, OffsetDateTime};

use super::{Db, Result, Statement};

/// Rows a statement.
const BATCH: i64 = 500;
/// A revoked family is kept this long as evidence, and as tombstone for replays; a failed request for whoever
/// runs the application.
const KEPT: Duration = Duration::days(30);

/// One table's sweep: a statement with `$1` = now, `$2` = the latest revocation to forget, `$3` = batch.
struct Sweep {
    what: &'static str,
    batch: Batch,
}

/// A statement that deletes a batch: for SQLite, where one writes at a time, and for Postgres.
pub(super) struct Batch {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

/// Of several that sweep at once each takes rows of its own: who waited for another's would find them gone, and take
/// that for the end.
macro_rules! batch {
    ($text:literal) => {
        $crate::store::sweep::Batch {
            sqlite: concat!($text, ")"),
            postgres: concat!($text, " FOR UPDATE SKIP LOCKED)"),
        }
    };
}
pub(super) use batch;

const THROTTLES: Batch = batch!(
    "DELETE FROM throttles WHERE key IN
        (SELECT key FROM throttles WHERE full_until <= $1 LIMIT $2"
);

const SWEEPS: &[Sweep] = &[
    Sweep {
        what: "sealed answers",
        batch: batch!(
            "UPDATE refresh_tokens SET retry_sealed = NULL WHERE hash IN
                (SELECT hash FROM refresh_tokens WHERE retry_sealed IS NOT NULL AND retry_until <= $1
                 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "authorization requests",
        batch: batch!(
            "DELETE FROM authorization_requests WHERE hash IN
                (SELECT hash FROM authorization_requests WHERE expires_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "device codes",
        batch: batch!(
            "DELETE FROM device_codes WHERE hash IN
                (SELECT hash FROM device_codes WHERE forget_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "sessions",
        batch: batch!(
            "DELETE FROM sessions WHERE hash IN
                (SELECT hash FROM sessions WHERE expires_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "known browsers",
        batch: batch!(
            "DELETE FROM known_browsers WHERE hash IN
                (SELECT hash FROM known_browsers WHERE expires_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "access tokens",
        batch: batch!(
            "DELETE FROM access_tokens WHERE hash IN
                (SELECT hash FROM access_tokens WHERE expires_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    // A used one stays until its family has ended, as a used code does.
    Sweep {
        what: "unused OAuth 1.0a request tokens",
        batch: batch!(
            "DELETE FROM oauth1_request_tokens WHERE hash IN
                (SELECT hash FROM oauth1_request_tokens WHERE expires_at <= $1 AND used_at IS NULL
                 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "OAuth 1.0a access tokens",
        batch: batch!(
            "DELETE FROM oauth1_access_tokens WHERE hash IN
                (SELECT hash FROM oauth1_access_tokens WHERE expires_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    // A used code stays until its family has ended: its replay must still revoke the family.
    Sweep {
        what: "unused authorization codes",
        batch: batch!(
            "DELETE FROM authorization_codes WHERE hash IN
                (SELECT hash FROM authorization_codes WHERE expires_at <= $1 AND used_at IS NULL
                 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "refresh tokens",
        batch: batch!(
            "DELETE FROM refresh_tokens WHERE hash IN
                (SELECT hash FROM refresh_tokens WHERE expires_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "ended grants",
        batch: batch!(
            "DELETE FROM grants WHERE id IN
                (SELECT g.id FROM grants g
                 WHERE g.expires_at <= $1
                   AND NOT EXISTS (SELECT 1 FROM access_tokens t WHERE t.grant_id = g.id)
                   AND NOT EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.grant_id = g.id)
                   AND NOT EXISTS (SELECT 1 FROM oauth1_access_tokens o WHERE o.grant_id = g.id)
                   AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "failed requests",
        batch: batch!(
            "DELETE FROM failed_requests WHERE id IN
                (SELECT id FROM failed_requests WHERE last_seen_at <= $2 AND $1 >= $2 LIMIT $3"
        ),
    },
    Sweep {
        what: "nonces",
        batch: batch!(
            "DELETE FROM oauth1_nonces WHERE hash IN
                (SELECT hash FROM oauth1_nonces WHERE expires_at <= $1 AND $2 <= $1 LIMIT $3"
        ),
    },
    Sweep {
        what: "revoked grants",
        batch: batch!(
            "DELETE FROM grants WHERE id IN
                (SELECT g.id FROM grants g
                 WHERE g.revoked_at <= $2
                   AND NOT EXISTS (SELECT 1 FROM access_tokens t WHERE t.grant_id = g.id)
                   AND $1 >= $2 LIMIT $3"
        ),
    },
];

/// Deletes until nothing expired is left or `batches` statements have run, and as many for throttles. The number of
/// rows.
pub async fn sweep(db: &Db, now: OffsetDateTime, batches: usize) -> Result<u64> {
    let mut swept = 0;
    let mut left = batches;
    for Sweep { what, batch } in SWEEPS {
        let done = in_batches(db, batch, left, |text| text.bind(now).bind(now - KEPT)).await?;
        left -= done.batches;
        swept += done.rows;
        if done.rows > 0 {
            tracing::debug!(rows = done.rows, "swept {what}");
        }
    }
    let throttles = in_batches(db, &THROTTLES, batches, |text| text.bind(now.unix_timestamp())).await?;
    Ok(swept + throttles.rows)
}

/// What was done of a sweep.
pub(super) struct Done {
    pub(super) rows: u64,
    /// Statements that ran.
    batches: usize,
}

/// Runs `batch` until it finds too little or has run `most` times. `bind` binds all but the last, the batch's size.
pub(super) async fn in_batches(
    db: &Db,
    batch: &Batch,
    most: usize,
    bind: impl for<'t> Fn(Statement<'t>) -> Statement<'t>,
) -> Result<Done> {
    let mut done = Done { rows: 0, batches: 0 };
    while done.batches < most {
        done.batches += 1;
        let begun = Instant::now();
        let text = db.command(match db {
            Db::Sqlite { .. } => batch.sqlite,
            Db::Postgres { .. } => batch.postgres,
        });
        let rows = bind(text).bind(BATCH).unhurried().execute().await?;
        done.rows += rows;
        if rows < BATCH.unsigned_abs() {
            break;
        }
        give_way(db, begun.elapsed()).await;
    }
    Ok(done)
}

/// SQLite's lock goes to whoever asks while it is free, and a process that waits asks a few times a second: if one
/// sweeps without a pause, a server beside it waits for seconds.
async fn give_way(db: &Db, took: std::time::Duration) {
    if matches!(db, Db::Sqlite { .. }) {
        tokio::time::sleep(took).await;
    }
}
