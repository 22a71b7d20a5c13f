//! `client_secret_basic`: the `Authorization` header (RFC 6749 §2.3.1, RFC 7617).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{AuthMethod, ClientCertificate, Presented};
use crate::base::form;
use crate::base::secret::Secret;
use crate::protocol::bearer::after_scheme;
use crate::protocol::error::OAuthError;
use crate::protocol::reason::Reason;

/// What follows `Basic` in the one header there may be.
pub(super) fn find<'a>(authorization: &[&'a [u8]]) -> Result<Option<&'a [u8]>, OAuthError> {
    match authorization {
        [] => Ok(None),
        [one] => Ok(after_scheme(one, "basic")),
        _ => Err(
            OAuthError::invalid_request("More than one Authorization header was sent")
                .because(Reason::SeveralMechanisms),
        ),
    }
}

/// `body_client_id` may repeat the name, never change it.
pub(super) fn read(encoded: &[u8], body_client_id: Option<&str>) -> Result<Presented, OAuthError> {
    let credentials = decode(encoded).ok_or_else(malformed)?;
    let (id, password) = credentials.split_once(':').ok_or_else(malformed)?;
    let client_id = form::decode(id.as_bytes()).unwrap_or_else(|_| id.to_owned());
    if client_id.is_empty() || client_id.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(malformed());
    }
    if body_client_id.is_some_and(|other| other != client_id) {
        return Err(OAuthError::invalid_request(
            "client_id differs from the one in the Authorization header",
        )
        .because(Reason::SeveralMechanisms));
    }
    let secrets = readings(password);
    let method = if secrets.is_empty() {
        AuthMethod::None
    } else {
        AuthMethod::Basic
    };
    Ok(Presented {
        client_id,
        method,
        secrets,
        was_basic: true,
        certificate: ClientCertificate::Absent,
    })
}

fn decode(encoded: &[u8]) -> Option<Zeroizing<String>> {
    let bytes = STANDARD.decode(encoded.strip_prefix(b" ")?).ok()?;
    String::from_utf8(bytes).ok().map(Zeroizing::new)
}

/// The RFC has both halves form-encoded, many clients send them as they are: form-decoded first, then
/// raw where that differs.
fn readings(password: &str) -> Vec<Secret> {
    if password.is_empty() {
        return Vec::new();
    }
    let decoded = form::decode(password.as_bytes())
        .ok()
        .filter(|decoded| decoded != password);
    decoded
        .into_iter()
        .map(Secret::new)
        .chain([Secret::new(password)])
        .collect()
}

fn malformed() -> OAuthError {
    OAuthError::invalid_client("The Basic credentials cannot be read").because(Reason::CredentialsMalformed)
}
