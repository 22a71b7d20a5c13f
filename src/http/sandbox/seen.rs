//! A request as it came, before anything is done with it.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::World;
use crate::flow::bearer;
use crate::flow::failed_requests::named_client;
use crate::http::extract::params::{MAX_BODY, is_form};
use crate::model::grant_type::GrantType;
use crate::model::token::AccessToken;
use crate::protocol::bearer::credentials;
use crate::protocol::client_auth::presented;
use crate::protocol::params::Params;
use crate::protocol::{metadata, resource};

/// What scripts are written for, and what the record tells requests by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Endpoint {
    Token,
    Authorize,
    Revoke,
    Introspect,
    DeviceAuthorization,
    /// Of the server and of its resource.
    Metadata,
    Memos,
    TokenInfo,
}

impl Endpoint {
    /// `path` as it stands under the issuer.
    pub(super) fn of(path: &str) -> Option<Self> {
        if path.starts_with(metadata::WELL_KNOWN) || path.starts_with(resource::WELL_KNOWN) {
            return Some(Self::Metadata);
        }
        match path.strip_suffix('/').unwrap_or(path) {
            "/oauth/token" => Some(Self::Token),
            "/oauth/authorize" => Some(Self::Authorize),
            "/oauth/revoke" => Some(Self::Revoke),
            "/oauth/introspect" => Some(Self::Introspect),
            "/oauth/device_authorization" => Some(Self::DeviceAuthorization),
            "/oauth/token/info" => Some(Self::TokenInfo),
            memos if memos == "/api/memos" || memos.starts_with("/api/memos/") => Some(Self::Memos),
            _ => None,
        }
    }

    pub(super) const fn is_resource(self) -> bool {
        matches!(self, Self::Memos | Self::TokenInfo)
    }
}

/// What a request said.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) endpoint: Option<Endpoint>,
    pub(super) method: Method,
    /// Under the issuer.
    pub(super) path: String,
    pub(super) query: Params,
    pub(super) headers: HeaderMap,
    /// Its beginning.
    pub(super) body: Bytes,
    /// Of the body, where it is a form.
    pub(super) form: Params,
    /// Whose it is, at its word.
    pub(super) client_id: Option<String>,
    /// What is known of the token that it was sent with to a resource, good or not.
    pub(super) token: Option<AccessToken>,
}

impl Seen {
    /// Reads it, and gives it back as it was.
    pub(super) async fn read(world: &World, request: Request) -> (Self, Request) {
        let (parts, body) = request.into_parts();
        let path = world.path_of(parts.uri.path()).to_owned();
        let endpoint = Endpoint::of(&path);
        let (beginning, body) = peek(body).await;
        let query = Params::parse(parts.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
        let form = if is_form(&parts.headers) {
            Params::parse(&beginning).unwrap_or_default()
        } else {
            Params::default()
        };
        let mut seen = Self {
            endpoint,
            method: parts.method.clone(),
            path,
            query,
            headers: parts.headers.clone(),
            body: beginning,
            form,
            client_id: None,
            token: None,
        };
        seen.recognise(world).await;
        (seen, Request::from_parts(parts, body))
    }

    /// The grant that a token is asked for by.
    pub(super) fn grant(&self) -> Option<GrantType> {
        GrantType::parse(self.form.get("grant_type")?).ok()
    }

    async fn recognise(&mut self, world: &World) {
        match self.endpoint {
            Some(Endpoint::Authorize) => {
                self.client_id = self.query.get("client_id").map(str::to_owned);
            }
            Some(endpoint) if endpoint.is_resource() => {
                self.token = match self.bearer() {
                    Some(text) => bearer::examine(&world.app, text).await.ok().flatten(),
                    None => None,
                };
                self.client_id = self.token.as_ref().map(|token| token.client_id.to_string());
            }
            Some(Endpoint::Metadata) | None => {}
            Some(_) => {
                let authorization = self.authorization();
                self.client_id = named_client(&presented(&authorization, &self.form), &self.form);
            }
        }
    }

    /// The bearer token that it came with.
    pub(super) fn bearer(&self) -> Option<&str> {
        credentials(&self.authorization()).ok().flatten()
    }

    fn authorization(&self) -> Vec<&[u8]> {
        let sent = self.headers.get_all(header::AUTHORIZATION).iter();
        sent.map(HeaderValue::as_bytes).collect()
    }
}

/// The beginning of a body, and the whole as it was: longer than the server takes, or broken off.
async fn peek(body: Body) -> (Bytes, Body) {
    let mut rest = body.into_data_stream();
    let mut read = Vec::new();
    let mut beginning = Vec::new();
    while beginning.len() <= MAX_BODY {
        match rest.next().await {
            Some(Ok(chunk)) => {
                beginning.extend_from_slice(&chunk);
                read.push(Ok(chunk));
            }
            Some(Err(broken)) => {
                read.push(Err(broken));
                break;
            }
            None => break,
        }
    }
    beginning.truncate(MAX_BODY);
    let whole = Body::from_stream(stream::iter(read).chain(rest));
    (beginning.into(), whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_known_by_its_path_under_the_issuer() {
        let cases = [
            ("/oauth/token", Some(Endpoint::Token)),
            ("/oauth/token/", Some(Endpoint::Token)),
            ("/oauth/token/info", Some(Endpoint::TokenInfo)),
            ("/oauth/authorize", Some(Endpoint::Authorize)),
            ("/oauth/authorize/native", None),
            ("/api/memos/7", Some(Endpoint::Memos)),
            ("/api/memosaic", None),
            (
                "/.well-known/oauth-authorization-server/s/7f3a",
                Some(Endpoint::Metadata),
            ),
            (
                "/.well-known/oauth-protected-resource/api/memos",
                Some(Endpoint::Metadata),
            ),
            ("/login", None),
        ];
        for (path, endpoint) in cases {
            assert_eq!(Endpoint::of(path), endpoint, "{path}");
        }
    }

    #[tokio::test]
    async fn a_body_that_was_looked_at_is_whole() {
        for size in [0, 1, MAX_BODY, MAX_BODY + 1, 3 * MAX_BODY] {
            let sent: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let chunks: Vec<Result<Bytes, axum::Error>> = sent
                .chunks(1000)
                .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
                .collect();
            let (beginning, whole) = peek(Body::from_stream(stream::iter(chunks))).await;
            assert_eq!(beginning, sent[..size.min(MAX_BODY)]);
            let came = axum::body::to_bytes(whole, usize::MAX).await.unwrap();
            assert_eq!(came, sent);
        }
    }
}
