use proptest::prelude::*;
use url::Url;

use super::*;

fn registered(text: &str) -> RedirectUri {
    RedirectUri::register(text).unwrap()
}

#[test]
fn ordinary_uris_are_registered_as_written() {
    let uris = [
        "https://app.example/cb",
        "https://app.example",
        "https://app.example?a=1",
        "https://app.example:8443/cb?a=1&b=%E3%81%B5&c[]=x",
        "https://xn--bcher-kva.example/cb",
        "https://10.0.0.1/cb",
        "https://[2001:db8::1]/cb",
        "http://localhost/cb",
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:4000/cb",
        "com.example.app:/cb",
        "com.example.app://callback",
        "com.example.app://callback/path?x=1",
        "com.googleusercontent.apps.123-abc:/oauth2redirect",
        RedirectUri::OOB,
    ];
    for uri in uris {
        assert_eq!(RedirectUri::register(uri).map(|uri| uri.0), Ok(uri.to_owned()));
    }
}

#[test]
fn what_is_relative_ambiguous_or_dangerous_is_refused() {
    let uris = [
        "",
        " ",
        "/cb",
        "app.example/cb",
        "//app.example/cb",
        "https:app.example/cb",
        "https:/app.example/cb",
        "https:///app.example/cb",
        "https://",
        "https://:443/cb",
        "https://app.example/cb#",
        "https://app.example/cb#x",
        "https://app.example@evil.test/cb",
        "https://evil@app.example/cb",
        "https://@app.example/cb",
        "http://localhost:80@evil/cb",
        "https://*.app.example/cb",
        "https://app.example*/cb",
        "*",
        "https://app.example\\@evil.test/cb",
        "https://app.example/a\\b",
        "https://app.example%00.evil.test/cb",
        "https://app.example%09/cb",
        "https://app.example%2eevil.test/cb",
        "https://app.example/c b",
        "https://app.example/cb\r\nX: y",
        "https://app.example/cb%0d%0aX",
        "https://app.example/cb?x=%00",
        "https://app.example/%zz",
        "https://app.example/%4",
        "https://app.example/\u{200b}cb",
        "https://ａpp.example/cb",
        "https://bücher.example/cb",
        "https://xn--/cb",
        "https://app_x.example/cb",
        "https://app.example./cb",
        "https://app..example/cb",
        "https://[::1",
        "https://[::1]x/cb",
        "https://[0:0:0:0:0:0:0:1]/cb",
        "https://127.1/cb",
        "https://0x7f.0.0.1/cb",
        "HTTPS://app.example/cb",
        "https://APP.example/cb",
        "https://app.example:443/cb",
        "http://localhost:80/cb",
        "https://app.example:/cb",
        "https://app.example:0/cb",
        "https://app.example:08443/cb",
        "https://app.example:65536/cb",
        "https://app.example:80:90/cb",
        "http://app.example/cb",
        "http://127.0.0.2/cb",
        "http://127.1/cb",
        "http://0.0.0.0/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://localhost.evil.test/cb",
        "https://app.example/cb/..",
        "https://app.example/./cb",
        "https://app.example/a/../cb",
        "https://app.example/..;/cb",
        "https://app.example/%2e%2e/cb",
        "https://app.example/a%2Fb",
        "https://app.example/a%5cb",
        "https://app.example/%252e%252e/cb",
        "https://app.example/cb?x='",
        "https://app.example/cb?code=x",
        "https://app.example/cb?a=1&state=fixed",
        "https://app.example/cb?st%61te=fixed",
        "https://app.example/cb?iss",
        "https://app.example/cb?error_description=",
        "myapp:/cb",
        "myapp://cb",
        "com.example.app:",
        "com.example.app:cb",
        "com.example.app:?x",
        "Com.example.app:/cb",
        "com..app:/cb",
        "com.app.:/cb",
        "com.example.app://user@host/cb",
        "urn:ietf:wg:oauth:2.0:oob:auto",
        "URN:ietf:wg:oauth:2.0:oob",
    ];
    let taken: Vec<_> = uris
        .into_iter()
        .filter(|uri| RedirectUri::register(uri).is_ok())
        .collect();
    assert_eq!(taken, [""; 0]);
}

#[test]
fn dangerous_schemes_are_refused_at_registration_and_from_the_store() {
    let schemes = [
        "javascript",
        "JaVaScRiPt",
        "data",
        "vbscript",
        "file",
        "blob",
        "about",
        "intent",
        "view-source",
        "filesystem",
        "ws",
        "wss",
        "ftp",
        "mailto",
        "chrome",
        "tel",
        "unheard-of",
    ];
    for scheme in schemes {
        for rest in ["alert(1)", "//app.example/cb", "/cb", "//app.example/%0aalert(1)"] {
            let uri = format!("{scheme}:{rest}");
            assert!(RedirectUri::register(&uri).is_err(), "{uri}");
            assert!(RedirectUri::from_stored(uri.clone()).is_err(), "{uri}");
        }
    }
    for uri in [
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "\u{1}javascript:x",
        "javascript%3aalert(1)",
    ] {
        assert!(RedirectUri::register(uri).is_err(), "{uri:?}");
        assert!(RedirectUri::from_stored(uri.to_owned()).is_err(), "{uri:?}");
    }
}

#[test]
fn at_most_2000_characters_are_registered() {
    let of_length = |length: usize| format!("https://app.example/{}", "a".repeat(length - 20));
    assert!(RedirectUri::register(&of_length(2000)).is_ok());
    assert!(RedirectUri::register(&of_length(2001)).is_err());
    assert!(
        RedirectUri::register(&of_length(65_536))
            .unwrap_err()
            .to_string()
            .len()
            < 400
    );
}

#[test]
fn an_error_names_the_value_and_what_would_be_right() {
    let error = |uri: &str| RedirectUri::register(uri).unwrap_err().to_string();
    assert_eq!(
        error("http://app.example/cb"),
        "`http://app.example/cb` is not allowed: use https, or http with localhost for development"
    );
    assert_eq!(
        error("https://app.example/cb?x='"),
        "`https://app.example/cb?x=\\'` is not allowed: a browser reads it as `https://app.example/cb?x=%27`, register that"
    );
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
        ("com.example.app:/cb", "?"),
    ] {
        assert_eq!(append(uri, &params), format!("{uri}{separator}{added}"));
    }
    assert_eq!(
        append("https://app.example/cb?a", &[]),
        "https://app.example/cb?a"
    );
}

#[test]
fn json_is_a_text_and_reads_back_what_older_rules_took() {
    let uri: RedirectUri = serde_json::from_str(r#""http://app.example/cb""#).unwrap();
    assert_eq!(serde_json::to_string(&uri).unwrap(), r#""http://app.example/cb""#);
    assert!(serde_json::from_str::<RedirectUri>(r#""javascript:alert(1)""#).is_err());
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

    /// What is registered reads the same to a browser, and so does what is appended to it.
    #[test]
    fn what_is_registered_is_read_in_one_way(
        text in "(https|http|com\\.app|[a-z.+]{1,6}):/{0,3}[a-z0-9.:@\\[\\]%\\\\*-]{0,12}[/?#;&=.%a-z0-9]{0,16}",
        value in any::<String>(),
    ) {
        if let Ok(uri) = RedirectUri::register(&text) {
            let read = Url::parse(&text).unwrap();
            prop_assert!(read.username().is_empty() && read.password().is_none() && read.fragment().is_none());
            let sent = append(&text, &[("state", &value)]);
            let sent = Url::parse(&sent).unwrap();
            prop_assert_eq!((read.scheme(), read.host(), read.port(), read.path()), (sent.scheme(), sent.host(), sent.port(), sent.path()));
            let states: Vec<_> = sent.query_pairs().filter(|(name, _)| name == "state").map(|(_, v)| v.into_owned()).collect();
            prop_assert_eq!(states, [value]);
            prop_assert_eq!(RedirectUri::from_stored(text), Ok(uri));
        }
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
