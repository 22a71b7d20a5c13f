//! Resource indicators (RFC 8707): for where a token is asked, and for where it is good. And how a resource
//! describes itself (RFC 9728).

use serde::Serialize;

use super::error::{ErrorCode, OAuthError};
use super::metadata::well_known;
use super::params::Params;
use crate::model::resource::{Resource, Resources};
use crate::model::scope::Scopes;

/// Most `resource` values of a request.
const MOST: usize = 20;

/// What an authorization request binds its grant to: the values of `resource`, each `known` to this server,
/// in its spelling. None asked: no bound.
///
/// # Errors
/// `invalid_target` for a malformed, an unknown and a twenty-first value.
pub fn asked(params: &Params, known: &Resources) -> Result<Resources, OAuthError> {
    let values: Vec<&str> = params.all("resource").take(MOST + 1).collect();
    if values.len() > MOST {
        return Err(invalid_target(format!(
            "At most {MOST} values of resource are taken"
        )));
    }
    values
        .into_iter()
        .map(|value| {
            let resource =
                Resource::parse(value).map_err(|why| invalid_target(format!("A value of resource {why}")))?;
            known
                .find(&resource)
                .cloned()
                .ok_or_else(|| unknown(&resource, known))
        })
        .collect()
}

/// What a token request binds the access token to: what it asks, never more than the grant's `bound`
/// (RFC 8707 §2.2). Of a bound the resources stay that are still `known`; where none does, nothing is
/// issued, since a token that names none is good everywhere.
///
/// # Errors
/// `invalid_target`.
pub fn narrowed(params: &Params, known: &Resources, bound: &Resources) -> Result<Resources, OAuthError> {
    let asked = asked(params, known)?;
    if bound.is_empty() {
        return Ok(asked);
    }
    if asked.is_empty() {
        return still_known(known, bound);
    }
    if let Some(refused) = asked.iter().find(|resource| bound.find(resource).is_none()) {
        return Err(invalid_target(format!(
            "A token request can narrow the resources that were authorized, never widen them; {refused} is not one of them"
        )));
    }
    Ok(asked)
}

fn still_known(known: &Resources, bound: &Resources) -> Result<Resources, OAuthError> {
    let left: Resources = bound
        .iter()
        .filter_map(|resource| known.find(resource))
        .cloned()
        .collect();
    if left.is_empty() {
        return Err(invalid_target(
            "This server no longer gives tokens for any of the resources that were authorized",
        ));
    }
    Ok(left)
}

fn unknown(resource: &Resource, known: &Resources) -> OAuthError {
    invalid_target(format!(
        "This server gives no tokens for the resource {resource}; it gives them for: {known}"
    ))
}

fn invalid_target(description: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, description)
}

/// What a protected resource says of itself (RFC 9728 §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceMetadata {
    pub resource: Resource,
    pub authorization_servers: Vec<String>,
    #[serde(skip_serializing_if = "Scopes::is_empty")]
    pub scopes_supported: Scopes,
    pub bearer_methods_supported: [&'static str; 1],
    pub resource_name: &'static str,
    /// Whether it takes tokens that are bound to a certificate (RFC 8705 §3.3); present where it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tls_client_certificate_bound_access_tokens: bool,
}

impl ResourceMetadata {
    /// Of a resource that takes the tokens of `issuer` in the Authorization header alone.
    pub fn of(resource: &Resource, name: &'static str, issuer: &str, scopes: Scopes) -> Self {
        Self {
            resource: resource.clone(),
            authorization_servers: vec![issuer.to_owned()],
            scopes_supported: scopes,
            bearer_methods_supported: ["header"],
            resource_name: name,
            tls_client_certificate_bound_access_tokens: false,
        }
    }
}

impl ResourceMetadata {
    /// The same, where it sees the certificates of clients.
    #[must_use]
    pub fn seeing_certificates(self, sees: bool) -> Self {
        Self {
            tls_client_certificate_bound_access_tokens: sees,
            ..self
        }
    }
}

/// The name of the metadata of protected resources among the well-known ones.
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Where the metadata of a resource without query are found: the well-known name goes before its path
/// (RFC 9728 §3.1).
pub fn well_known_path(resource: &Resource) -> String {
    well_known(WELL_KNOWN, resource.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    const API: &str = "https://api.example/v1";
    const MEMOS: &str = "https://id.example/api/memos";

    fn resources(texts: &[&str]) -> Resources {
        texts.iter().map(|text| Resource::parse(text).unwrap()).collect()
    }

    fn known() -> Resources {
        resources(&[API, MEMOS, "https://bare.example/"])
    }

    fn params(query: &str) -> Params {
        Params::parse(query.as_bytes()).unwrap()
    }

    fn ask(query: &str) -> Result<Resources, ErrorCode> {
        asked(&params(query), &known()).map_err(|error| error.code())
    }

    fn narrow(query: &str, bound: &[&str]) -> Result<Resources, ErrorCode> {
        narrowed(&params(query), &known(), &resources(bound)).map_err(|error| error.code())
    }

    #[test]
    fn each_value_is_one_that_is_known() {
        assert_eq!(ask("scope=read&resource="), Ok(Resources::default()));
        assert_eq!(ask(&format!("resource={API}")), Ok(resources(&[API])));
        assert_eq!(
            ask(&format!("resource={API}&resource={MEMOS}&resource={API}")),
            Ok(resources(&[API, MEMOS]))
        );
    }

    #[test]
    fn a_slash_at_the_end_is_tolerated_and_the_known_spelling_kept() {
        assert_eq!(ask(&format!("resource={API}/")), Ok(resources(&[API])));
        assert_eq!(
            ask("resource=https://bare.example"),
            Ok(resources(&["https://bare.example/"]))
        );
    }

    #[test]
    fn what_is_malformed_or_unknown_is_an_invalid_target() {
        for value in [
            "api.example",
            "/v1",
            "https://api.example/v1%23x",
            "https://api.example/v1%20",
            "https://api.example",
            "https://api.example/v1/more",
            "https://other.example/",
        ] {
            assert_eq!(
                ask(&format!("resource={value}")),
                Err(ErrorCode::InvalidTarget),
                "{value}"
            );
            assert_eq!(
                ask(&format!("resource={API}&resource={value}")),
                Err(ErrorCode::InvalidTarget),
                "{value}"
            );
        }
    }

    #[test]
    fn twenty_values_are_the_most() {
        let values = |count| format!("resource={API}&").repeat(count);
        assert_eq!(ask(&values(20)), Ok(resources(&[API])));
        assert_eq!(ask(&values(21)), Err(ErrorCode::InvalidTarget));
    }

    #[test]
    fn a_token_request_narrows_and_never_widens() {
        assert_eq!(narrow("", &[API, MEMOS]), Ok(resources(&[API, MEMOS])));
        assert_eq!(
            narrow(&format!("resource={API}"), &[API, MEMOS]),
            Ok(resources(&[API]))
        );
        assert_eq!(
            narrow(&format!("resource={MEMOS}"), &[API]),
            Err(ErrorCode::InvalidTarget)
        );
        assert_eq!(
            narrow(&format!("resource={API}&resource={MEMOS}"), &[API]),
            Err(ErrorCode::InvalidTarget)
        );
    }

    #[test]
    fn a_grant_without_a_bound_may_be_given_one() {
        assert_eq!(narrow("", &[]), Ok(Resources::default()));
        assert_eq!(narrow(&format!("resource={API}"), &[]), Ok(resources(&[API])));
    }

    #[test]
    fn a_bound_that_is_no_longer_known_never_becomes_no_bound() {
        assert_eq!(
            narrow("", &["https://gone.example"]),
            Err(ErrorCode::InvalidTarget)
        );
        assert_eq!(narrow("", &["https://gone.example", API]), Ok(resources(&[API])));
    }

    #[test]
    fn the_well_known_name_goes_before_the_path() {
        let path = |text| well_known_path(&Resource::parse(text).unwrap());
        assert_eq!(path("https://api.example/"), WELL_KNOWN);
        assert_eq!(
            path("https://id.example/a/api/memos"),
            format!("{WELL_KNOWN}/a/api/memos")
        );
    }

    #[test]
    fn the_document_names_the_resource_and_who_gives_tokens_for_it() {
        let memos = Resource::parse(MEMOS).unwrap();
        let scopes = Scopes::parse("write read").unwrap();
        let document = ResourceMetadata::of(&memos, "Memos", "https://id.example", scopes);
        let expected = json!({
            "resource": MEMOS,
            "authorization_servers": ["https://id.example"],
            "scopes_supported": ["read", "write"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Memos",
        });
        assert_eq!(to_value(document).unwrap(), expected);
        let without = ResourceMetadata::of(&memos, "Memos", "https://id.example", Scopes::default());
        assert_eq!(to_value(without).unwrap().get("scopes_supported"), None);
    }
}
