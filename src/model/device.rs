//! Device codes and user codes (RFC 8628 §1): one for the device to poll with, one for a person to type.

use time::OffsetDateTime;
use unicode_normalization::UnicodeNormalization;

use super::ids::{ApplicationId, GrantId};
use super::resource::Resources;
use super::scope::Scopes;
use crate::base::entropy::Entropy;
use crate::base::secret::{Secret, SecretHash};

/// What a user code is made of: consonants alone, so that no word comes of it and no letter is taken for a
/// digit (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// 20⁸ codes are 34 bits; RFC 8628 §5.1 asks for as many only together with a limit on wrong ones.
const LENGTH: usize = 8;
/// Longer texts are not looked at: they are no typing mistake.
const MOST_TYPED: usize = 64;

/// The code that a person types on the other device, in its one spelling.
#[derive(Clone, Debug)]
pub struct UserCode(Secret);

impl UserCode {
    /// Every code is as likely as any other.
    pub fn generate(entropy: &Entropy) -> Self {
        let mut letters = String::with_capacity(LENGTH);
        while letters.len() < LENGTH {
            let [byte] = entropy.bytes::<1>();
            // A remainder of all 256 values would prefer the first letters.
            if byte < 240 {
                letters.push(char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
            }
        }
        Self(Secret::new(letters))
    }

    /// Reads a code as people type it: in lower case, in full width, with spaces and dashes anywhere or
    /// nowhere. `None` for what is no code at all.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > MOST_TYPED {
            return None;
        }
        let letters: String = typed
            .nfkc()
            .filter(|sign| !is_between(*sign))
            .flat_map(char::to_uppercase)
            .collect();
        let good = letters.len() == LENGTH && letters.bytes().all(|byte| LETTERS.contains(&byte));
        good.then(|| Self(Secret::new(letters)))
    }

    /// As it is shown: two halves with a dash between.
    pub fn shown(&self) -> Secret {
        let (first, second) = self.0.expose().split_at(LENGTH / 2);
        Secret::new(format!("{first}-{second}"))
    }

    /// What the store finds it by. It hides the code from a glance, not from a search through all of them;
    /// but a code is worth minutes, and only to who is signed in and types it first.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&format!("user code\n{}", self.0.expose()))
    }
}

/// Spaces and dashes of all lands.
fn is_between(sign: char) -> bool {
    sign.is_whitespace()
        || matches!(
            sign,
            '-' | '_' | '.' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{30fc}' | '\u{feff}'
        )
}

/// A device code as it rests in the store.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DeviceCode {
    pub application_id: ApplicationId,
    /// At which version its application is now; `None` where that is disabled or deleted.
    pub application_version: Option<i64>,
    pub expires_at: OffsetDateTime,
    pub decided_at: Option<OffsetDateTime>,
    /// What was authorized; a decided code without one was denied.
    pub grant_id: Option<GrantId>,
    pub used_at: Option<OffsetDateTime>,
}

/// What a device asked for, as the person is told who typed its user code.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DeviceRequest {
    pub application_id: ApplicationId,
    #[sqlx(json)]
    pub scopes: Scopes,
    #[sqlx(json)]
    pub resources: Resources,
    /// The address of the device.
    pub requested_from: String,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_spelling_of_a_code_is_the_same_code() {
        let code = UserCode::parse("WDJBMJHT").unwrap();
        for typed in [
            "WDJB-MJHT",
            "wdjb-mjht",
            "wdjbmjht",
            " W D J B  M J H T ",
            "wd-jb-mj-ht",
            "WDJB\u{2013}MJHT",
            "WDJB\u{2212}MJHT",
            "wdjb_mjht.",
            "\u{ff37}\u{ff24}\u{ff2a}\u{ff22}\u{ff0d}\u{ff2d}\u{ff2a}\u{ff28}\u{ff34}",
            "\u{ff57}\u{ff44}\u{ff4a}\u{ff42}\u{3000}\u{ff4d}\u{ff4a}\u{ff48}\u{ff54}",
            "WDJB\u{a0}MJHT\u{200b}",
        ] {
            let read = UserCode::parse(typed).unwrap_or_else(|| panic!("{typed:?}"));
            assert_eq!(read.hash(), code.hash(), "{typed:?}");
            assert_eq!(read.shown().expose(), "WDJB-MJHT");
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let long = "B".repeat(10_000);
        let spaced = format!("WDJB{}MJHT", " ".repeat(100));
        for typed in [
            "",
            "-",
            "WDJB-MJH",
            "WDJB-MJHTB",
            "WDJB-MJHA",
            "WDJB-MJH0",
            "WDJB-MJHY",
            "\u{412}DJB-MJHT",
            "WDJB\0MJHT",
            "WDJB/MJHT",
            &long,
            &spaced,
        ] {
            assert!(UserCode::parse(typed).is_none(), "{typed:?}");
        }
    }

    #[test]
    fn every_letter_comes_as_often_at_every_place() {
        let entropy = Entropy::seeded(7);
        let mut at_places = [[0_u32; 256]; LENGTH];
        let mut codes = HashSet::new();
        for _ in 0..20_000 {
            let code = UserCode::generate(&entropy);
            for (place, byte) in code.0.expose().bytes().enumerate() {
                at_places[place][usize::from(byte)] += 1;
            }
            codes.insert(code.0.expose().to_owned());
        }
        for letter in LETTERS {
            let counts = at_places.map(|place| place[usize::from(*letter)]);
            assert!(
                counts.iter().all(|count| (850..1150).contains(count)),
                "{counts:?}"
            );
            // 8,000 are expected; the bias of a plain remainder would give the last letters 7,500.
            assert!((7700..8300).contains(&counts.iter().sum::<u32>()), "{counts:?}");
        }
        assert!(codes.len() > 19_990, "{}", codes.len());
    }

    #[test]
    fn debug_shows_no_code() {
        let code = UserCode::parse("WDJBMJHT").unwrap();
        assert!(!format!("{code:?}").contains("WDJB"));
    }
}
