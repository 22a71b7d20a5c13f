//! What another server answered, as far as a rule looks at it (RFC 9110).

use serde_json::{Map, Value};

use super::media_type;

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case, in the order of their coming.
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Answer {
    pub fn new(status: u16, headers: impl IntoIterator<Item = (String, Vec<u8>)>, body: Vec<u8>) -> Self {
        let lower = |(name, value): (String, Vec<u8>)| (name.to_ascii_lowercase(), value);
        Self {
            status,
            headers: headers.into_iter().map(lower).collect(),
            body,
        }
    }

    /// All values of the header `name`, which is given in lower case.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(held, _)| held == name)
            .map(|(_, value)| value.as_slice())
    }

    /// The first value of the header `name`, where it is text.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let first = self.headers(name).next()?;
        std::str::from_utf8(first).ok()
    }

    /// Whether it says that it is JSON.
    pub fn is_json(&self) -> bool {
        let kinds: Vec<&[u8]> = self.headers("content-type").collect();
        media_type::is(&kinds, "application/json")
    }

    /// The body, where it is a JSON object.
    pub fn object(&self) -> Option<Map<String, Value>> {
        serde_json::from_slice(&self.body).ok()
    }

    pub fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status)
    }

    /// Whether caches are told to keep nothing (RFC 9111 §5.2.2.5).
    pub fn is_no_store(&self) -> bool {
        self.headers("cache-control").any(|value| {
            String::from_utf8_lossy(value)
                .split(',')
                .any(|directive| directive.trim().eq_ignore_ascii_case("no-store"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Answer::new(200, headers, body.into())
    }

    #[test]
    fn headers_are_found_in_any_case_and_only_objects_are_read() {
        let json = answer(
            &[("Content-Type", "application/json; charset=utf-8")],
            r#"{"a":1}"#,
        );
        assert!(json.is_json());
        assert_eq!(json.object().unwrap()["a"], 1);
        assert_eq!(answer(&[], "[1]").object(), None);
        assert!(!answer(&[("content-type", "text/html")], "{}").is_json());
    }

    #[test]
    fn no_store_may_stand_among_others() {
        assert!(answer(&[("Cache-Control", "no-cache, No-Store")], "").is_no_store());
        assert!(!answer(&[("Cache-Control", "no-cache")], "").is_no_store());
        assert!(!answer(&[("Cache-Control", "no-storex")], "").is_no_store());
    }
}
