use proptest::prelude::*;
use url::Url;

use crate::model::redirect_uri::{RedirectUri, append};

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
        assert_eq!(RedirectUri::register(uri).unwrap().as_str(), uri);
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
    assert!(
        error("https://evil@app.example/cb")
            .ends_with("leave out the user name, `@` and what stands before it")
    );
    assert!(error("https://*.app.example/cb").ends_with("register every host by its name"));
    assert!(error("https://app.example/cb#x").ends_with("leave out the fragment, `#` and what follows it"));
    assert!(error("https://app.example:443/cb").ends_with("leave out `:443`, it goes without saying"));
    assert!(error("myapp:/cb").ends_with("as in `com.example.app:/callback`"));
}

#[test]
fn json_is_a_text_and_reads_back_what_older_rules_took() {
    let uri: RedirectUri = serde_json::from_str(r#""http://app.example/cb""#).unwrap();
    assert_eq!(serde_json::to_string(&uri).unwrap(), r#""http://app.example/cb""#);
    assert!(serde_json::from_str::<RedirectUri>(r#""javascript:alert(1)""#).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

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
}
