//! Token revocation (RFC 7009).

use super::error::OAuthError;
use super::params::Params;
use super::token::TokenHint;
use crate::base::secret::Secret;

/// A request to revoke (RFC 7009 §2.1). The hint is only that: a wrong or unknown one changes nothing.
#[derive(Clone, Debug)]
pub struct RevocationRequest {
    pub token: Secret,
    pub hint: Option<TokenHint>,
}

impl RevocationRequest {
    /// `invalid_request` where `token` is missing or a parameter is repeated.
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        params.reject_repeated()?;
        let token = Secret::new(params.require("token")?);
        Ok(Self {
            token,
            hint: TokenHint::parse(params.get("token_type_hint")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<RevocationRequest, OAuthError> {
        RevocationRequest::parse(&Params::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn the_token_is_required() {
        let request = parse("token=tgr_x&token_type_hint=refresh_token").unwrap();
        assert_eq!(
            (request.token.expose(), request.hint),
            ("tgr_x", Some(TokenHint::RefreshToken))
        );
        assert!(parse("token=&token_type_hint=refresh_token").is_err());
        assert!(parse("token=a&token=b").is_err());
    }

    #[test]
    fn an_unknown_hint_is_ignored() {
        assert_eq!(parse("token=a&token_type_hint=saml").unwrap().hint, None);
    }
}
