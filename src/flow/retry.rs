//! The lost answer: what a client that rotated a refresh token gets again when the first answer did not
//! reach it.
//!
//! It rests sealed under the presented refresh token (see [`super::seal`]).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::seal::Seal;
use crate::base::entropy::Entropy;
use crate::base::secret::{Secret, SecretHash};
use crate::model::grant::Family;
use crate::model::resource::Resources;
use crate::model::scope::Scopes;
use crate::protocol::token::TokenResponse;

const LABEL: &[u8] = b"tegata refresh_token retry v1";

/// What the answer is bound to: it opens for the same grant, application, granted scope and resources alone.
/// A copy of the request that asks for a token for another resource is no copy.
pub(super) struct Bound(String);

impl Bound {
    /// `scopes` are those that the token carried, `resources` those of the answer's access token.
    pub(super) fn to(family: &Family, scopes: &Scopes, resources: &Resources) -> Self {
        Self(format!(
            "{}\n{}\n{}\n{scopes}\n{resources}",
            family.grant_id, family.application_id, family.granted
        ))
    }
}

/// Seals `answer` under `token`. `None` never in practice: then the answer is not kept.
pub(super) fn seal(
    entropy: &Entropy,
    token: &Secret,
    bound: &Bound,
    answer: &TokenResponse,
) -> Option<Vec<u8>> {
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(answer).ok()?);
    under(token, bound).close(entropy, &plain)
}

/// Opens what [`seal`] gave, for the same token and bound alone.
pub(super) fn open(token: &Secret, bound: &Bound, sealed: &[u8]) -> Option<TokenResponse> {
    let plain = under(token, bound).open(sealed)?;
    serde_json::from_slice(&plain).ok()
}

fn under<'a>(token: &'a Secret, bound: &'a Bound) -> Seal<'a> {
    Seal {
        label: LABEL,
        secret: token,
        bound_to: &bound.0,
    }
}

/// Tells a burst from a thief. A client that fires a hundred copies of one refresh at once uses up the
/// bound, and that is no theft; a copy that *arrives* after the bound was used up is one.
#[derive(Debug, Default)]
pub(super) struct Exhausted {
    arrivals: AtomicU64,
    /// By token: how many requests had arrived when its bound was used up.
    at: Mutex<HashMap<[u8; 32], u64>>,
}

/// Most tokens remembered; forgetting one makes a late copy count as a thief's.
const MOST: usize = 4096;

impl Exhausted {
    /// The number of a request that arrives.
    pub(super) fn arrive(&self) -> u64 {
        self.arrivals.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn at(&self) -> MutexGuard<'_, HashMap<[u8; 32], u64>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last of the allowed answers for `token` is being given.
    pub(super) fn used_up(&self, token: SecretHash) {
        let Ok(key) = <[u8; 32]>::try_from(token.as_bytes()) else {
            return;
        };
        let mut at = self.at();
        if at.len() >= MOST {
            at.clear();
        }
        at.insert(key, self.arrivals.load(Ordering::SeqCst));
    }

    /// Whether the request `arrival` came after the last of the allowed answers. Where this node does not
    /// know when that was (another node gave it, or this one was restarted), it counts from now on.
    pub(super) fn came_after(&self, token: SecretHash, arrival: u64) -> bool {
        let Ok(key) = <[u8; 32]>::try_from(token.as_bytes()) else {
            return true;
        };
        let known = self.at().get(&key).copied();
        if known.is_none() {
            self.used_up(token);
        }
        known.is_some_and(|used_up| arrival > used_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::grant_type::GrantType;
    use crate::model::resource::Resource;
    use crate::protocol::token::TokenType;
    use time::OffsetDateTime;
    use uuid::Uuid;

    fn family() -> Family {
        Family {
            grant_id: Uuid::from_u128(1).into(),
            application_id: Uuid::from_u128(2).into(),
            user_id: Uuid::from_u128(3).into(),
            grant_type: GrantType::AuthorizationCode,
            granted: scopes(),
            resources: Resources::default(),
            ends_at: OffsetDateTime::UNIX_EPOCH,
            live: true,
            application_version: Some(1),
        }
    }

    fn scopes() -> Scopes {
        Scopes::parse("read write").unwrap()
    }

    fn answer() -> TokenResponse {
        TokenResponse {
            access_token: Secret::new("tga_a"),
            token_type: TokenType::Bearer,
            expires_in: 3600,
            refresh_token: Some(Secret::new("tgr_b")),
            scope: "read".into(),
            created_at: 1_700_000_000,
        }
    }

    fn bound() -> Bound {
        Bound::to(&family(), &scopes(), &Resources::default())
    }

    #[test]
    fn the_same_token_opens_the_same_answer() {
        let token = Secret::new("tgr_old");
        let sealed = seal(&Entropy::System, &token, &bound(), &answer()).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("tga_a"));
        let opened = open(&token, &bound(), &sealed).unwrap();
        assert_eq!(opened.access_token.expose(), "tga_a");
        assert_eq!(opened.refresh_token.unwrap().expose(), "tgr_b");
    }

    #[test]
    fn another_token_opens_nothing() {
        let token = Secret::new("tgr_old");
        let sealed = seal(&Entropy::System, &token, &bound(), &answer()).unwrap();
        assert!(open(&Secret::new("tgr_other"), &bound(), &sealed).is_none());
        let mut flipped = sealed;
        flipped[20] ^= 1;
        assert!(open(&token, &bound(), &flipped).is_none());
        assert!(open(&token, &bound(), &[0; 5]).is_none());
    }

    #[test]
    fn another_grant_application_scope_or_resource_opens_nothing() {
        let token = Secret::new("tgr_old");
        let sealed = seal(&Entropy::System, &token, &bound(), &answer()).unwrap();
        let narrower = Scopes::parse("read").unwrap();
        let api = Resources::from_iter([Resource::parse("https://api.example").unwrap()]);
        let another_grant = Family {
            grant_id: Uuid::from_u128(9).into(),
            ..family()
        };
        let another_application = Family {
            application_id: Uuid::from_u128(9).into(),
            ..family()
        };
        let granted_less = Family {
            granted: narrower.clone(),
            ..family()
        };
        for other in [
            Bound::to(&another_grant, &scopes(), &Resources::default()),
            Bound::to(&another_application, &scopes(), &Resources::default()),
            Bound::to(&granted_less, &scopes(), &Resources::default()),
            Bound::to(&family(), &narrower, &Resources::default()),
            Bound::to(&family(), &scopes(), &api),
        ] {
            assert!(open(&token, &other, &sealed).is_none(), "{}", other.0);
        }
    }

    #[test]
    fn who_was_already_there_when_the_bound_was_used_up_is_no_thief() {
        let exhausted = Exhausted::default();
        let token = SecretHash::of("tgr_x");
        let (early, also_early) = (exhausted.arrive(), exhausted.arrive());
        assert!(!exhausted.came_after(SecretHash::of("tgr_y"), early));
        assert!(exhausted.came_after(SecretHash::of("tgr_y"), exhausted.arrive()));
        exhausted.used_up(token);
        assert!(!exhausted.came_after(token, early));
        assert!(!exhausted.came_after(token, also_early));
        assert!(exhausted.came_after(token, exhausted.arrive()));
    }
}
