//! Opaque values and the token answer (RFC 6749 §1.4, §5.1).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{Duration, OffsetDateTime};

use crate::base::secret::Secret;

/// What an opaque value is good for, told by its prefix. The prefix lets secret scanners find a leaked
/// one and lets us refuse a value in the wrong place before any look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    AccessToken,
    RefreshToken,
    ClientSecret,
    AuthorizationCode,
    DeviceCode,
    /// A token of OAuth 1.0a (RFC 5849).
    OAuth1,
}

impl TokenKind {
    pub const ALL: [Self; 6] = [
        Self::AccessToken,
        Self::RefreshToken,
        Self::ClientSecret,
        Self::AuthorizationCode,
        Self::DeviceCode,
        Self::OAuth1,
    ];

    pub const fn prefix(self) -> &'static str {
        match self {
            Self::AccessToken => "tga_",
            Self::RefreshToken => "tgr_",
            Self::ClientSecret => "tgs_",
            Self::AuthorizationCode => "tgc_",
            Self::DeviceCode => "tgd_",
            Self::OAuth1 => "tgo_",
        }
    }

    /// The kind of a well-formed value: its prefix and exactly 43 base64url characters of 256 bits. No
    /// two texts stand for one value.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| text.strip_prefix(kind.prefix()).is_some_and(is_256_bits))
    }
}

/// Whether `text` is the one unpadded base64url encoding of some 32 bytes: 43 characters, of which the
/// last carries four bits and two zeros.
pub(super) fn is_256_bits(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 43
        && bytes
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && bytes
            .last()
            .is_some_and(|last| b"AEIMQUYcgkosw048".contains(last))
}

/// `token_type`. There is no other yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    #[default]
    Bearer,
}

/// `token_type_hint` (RFC 7009 §2.1, RFC 7662 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenHint {
    AccessToken,
    RefreshToken,
}

impl TokenHint {
    /// An unknown hint is no hint.
    pub fn parse(text: Option<&str>) -> Option<Self> {
        match text? {
            "access_token" => Some(Self::AccessToken),
            "refresh_token" => Some(Self::RefreshToken),
            _ => None,
        }
    }
}

/// The successful answer of the token endpoint (RFC 6749 §5.1).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenResponse {
    #[serde(serialize_with = "expose", deserialize_with = "conceal")]
    pub access_token: Secret,
    pub token_type: TokenType,
    /// Seconds.
    pub expires_in: u64,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "expose_some",
        deserialize_with = "conceal_some"
    )]
    pub refresh_token: Option<Secret>,
    /// Exactly what was granted, separated by spaces.
    pub scope: String,
    /// Unix seconds.
    pub created_at: i64,
}

fn expose<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn expose_some<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(serializer)
}

fn conceal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

fn conceal_some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

/// Whether a token may be given again: at least half its life is before it, and it is good for no longer than
/// a new one, which would live for `lifetime`.
pub fn is_good_for_long(
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
    lifetime: Duration,
    now: OffsetDateTime,
) -> bool {
    let left = expires_at - now;
    left.is_positive() && left * 2 >= expires_at - created_at && left <= lifetime
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::entropy::Entropy;

    const BODY: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn response(refresh_token: Option<&str>) -> TokenResponse {
        TokenResponse {
            access_token: Secret::new("tga_a"),
            token_type: TokenType::Bearer,
            expires_in: 3600,
            refresh_token: refresh_token.map(Secret::new),
            scope: "read write".to_owned(),
            created_at: 1_700_000_000,
        }
    }

    #[test]
    fn a_generated_value_is_of_its_kind() {
        for kind in TokenKind::ALL {
            let secret = Secret::generate(&Entropy::System, kind.prefix());
            assert_eq!(TokenKind::parse(secret.expose()), Some(kind));
        }
    }

    #[test]
    fn another_shape_is_of_no_kind() {
        let texts = [
            String::new(),
            "tga_".to_owned(),
            BODY.to_owned(),
            format!("tgx_{BODY}"),
            format!("TGA_{BODY}"),
            format!(" tga_{BODY}"),
            format!("tga_{BODY}\n"),
            format!("tga_{BODY}="),
            format!("tga_{BODY}\0"),
            format!("tga_{}", &BODY[..42]),
            format!("tga_{}l", &BODY[..42]),
            format!("tga_{}%6b", &BODY[..42]),
            format!("tga_{}é", &BODY[..41]),
        ];
        for text in texts {
            assert_eq!(TokenKind::parse(&text), None, "{text:?}");
        }
    }

    #[test]
    fn the_answer_has_these_members_and_none_is_null() {
        let with = r#"{"access_token":"tga_a","token_type":"Bearer","expires_in":3600,"refresh_token":"tgr_b","scope":"read write","created_at":1700000000}"#;
        assert_eq!(serde_json::to_string(&response(Some("tgr_b"))).unwrap(), with);
        let without = r#"{"access_token":"tga_a","token_type":"Bearer","expires_in":3600,"scope":"read write","created_at":1700000000}"#;
        assert_eq!(serde_json::to_string(&response(None)).unwrap(), without);
    }

    #[test]
    fn the_answer_reads_back() {
        for refresh_token in [None, Some("tgr_b")] {
            let json = serde_json::to_string(&response(refresh_token)).unwrap();
            let back: TokenResponse = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&back).unwrap(), json);
        }
    }

    #[test]
    fn debug_shows_no_token() {
        let debug = format!("{:?}", response(Some("tgr_b")));
        assert!(!debug.contains("tga_a") && !debug.contains("tgr_b"), "{debug}");
    }

    #[test]
    fn an_unknown_hint_is_no_hint() {
        assert_eq!(
            TokenHint::parse(Some("refresh_token")),
            Some(TokenHint::RefreshToken)
        );
        assert_eq!(
            TokenHint::parse(Some("access_token")),
            Some(TokenHint::AccessToken)
        );
        assert_eq!(TokenHint::parse(Some("id_token")), None);
        assert_eq!(TokenHint::parse(None), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// What is accepted decodes to 32 bytes and encodes back to the very same text.
        #[test]
        fn a_mutated_value_is_refused_or_another_value(bytes in any::<[u8; 32]>(), at in 0usize..47, with in any::<char>()) {
            use base64::Engine;
            use base64::engine::general_purpose::URL_SAFE_NO_PAD;
            let token = format!("tga_{}", URL_SAFE_NO_PAD.encode(bytes));
            prop_assert_eq!(TokenKind::parse(&token), Some(TokenKind::AccessToken));
            prop_assert_eq!(TokenKind::parse(&token[..at]), None);
            prop_assert_eq!(TokenKind::parse(&format!("{token}{with}")), None);
            let mutated: String = token.chars().enumerate().map(|(i, c)| if i == at { with } else { c }).collect();
            if let Some(kind) = TokenKind::parse(&mutated) {
                let decoded = URL_SAFE_NO_PAD.decode(&mutated[4..]).unwrap();
                prop_assert_eq!(format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(decoded)), mutated);
            }
            let escaped = format!("{}%{:02x}{}", &token[..at], token.as_bytes()[at], &token[at + 1..]);
            prop_assert_eq!(TokenKind::parse(&escaped), None);
        }
    }

    #[test]
    fn a_token_is_given_again_for_half_its_life() {
        let at = |unix| OffsetDateTime::from_unix_timestamp(unix).unwrap();
        let good = |now, lifetime| is_good_for_long(at(1000), at(1100), Duration::seconds(lifetime), at(now));
        assert!(good(1000, 100) && good(1050, 100));
        assert!(!good(1051, 100) && !good(1100, 100) && !good(1101, 100));
        assert!(good(1050, 50), "the lifetime was shortened meanwhile");
        assert!(!good(1049, 50));
    }
}
