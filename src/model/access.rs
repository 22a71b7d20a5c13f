//! Who may use an application that is not for everybody: users by name, and groups that users carry.

use std::fmt;

/// A group: 1–64 ASCII letters, digits and the signs `.`, `_`, `-`. Capitals count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupName(String);

impl GroupName {
    /// Most bytes of a name.
    pub const LONGEST: usize = 64;

    /// # Errors
    /// A sentence for the person who typed it.
    pub fn parse(text: &str) -> Result<Self, InvalidGroupName> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(plain) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidGroupName)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidGroupName;

impl fmt::Display for InvalidGroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("A group has 1 to 64 letters, digits, dots, underscores and dashes, and no spaces.")
    }
}

impl std::error::Error for InvalidGroupName {}

/// Names as a row gives them, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(Vec<String>);

impl Names {
    pub fn into_vec(self) -> Vec<String> {
        self.0
    }

    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// One a line: no name holds a line end.
impl From<String> for Names {
    fn from(lines: String) -> Self {
        Self(lines.lines().map(str::to_owned).collect())
    }
}

/// Who is named for an application. Nobody, where it is open to everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Allowed {
    /// User names.
    #[sqlx(rename = "allowed_users", try_from = "String")]
    pub users: Names,
    #[sqlx(rename = "allowed_groups", try_from = "String")]
    pub groups: Names,
}

impl Allowed {
    pub fn is_empty(&self) -> bool {
        self.users.0.is_empty() && self.groups.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_letters_digits_and_three_signs() {
        for name in ["staff", "Staff", "team.a-1_b", "0", &"x".repeat(64)] {
            assert_eq!(GroupName::parse(name).unwrap().as_str(), name);
        }
        for name in [
            "",
            " ",
            "a b",
            "a\n",
            "ふじ",
            "a/b",
            "a,b",
            "a%",
            "a\0",
            &"x".repeat(65),
        ] {
            assert!(GroupName::parse(name).is_err(), "{name:?}");
        }
    }
}
