//! Matching a redirect URI: what passes is the registered text, but for the port of a loopback address.

use tegata::model::redirect_uri::RedirectUri;
use url::Url;

use super::text_lines;

/// The registered URI, and the one a request asks for.
pub fn holds(input: &[u8]) {
    let Some([registered, asked]) = text_lines(input) else {
        return;
    };
    let Ok(uri) = RedirectUri::from_stored(registered.to_owned()) else {
        return;
    };
    for localhost_any_port in [false, true] {
        assert!(uri.matches(registered, localhost_any_port));
        if !uri.matches(asked, localhost_any_port) {
            continue;
        }
        assert!(uri.matches(asked, true), "a freedom more must refuse nothing");
        if asked == registered {
            continue;
        }
        let free = |text| free_port(text, localhost_any_port);
        assert!(free(registered).is_some());
        assert_eq!(free(registered), free(asked));
        assert!(asked.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'));
        if RedirectUri::register(registered).is_ok() {
            assert_eq!(without_port(registered), without_port(asked));
        }
    }
}

/// Host and what follows the port, where the port is free: told apart here by hand, not as the server does.
fn free_port(text: &str, localhost_any_port: bool) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]", "localhost"]
        .into_iter()
        .find(|host| rest.starts_with(host))?;
    let after = &rest[host.len()..];
    let end = after.find(['/', '?']).unwrap_or(after.len());
    let (port, tail) = after.split_at(end);
    let number = port.strip_prefix(':').map(str::parse::<u16>);
    let fits = match number {
        None => port.is_empty(),
        Some(Ok(number)) => number > 0 && port == format!(":{number}"),
        Some(Err(_)) => false,
    };
    (fits && (host != "localhost" || localhost_any_port)).then_some((host, tail))
}

fn without_port(text: &str) -> Url {
    let mut url = Url::parse(text).unwrap();
    url.set_port(None).unwrap();
    url
}
