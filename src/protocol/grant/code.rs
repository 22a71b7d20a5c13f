//! Redeeming an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.6).

use time::OffsetDateTime;

use crate::model::ids::ApplicationId;
use crate::model::token::AuthorizationCode;
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::reason::Reason;

/// So many wrong verifiers or redirect URIs burn a code: an attacker who has the code and the client's
/// credentials must not guess on.
const MOST_FAILURES: i64 = 5;

/// What the client presents beside the code.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    pub redirect_uri: Option<&'a str>,
    pub code_verifier: Option<&'a str>,
}

impl<'a> Presented<'a> {
    pub fn of(params: &'a Params) -> Self {
        Self {
            redirect_uri: params.get("redirect_uri"),
            code_verifier: params.get("code_verifier"),
        }
    }
}

/// What is to be done about a code that is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Issue, unless another request consumes it first.
    Redeem,
    /// It was redeemed before, and whoever has it now proves all the same: one of the two stole it.
    Replay,
    /// Refuse and count: the code is live, the proof is wrong.
    Fail(Reason),
    /// Refuse, and change nothing: for all we can tell it is not this client's code.
    Refuse(Reason),
}

/// The order matters. Whose code it is comes first, so that another client neither burns it nor learns
/// anything. The proofs come before the use, so that a replay without them does not revoke the good
/// client's tokens.
pub fn judge(
    code: &AuthorizationCode,
    client: ApplicationId,
    presented: Presented<'_>,
    now: OffsetDateTime,
) -> Verdict {
    if code.family.application_id != client {
        return Verdict::Refuse(Reason::CodeUnknown);
    }
    if code.failures >= MOST_FAILURES {
        return Verdict::Refuse(Reason::CodeBurnt);
    }
    if let Err(reason) = proven(code, presented) {
        return if code.used_at.is_some() {
            Verdict::Refuse(Reason::CodeUsed)
        } else {
            Verdict::Fail(reason)
        };
    }
    if code.used_at.is_some() {
        return Verdict::Replay;
    }
    if now >= code.expires_at {
        return Verdict::Refuse(Reason::CodeExpired);
    }
    if !code.family.live {
        return Verdict::Refuse(Reason::GrantEnded);
    }
    Verdict::Redeem
}

fn proven(code: &AuthorizationCode, presented: Presented<'_>) -> Result<(), Reason> {
    match presented.redirect_uri {
        Some(sent) if sent != code.redirect_uri => return Err(Reason::CodeRedirectUriDiffers),
        None if code.redirect_uri_sent => return Err(Reason::CodeRedirectUriMissing),
        _ => {}
    }
    // A verifier without a challenge is refused too: the challenge may have been stripped from the
    // request (RFC 9700 §2.1.1).
    match (&code.code_challenge, presented.code_verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Reason::VerifierUnexpected),
        (Some(_), None) => Err(Reason::VerifierMissing),
        (Some(challenge), Some(verifier)) => CodeChallenge::from_stored(challenge.clone())
            .filter(|challenge| challenge.verifies(verifier))
            .map(drop)
            .ok_or(Reason::VerifierDiffers),
    }
}

/// One answer for every bad code, so that nobody learns which codes there are.
pub fn refused() -> OAuthError {
    OAuthError::invalid_grant(
        "The authorization code is unknown, expired or used, or its redirect_uri or code_verifier does not match; \
         start again at the authorization endpoint",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::grant::Family;
    use crate::model::grant_type::GrantType;
    use crate::model::ids::{GrantId, UserId};
    use crate::model::resource::Resources;
    use crate::model::scope::Scopes;
    use uuid::Uuid;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn at(unix: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(unix).unwrap()
    }

    fn client(n: u128) -> ApplicationId {
        Uuid::from_u128(n).into()
    }

    fn code() -> AuthorizationCode {
        AuthorizationCode {
            family: Family {
                grant_id: GrantId::from(Uuid::from_u128(9)),
                application_id: client(1),
                user_id: UserId::from(Uuid::from_u128(8)),
                grant_type: GrantType::AuthorizationCode,
                granted: Scopes::parse("read").unwrap(),
                resources: Resources::default(),
                ends_at: at(10_000),
                live: true,
                application_version: Some(1),
            },
            redirect_uri: "https://c.example/cb".into(),
            redirect_uri_sent: true,
            code_challenge: Some(CHALLENGE.into()),
            expires_at: at(160),
            used_at: None,
            failures: 0,
        }
    }

    fn good() -> Presented<'static> {
        Presented {
            redirect_uri: Some("https://c.example/cb"),
            code_verifier: Some(VERIFIER),
        }
    }

    #[test]
    fn only_the_all_good_row_of_the_truth_table_redeems() {
        for row in 0..32_u8 {
            let bit = |n: u8| row & (1 << n) != 0;
            let mut code = code();
            code.used_at = bit(2).then(|| at(120));
            let presented = Presented {
                redirect_uri: Some(if bit(3) {
                    "https://c.example/other"
                } else {
                    "https://c.example/cb"
                }),
                code_verifier: if bit(4) {
                    Some("x".repeat(43).leak())
                } else {
                    Some(VERIFIER)
                },
            };
            let now = if bit(1) { at(160) } else { at(159) };
            let verdict = judge(&code, client(if bit(0) { 2 } else { 1 }), presented, now);
            assert_eq!(verdict == Verdict::Redeem, row == 0, "row {row}: {verdict:?}");
        }
    }

    #[test]
    fn a_replay_with_every_proof_is_a_replay_and_without_is_not() {
        let used = AuthorizationCode {
            used_at: Some(at(110)),
            ..code()
        };
        assert_eq!(judge(&used, client(1), good(), at(5_000)), Verdict::Replay);
        let wrong = Presented {
            code_verifier: None,
            ..good()
        };
        assert_eq!(
            judge(&used, client(1), wrong, at(120)),
            Verdict::Refuse(Reason::CodeUsed)
        );
        assert_eq!(
            judge(&used, client(2), good(), at(120)),
            Verdict::Refuse(Reason::CodeUnknown)
        );
    }

    #[test]
    fn a_verifier_without_a_challenge_is_refused() {
        let plain = AuthorizationCode {
            code_challenge: None,
            ..code()
        };
        assert!(matches!(
            judge(&plain, client(1), good(), at(110)),
            Verdict::Fail(Reason::VerifierUnexpected)
        ));
        let none = Presented {
            code_verifier: None,
            ..good()
        };
        assert_eq!(judge(&plain, client(1), none, at(110)), Verdict::Redeem);
        assert!(matches!(
            judge(&code(), client(1), none, at(110)),
            Verdict::Fail(Reason::VerifierMissing)
        ));
    }

    #[test]
    fn the_redirect_uri_must_be_repeated_where_it_was_sent() {
        let missing = Presented {
            redirect_uri: None,
            ..good()
        };
        assert!(matches!(
            judge(&code(), client(1), missing, at(110)),
            Verdict::Fail(Reason::CodeRedirectUriMissing)
        ));
        let implied = AuthorizationCode {
            redirect_uri_sent: false,
            ..code()
        };
        assert_eq!(judge(&implied, client(1), missing, at(110)), Verdict::Redeem);
        assert_eq!(judge(&implied, client(1), good(), at(110)), Verdict::Redeem);
    }

    #[test]
    fn five_failures_burn_it() {
        let burnt = AuthorizationCode {
            failures: 5,
            ..code()
        };
        assert_eq!(
            judge(&burnt, client(1), good(), at(110)),
            Verdict::Refuse(Reason::CodeBurnt)
        );
    }
}
