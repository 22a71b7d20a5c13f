//! The device authorization response (RFC 8628 §3.2).

use serde::{Serialize, Serializer};

use crate::base::secret::Secret;

/// Seconds that a device has to leave between two polls (RFC 8628 §3.2).
pub const INTERVAL: i64 = 5;

/// What a device is answered that asks to be authorized.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceAuthorizationResponse {
    #[serde(serialize_with = "expose")]
    pub device_code: Secret,
    /// As it is to be shown: `XXXX-XXXX`.
    #[serde(serialize_with = "expose")]
    pub user_code: Secret,
    pub verification_uri: String,
    /// The same with the user code in it, for a QR code. The person still has to confirm it
    /// (RFC 8628 §3.3.1).
    #[serde(serialize_with = "expose")]
    pub verification_uri_complete: Secret,
    /// Seconds.
    pub expires_in: i64,
    /// Seconds.
    pub interval: i64,
}

impl DeviceAuthorizationResponse {
    /// `verification_uri` has no query; `expires_in` is in seconds.
    pub fn new(device_code: Secret, user_code: Secret, verification_uri: String, expires_in: i64) -> Self {
        Self {
            verification_uri_complete: Secret::new(format!(
                "{verification_uri}?user_code={}",
                user_code.expose()
            )),
            device_code,
            user_code,
            verification_uri,
            expires_in,
            interval: INTERVAL,
        }
    }
}

fn expose<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response() -> DeviceAuthorizationResponse {
        DeviceAuthorizationResponse::new(
            Secret::new("tgd_a"),
            Secret::new("WDJB-MJHT"),
            "https://id.example/oauth/device".to_owned(),
            600,
        )
    }

    #[test]
    fn the_response_has_these_members_and_its_numbers_are_numbers() {
        let expected = r#"{"device_code":"tgd_a","user_code":"WDJB-MJHT","verification_uri":"https://id.example/oauth/device","verification_uri_complete":"https://id.example/oauth/device?user_code=WDJB-MJHT","expires_in":600,"interval":5}"#;
        assert_eq!(serde_json::to_string(&response()).unwrap(), expected);
    }

    #[test]
    fn debug_shows_no_code() {
        let debug = format!("{:?}", response());
        assert!(!debug.contains("tgd_a") && !debug.contains("WDJB"), "{debug}");
    }
}
