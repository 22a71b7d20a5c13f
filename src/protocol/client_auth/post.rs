//! `client_secret_post` and `none`: credentials or a name alone in the body (RFC 6749 §2.3.1, §3.2.1).

use super::{AuthMethod, ClientCertificate, Presented};
use crate::base::secret::Secret;
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::reason::Reason;

/// The client parameters of a body.
#[derive(Clone, Copy)]
pub(super) struct Body<'a> {
    pub(super) client_id: Option<&'a str>,
    pub(super) secret: Option<&'a str>,
}

pub(super) fn find(params: &Params) -> Result<Body<'_>, OAuthError> {
    for name in ["client_id", "client_secret"] {
        if params.repeated(name) {
            return Err(OAuthError::invalid_request(format!("Repeated parameter: {name}"))
                .because(Reason::ParameterRepeated.at(name)));
        }
    }
    Ok(Body {
        client_id: params.get("client_id"),
        secret: params.get("client_secret"),
    })
}

impl Body<'_> {
    pub(super) fn read(self) -> Result<Presented, OAuthError> {
        let client_id = self
            .client_id
            .ok_or_else(|| OAuthError::invalid_client("No client authentication was sent"))?;
        let method = if self.secret.is_some() {
            AuthMethod::Post
        } else {
            AuthMethod::None
        };
        let secrets = self.secret.map(Secret::new).into_iter().collect();
        Ok(Presented {
            client_id: client_id.to_owned(),
            method,
            secrets,
            was_basic: false,
            certificate: ClientCertificate::Absent,
        })
    }
}
