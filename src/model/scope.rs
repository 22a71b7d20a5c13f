//! Scopes: what a token may be used for (RFC 6749 §3.3).

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::pattern;

/// One scope-token of 1 to 128 characters: printable ASCII without space, `"` and `\`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(String);

impl Scope {
    const LONGEST: usize = 128;

    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        if text.is_empty() || text.len() > Self::LONGEST || !text.bytes().all(is_scope_character) {
            return Err(InvalidScope(text.chars().take(Self::LONGEST).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for many, as `user:*` does. Such a one is configured and registered, never granted.
    pub fn is_pattern(&self) -> bool {
        pattern::prefix(&self.0).is_some()
    }

    /// Whether all that `other` stands for, this stands for too.
    pub fn covers(&self, other: &Self) -> bool {
        pattern::covers(&self.0, &other.0)
    }
}

fn is_scope_character(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Both order and hash by the text.
impl Borrow<str> for Scope {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, InvalidScope> {
        Self::parse(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0
    }
}

/// A set of scopes, in alphabetical order. On the wire one text separated by spaces, in JSON and in
/// the store an array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Spaces more than one, leading and trailing ones are tolerated; no other separator is.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        text.split(' ')
            .filter(|token| !token.is_empty())
            .map(Scope::parse)
            .collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    pub fn is_subset(&self, of: &Self) -> bool {
        self.0.is_subset(&of.0)
    }

    /// Whether `scope` is among them, or one of them stands for it.
    pub fn covers(&self, scope: &Scope) -> bool {
        self.0.contains(scope) || self.0.iter().any(|own| own.covers(scope))
    }

    /// The scopes that `allowed` does not cover.
    #[must_use]
    pub fn beyond(&self, allowed: &Self) -> Self {
        self.iter()
            .filter(|scope| !allowed.covers(scope))
            .cloned()
            .collect()
    }

    /// What both cover: of `user:*` and `user:1` the latter.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let ours = self.iter().filter(|scope| other.covers(scope));
        let theirs = other.iter().filter(|scope| self.covers(scope));
        ours.chain(theirs).cloned().collect()
    }

    /// Without those that stand for many.
    #[must_use]
    pub fn without_patterns(&self) -> Self {
        self.iter().filter(|scope| !scope.is_pattern()).cloned().collect()
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(&self.0 | &other.0)
    }

    /// The scopes that `other` does not have.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(&scope.0)?;
        }
        Ok(())
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl IntoIterator for Scopes {
    type Item = Scope;
    type IntoIter = std::collections::btree_set::IntoIter<Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A text that is no scope; holds its first 128 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidScope(String);

impl fmt::Display for InvalidScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.escape_debug();
        write!(
            f,
            "`{text}` is not a scope: use 1 to 128 printable ASCII characters without space, quote or backslash"
        )
    }
}

impl std::error::Error for InvalidScope {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).unwrap()
    }

    #[test]
    fn spaces_are_tolerated_and_order_and_repetition_do_not_count() {
        assert_eq!(scopes("  write   read read "), scopes("read write"));
        assert_eq!(scopes("write read").to_string(), "read write");
        assert!(scopes("").is_empty());
        assert!(scopes("   ").is_empty());
    }

    #[test]
    fn every_other_separator_and_forbidden_character_is_refused() {
        for text in [
            "read\twrite",
            "read\nwrite",
            "read\r",
            "re\"ad",
            "re\\ad",
            "réad",
            "read\0",
            "\u{a0}",
        ] {
            assert!(Scopes::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_scope_has_1_to_128_characters() {
        assert!(Scope::parse("").is_err());
        assert!(Scope::parse(&"a".repeat(128)).is_ok());
        assert!(Scope::parse(&"a".repeat(129)).is_err());
    }

    #[test]
    fn sets_are_compared_and_combined() {
        let (asked, allowed) = (scopes("read write"), scopes("read admin"));
        assert_eq!(asked.intersection(&allowed), scopes("read"));
        assert_eq!(asked.union(&allowed), scopes("admin read write"));
        assert_eq!(asked.difference(&allowed), scopes("write"));
        assert!(scopes("read").is_subset(&asked) && !asked.is_subset(&allowed));
        assert!(asked.contains("write") && !asked.contains("wri"));
        assert_eq!(asked.len(), 2);
    }

    #[test]
    fn json_is_an_array_and_is_validated() {
        assert_eq!(
            serde_json::to_string(&scopes("write read")).unwrap(),
            r#"["read","write"]"#
        );
        assert_eq!(
            serde_json::from_str::<Scopes>(r#"["write","read"]"#).unwrap(),
            scopes("read write")
        );
        assert!(serde_json::from_str::<Scopes>(r#"["read write"]"#).is_err());
    }

    #[test]
    fn the_error_shows_the_value_without_its_control_characters() {
        let error = Scope::parse("a\nb").unwrap_err().to_string();
        assert!(error.starts_with(r"`a\nb` is not a scope"), "{error}");
    }

    #[test]
    fn a_pattern_covers_what_it_stands_for() {
        let allowed = scopes("read user:*");
        assert_eq!(
            scopes("read user:1 write users:1").beyond(&allowed),
            scopes("users:1 write")
        );
        assert_eq!(scopes("user:1 write").intersection(&allowed), scopes("user:1"));
        assert_eq!(scopes("user:* group:*").without_patterns(), Scopes::default());
        assert!(
            !scopes("user:1").is_subset(&allowed),
            "a token with a pattern would hold all of them"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn the_intersection_covers_what_both_cover(
            one in "([ab]:?[ab*]?:?[*]? ){0,4}", other in "([ab]:?[ab*]?:?[*]? ){0,4}", scope in "[ab]:[ab]:?[ab]?"
        ) {
            let (one, other, scope) = (scopes(&one), scopes(&other), Scope::parse(&scope).unwrap());
            let both = one.covers(&scope) && other.covers(&scope);
            prop_assert_eq!(one.intersection(&other).covers(&scope), both);
        }

        #[test]
        fn what_is_written_reads_back_the_same(text in "[!#-\\[\\]-~ ]{0,80}") {
            let parsed = scopes(&text);
            prop_assert_eq!(scopes(&parsed.to_string()), parsed);
        }

        #[test]
        fn what_is_accepted_is_printable_ascii(text in any::<String>()) {
            if let Ok(parsed) = Scopes::parse(&text) {
                prop_assert!(parsed.to_string().bytes().all(|b| (0x20..=0x7E).contains(&b) && b != b'"' && b != b'\\'));
            }
        }
    }
}
