//! Token introspection (RFC 7662).

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::error::OAuthError;
use super::params::Params;
use super::token::{TokenHint, TokenType};
use crate::base::secret::Secret;
use crate::model::certificate::Thumbprint;
use crate::model::client_id::ClientId;
use crate::model::scope::Scopes;

/// A request to look into a token (RFC 7662 §2.1). The hint is only that.
#[derive(Clone, Debug)]
pub struct IntrospectionRequest {
    pub token: Secret,
    pub hint: Option<TokenHint>,
}

impl IntrospectionRequest {
    /// `invalid_request` where `token` is missing or a parameter is repeated.
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        params.reject_repeated()?;
        let token = Secret::new(params.require("token")?);
        Ok(Self {
            token,
            hint: TokenHint::parse(params.get("token_type_hint")),
        })
    }
}

/// The answer (RFC 7662 §2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// Exactly `{"active":false}`, whatever the reason: unknown, expired, revoked, not the asker's to see.
    Inactive,
    Active(Box<ActiveToken>),
}

impl Introspection {
    pub fn active(token: ActiveToken) -> Self {
        Self::Active(Box::new(token))
    }
}

/// What is said of a live token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveToken {
    pub scope: Scopes,
    pub client_id: ClientId,
    /// The user's name; `None` for a token without a user.
    pub username: Option<String>,
    /// `None` for a refresh token, so that no resource server takes it for an access token.
    pub token_type: Option<TokenType>,
    /// Unix seconds.
    pub exp: i64,
    /// Unix seconds.
    pub iat: i64,
    /// The user's id, or the `client_id` of a token without a user.
    pub sub: String,
    /// The resources it is for (RFC 8707); empty means none was named. One is sent as a text, several as
    /// an array.
    pub aud: Vec<String>,
    pub iss: String,
    /// The certificate that it is bound to (RFC 8705 §3.2).
    pub certificate: Option<Thumbprint>,
}

impl Serialize for Introspection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let token = match self {
            Self::Active(token) => token,
            Self::Inactive => {
                let mut body = serializer.serialize_struct("Introspection", 1)?;
                body.serialize_field("active", &false)?;
                return body.end();
            }
        };
        Answer {
            active: true,
            scope: token.scope.to_string(),
            client_id: token.client_id.as_str(),
            username: token.username.as_deref(),
            token_type: token.token_type,
            exp: token.exp,
            iat: token.iat,
            sub: &token.sub,
            aud: Audience::of(&token.aud),
            iss: &token.iss,
            cnf: token
                .certificate
                .as_ref()
                .map(|certificate| Confirmation { certificate }),
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    active: bool,
    scope: String,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<TokenType>,
    exp: i64,
    iat: i64,
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Audience<'a>>,
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation<'a>>,
}

/// RFC 7800 §3.1.
#[derive(Serialize)]
struct Confirmation<'a> {
    #[serde(rename = "x5t#S256")]
    certificate: &'a Thumbprint,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Several(&'a [String]),
}

impl<'a> Audience<'a> {
    fn of(resources: &'a [String]) -> Option<Self> {
        match resources {
            [] => None,
            [one] => Some(Self::One(one)),
            several => Some(Self::Several(several)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_string, to_value};

    use super::*;

    fn token() -> ActiveToken {
        ActiveToken {
            scope: Scopes::parse("write read").unwrap(),
            client_id: ClientId::parse("app").unwrap(),
            username: Some("hana".to_owned()),
            token_type: Some(TokenType::Bearer),
            exp: 1_700_003_600,
            iat: 1_700_000_000,
            sub: "42".to_owned(),
            aud: Vec::new(),
            iss: "https://id.example".to_owned(),
            certificate: None,
        }
    }

    #[test]
    fn inactive_says_nothing_else() {
        assert_eq!(
            to_string(&Introspection::Inactive).unwrap(),
            r#"{"active":false}"#
        );
    }

    #[test]
    fn active_says_what_a_resource_server_needs() {
        let expected = json!({
            "active": true, "scope": "read write", "client_id": "app", "username": "hana", "token_type": "Bearer",
            "exp": 1_700_003_600, "iat": 1_700_000_000, "sub": "42", "iss": "https://id.example",
        });
        assert_eq!(to_value(Introspection::active(token())).unwrap(), expected);
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let without = ActiveToken {
            username: None,
            token_type: None,
            ..token()
        };
        let body = to_string(&Introspection::active(without)).unwrap();
        assert!(
            !body.contains("username") && !body.contains("token_type") && !body.contains("null"),
            "{body}"
        );
    }

    #[test]
    fn one_audience_is_a_text_and_several_are_an_array() {
        let aud = |resources: &[&str]| {
            let aud = resources.iter().map(ToString::to_string).collect();
            to_value(Introspection::active(ActiveToken { aud, ..token() })).unwrap()["aud"].clone()
        };
        assert_eq!(aud(&["https://a.example"]), json!("https://a.example"));
        assert_eq!(
            aud(&["https://a.example", "https://b.example"]),
            json!(["https://a.example", "https://b.example"])
        );
    }

    #[test]
    fn the_request_needs_a_token() {
        let parse = |body: &str| IntrospectionRequest::parse(&Params::parse(body.as_bytes()).unwrap());
        assert_eq!(
            parse("token=t&token_type_hint=access_token").unwrap().hint,
            Some(TokenHint::AccessToken)
        );
        assert_eq!(
            parse("token=").unwrap_err().description(),
            "Missing required parameter: token"
        );
        assert!(parse("token=a&token=a").is_err());
    }
}
