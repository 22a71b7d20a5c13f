//! OAuth 1.0a (RFC 5849), for applications that know nothing newer. Apart from the rest: nothing of OAuth 2.0 uses
//! anything from here.

pub mod access_token;
pub mod authorize;
pub(super) mod consumers;
pub(super) mod nonces;
pub mod request_token;
pub mod verify;

use super::error::Refusal;
use super::{App, sealing};
use crate::base::secret::{Secret, SecretHash};
use crate::model::application::ApplicationSettings;
use crate::model::grant_type::GrantType;
use crate::model::oauth1::{TOKEN_PREFIX, bound_to_token};
use crate::model::redirect_uri::RedirectUri;
use crate::model::scope::{Scope, Scopes};
use crate::protocol::scope::{APPLICATIONS, ScopeRules};

pub use consumers::rotate as rotate_consumer_secret;

/// Whether this server speaks it at all.
pub fn enabled(app: &App) -> bool {
    app.config.oauth1
}

/// A token with its secret, and how the secret rests.
struct FreshToken {
    token: Secret,
    secret: Secret,
    hash: SecretHash,
    sealed: Vec<u8>,
}

impl FreshToken {
    async fn generate(app: &App) -> Result<Self, Refusal> {
        let token = Secret::generate(&app.entropy, TOKEN_PREFIX);
        let secret = Secret::generate(&app.entropy, TOKEN_PREFIX);
        let hash = token.hash();
        let sealed = sealing::seal(app, &bound_to_token(hash), secret.expose().as_bytes()).await?;
        Ok(Self {
            token,
            secret,
            hash,
            sealed,
        })
    }
}

/// What a token of an application carries: all that the application may be granted through a browser. A request of
/// OAuth 1.0a cannot name scopes, so those that are only granted by name are left out.
fn scopes(app: &App, application: &ApplicationSettings) -> Scopes {
    let by_name: Scopes = Scope::parse(APPLICATIONS).into_iter().collect();
    app.catalog
        .grantable(ScopeRules::of(application, GrantType::AuthorizationCode))
        .without_patterns()
        .difference(&by_name)
}

/// Whether an answer may go to `callback`: a redirect URI, or `oob` where codes may be shown to be copied.
fn may_call_back(application: &ApplicationSettings, callback: &str) -> bool {
    use crate::model::oauth1::OUT_OF_BAND;

    if callback == OUT_OF_BAND {
        return application.redirect_uris.iter().any(RedirectUri::is_oob);
    }
    application
        .redirect_uri(callback)
        .is_some_and(|uri| !uri.is_oob())
}
