//! Browser sessions as they rest in the store.

use time::OffsetDateTime;

use crate::base::secret::SecretHash;

/// A session row as a user's account page lists it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SessionRow {
    pub hash: Vec<u8>,
    pub data: String,
    pub created_at: OffsetDateTime,
    pub seen_at: OffsetDateTime,
}

impl SessionRow {
    pub fn is(&self, hash: SecretHash) -> bool {
        SecretHash::from_stored(&self.hash) == Some(hash)
    }
}
