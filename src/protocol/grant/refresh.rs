//! Refreshing (RFC 6749 §6) with rotation (RFC 9700 §4.14.2).

use time::OffsetDateTime;

use crate::model::certificate::Thumbprint;
use crate::model::ids::ApplicationId;
use crate::model::scope::Scopes;
use crate::model::token::RefreshToken;
use crate::protocol::client_auth::way_of;
use crate::protocol::error::OAuthError;
use crate::protocol::reason::Reason;

/// How often a lost answer is given again within its window.
pub const MOST_RETRIES: i64 = 10;

/// What is to be done about a refresh token that is presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Refresh, unless another request rotates it first.
    Refresh,
    /// It was rotated a moment ago by the same client, whose answer may be lost: give the same again.
    AnswerAgain,
    /// It was rotated and comes again: it, or its successor, is in the wrong hands.
    Replay,
    /// Refuse and change nothing.
    Refuse(Reason),
}

/// `client` is who asks, `authenticated_by` how: a lost answer is given again to the same way alone. It is bound to
/// the certificate that it was made for; a replica of the client that asks for it with its own is no thief.
/// `certificate` is the connection's: without the one that it is bound to, a token is nobody's, so that neither
/// does its family die of whoever found it.
/// Whose token it is comes first, so that another client cannot kill the family.
pub fn judge(
    token: &RefreshToken,
    client: ApplicationId,
    authenticated_by: &str,
    certificate: Option<&Thumbprint>,
    now: OffsetDateTime,
) -> Verdict {
    if token.family.application_id != client {
        return Verdict::Refuse(Reason::RefreshTokenUnknown);
    }
    if token.certificate.is_some() && token.certificate.as_ref() != certificate {
        return Verdict::Refuse(Reason::CertificateDiffers);
    }
    if !token.family.live || now >= token.family.ends_at {
        return Verdict::Refuse(Reason::GrantEnded);
    }
    if token.used_at.is_none() {
        return if now < token.expires_at {
            Verdict::Refresh
        } else {
            Verdict::Refuse(Reason::RefreshTokenExpired)
        };
    }
    let in_window = token.retry_until.is_some_and(|end| now < end);
    if token.retry_sealed.is_none() || !in_window {
        return Verdict::Replay;
    }
    match token.retry_client.as_deref() {
        Some(first) if first == authenticated_by => Verdict::AnswerAgain,
        Some(first) if way_of(first) == way_of(authenticated_by) => {
            Verdict::Refuse(Reason::CertificateDiffers)
        }
        _ => Verdict::Replay,
    }
}

/// The scopes of the new access token: what is asked, never more than was granted (RFC 6749 §6).
///
/// # Errors
/// `invalid_scope`.
pub fn scopes(granted: &Scopes, asked: Option<&str>) -> Result<Scopes, OAuthError> {
    let Some(asked) = asked else {
        return Ok(granted.clone());
    };
    let asked = Scopes::parse(asked).map_err(|_| {
        OAuthError::invalid_scope("scope is a list of names separated by spaces")
            .because(Reason::ScopeMalformed)
    })?;
    if asked.is_empty() {
        return Ok(granted.clone());
    }
    if asked.is_subset(granted) {
        return Ok(asked);
    }
    Err(OAuthError::invalid_scope(format!(
        "A refresh can narrow what was granted, never widen it; granted is: {granted}"
    ))
    .because(Reason::ScopeWidened))
}

/// One answer for every bad refresh token.
pub fn refused() -> OAuthError {
    OAuthError::invalid_grant(
        "The refresh token is unknown, expired, revoked or used; send the user through authorization again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::grant::Family;
    use crate::model::grant_type::GrantType;
    use crate::model::ids::{GrantId, UserId};
    use crate::model::resource::Resources;
    use crate::protocol::client_auth::proven_by;
    use uuid::Uuid;

    fn at(unix: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(unix).unwrap()
    }

    fn client(n: u128) -> ApplicationId {
        Uuid::from_u128(n).into()
    }

    fn fresh() -> RefreshToken {
        RefreshToken {
            family: Family {
                grant_id: GrantId::from(Uuid::from_u128(9)),
                application_id: client(1),
                user_id: UserId::from(Uuid::from_u128(8)),
                grant_type: GrantType::AuthorizationCode,
                granted: Scopes::parse("read write").unwrap(),
                resources: Resources::default(),
                ends_at: at(10_000),
                live: true,
                application_version: Some(1),
            },
            parent_hash: None,
            scopes: Scopes::parse("read write").unwrap(),
            expires_at: at(1_000),
            used_at: None,
            retry_sealed: None,
            retry_client: None,
            retry_until: None,
            retry_count: 0,
            certificate: None,
        }
    }

    fn rotated() -> RefreshToken {
        RefreshToken {
            used_at: Some(at(100)),
            retry_sealed: Some(vec![1]),
            retry_client: Some("secret".into()),
            retry_until: Some(at(110)),
            ..fresh()
        }
    }

    #[test]
    fn a_live_one_is_rotated_and_a_dead_one_refused() {
        assert_eq!(
            judge(&fresh(), client(1), "secret", None, at(999)),
            Verdict::Refresh
        );
        assert_eq!(
            judge(&fresh(), client(1), "secret", None, at(1_000)),
            Verdict::Refuse(Reason::RefreshTokenExpired)
        );
        assert_eq!(
            judge(&fresh(), client(2), "secret", None, at(999)),
            Verdict::Refuse(Reason::RefreshTokenUnknown)
        );
        let mut revoked = fresh();
        revoked.family.live = false;
        assert_eq!(
            judge(&revoked, client(1), "secret", None, at(999)),
            Verdict::Refuse(Reason::GrantEnded)
        );
    }

    #[test]
    fn the_absolute_end_holds_however_often_it_was_used() {
        let used_daily = RefreshToken {
            expires_at: at(20_000),
            ..fresh()
        };
        assert_eq!(
            judge(&used_daily, client(1), "secret", None, at(10_000)),
            Verdict::Refuse(Reason::GrantEnded)
        );
    }

    #[test]
    fn a_lost_answer_is_given_again_to_the_same_client_within_the_window() {
        assert_eq!(
            judge(&rotated(), client(1), "secret", None, at(109)),
            Verdict::AnswerAgain
        );
        assert_eq!(
            judge(&rotated(), client(1), "secret", None, at(110)),
            Verdict::Replay
        );
        assert_eq!(
            judge(&rotated(), client(1), "other secret", None, at(109)),
            Verdict::Replay
        );
        assert_eq!(
            judge(&rotated(), client(2), "secret", None, at(109)),
            Verdict::Refuse(Reason::RefreshTokenUnknown)
        );
    }

    #[test]
    fn an_answer_that_is_bound_is_refused_to_another_certificate_and_nothing_dies_of_it() {
        let [own, other] = [&b"own"[..], b"other"].map(Thumbprint::of);
        let sealed = RefreshToken {
            retry_client: Some(proven_by("secret", Some(&own))),
            ..rotated()
        };
        let erased = RefreshToken {
            retry_sealed: None,
            ..sealed.clone()
        };
        let differs = Verdict::Refuse(Reason::CertificateDiffers);
        for (token, way, certificate, second, expected) in [
            (&sealed, "secret", Some(&own), 109, Verdict::AnswerAgain),
            (&sealed, "secret", Some(&other), 109, differs.clone()),
            (&sealed, "secret", None, 109, differs),
            (&sealed, "secret", Some(&other), 110, Verdict::Replay),
            (&sealed, "other", Some(&own), 109, Verdict::Replay),
            (&sealed, "other", Some(&other), 109, Verdict::Replay),
            (&erased, "secret", Some(&other), 109, Verdict::Replay),
        ] {
            let by = proven_by(way, certificate);
            let verdict = judge(token, client(1), &by, certificate, at(second));
            assert_eq!(verdict, expected, "{by} at {second}");
        }
    }

    #[test]
    fn one_that_is_bound_is_nobodys_without_its_certificate() {
        let [own, other] = [&b"own"[..], b"other"].map(Thumbprint::of);
        for found in [fresh(), rotated()] {
            let bound = RefreshToken {
                certificate: Some(own.clone()),
                ..found.clone()
            };
            let judged = |certificate| judge(&bound, client(1), "secret", certificate, at(105));
            let unbound = judge(&found, client(1), "secret", Some(&other), at(105));
            assert_eq!(judged(Some(&own)), unbound);
            for wrong in [None, Some(&other)] {
                assert_eq!(judged(wrong), Verdict::Refuse(Reason::CertificateDiffers));
            }
        }
    }

    #[test]
    fn an_erased_answer_makes_it_a_replay() {
        let ancestor = RefreshToken {
            retry_sealed: None,
            ..rotated()
        };
        assert_eq!(
            judge(&ancestor, client(1), "secret", None, at(105)),
            Verdict::Replay
        );
    }

    #[test]
    fn a_refresh_narrows_and_never_widens() {
        let granted = Scopes::parse("read write").unwrap();
        assert_eq!(scopes(&granted, None).unwrap(), granted);
        assert_eq!(
            scopes(&granted, Some("read")).unwrap(),
            Scopes::parse("read").unwrap()
        );
        assert!(scopes(&granted, Some("read admin")).is_err());
    }
}
