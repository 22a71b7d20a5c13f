//! A trailing slash means the same resource, without a redirect.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Path and query as the client sent them.
#[derive(Clone, Debug)]
pub(in crate::http) struct AsSent(pub(in crate::http) String);

/// `/api/memos/?limit=1` becomes `/api/memos?limit=1`; one slash only, so that `//` stays unknown.
pub(in crate::http) async fn without_trailing_slash(mut request: Request) -> Request {
    let sent = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
    let sent = AsSent(sent.to_owned());
    request.extensions_mut().insert(sent);
    if let Some(uri) = trimmed(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn trimmed(uri: &Uri) -> Option<Uri> {
    let path = uri
        .path()
        .strip_suffix('/')
        .filter(|path| !path.is_empty() && !path.ends_with('/'))?;
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(text.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Option<String> {
        trimmed(&text.parse().unwrap()).map(|uri| uri.to_string())
    }

    #[test]
    fn one_trailing_slash_goes() {
        assert_eq!(path("/api/memos/").as_deref(), Some("/api/memos"));
        assert_eq!(path("/api/memos/?a=%2F&b").as_deref(), Some("/api/memos?a=%2F&b"));
    }

    #[test]
    fn anything_else_stays() {
        for text in ["/", "/a", "//", "/a//", "/a?b=/"] {
            assert_eq!(path(text), None, "{text}");
        }
    }
}
