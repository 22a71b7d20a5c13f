//! Who may drive a sandbox: the tests of whoever started it. A page on another site, open in a browser on the
//! same machine, may not: neither by a request across sites nor by a name that it lets point here.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::World;
use super::json::refused;
use crate::base::secret::SecretHash;

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// What a browser may open: it asks a person for the token.
const PAGES: &str = "/sandbox/debugger";
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"sandbox: any name, the control token\"");

pub(super) async fn admit(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let Err(why) = judge(&world, request.headers()) else {
        return next.run(request).await;
    };
    let is_page = world.path_of(request.uri().path()).starts_with(PAGES);
    if why != Stranger::WithoutToken || !is_page {
        return refused(StatusCode::FORBIDDEN, "forbidden", why.words());
    }
    let mut asked = refused(StatusCode::UNAUTHORIZED, "forbidden", why.words());
    asked.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
    asked
}

/// Who may not drive a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stranger {
    OfAnotherOrigin,
    ByAnotherName,
    WithoutToken,
}

impl Stranger {
    const fn words(self) -> &'static str {
        match self {
            Self::OfAnotherOrigin => "a page of another origin may not drive a sandbox",
            Self::ByAnotherName => {
                "address the sandbox by its issuer's host, or as localhost, 127.0.0.1 or [::1]"
            }
            Self::WithoutToken => "send the control token: Authorization: Bearer TOKEN",
        }
    }
}

fn judge(world: &World, headers: &HeaderMap) -> Result<(), Stranger> {
    if !is_same_site(headers) {
        return Err(Stranger::OfAnotherOrigin);
    }
    let Some(token) = &world.control_token else {
        let is_here = is_addressed_here(world.app.issuer.host(), headers);
        return is_here.then_some(()).ok_or(Stranger::ByAnotherName);
    };
    let is_right = sent_token(headers).is_some_and(|sent| SecretHash::of(&sent) == *token);
    is_right.then_some(()).ok_or(Stranger::WithoutToken)
}

/// Programs send neither header; a browser sends the one or the other with all that a page of another origin
/// makes it send.
fn is_same_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let origin = headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    let host = headers.get(header::HOST).map_or(&[][..], HeaderValue::as_bytes);
    let own = |origin: &[u8]| {
        let rest = origin
            .strip_prefix(b"http://")
            .or(origin.strip_prefix(b"https://"));
        rest.is_some_and(|rest| rest == host)
    };
    matches!(site, None | Some(b"same-origin" | b"none")) && origin.is_none_or(own)
}

/// Against names that another site lets point at this machine (DNS rebinding).
fn is_addressed_here(issuer_host: &str, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    LOOPBACK.contains(&name) || name.eq_ignore_ascii_case(issuer_host)
}

/// As a bearer token, or as the password that a browser asks a person for.
fn sent_token(headers: &HeaderMap) -> Option<String> {
    let sent = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = sent.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    basic(credentials.trim()).map(|(_, password)| password)
}

/// Name and password of Basic (RFC 7617 §2), as they were sent.
pub(super) fn basic(credentials: &str) -> Option<(String, String)> {
    let pair = STANDARD.decode(credentials).ok()?;
    let (name, password) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(sent: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_our_own_names_lead_here() {
        let here = |hosts: &[&str]| {
            let hosts: Vec<_> = hosts.iter().map(|host| (header::HOST, *host)).collect();
            is_addressed_here("tegata.test", &headers(&hosts))
        };
        for host in [
            "localhost",
            "localhost:3801",
            "127.0.0.1:1",
            "[::1]:3801",
            "[::1]",
            "TEGATA.test:80",
        ] {
            assert!(here(&[host]), "{host}");
        }
        for host in [
            "",
            "evil.test",
            "evil.test:3801",
            "127.0.0.1.evil.test",
            "localhost:evil.test",
            "[::1].evil.test",
        ] {
            assert!(!here(&[host]), "{host}");
        }
        assert!(!here(&[]));
        assert!(
            !here(&["localhost", "evil.test"]),
            "which of them counts, nobody knows"
        );
    }

    #[test]
    fn a_page_of_another_origin_is_told_by_either_header() {
        let sent = |more: &[(HeaderName, &str)]| {
            let mut all = vec![(header::HOST, "localhost:3801")];
            all.extend(more.iter().cloned());
            is_same_site(&headers(&all))
        };
        let site = || HeaderName::from_static("sec-fetch-site");
        assert!(sent(&[]), "a program");
        assert!(sent(&[(site(), "none")]) && sent(&[(site(), "same-origin")]));
        assert!(sent(&[(header::ORIGIN, "http://localhost:3801")]));
        for value in ["cross-site", "same-site", ""] {
            assert!(!sent(&[(site(), value)]), "{value}");
            assert!(
                !sent(&[(site(), value), (header::ORIGIN, "http://localhost:3801")]),
                "{value}"
            );
        }
        for origin in [
            "null",
            "",
            "http://localhost:3802",
            "http://localhost",
            "https://evil.test",
            "localhost:3801",
        ] {
            assert!(!sent(&[(header::ORIGIN, origin)]), "{origin}");
            assert!(
                !sent(&[(site(), "same-origin"), (header::ORIGIN, origin)]),
                "{origin}"
            );
        }
    }
}
