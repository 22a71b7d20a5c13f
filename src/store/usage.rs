//! When applications, secrets and grants were last used: written now and then, many rows a statement.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Db, Result, Statement};

/// Ids a statement.
pub const BATCH: usize = 16;

/// What a last use is remembered of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Used {
    Application,
    Secret,
    Grant,
}

/// Remembers that all of `ids` (at most [`BATCH`]) were used at `at`.
pub async fn touch(db: &Db, what: Used, ids: &[Uuid], at: OffsetDateTime) -> Result<()> {
    let Some(&first) = ids.first() else { return Ok(()) };
    let statement = db.command(match what {
        Used::Application => {
            "UPDATE applications SET last_used_at = $1
             WHERE id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        }
        Used::Secret => {
            "UPDATE application_secrets SET last_used_at = $1
             WHERE id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        }
        Used::Grant => {
            "UPDATE grants SET last_used_at = $1
             WHERE id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        }
    });
    // In one order on every node, so that two that write the same rows wait for each other instead of dying.
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    let padded = ids.into_iter().chain(std::iter::repeat(first)).take(BATCH);
    padded
        .fold(statement.bind(at), Statement::bind)
        .execute()
        .await
        .map(drop)
}
