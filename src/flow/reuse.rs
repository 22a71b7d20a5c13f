//! The same access token again, for an application that is set up so.
//!
//! It is given again by `client_credentials` and by a refresh within one grant, never by a new authorization:
//! that has a grant of its own, and a token of another one would outlive its withdrawal or die of it.
//!
//! It rests sealed under the secret that the application presents. One that authenticates by a secret that a
//! person chose gets new tokens: a copy of the store could be tried with guesses. So does one that has rotated
//! its secret.

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::App;
use super::client_auth::Authenticated;
use super::error::Refusal;
use super::seal::Seal;
use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::model::grant::Family;
use crate::model::grant_type::GrantType;
use crate::model::resource::Resources;
use crate::model::scope::Scopes;
use crate::protocol::token::is_good_for_long;
use crate::store;
use crate::store::access_tokens::Sealed;

const LABEL: &[u8] = b"tegata access_token reuse v1";

/// What a token was issued for: who asks for exactly the same may have it again.
pub(super) struct Reuse {
    secret: Secret,
    bound_to: String,
}

/// A token that was issued before.
pub(super) struct Again {
    pub(super) token: Secret,
    pub(super) created_at: OffsetDateTime,
    pub(super) expires_at: OffsetDateTime,
}

impl Reuse {
    /// `family` is absent where no user was asked. `None` where the application is to have new tokens.
    pub(super) fn of(
        client: &Authenticated,
        family: Option<&Family>,
        scopes: &Scopes,
        resources: &Resources,
    ) -> Option<Self> {
        let secret = client.generated_secret.clone()?;
        let application = client.application();
        if !application.settings.reuse_access_token {
            return None;
        }
        let (grant, user) = family.map_or_else(Default::default, |family| {
            (family.grant_id.to_string(), family.user_id.to_string())
        });
        let by = &client.by;
        Some(Self {
            secret,
            bound_to: format!("{}\n{by}\n{grant}\n{user}\n{scopes}\n{resources}", application.id),
        })
    }

    fn key(&self) -> Vec<u8> {
        Sha256::new()
            .chain_update(LABEL)
            .chain_update(&self.bound_to)
            .finalize()
            .to_vec()
    }

    fn as_seal(&self) -> Seal<'_> {
        Seal {
            label: LABEL,
            secret: &self.secret,
            bound_to: &self.bound_to,
        }
    }

    pub(super) fn seal(&self, entropy: &Entropy, token: &Secret) -> Option<Sealed> {
        Some(Sealed {
            key: self.key(),
            sealed: self.as_seal().close(entropy, token.expose().as_bytes())?,
        })
    }

    fn open(&self, sealed: &[u8]) -> Option<Secret> {
        let plain = self.as_seal().open(sealed)?;
        Some(Secret::new(std::str::from_utf8(&plain).ok()?))
    }
}

/// The token that the application has for the same, while it is good for at least half its life and no
/// longer than a new one would be.
///
/// # Errors
/// That the store did not do it.
pub(super) async fn find(
    app: &App,
    client: &Authenticated,
    reuse: Option<&Reuse>,
    grant: GrantType,
    now: OffsetDateTime,
) -> Result<Option<Again>, Refusal> {
    let Some(reuse) = reuse else { return Ok(None) };
    let application = client.application();
    let found = store::access_tokens::find_sealed(&app.db, reuse.key(), application.version, now).await?;
    let lifetime = app.lifetimes(&application.settings, grant).access_token;
    Ok(found
        .filter(|found| is_good_for_long(found.created_at, found.expires_at, lifetime, now))
        .and_then(|found| {
            Some(Again {
                token: reuse.open(&found.sealed)?,
                created_at: found.created_at,
                expires_at: found.expires_at,
            })
        }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reuse(secret: &str, bound_to: &str) -> Reuse {
        Reuse {
            secret: Secret::new(secret),
            bound_to: bound_to.to_owned(),
        }
    }

    #[test]
    fn a_token_opens_to_the_same_secret_and_the_same_request_alone() {
        let token = Secret::new("tga_a");
        let kept = reuse("tgs_a", "one").seal(&Entropy::System, &token).unwrap();
        assert!(!String::from_utf8_lossy(&kept.sealed).contains("tga_a"));
        let opened = |secret, bound_to| reuse(secret, bound_to).open(&kept.sealed);
        assert_eq!(opened("tgs_a", "one").unwrap().expose(), "tga_a");
        assert!(opened("tgs_b", "one").is_none());
        assert!(opened("tgs_a", "two").is_none());
        assert_ne!(reuse("tgs_a", "one").key(), reuse("tgs_a", "two").key());
    }
}
