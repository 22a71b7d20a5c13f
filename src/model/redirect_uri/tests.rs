use proptest::prelude::*;
use url::Url;

use super::*;

fn registered(text: &str) -> RedirectUri {
    RedirectUri::register(text).unwrap()
}

#[test]
fn a_uri_matches_as_a_string() {
    let uri = registered("https://app.example/cb");
    assert!(uri.matches("https://app.example/cb", true));
    let others = [
        "http://app.example/cb",
        "https://app.example:443/cb",
        "https://app.example:8443/cb",
        "https://other.example/cb",
        "https://app.example./cb",
        "https://appxexample/cb",
        "https://app.example.evil.test/cb",
        "https://evil.test/?https://app.example/cb",
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://app.example/cb%2F",
        "https://app.example/%63b",
        "https://app.example/cb%3F",
        "https://app.example/cb;evil=1",
        "https://app.example/cb?",
        "https://app.example/cb?x=1",
        "https://app.example/cb?code=evil",
        "https://app.example/cb#",
        "HTTPS://app.example/cb",
        "https://APP.EXAMPLE/cb",
        "https://app.example@evil.test/cb",
        "https://evil@app.example/cb",
        " https://app.example/cb",
        "https://app.example/cb\0",
        "",
    ];
    for asked in others {
        assert!(!uri.matches(asked, true), "{asked:?}");
    }
}

#[test]
fn a_query_matches_whole_and_in_order() {
    let uri = registered("https://app.example/cb?a=1&b=2");
    assert!(uri.matches("https://app.example/cb?a=1&b=2", false));
    for query in [
        "",
        "?",
        "?a=1",
        "?b=2&a=1",
        "?a=1&b=3",
        "?a=1&b=2&c=3",
        "?a=1&b=2&",
    ] {
        assert!(
            !uri.matches(&format!("https://app.example/cb{query}"), false),
            "{query}"
        );
    }
}

#[test]
fn no_path_confusion_passes() {
    let detours = [
        "/FAKE",
        "%2FFAKE",
        "/..%2FFAKE",
        "/../FAKE",
        "/%2e%2e/FAKE",
        "/%2e%2e%2FFAKE",
        "/%252e%252e%252FFAKE",
        "/FAKE/..",
        "/FAKE/../",
        "/FAKE/%2e%2e",
        "/;/../../FAKE",
        "/;/..%2F..%2FFAKE",
        "%3B%2F..%2F..%2FFAKE",
        "%3B/../../FAKE",
        "%0A%0D/../../FAKE",
        "%250A%250D/../../FAKE",
        "/..;/FAKE",
        "/.;/../FAKE",
        "\\..\\FAKE",
        "/%5c..%5cFAKE",
        "/./",
        "//",
    ];
    for uri in [
        "https://app.example/cb",
        "http://127.0.0.1/cb",
        "http://localhost/cb",
        "com.example.app:/cb",
    ] {
        for detour in detours {
            let asked = format!("{uri}{detour}");
            assert!(!registered(uri).matches(&asked, true), "{asked}");
        }
    }
}

#[test]
fn only_the_port_of_a_loopback_ip_is_free() {
    for host in ["127.0.0.1", "[::1]"] {
        let uri = registered(&format!("http://{host}:3000/cb?a=1"));
        assert!(uri.is_loopback_ip());
        for port in ["", ":1", ":80", ":3000", ":65535"] {
            assert!(
                uri.matches(&format!("http://{host}{port}/cb?a=1"), false),
                "{host}{port}"
            );
        }
        for port in [
            ":",
            ":0",
            ":080",
            ":65536",
            ":99999999999",
            ":+80",
            ":80a",
            ":80:80",
            ":80@evil.test",
            "@evil",
            ".evil",
        ] {
            assert!(
                !uri.matches(&format!("http://{host}{port}/cb?a=1"), true),
                "{host}{port}"
            );
        }
        for rest in ["/cb", "/cb?a=2", "/other?a=1", "/cb?a=1&b=2", "/cb?a=1#", ""] {
            assert!(
                !uri.matches(&format!("http://{host}:3000{rest}"), true),
                "{host}{rest}"
            );
        }
        assert!(!uri.matches(&format!("https://{host}:3000/cb?a=1"), true));
    }
}

#[test]
fn a_host_that_begins_like_loopback_is_not_loopback() {
    for host in ["http://127.0.0.1", "http://localhost"] {
        let stored = RedirectUri::from_stored(format!("{host}.evil.test/cb")).unwrap();
        assert!(!stored.is_loopback_ip());
        assert!(!stored.matches(&format!("{host}:80.evil.test/cb"), true));
    }
}

#[test]
fn the_spellings_of_loopback_never_match_each_other() {
    let spellings = [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "127.0.0.2",
        "127.1",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "LOCALHOST",
        "localhost.",
    ];
    for host in &spellings[..3] {
        for other in spellings.iter().filter(|other| other != &host) {
            assert!(
                !registered(&format!("http://{host}/cb")).matches(&format!("http://{other}/cb"), true),
                "{host} {other}"
            );
        }
    }
}

#[test]
fn the_port_of_localhost_is_free_only_where_switched_on() {
    let uri = registered("http://localhost/cb");
    assert!(!uri.is_loopback_ip());
    assert!(uri.matches("http://localhost:5000/cb", true));
    assert!(!uri.matches("http://localhost:5000/cb", false));
    assert!(!uri.matches("http://localhost:80@evil.test/cb", true));
    assert!(!uri.matches("http://localhost.evil.test/cb", true));
    assert!(!registered("https://localhost/cb").matches("https://localhost:5000/cb", true));
}

#[test]
fn a_private_use_uri_matches_exactly() {
    let uri = registered("com.example.app:/cb");
    assert!(uri.matches("com.example.app:/cb", true));
    for asked in [
        "com.example.app://cb",
        "com.example.app:cb",
        "com.example.app:///cb",
        "com.example.app:/cb/",
        "COM.example.app:/cb",
    ] {
        assert!(!uri.matches(asked, true), "{asked}");
    }
}

#[test]
fn people_are_told_where_they_are_sent() {
    let host = |uri: &str| registered(uri).people_host();
    assert_eq!(host("https://app.example/cb"), "app.example");
    assert_eq!(host("https://app.example:8443?x=1"), "app.example:8443");
    assert_eq!(host("com.example.app:/cb"), "com.example.app");
    assert_eq!(host("com.example.app://callback"), "com.example.app");
    assert_eq!(host(RedirectUri::OOB), "a code you copy yourself");
}

#[test]
fn form_action_can_name_the_redirect() {
    let source = RedirectUri::csp_source_of;
    assert_eq!(
        registered("https://app.example:8443/cb").csp_source().unwrap(),
        "https://app.example:8443"
    );
    assert_eq!(
        source("http://127.0.0.1:5000/cb").unwrap(),
        "http://127.0.0.1:5000"
    );
    assert_eq!(source("http://[::1]:5000/cb").unwrap(), "http:");
    assert_eq!(source("https://10.0.0.1:8443/cb").unwrap(), "https:");
    assert_eq!(source("com.example.app://callback").unwrap(), "com.example.app:");
    for asked in [
        RedirectUri::OOB,
        "javascript:alert(1)",
        "https://a;script-src *",
        "https://",
        "/cb",
        "https://a b/",
    ] {
        assert_eq!(source(asked), None, "{asked}");
    }
}

#[test]
fn parameters_are_appended_and_the_query_is_kept() {
    let params = [("code", "tgc_a-b.c~"), ("state", "a b+c&d=\"é#%\r\n'")];
    let added = "code=tgc_a-b.c~&state=a%20b%2Bc%26d%3D%22%C3%A9%23%25%0D%0A%27";
    for (uri, separator) in [
        ("https://app.example/cb", "?"),
        ("https://app.example", "?"),
        ("https://app.example/cb?", ""),
        ("https://app.example/cb?a=%2b+1&b", "&"),
        ("https://app.example/cb?a&", ""),
        ("https://app.example/cb??", "&"),
        ("https://app.example/cb?a?", "&"),
        ("com.example.app:/cb", "?"),
    ] {
        assert_eq!(append(uri, &params), format!("{uri}{separator}{added}"));
    }
    assert_eq!(
        append("https://app.example/cb?a", &[]),
        "https://app.example/cb?a"
    );
}

const URIS: [&str; 6] = [
    "https://app.example/cb",
    "https://app.example:8443/a/b?x=1",
    "http://localhost:3000/cb",
    "http://127.0.0.1:3000/cb",
    "http://[::1]/cb?x=1",
    "com.example.app:/cb",
];

/// Without the port where that is free.
fn identity(uri: &str, free_port: bool) -> Option<Url> {
    let mut url = Url::parse(uri).ok()?;
    if free_port {
        url.set_port(None).ok()?;
    }
    Some(url)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// One character replaced, put in or taken out: what still passes differs in nothing but a free port,
    /// also as browsers read it.
    #[test]
    fn a_mutation_passes_only_in_a_free_port(
        uri in proptest::sample::select(URIS.as_slice()),
        at in 0usize..40,
        skip in 0usize..2,
        with in "[ -~]{0,2}|[\\x00-\\x1f]|\\PC",
        localhost in any::<bool>(),
    ) {
        let (at, skip) = (at.min(uri.len()), skip.min(uri.len() - at.min(uri.len())));
        let asked = format!("{}{with}{}", &uri[..at], &uri[at + skip..]);
        let registered = registered(uri);
        let free_port = registered.is_loopback_ip() || (localhost && uri.starts_with("http://localhost"));
        if asked != uri && registered.matches(&asked, localhost) {
            prop_assert!(free_port, "{}", asked);
            prop_assert_eq!(identity(&asked, true), identity(uri, true));
        }
    }

    #[test]
    fn any_valid_port_of_a_loopback_ip_passes(port in 1u16.., host in prop_oneof![Just("127.0.0.1"), Just("[::1]")]) {
        let uri = registered(&format!("http://{host}/cb"));
        let asked = format!("http://{host}:{port}/cb");
        prop_assert!(uri.matches(&asked, false));
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = RedirectUri::csp_source_of(&text);
        if let Ok(uri) = RedirectUri::register(&text) {
            prop_assert!(uri.as_str().is_ascii());
        }
        prop_assert!(!registered(URIS[0]).matches(&text, true));
    }
}

#[test]
fn only_the_same_scheme_host_and_port_stand_beside() {
    let beside = |one: &str, other: &str, any_port: bool| {
        let uri = |text: &str| RedirectUri::register(text).unwrap();
        uri(one).stands_beside(&uri(other), any_port)
    };
    let registered = "https://app.example/cb";
    for near in [
        "https://app.example/cb/",
        "https://app.example/",
        "https://app.example",
        "https://app.example/cb?a=b",
    ] {
        assert!(beside(near, registered, false), "{near}");
    }
    for far in [
        "https://app.example.evil.example/cb",
        "https://evil.example/cb",
        "https://www.app.example/cb",
        "https://app.example:8443/cb",
        "http://localhost/cb",
        "com.example.app:/cb",
        RedirectUri::OOB,
    ] {
        assert!(!beside(far, registered, true), "{far}");
    }
    assert!(beside("http://127.0.0.1:9000/a", "http://127.0.0.1/b", false));
    assert!(!beside("http://127.0.0.1:9000/a", "http://[::1]:9000/a", false));
    assert!(!beside(
        "http://localhost:9000/a",
        "http://localhost:8000/a",
        false
    ));
    assert!(beside("http://localhost:9000/a", "http://localhost:8000/a", true));
    assert!(beside(
        "http://localhost:9000/a",
        "http://localhost:9000/b",
        false
    ));
    assert!(beside("com.example.app:/a", "com.example.app:/b", false));
    assert!(!beside("com.example.other:/a", "com.example.app:/a", false));
    assert!(!beside(RedirectUri::OOB, RedirectUri::OOB, false));
}
