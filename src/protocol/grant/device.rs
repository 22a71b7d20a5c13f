//! Polling with a device code (RFC 8628 §3.4, §3.5).

use time::OffsetDateTime;

use crate::model::device::DeviceCode;
use crate::model::ids::{ApplicationId, GrantId};
use crate::protocol::error::{ErrorCode, OAuthError};

/// So many seconds are added to the interval by each poll that comes too early (RFC 8628 §3.5).
pub const SLOWER_BY: i64 = 5;

/// What is to be done about a device code that is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody has decided yet: look at how long ago the last poll was.
    Wait,
    /// Issue, unless another poll redeems it first.
    Redeem(GrantId),
    Denied,
    Expired,
    /// For all we can tell it is not this client's code, or it was used.
    Refuse,
}

/// The order matters. Whose code it is comes first, so that another client neither slows the device down
/// nor learns anything. A used code stays used when it has expired, and a denied one denied; an authorized
/// one that nobody came for expires.
pub fn judge(code: &DeviceCode, client: ApplicationId, now: OffsetDateTime) -> Verdict {
    if code.application_id != client || code.used_at.is_some() {
        return Verdict::Refuse;
    }
    if code.decided_at.is_some() && code.grant_id.is_none() {
        return Verdict::Denied;
    }
    if now >= code.expires_at {
        return Verdict::Expired;
    }
    code.grant_id.map_or(Verdict::Wait, Verdict::Redeem)
}

/// One answer for every bad code, so that nobody learns which codes there are.
pub fn refused() -> OAuthError {
    OAuthError::invalid_grant(
        "The device code is unknown, used, or of another application; start again at the device authorization \
         endpoint",
    )
}

pub fn pending() -> OAuthError {
    OAuthError::new(
        ErrorCode::AuthorizationPending,
        "Nobody has decided yet: ask again after the interval",
    )
}

pub fn too_early() -> OAuthError {
    OAuthError::new(
        ErrorCode::SlowDown,
        "Asked too early: wait 5 seconds longer than before, now and from now on",
    )
}

pub fn denied() -> OAuthError {
    OAuthError::access_denied("The user denied the request")
}

pub fn expired() -> OAuthError {
    OAuthError::new(
        ErrorCode::ExpiredToken,
        "The device code has expired; start again at the device authorization endpoint",
    )
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(unix: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(unix).unwrap()
    }

    fn client(n: u128) -> ApplicationId {
        Uuid::from_u128(n).into()
    }

    fn grant() -> GrantId {
        Uuid::from_u128(9).into()
    }

    /// One of the states that a code goes through.
    fn code(state: &str) -> DeviceCode {
        DeviceCode {
            application_id: client(1),
            application_version: Some(1),
            expires_at: at(600),
            decided_at: (state != "waiting").then(|| at(100)),
            grant_id: matches!(state, "authorized" | "used").then(grant),
            used_at: (state == "used").then(|| at(110)),
        }
    }

    #[test]
    fn each_state_has_its_answer_before_and_after_the_end() {
        for (state, before, after) in [
            ("waiting", Verdict::Wait, Verdict::Expired),
            ("authorized", Verdict::Redeem(grant()), Verdict::Expired),
            ("denied", Verdict::Denied, Verdict::Denied),
            ("used", Verdict::Refuse, Verdict::Refuse),
        ] {
            assert_eq!(judge(&code(state), client(1), at(599)), before, "{state}");
            assert_eq!(judge(&code(state), client(1), at(600)), after, "{state}, expired");
        }
    }

    #[test]
    fn another_client_learns_nothing() {
        for state in ["waiting", "authorized", "denied", "used"] {
            for now in [at(599), at(600)] {
                assert_eq!(judge(&code(state), client(2), now), Verdict::Refuse, "{state}");
            }
        }
    }
}
