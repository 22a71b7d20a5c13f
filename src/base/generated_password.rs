//! Passwords that nobody chose.

use zeroize::Zeroize;

use crate::base::entropy::Entropy;
use crate::base::secret::Secret;

/// Without `i`, `l`, `o`, `0` and `1`, which are mistaken for one another.
const ALPHABET: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS: usize = 5;
const GROUP: usize = 5;

/// Five groups of five characters, `xxxxx-xxxxx-xxxxx-xxxxx-xxxxx`: 123 random bits that can be read
/// aloud.
pub fn generate(entropy: &Entropy) -> Secret {
    let mut password = String::with_capacity(GROUPS * (GROUP + 1));
    for place in 0..GROUPS * GROUP {
        if place > 0 && place % GROUP == 0 {
            password.push('-');
        }
        password.push(character(entropy));
    }
    Secret::new(password)
}

/// Each with the same chance: bytes beyond the last whole multiple of the alphabet are thrown away.
fn character(entropy: &Entropy) -> char {
    loop {
        let mut bytes = entropy.bytes::<1>();
        let byte = usize::from(bytes[0]);
        bytes.zeroize();
        if byte < 256 - 256 % ALPHABET.len() {
            return char::from(ALPHABET[byte % ALPHABET.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::password;

    #[test]
    fn a_password_is_long_plain_and_taken() {
        let secret = generate(&Entropy::System);
        assert_eq!(password::check(&secret), Ok(()));
        let groups: Vec<&str> = secret.expose().split('-').collect();
        assert_eq!(groups.len(), GROUPS);
        for group in groups {
            assert_eq!(group.len(), GROUP);
            assert!(group.bytes().all(|byte| ALPHABET.contains(&byte)), "{group}");
        }
    }

    #[test]
    fn every_character_is_used_and_no_two_passwords_are_the_same() {
        let entropy = Entropy::seeded(1);
        let seen: BTreeSet<char> = (0..2000).map(|_| character(&entropy)).collect();
        assert_eq!(seen.len(), ALPHABET.len());
        assert_ne!(generate(&entropy).expose(), generate(&entropy).expose());
    }
}
