//! OAuth 1.0a (RFC 5849): who may speak it, and the way from a request token to an access token.

use time::OffsetDateTime;

use super::application::Application;
use super::ids::{ApplicationId, GrantId, UserId};
use super::scope::Scopes;
use crate::base::secret::{Secret, SecretHash};

/// What every token begins with; 43 base64url characters follow, as after the prefixes of OAuth 2.0.
pub const TOKEN_PREFIX: &str = "tgo_";
/// The callback of who has no address to be called back at (RFC 5849 §2.1).
pub const OUT_OF_BAND: &str = "oob";

/// What a signature is checked with.
#[derive(Clone, Debug)]
pub struct Consumer {
    pub application: Application,
    pub secret: Secret,
    /// `SubjectPublicKeyInfo` in DER, for RSA-SHA1.
    pub rsa_public_key: Option<Vec<u8>>,
}

/// A request token (RFC 5849 §2.1) with its secret opened. It is a consumer's: whose, says `application_id`.
#[derive(Clone, Debug)]
pub struct RequestToken {
    pub application_id: ApplicationId,
    pub secret: Secret,
    /// [`OUT_OF_BAND`], or the redirect URI.
    pub callback: String,
    /// Who was shown it, and once it is decided who decided.
    pub user_id: Option<UserId>,
    /// What the user authorized; `None` until then, and where the user denied it.
    pub grant_id: Option<GrantId>,
    pub verifier_hash: Option<Vec<u8>>,
    pub scopes: Scopes,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub decided_at: Option<OffsetDateTime>,
    pub used_at: Option<OffsetDateTime>,
}

/// To which row a consumer's secret is sealed.
pub fn bound_to_consumer(application: ApplicationId) -> String {
    format!("oauth1_consumer {application}")
}

/// To which row the secret of a request token or an access token is sealed.
pub fn bound_to_token(hash: SecretHash) -> String {
    use std::fmt::Write;

    let mut text = "oauth1_token ".to_owned();
    for byte in hash.as_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
