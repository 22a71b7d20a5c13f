//! The ways to a token (RFC 6749 §1.3, RFC 8628 §3.4).

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    #[serde(alias = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    Password,
    /// Never a `grant_type` of the token endpoint; its name stands in settings and metadata.
    Implicit,
}

impl GrantType {
    pub const ALL: [Self; 6] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::Password,
        Self::Implicit,
    ];

    /// Reads the plain name or the value on the wire.
    pub fn parse(text: &str) -> Result<Self, InvalidGrantType> {
        Self::ALL
            .into_iter()
            .find(|grant| text == grant.name() || text == grant.wire())
            .ok_or_else(|| InvalidGrantType(text.chars().take(128).collect()))
    }

    /// The name in settings, commands and the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "device_code",
            Self::Password => "password",
            Self::Implicit => "implicit",
        }
    }

    /// The value of `grant_type=` and of `grant_types_supported`.
    pub const fn wire(self) -> &'static str {
        match self {
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            other => other.name(),
        }
    }
}

impl fmt::Display for GrantType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<String> for GrantType {
    type Error = InvalidGrantType;

    fn try_from(text: String) -> Result<Self, InvalidGrantType> {
        Self::parse(&text)
    }
}

/// A text that names no grant type; holds its first 128 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidGrantType(String);

impl fmt::Display for InvalidGrantType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = GrantType::ALL.map(GrantType::name).join(", ");
        write!(
            f,
            "`{}` is not a grant type: use one of {names}",
            self.0.escape_debug()
        )
    }
}

impl std::error::Error for InvalidGrantType {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_read_from_its_name_its_wire_value_and_json() {
        for grant in GrantType::ALL {
            assert_eq!(GrantType::parse(grant.name()), Ok(grant));
            assert_eq!(GrantType::parse(grant.wire()), Ok(grant));
            assert_eq!(serde_json::to_value(grant).unwrap(), grant.name());
            assert_eq!(
                serde_json::from_value::<GrantType>(grant.wire().into()).unwrap(),
                grant
            );
        }
    }

    #[test]
    fn another_spelling_is_refused() {
        for text in [
            "",
            "Authorization_Code",
            "code",
            " password",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ] {
            assert!(GrantType::parse(text).is_err(), "{text:?}");
        }
    }
}
