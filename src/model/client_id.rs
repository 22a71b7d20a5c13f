//! The name of an application on the wire (RFC 6749 §2.2).

use std::fmt;

use serde::{Deserialize, Serialize};

/// 1 to 128 letters, digits, `-`, `_` and `.`. No `%` and no `+`, since clients disagree on whether the
/// halves of Basic credentials are form-encoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(String);

impl ClientId {
    const LONGEST: usize = 128;

    pub fn parse(text: &str) -> Result<Self, InvalidClientId> {
        if text.is_empty() || text.len() > Self::LONGEST || !text.bytes().all(is_client_id_character) {
            return Err(InvalidClientId(text.chars().take(Self::LONGEST).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_client_id_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ClientId {
    type Error = InvalidClientId;

    fn try_from(text: String) -> Result<Self, InvalidClientId> {
        Self::parse(&text)
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.0
    }
}

/// A text that is no client id; holds its first 128 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidClientId(String);

impl fmt::Display for InvalidClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a client id: use 1 to 128 letters, digits, `-`, `_` or `.`",
            self.0.escape_debug()
        )
    }
}

impl std::error::Error for InvalidClientId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_and_three_marks_are_taken() {
        let longest = "a".repeat(128);
        for text in ["a", "My-App_2.0", longest.as_str()] {
            assert_eq!(ClientId::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let too_long = "a".repeat(129);
        for text in [
            "",
            "a b",
            "a%2Db",
            "a+b",
            "a\0",
            "ä",
            "a:b",
            "a/b",
            too_long.as_str(),
        ] {
            assert!(ClientId::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn json_is_validated() {
        assert_eq!(
            serde_json::from_str::<ClientId>(r#""app""#).unwrap().as_str(),
            "app"
        );
        assert!(serde_json::from_str::<ClientId>(r#""a\u0000""#).is_err());
    }
}
