//! Form encoding, strictly: what one parser would repair and another would not is refused.

use std::fmt;

/// Why a text is not form-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    Escape,
    Utf8,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Escape => "a malformed percent-escape",
            Self::Utf8 => "not UTF-8",
        })
    }
}

impl std::error::Error for Malformed {}

/// Undoes form encoding: `+` is a space, `%XX` a byte. Control characters pass.
pub fn decode(encoded: &[u8]) -> Result<String, Malformed> {
    String::from_utf8(decode_bytes(encoded)?).map_err(|_| Malformed::Utf8)
}

/// As [`decode`], whatever the bytes are.
pub fn decode_bytes(encoded: &[u8]) -> Result<Vec<u8>, Malformed> {
    unescaped(encoded, b' ')
}

/// Undoes percent-encoding alone (RFC 3986 §2.1): `+` stays.
pub fn percent_decode(encoded: &[u8]) -> Result<Vec<u8>, Malformed> {
    unescaped(encoded, b'+')
}

fn unescaped(encoded: &[u8], plus: u8) -> Result<Vec<u8>, Malformed> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => plus,
            b'%' => escaped(bytes.next(), bytes.next()).ok_or(Malformed::Escape)?,
            other => other,
        });
    }
    Ok(decoded)
}

fn escaped(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high?)? * 16 + digit(low?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_plus_are_undone() {
        assert_eq!(decode(b"x+y%2Bz%0d").unwrap(), "x y+z\r");
        assert_eq!(decode_bytes(b"x+%ff").unwrap(), b"x \xff");
        assert_eq!(percent_decode(b"x+y%20z").unwrap(), b"x+y z");
    }

    #[test]
    fn what_is_malformed_is_refused() {
        assert_eq!(decode(b"%4"), Err(Malformed::Escape));
        assert_eq!(decode(b"%zz"), Err(Malformed::Escape));
        assert_eq!(decode(b"%c0%af"), Err(Malformed::Utf8));
    }
}
