//! Request parameters, read strictly (RFC 6749 §3.1, §3.2 and appendix B).
//!
//! An empty parameter counts as absent, an unknown one is ignored, a repeated one is refused: two
//! parsers that pick different ones of two values are how a check is walked around.

use std::collections::BTreeSet;
use std::fmt;

use super::error::OAuthError;
use super::reason::Reason;
use crate::base::form;

/// The decoded parameters of a query or a form body, in the order sent.
#[derive(Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    const MOST: usize = 200;

    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// Refuses a malformed percent-escape, invalid UTF-8 and more than 200 pairs. Control characters pass:
    /// what a parameter may hold is for its own type to say, with the error that belongs to it.
    pub fn parse(query_or_body: &[u8]) -> Result<Self, ParamsError> {
        let mut pairs = Vec::new();
        for pair in query_or_body
            .split(|&byte| byte == b'&')
            .filter(|pair| !pair.is_empty())
        {
            if pairs.len() == Self::MOST {
                return Err(ParamsError::TooMany);
            }
            let (name, value) = split_pair(pair);
            pairs.push((form::decode(name)?, form::decode(value)?));
        }
        Ok(Self(pairs))
    }

    /// The first value of `name` that is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The first value of `name`, empty or not: in a form of ours an emptied field says something.
    pub fn typed(&self, name: &str) -> Option<&str> {
        let mut sent = self.0.iter().filter(|(key, _)| key == name);
        sent.next().map(|(_, value)| value.as_str())
    }

    /// Names and values as they were sent. The values may be secrets.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All values of `name` that are not empty.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Whether `name` was sent more than once; empty values count.
    pub fn repeated(&self, name: &str) -> bool {
        self.0.iter().filter(|(key, _)| key == name).nth(1).is_some()
    }

    /// The first name that was sent more than once, `resource` excepted (RFC 8707 §2).
    pub fn first_repeated(&self) -> Option<&str> {
        self.first_repeated_but(&["resource"])
    }

    /// The first name that was sent more than once and is none of `lists`.
    pub fn first_repeated_but(&self, lists: &[&str]) -> Option<&str> {
        let mut seen = BTreeSet::new();
        self.0
            .iter()
            .map(|(name, _)| name.as_str())
            .find(|&name| !lists.contains(&name) && !seen.insert(name))
    }

    /// These and then the others: a query and a body together.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The same with `value` as the one value of `name`.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(key, _)| key != name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn reject_repeated(&self) -> Result<(), OAuthError> {
        match self.first_repeated() {
            Some(name) => Err(OAuthError::invalid_request(format!("Repeated parameter: {name}"))
                .because(Reason::ParameterRepeated.at(name))),
            None => Ok(()),
        }
    }

    pub fn require(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| {
            OAuthError::invalid_request(format!("Missing required parameter: {name}"))
                .because(Reason::ParameterMissing.at(name))
        })
    }
}

/// Names only: values may be secrets.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Why a query or body is not a list of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamsError {
    MalformedEscape,
    NotUtf8,
    TooMany,
}

impl fmt::Display for ParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MalformedEscape => "The parameters contain a malformed percent-escape",
            Self::NotUtf8 => "The parameters are not valid UTF-8",
            Self::TooMany => "There are more than 200 parameters",
        })
    }
}

impl std::error::Error for ParamsError {}

impl From<form::Malformed> for ParamsError {
    fn from(malformed: form::Malformed) -> Self {
        match malformed {
            form::Malformed::Escape => Self::MalformedEscape,
            form::Malformed::Utf8 => Self::NotUtf8,
        }
    }
}

impl From<ParamsError> for OAuthError {
    fn from(error: ParamsError) -> Self {
        Self::invalid_request(error.to_string())
    }
}

fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|&byte| byte == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, &[]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn params(text: &str) -> Params {
        Params::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn values_are_form_decoded() {
        let params = params("a=x+y%2B%20z&b=%E3%81%B5&%63=1=2&&&d&scope[a]=q");
        assert_eq!(params.get("a"), Some("x y+ z"));
        assert_eq!(params.get("b"), Some("ふ"));
        assert_eq!(params.get("c"), Some("1=2"));
        assert_eq!(params.get("d"), None);
        assert_eq!(params.get("scope"), None);
        assert_eq!(params.get("scope[a]"), Some("q"));
    }

    #[test]
    fn malformed_input_is_refused() {
        let cases: [(&[u8], ParamsError); 8] = [
            (b"a=%", ParamsError::MalformedEscape),
            (b"a=%4", ParamsError::MalformedEscape),
            (b"a=%zz", ParamsError::MalformedEscape),
            (b"a=%+1", ParamsError::MalformedEscape),
            (b"a=%ff", ParamsError::NotUtf8),
            (b"a=\xff", ParamsError::NotUtf8),
            (b"a=%c0%af", ParamsError::NotUtf8),
            (b"a=%ed%a0%80", ParamsError::NotUtf8),
        ];
        for (input, error) in cases {
            assert_eq!(
                Params::parse(input).unwrap_err(),
                error,
                "{}",
                input.escape_ascii()
            );
        }
    }

    #[test]
    fn two_hundred_pairs_are_the_most() {
        assert!(Params::parse("a=1&".repeat(200).as_bytes()).is_ok());
        assert_eq!(
            Params::parse("a=1&".repeat(201).as_bytes()).unwrap_err(),
            ParamsError::TooMany
        );
    }

    #[test]
    fn repetition_is_found_even_when_one_is_empty() {
        let params = params("state=&resource=a&resource=b&state=x");
        assert!(params.repeated("state") && params.repeated("resource") && !params.repeated("scope"));
        assert_eq!(params.first_repeated(), Some("state"));
        assert_eq!(params.get("state"), Some("x"));
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(
            params.reject_repeated().unwrap_err().description(),
            "Repeated parameter: state"
        );
    }

    #[test]
    fn a_query_and_a_body_that_say_the_same_name_are_a_repetition() {
        let merged = params("code=1").merge(params("code=2"));
        assert_eq!(merged.first_repeated(), Some("code"));
        assert_eq!(
            params("resource=1").merge(params("resource=2")).first_repeated(),
            None
        );
    }

    #[test]
    fn an_empty_parameter_is_missing() {
        let params = params("code=");
        assert_eq!(
            params.require("code").unwrap_err().description(),
            "Missing required parameter: code"
        );
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(
            format!("{:?}", params("client_secret=hidden")),
            r#"{"client_secret"}"#
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(params) = Params::parse(&bytes) {
                prop_assert!(params.0.len() <= Params::MOST);
            }
        }

        #[test]
        fn an_encoded_value_is_read_back(value in "(?s).{1,40}") {
            let encoded: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("v", &value).finish();
            let params = params(&encoded);
            prop_assert_eq!(params.get("v"), Some(value.as_str()));
        }
    }
}
