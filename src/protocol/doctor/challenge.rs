//! Reading `WWW-Authenticate` (RFC 9110 §11.6.1), as a client must.

/// One challenge: a scheme and its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    pub scheme: String,
    /// Names in lower case.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The first value of the parameter `name`, which is given in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let held = self.parameters.iter().find(|(held, _)| held == name);
        held.map(|(_, value)| value.as_str())
    }
}

/// The challenge of `scheme`, in any case, among all headers.
pub fn find<'a>(headers: impl IntoIterator<Item = &'a [u8]>, scheme: &str) -> Option<Challenge> {
    let challenges = headers.into_iter().flat_map(read);
    challenges
        .into_iter()
        .find(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme))
}

/// The challenges of one header. What cannot be read is passed over.
pub fn read(header: &[u8]) -> Vec<Challenge> {
    let text = String::from_utf8_lossy(header);
    let mut rest = text.as_ref();
    let mut challenges: Vec<Challenge> = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = word(rest);
        if word.is_empty() {
            let mut characters = rest.chars();
            if characters.next().is_none() {
                return challenges;
            }
            rest = characters.as_str();
            continue;
        }
        let equals = after.trim_start_matches([' ', '\t']).strip_prefix('=');
        if let (Some(value), Some(challenge)) = (equals, challenges.last_mut()) {
            let (value, after) = self::value(value.trim_start_matches([' ', '\t']));
            challenge.parameters.push((word.to_ascii_lowercase(), value));
            rest = after;
            continue;
        }
        challenges.push(Challenge {
            scheme: word.to_owned(),
            parameters: Vec::new(),
        });
        rest = after;
    }
}

/// The token (RFC 9110 §5.6.2) that `text` begins with, and what follows.
fn word(text: &str) -> (&str, &str) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    text.split_at(end)
}

/// A token or a quoted string, and what follows.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, rest) = word(text);
        return (word.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bearer(header: &str) -> Option<Challenge> {
        find([header.as_bytes()], "Bearer")
    }

    #[test]
    fn parameters_are_read_quoted_or_bare() {
        let found = bearer(r#"Bearer realm="a, \"b\"", Error=invalid_token , scope = "read write""#).unwrap();
        assert_eq!(found.parameter("realm"), Some("a, \"b\""));
        assert_eq!(found.parameter("error"), Some("invalid_token"));
        assert_eq!(found.parameter("scope"), Some("read write"));
        assert_eq!(found.parameter("resource_metadata"), None);
    }

    #[test]
    fn one_scheme_is_found_among_several() {
        let header = r#"Negotiate, Basic realm="x", bearer resource_metadata="https://r.example/m", DPoP algs="ES256""#;
        let found = bearer(header).unwrap();
        assert_eq!(found.parameter("resource_metadata"), Some("https://r.example/m"));
        assert_eq!(found.parameter("algs"), None);
        assert_eq!(
            find([b"Basic".as_slice(), b"Bearer"], "bearer").unwrap().scheme,
            "Bearer"
        );
        assert_eq!(bearer("Basic realm=\"Bearer\""), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_bytes_make_it_panic_or_hang(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(read(&bytes).len() <= bytes.len());
        }
    }
}
