//! Signed requests: what is signed is one text that can be read one way, and a refusal is a form in which nothing gets
//! out of its place.

use tegata::protocol::oauth1::problem::Problem;
use tegata::protocol::oauth1::request::{Body, Sent, SignedRequest, is_claimed, is_claimed_by_form};

use super::lines;

/// Method, path with query, an `Authorization` header, and a body.
pub fn holds(input: &[u8]) {
    let [method, target, header, body] = lines(input);
    let (Ok(method), Ok(target)) = (std::str::from_utf8(method), std::str::from_utf8(target)) else {
        return;
    };
    let headers = [header];
    let authorization = if header.is_empty() { &[][..] } else { &headers[..] };
    for body in [Body::Form(body), Body::Other(body)] {
        let sent = Sent {
            method,
            target,
            authorization,
            body,
        };
        match SignedRequest::parse("https://id.example", &sent) {
            Ok(request) => {
                let by_form = matches!(body, Body::Form(form) if is_claimed_by_form(form));
                assert!(by_form || is_claimed(authorization, target));
                is_read(&request);
            }
            Err(problem) => is_told(&problem),
        }
    }
}

fn is_read(request: &SignedRequest) {
    assert!((1..=128).contains(&request.consumer_key().len()));
    assert!(
        request
            .token()
            .is_none_or(|token| (1..=128).contains(&token.len()))
    );
    assert!(
        request
            .freshness()
            .is_none_or(|fresh| fresh.timestamp > 0 && !fresh.nonce.is_empty())
    );
    let parts: Vec<&str> = request.base_string().split('&').collect();
    let [_, uri, parameters] = parts[..] else {
        panic!("{:?}", request.base_string())
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    assert!(parts.iter().all(|part| part.bytes().all(is_plain)));
    assert!(uri.starts_with("https%3A%2F%2Fid.example%2F"));
    let parameters = decoded(parameters);
    let pairs: Vec<(&str, &str)> = parameters
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    assert!(pairs.is_sorted(), "{pairs:?}");
    assert!(
        pairs.iter().all(|(name, _)| *name != "oauth_signature"),
        "{pairs:?}"
    );
    assert!(pairs.contains(&("oauth_signature_method", request.signature_method().as_str())));
}

fn is_told(problem: &Problem) {
    assert!(matches!(problem.status(), 400 | 401), "{problem:?}");
    let form = problem.to_form();
    let members: Vec<(&str, &str)> = form
        .split('&')
        .map(|member| member.split_once('=').unwrap())
        .collect();
    assert_eq!(members[0], ("oauth_problem", problem.kind.as_str()));
    assert_eq!(members[1].0, "oauth_problem_advice");
    assert_eq!(decoded(members[1].1), problem.advice());
    assert!(
        form.is_ascii()
            && !form
                .bytes()
                .any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
    );
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .unwrap()
        .into_owned()
}
