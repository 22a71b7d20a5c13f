//! What a refusal is called: the names of the OAuth Problem Reporting extension, with the statuses of RFC 5849 §3.2.

use std::borrow::Cow;
use std::fmt;

use super::base_string::encode;
use crate::protocol::reason::Reason;

/// Longest base string that is shown to the client that signed another.
const LONGEST_SHOWN: usize = 4096;

macro_rules! kinds {
    ($($name:ident $status:literal $text:literal $reason:ident)+) => {
        /// `oauth_problem`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($name),+
        }

        impl Kind {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text),+
                }
            }

            /// The HTTP status: 400 for what cannot be read, 401 for what does not prove what it says.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status),+
                }
            }

            /// The same in the words of whoever runs the application.
            pub const fn reason(self) -> Reason {
                match self {
                    $(Self::$name => Reason::$reason),+
                }
            }
        }
    };
}

kinds! {
    ParameterAbsent 400 "parameter_absent" ParameterMissing
    ParameterRejected 400 "parameter_rejected" RequestRefused
    VersionRejected 400 "version_rejected" RequestRefused
    SignatureMethodRejected 400 "signature_method_rejected" SignatureMethodUnsupported
    SignatureInvalid 401 "signature_invalid" SignatureWrong
    TimestampRefused 401 "timestamp_refused" TimestampRefused
    NonceUsed 401 "nonce_used" NonceUsed
    ConsumerKeyUnknown 401 "consumer_key_unknown" ConsumerUnknown
    TokenRejected 401 "token_rejected" SignedTokenRefused
    TokenUsed 401 "token_used" SignedTokenRefused
    TokenExpired 401 "token_expired" SignedTokenRefused
    VerifierInvalid 401 "verifier_invalid" SignedTokenRefused
    UserRefused 401 "user_refused" UserDenied
    PermissionUnknown 401 "permission_unknown" SignedTokenRefused
    PermissionDenied 403 "permission_denied" ScopeRefused
}

/// Why a request is refused, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub kind: Kind,
    advice: Cow<'static, str>,
    members: Vec<(&'static str, String)>,
    consumer_key: Option<String>,
}

impl Problem {
    /// `advice` says in plain words what to do; nothing secret in it.
    pub fn new(kind: Kind, advice: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            advice: advice.into(),
            members: Vec::new(),
            consumer_key: None,
        }
    }

    /// Says whose name the request bears that could not be read.
    #[must_use]
    pub(super) fn named(self, consumer_key: Option<String>) -> Self {
        Self { consumer_key, ..self }
    }

    /// Whom an unreadable request names as its consumer. Never told.
    pub fn consumer_key(&self) -> Option<&str> {
        self.consumer_key.as_deref()
    }

    /// A further member of the answer.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// Required parameters that are missing or empty.
    pub fn absent(names: &[&str]) -> Self {
        let advice = format!("Send {}; an empty value counts as none", names.join(", "));
        Self::new(Kind::ParameterAbsent, advice).with("oauth_parameters_absent", list(names))
    }

    /// A parameter that cannot be taken as it is. `name` is one of the protocol's, never the request's own text.
    pub fn rejected(name: &'static str, advice: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::ParameterRejected, advice).with("oauth_parameters_rejected", list(&[name]))
    }

    /// The signature is not that of `base_string`, which holds nothing but what the client itself sent.
    pub fn signature_invalid(base_string: &str) -> Self {
        if base_string.len() > LONGEST_SHOWN {
            let advice = "The signature does not belong to this request. Compare the text that the client signed with \
                          the request, then the consumer secret and the token secret";
            return Self::new(Kind::SignatureInvalid, advice);
        }
        let advice = "The signature does not belong to this request. Compare debug_base_string with the text that the \
                      client signed, then the consumer secret and the token secret";
        Self::new(Kind::SignatureInvalid, advice).with("debug_base_string", base_string)
    }

    pub const fn status(&self) -> u16 {
        self.kind.status()
    }

    pub fn advice(&self) -> &str {
        &self.advice
    }

    /// The answer's body, form-encoded.
    pub fn to_form(&self) -> String {
        let mut body = format!(
            "oauth_problem={}&oauth_problem_advice={}",
            self.kind.as_str(),
            encode(self.advice.as_bytes())
        );
        for (name, value) in &self.members {
            body.push('&');
            body.push_str(name);
            body.push('=');
            body.push_str(&encode(value.as_bytes()));
        }
        body
    }

    /// The value of `WWW-Authenticate`. `realm` has no quote and no backslash.
    pub fn challenge(&self, realm: &str) -> String {
        format!(r#"OAuth realm="{realm}", oauth_problem="{}""#, self.kind.as_str())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.advice)
    }
}

impl std::error::Error for Problem {}

/// Names as the extension lists them: encoded, with `&` between them.
fn list(names: &[&str]) -> String {
    let encoded: Vec<String> = names.iter().map(|name| encode(name.as_bytes())).collect();
    encoded.join("&")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_cannot_be_read_is_400_and_what_is_not_proven_401() {
        for kind in Kind::ALL {
            let unreadable = kind.as_str().starts_with("parameter_")
                || matches!(kind, Kind::VersionRejected | Kind::SignatureMethodRejected);
            let expected = match kind {
                Kind::PermissionDenied => 403,
                _ if unreadable => 400,
                _ => 401,
            };
            assert_eq!(kind.status(), expected, "{kind:?}");
        }
        let names: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
    }

    #[test]
    fn the_answer_is_a_form_in_which_nothing_gets_out_of_its_place() {
        let problem = Problem::absent(&["oauth_nonce", "oauth_timestamp"]).with("debug_base_string", "a&b=c");
        assert_eq!(
            problem.to_form(),
            "oauth_problem=parameter_absent\
             &oauth_problem_advice=Send%20oauth_nonce%2C%20oauth_timestamp%3B%20an%20empty%20value%20counts%20as%20none\
             &oauth_parameters_absent=oauth_nonce%26oauth_timestamp\
             &debug_base_string=a%26b%3Dc"
        );
        assert_eq!(
            problem.challenge("https://id.example"),
            r#"OAuth realm="https://id.example", oauth_problem="parameter_absent""#
        );
    }

    #[test]
    fn a_base_string_beyond_all_measure_is_not_shown() {
        let shown = |length: usize| Problem::signature_invalid(&"a".repeat(length)).to_form();
        assert!(shown(4096).contains("debug_base_string"));
        assert!(!shown(4097).contains("debug_base_string"));
    }
}
