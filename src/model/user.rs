//! People who can sign in: the resource owners (RFC 6749 §1.1).

use std::fmt;

use time::OffsetDateTime;
use unicode_normalization::UnicodeNormalization;

use super::ids::UserId;

/// A user as stored, without the password.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub email: Option<String>,
    pub admin: bool,
    /// Counts what ends every session and grant at once: a new password, disabling.
    pub epoch: i64,
    pub created_at: OffsetDateTime,
    pub signed_in_at: Option<OffsetDateTime>,
    pub disabled_at: Option<OffsetDateTime>,
}

impl User {
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }
}

/// A name to sign in by: 1–64 visible characters without spaces, in NFC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// # Errors
    /// A sentence for the person who typed it.
    pub fn parse(text: &str) -> Result<Self, InvalidUsername> {
        let name: String = text.nfc().collect();
        let length = name.chars().count();
        if length == 0 {
            return Err(InvalidUsername("Enter a username."));
        }
        if length > 64 {
            return Err(InvalidUsername("A username has at most 64 characters."));
        }
        if !name.chars().all(is_plain) {
            return Err(InvalidUsername(
                "A username has only letters, digits and the signs . _ - @ + (no spaces).",
            ));
        }
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn key(&self) -> String {
        username_key(&self.0)
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no username.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUsername(pub &'static str);

impl fmt::Display for InvalidUsername {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidUsername {}

/// The one spelling of a name that its variants share (`Kana`, `KANA`, full-width `Ｋana`): two users
/// must not differ by spelling only, and a failed sign-in counts for all spellings.
pub fn username_key(text: &str) -> String {
    let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
    // Normalised again at last: what was taken out may have stood between a letter and its accent.
    let folded: String = lower.replace('ß', "ss").replace('\u{307}', "").nfkc().collect();
    let key: String = folded.trim_start().chars().take(256).collect();
    key.trim_end().to_owned()
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+') || is_combining(c)
}

fn is_combining(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_share_a_key() {
        for spelling in [
            "KANA",
            "kana",
            "Ｋana",
            "K\u{212a}ana".trim_start_matches('K'),
            " kana ",
        ] {
            assert_eq!(username_key(spelling), "kana", "{spelling}");
        }
        assert_eq!(username_key("STRASSE"), username_key("straße"));
        assert_eq!(username_key("İnci"), username_key("inci"));
        assert_eq!(username_key("e\u{301}ve"), username_key("éve"));
        assert_eq!(username_key("İ\u{302}le"), username_key("île"));
    }

    #[test]
    fn a_key_is_its_own_key() {
        for text in ["İ\u{302}le", "\u{a8}x", "ẞ", " \u{307} x ", &"ﷺ".repeat(64)] {
            let key = username_key(text);
            assert_eq!(username_key(&key), key, "{text:?}");
        }
    }

    #[test]
    fn names_with_control_characters_or_spaces_are_refused() {
        for name in [
            "",
            " ",
            "a b",
            "a\u{0}",
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}b",
            "<b>",
            &"x".repeat(65),
        ] {
            assert!(Username::parse(name).is_err(), "{name:?}");
        }
        for name in ["alice", "alice@example.com", "ふじ", "o.neil-2+x"] {
            assert!(Username::parse(name).is_ok(), "{name:?}");
        }
    }
}
