//! By which protocol a grant was made: OAuth 2.0 knows several ways, OAuth 1.0a one.

use std::fmt;

use serde::{Serialize, Serializer};

use super::grant_type::{GrantType, InvalidGrantType};

/// What a grant is stored and listed as. Apart from [`GrantType`], whose names stand in settings and requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantKind {
    OAuth2(GrantType),
    /// RFC 5849.
    OAuth1,
}

impl GrantKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::OAuth2(grant) => grant.name(),
            Self::OAuth1 => "oauth1",
        }
    }
}

impl From<GrantType> for GrantKind {
    fn from(grant: GrantType) -> Self {
        Self::OAuth2(grant)
    }
}

impl TryFrom<String> for GrantKind {
    type Error = InvalidGrantType;

    fn try_from(text: String) -> Result<Self, InvalidGrantType> {
        if text == Self::OAuth1.name() {
            return Ok(Self::OAuth1);
        }
        GrantType::parse(&text).map(Self::OAuth2)
    }
}

impl fmt::Display for GrantKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for GrantKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_read_back_from_its_name() {
        let kinds = GrantType::ALL.map(GrantKind::from);
        for kind in kinds.into_iter().chain([GrantKind::OAuth1]) {
            assert_eq!(GrantKind::try_from(kind.name().to_owned()), Ok(kind));
        }
    }

    #[test]
    fn no_setting_can_name_oauth_1() {
        assert!(GrantType::parse(GrantKind::OAuth1.name()).is_err());
    }
}
