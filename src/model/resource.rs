//! Resources: where a token may be used (RFC 8707).

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::uri;

/// The identifier of a protected resource: an absolute URI without fragment (RFC 8707 §2). Kept byte for
/// byte, because that is how the resource knows itself; compared without the one slash at its end, which
/// URL libraries add to a bare host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Resource(String);

impl Resource {
    pub fn parse(text: &str) -> Result<Self, InvalidResource> {
        match uri::absolute(text) {
            Ok(()) => Ok(Self(text.to_owned())),
            Err(why) => Err(InvalidResource(why)),
        }
    }

    /// Whether both name the same resource.
    pub fn is(&self, other: &Self) -> bool {
        self.bare() == other.bare()
    }

    fn bare(&self) -> &str {
        self.0.strip_suffix('/').unwrap_or(&self.0)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Resource {
    type Error = InvalidResource;

    fn try_from(text: String) -> Result<Self, InvalidResource> {
        Self::parse(&text)
    }
}

impl From<Resource> for String {
    fn from(resource: Resource) -> Self {
        resource.0
    }
}

/// A set of resources. What it means when it is empty is its holder's to say: a token or grant that names
/// none may be used anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resources(BTreeSet<Resource>);

impl Resources {
    /// The member that names the same resource as `other`, in the set's own spelling.
    pub fn find(&self, other: &Resource) -> Option<&Resource> {
        self.0.iter().find(|resource| resource.is(other))
    }

    /// Whether a token or grant with these may be used at `resource`.
    pub fn admit(&self, resource: &Resource) -> bool {
        self.is_empty() || self.find(resource).is_some()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As the wire has them.
    pub fn to_strings(&self) -> Vec<String> {
        self.0.iter().map(Resource::to_string).collect()
    }
}

/// Separated by spaces, which no URI has.
impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_strings().join(" "))
    }
}

impl FromIterator<Resource> for Resources {
    fn from_iter<I: IntoIterator<Item = Resource>>(resources: I) -> Self {
        Self(resources.into_iter().collect())
    }
}

/// A text that names no resource, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidResource(&'static str);

impl fmt::Display for InvalidResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; an absolute URI without fragment is allowed", self.0)
    }
}

impl std::error::Error for InvalidResource {}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(text: &str) -> Resource {
        Resource::parse(text).unwrap()
    }

    #[test]
    fn one_slash_at_the_end_makes_no_difference_and_anything_else_does() {
        let api = resource("https://api.example");
        assert!(api.is(&resource("https://api.example/")) && resource("https://api.example/").is(&api));
        for other in [
            "https://api.example//",
            "https://api.example/v1",
            "https://API.example",
            "http://api.example",
            "https://api.example.evil.example",
            "https://api.example?x",
        ] {
            assert!(!api.is(&resource(other)), "{other}");
        }
    }

    #[test]
    fn none_named_admits_any_and_some_named_admit_themselves_alone() {
        let (api, other) = (resource("https://api.example"), resource("https://other.example"));
        assert!(Resources::default().admit(&api));
        let bound = Resources::from_iter([api]);
        assert!(bound.admit(&resource("https://api.example/")) && !bound.admit(&other));
    }

    #[test]
    fn json_is_read_as_strictly_as_text() {
        let read = serde_json::from_str::<Resources>;
        assert_eq!(
            read(r#"["https://a.example/"]"#).unwrap().to_strings(),
            ["https://a.example/"]
        );
        assert!(read(r#"["a.example"]"#).is_err() && read(r#"["https://a.example#x"]"#).is_err());
    }
}
