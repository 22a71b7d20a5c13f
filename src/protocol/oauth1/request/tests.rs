use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use sha1::Sha1;

use super::*;
use crate::protocol::oauth1::base_string::encode;

const ORIGIN: &str = "https://id.example";

fn parse(origin: &str, sent: &Sent<'_>) -> Result<SignedRequest, Problem> {
    SignedRequest::parse(origin, sent)
}

fn get<'a>(target: &'a str, authorization: &'a [&'a [u8]]) -> Sent<'a> {
    Sent {
        method: "GET",
        target,
        authorization,
        body: Body::Other(b""),
    }
}

fn by_header(header: &str) -> Result<SignedRequest, Problem> {
    parse(ORIGIN, &get("/r", &[header.as_bytes()]))
}

fn by_query(query: &str) -> Result<SignedRequest, Problem> {
    parse(ORIGIN, &get(&format!("/r?{query}"), &[]))
}

#[track_caller]
fn refused(outcome: Result<SignedRequest, Problem>, kind: Kind) -> Problem {
    let problem = outcome
        .map(|request| request.base_string().to_owned())
        .unwrap_err();
    assert_eq!(problem.kind, kind, "{problem}");
    problem
}

fn signed_by(request: &SignedRequest, consumer: &str, token: Option<&str>) -> bool {
    let token = token.map(Secret::new);
    request.is_signed_by(&Keys {
        consumer_secret: &Secret::new(consumer),
        token_secret: token.as_ref(),
        rsa_public_key: None,
    })
}

const USUAL: &str = "oauth_consumer_key=k&oauth_signature_method=HMAC-SHA1&oauth_timestamp=1&oauth_nonce=n&oauth_signature=c2ln";

fn usual_header() -> String {
    let pairs: Vec<String> = USUAL
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    format!("OAuth {}", pairs.join(", "))
}

/// Without the values that a client must not send twice.
fn without(name: &str) -> String {
    let kept: Vec<&str> = USUAL
        .split('&')
        .filter(|pair| !pair.starts_with(&format!("{name}=")))
        .collect();
    kept.join("&")
}

/// RFC 5849 §1.2: the three requests of the printing service.
#[test]
fn the_requests_of_the_rfcs_introduction_are_signed_as_it_says() {
    let initiate = r#"OAuth realm="Photos",
        oauth_consumer_key="dpf43f3p2l4k3l03",
        oauth_signature_method="HMAC-SHA1",
        oauth_timestamp="137131200",
        oauth_nonce="wIjqoS",
        oauth_callback="http%3A%2F%2Fprinter.example.com%2Fready",
        oauth_signature="74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D""#;
    let token = r#"OAuth realm="Photos",
        oauth_consumer_key="dpf43f3p2l4k3l03",
        oauth_token="hh5s93j4hdidpola",
        oauth_signature_method="HMAC-SHA1",
        oauth_timestamp="137131201",
        oauth_nonce="walatlh",
        oauth_verifier="hfdp7dh39dks9884",
        oauth_signature="gKgrFCywp7rO0OXSjdot%2FIHF7IU%3D""#;
    let photos = r#"OAuth realm="Photos",
        oauth_consumer_key="dpf43f3p2l4k3l03",
        oauth_token="nnch734d00sl2jdk",
        oauth_signature_method="HMAC-SHA1",
        oauth_timestamp="137131202",
        oauth_nonce="chapoH",
        oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D""#;
    for (method, origin, target, header, secret) in [
        ("POST", "https://photos.example.net", "/initiate", initiate, None),
        (
            "POST",
            "https://photos.example.net",
            "/token",
            token,
            Some("hdhd0244k9j7ao03"),
        ),
        (
            "GET",
            "http://photos.example.net",
            "/photos?file=vacation.jpg&size=original",
            photos,
            Some("pfkkdhi9sl3r4s00"),
        ),
    ] {
        let sent = Sent {
            method,
            target,
            authorization: &[header.as_bytes()],
            body: Body::Other(b""),
        };
        let request = parse(origin, &sent).unwrap();
        assert!(signed_by(&request, "kd94hf93k423kf44", secret), "{target}");
        assert!(!signed_by(&request, "kd94hf93k423kf45", secret), "{target}");
        assert!(!signed_by(&request, "kd94hf93k423kf44", Some("x")), "{target}");
    }
}

/// RFC 5849 §3.1 and §3.4.1.1. The signature is that of erratum 2550: the printed one belongs to another text.
#[test]
fn header_query_and_form_are_signed_together_as_the_rfc_shows() {
    let header = r#"OAuth realm="Example",
        oauth_consumer_key="9djdj82h48djs9d2",
        oauth_token="kkk9d7dh3k39sjv7",
        oauth_signature_method="HMAC-SHA1",
        oauth_timestamp="137131201",
        oauth_nonce="7d8f3e4a",
        oauth_signature="r6%2FTJjbCOr97%2F%2BUU0NsvSne7s5g%3D""#;
    let sent = Sent {
        method: "post",
        target: "/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
        authorization: &[header.as_bytes()],
        body: Body::Form(b"c2&a3=2+q"),
    };
    let request = parse("http://EXAMPLE.COM:80", &sent).unwrap();
    assert_eq!(
        request.base_string(),
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D\
         %26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a\
         %26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    );
    assert!(signed_by(&request, "j49sk3j29djd", Some("dh893hdasih9")));
    let printed = header.replace(
        "r6%2FTJjbCOr97%2F%2BUU0NsvSne7s5g%3D",
        "bYT5CMsGcbgUdFHObYMEfcx6bsw%3D",
    );
    let authorization: [&[u8]; 1] = [printed.as_bytes()];
    let misprint = Sent {
        authorization: &authorization,
        ..sent
    };
    assert!(!signed_by(
        &parse("http://example.com", &misprint).unwrap(),
        "j49sk3j29djd",
        Some("dh893hdasih9")
    ));
}

/// The worked example of a provider's manual: the signatures it prints belong to one host, those for the host that it
/// names are others.
#[test]
fn the_worked_example_of_a_provider_verifies_at_the_host_it_was_signed_for() {
    let consumer = "MCD8BKwGdgPHvAuvgvz4EQpqDAtx89grbuNMRd7Eh98";
    let token_secret = "x6qpRnlEmW9JbQn4PQVVeVG8ZLPEx6A0TOebgwcuA";
    let request_token = r#"OAuth oauth_nonce="QP70eNmVz8jvdPevU3oJD2AfF7R7odC2XJcn4XlZJqk", oauth_callback="http%3A%2F%2Flocalhost%3A3005%2Fthe_dance%2Fprocess_callback%3Fservice_provider_id%3D11", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1272323042", oauth_consumer_key="GDdmIQH6jhtmLUypg82g", oauth_version="1.0""#;
    let access_token = r#"OAuth oauth_nonce="9zWH6qe0qG7Lc1telCn7FhUbLyVdjEaL3MO5uHxn8", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1272323047", oauth_consumer_key="GDdmIQH6jhtmLUypg82g", oauth_token="8ldIZyxQeVrFZXFOZH5tAwj6vzJYuLQpl0WUEYtWc", oauth_verifier="pDNg57prOHapMbhv25RNf75lVRd6JDsni1AJJIDYoTY", oauth_version="1.0""#;
    let verifies = |origin: &str, target: &str, header: &str, signature: &str, secret: Option<&str>| {
        let header = format!("{header}, oauth_signature=\"{}\"", encode(signature.as_bytes()));
        let sent = Sent {
            method: "POST",
            target,
            authorization: &[header.as_bytes()],
            body: Body::Other(b""),
        };
        signed_by(&parse(origin, &sent).unwrap(), consumer, secret)
    };
    let (printed, named) = ("https://api.twitter.com", "https://api.t.sina.com.cn");
    for (origin, first, second) in [
        (
            printed,
            "8wUi7m5HFQy76nowoCThusfgB+Q=",
            "PUw/dHA4fnlJYM6RhXk5IU/0fCc=",
        ),
        (
            named,
            "w/QebYH5kdwXTltVkmYR6P6Qx8I=",
            "Sx0TQcBfzga0hCh05nqDONs0dc0=",
        ),
    ] {
        assert!(
            verifies(origin, "/oauth/request_token", request_token, first, None),
            "{origin}"
        );
        assert!(
            verifies(
                origin,
                "/oauth/access_token",
                access_token,
                second,
                Some(token_secret)
            ),
            "{origin}"
        );
        let other = if origin == printed { named } else { printed };
        assert!(
            !verifies(other, "/oauth/request_token", request_token, first, None),
            "{other}"
        );
        assert!(
            !verifies(
                other,
                "/oauth/access_token",
                access_token,
                second,
                Some(token_secret)
            ),
            "{other}"
        );
    }
}

#[test]
fn the_parameters_are_read_wherever_they_are() {
    let form = parse(
        ORIGIN,
        &Sent {
            method: "POST",
            target: "/r",
            authorization: &[],
            body: Body::Form(USUAL.as_bytes()),
        },
    );
    for request in [by_header(&usual_header()), by_query(USUAL), form] {
        let request = request.unwrap();
        assert_eq!(request.consumer_key(), "k");
        assert_eq!(request.signature_method(), SignatureMethod::HmacSha1);
        let expected = Freshness {
            timestamp: 1,
            nonce: "n".to_owned(),
        };
        assert_eq!(request.freshness(), Some(&expected));
        assert_eq!(
            (request.token(), request.callback(), request.body_hash()),
            (None, None, None)
        );
        assert!(request.verifier().is_none());
    }
}

#[test]
fn an_empty_header_may_stand_beside_a_signed_query() {
    for header in [
        "OAuth",
        "OAuth ",
        "oauth",
        "OAuth realm=\"x, y\\\" z\"",
        "OAUTH\t,",
    ] {
        let target = format!("/r?{USUAL}");
        let request = parse(ORIGIN, &get(&target, &[header.as_bytes()])).unwrap();
        assert_eq!(
            request.base_string(),
            by_query(USUAL).unwrap().base_string(),
            "{header:?}"
        );
    }
}

#[test]
fn a_header_is_read_in_any_case_and_with_any_space() {
    let plain = by_header(&usual_header()).unwrap();
    for header in [
        usual_header().replace("OAuth", "OAUTH"),
        usual_header().replace("OAuth", "oAuth\t "),
        usual_header().replace(", ", ","),
        usual_header().replace(", ", " ,\t"),
        usual_header().replace('=', " = ").replace(" = \"", "= \""),
        format!("{},", usual_header()),
        usual_header().replace("OAuth ", "OAuth realm=\"a\\\"b\", "),
        usual_header().replace("HMAC-SHA1", "%48MAC%2dSHA1"),
    ] {
        assert_eq!(
            by_header(&header).unwrap().base_string(),
            plain.base_string(),
            "{header}"
        );
    }
}

#[test]
fn a_header_that_can_be_read_two_ways_is_refused() {
    for header in [
        usual_header().replace("OAuth ", "OAuth,"),
        usual_header().replace(", ", "; "),
        usual_header().replace(", ", " "),
        usual_header().replace('"', ""),
        usual_header().replace('"', "'"),
        usual_header().trim_end_matches('"').to_owned(),
        usual_header().replace("\"n\"", "\"n\\\"\""),
        usual_header().replace("\"n\"", "\"%4\""),
        usual_header().replace("\"n\"", "\"%zz\""),
        usual_header().replace("oauth_nonce", "oauth nonce"),
        usual_header().replace("oauth_nonce", ""),
        format!("{} x", usual_header()),
        format!("{}, x", usual_header()),
    ] {
        refused(by_header(&header), Kind::ParameterRejected);
    }
    let (usual, target) = (usual_header(), format!("/r?{USUAL}"));
    for headers in [
        [usual.as_bytes(), usual.as_bytes()],
        [usual.as_bytes(), b"Basic YTpi"],
    ] {
        refused(parse(ORIGIN, &get("/r", &headers)), Kind::ParameterRejected);
    }
    for other in [b"Bearer x".as_slice(), b"Basic YTpi"] {
        refused(parse(ORIGIN, &get(&target, &[other])), Kind::ParameterRejected);
    }
}

#[test]
fn what_says_that_it_is_signed() {
    assert!(is_claimed(&[b"OAuth x"], "/r"));
    assert!(is_claimed(&[b"oauth"], "/r"));
    assert!(is_claimed(&[], "/r?a=b&oauth%5Fsignature=x"));
    assert!(is_claimed(&[b"Bearer x"], "/r?oauth_signature"));
    assert!(!is_claimed(&[], "/r?oauth_signature_method=x&a=oauth_signature"));
    assert!(!is_claimed(&[], "/oauth_signature"));
    assert!(!is_claimed(&[b"Bearer x", b"OAuthX y"], "/r?oauth_token=x"));
    assert!(is_claimed_by_form(b"a=b&oauth_signature=x"));
    assert!(!is_claimed_by_form(b"message=oauth_signature"));
}

#[test]
fn what_is_missing_is_named() {
    for name in [
        "oauth_consumer_key",
        "oauth_signature_method",
        "oauth_signature",
        "oauth_timestamp",
        "oauth_nonce",
    ] {
        for sent in [without(name), format!("{}&{name}=", without(name))] {
            let problem = refused(by_query(&sent), Kind::ParameterAbsent);
            assert!(
                problem
                    .to_form()
                    .contains(&format!("oauth_parameters_absent={name}")),
                "{problem}"
            );
        }
    }
    let problem = refused(by_header("OAuth"), Kind::ParameterAbsent);
    assert!(
        problem.to_form().ends_with(
            "oauth_parameters_absent=oauth_consumer_key%26oauth_signature_method%26oauth_signature"
        ),
        "{problem:?}"
    );
}

#[test]
fn a_protocol_parameter_comes_once_and_all_come_in_one_place() {
    for (name, _) in PROTOCOL {
        let twice = format!("{}&{name}=&{name}=", without(name));
        refused(by_query(&twice), Kind::ParameterRejected);
        let header = usual_header();
        let target = format!("/r?{name}=1");
        refused(
            parse(ORIGIN, &get(&target, &[header.as_bytes()])),
            Kind::ParameterRejected,
        );
        let body = format!("{name}=1");
        let form = Sent {
            method: "POST",
            target: "/r",
            authorization: &[header.as_bytes()],
            body: Body::Form(body.as_bytes()),
        };
        refused(parse(ORIGIN, &form), Kind::ParameterRejected);
    }
    refused(
        by_query(&format!("{USUAL}&oauth%5Fnonce=n")),
        Kind::ParameterRejected,
    );
}

#[test]
fn other_parameters_are_signed_and_mean_nothing() {
    let request = by_query(&format!("{USUAL}&oauth_future=1&oauth_future=2&x&x=&realm=r")).unwrap();
    assert!(
        request
            .base_string()
            .ends_with("%26oauth_timestamp%3D1%26realm%3Dr%26x%3D%26x%3D"),
        "{}",
        request.base_string()
    );
    assert!(
        request
            .base_string()
            .contains("oauth_future%3D1%26oauth_future%3D2")
    );
    let header = usual_header();
    let sent = Sent {
        method: "GET",
        target: "/r?oauth_other=1&a=%ff%00",
        authorization: &[header.as_bytes()],
        body: Body::Form(b"b=%fe&realm="),
    };
    let request = parse(ORIGIN, &sent).unwrap();
    assert!(
        request
            .base_string()
            .contains("a%3D%25FF%2500%26b%3D%25FE%26oauth_consumer_key"),
        "{}",
        request.base_string()
    );
}

#[test]
fn an_empty_parameter_is_signed_and_counts_as_absent() {
    let request = by_query(&format!("{USUAL}&oauth_token=&oauth_version=")).unwrap();
    assert_eq!(request.token(), None);
    assert!(
        request
            .base_string()
            .contains("oauth_token%3D%26oauth_version%3D")
    );
}

#[test]
fn the_version_is_one_point_nought_or_not_sent() {
    assert!(by_query(&format!("{USUAL}&oauth_version=1.0")).is_ok());
    for version in ["1.1", "2.0", "1", "1.0a"] {
        refused(
            by_query(&format!("{USUAL}&oauth_version={version}")),
            Kind::VersionRejected,
        );
    }
}

#[test]
fn other_signature_methods_are_refused_and_those_that_are_not_are_named() {
    for method in ["RSA-SHA256", "HMAC-SHA512", "hmac-sha1", "none", "%00"] {
        let sent = USUAL.replace("HMAC-SHA1", method);
        let problem = by_query(&sent).unwrap_err();
        let expected = if method == "%00" {
            Kind::ParameterRejected
        } else {
            Kind::SignatureMethodRejected
        };
        assert_eq!(problem.kind, expected, "{method}");
    }
    let problem = refused(
        by_query(&USUAL.replace("HMAC-SHA1", "RSA-SHA256")),
        Kind::SignatureMethodRejected,
    );
    assert_eq!(
        problem.advice(),
        "Sign by one of HMAC-SHA1, HMAC-SHA256, RSA-SHA1, PLAINTEXT"
    );
}

#[test]
fn plaintext_needs_tls_or_a_server_on_the_same_machine() {
    let sent = format!("/r?{}", USUAL.replace("HMAC-SHA1", "PLAINTEXT"));
    for origin in [
        "https://id.example",
        "http://localhost:3801",
        "http://127.0.0.1",
        "http://[::1]",
        "http://[::1]:80",
    ] {
        assert!(parse(origin, &get(&sent, &[])).is_ok(), "{origin}");
    }
    for origin in [
        "http://id.example",
        "http://localhost.example",
        "http://127.0.0.2",
        "http://[::2]:1",
        "localhost",
    ] {
        let problem = refused(parse(origin, &get(&sent, &[])), Kind::SignatureMethodRejected);
        assert_eq!(
            problem.advice(),
            "Sign by one of HMAC-SHA1, HMAC-SHA256, RSA-SHA1"
        );
    }
}

/// RFC 5849 §3.1.
#[test]
fn plaintext_may_do_without_timestamp_and_nonce_but_not_without_one_of_them() {
    let plaintext = |sent: &str| by_query(&sent.replace("HMAC-SHA1", "PLAINTEXT"));
    let neither = without("oauth_nonce").replace("&oauth_timestamp=1", "");
    let request = plaintext(&neither).unwrap();
    assert_eq!(request.freshness(), None);
    assert!(request.check_time(i64::MAX, 1, 1).is_ok());
    refused(plaintext(&without("oauth_nonce")), Kind::ParameterAbsent);
    refused(plaintext(&without("oauth_timestamp")), Kind::ParameterAbsent);
    refused(by_query(&neither), Kind::ParameterAbsent);
}

#[test]
fn a_timestamp_is_a_positive_number_in_digits() {
    for text in [
        "0",
        "00",
        "-1",
        "%2B1",
        "1.0",
        "1e3",
        "0x10",
        "%201",
        "now",
        "%EF%BC%91",
        "١",
    ] {
        refused(
            by_query(&USUAL.replace("timestamp=1", &format!("timestamp={text}"))),
            Kind::TimestampRefused,
        );
    }
    refused(
        by_query(&USUAL.replace("timestamp=1", "timestamp=9999999999999999")),
        Kind::ParameterRejected,
    );
}

#[test]
fn a_timestamp_is_taken_within_the_window_and_the_skew_alone() {
    let at = |timestamp: i64, now: i64| {
        by_query(&USUAL.replace("timestamp=1", &format!("timestamp={timestamp}")))
            .unwrap()
            .check_time(now, 300, 60)
    };
    let now = 1_800_000_000;
    for (timestamp, taken) in [
        (now, true),
        (now - 299, true),
        (now - 300, false),
        (now - 301, false),
        (1, false),
        (now + 59, true),
        (now + 60, false),
        (now + 300, false),
        (999_999_999_999_999, false),
    ] {
        assert_eq!(at(timestamp, now).is_ok(), taken, "{}", timestamp - now);
    }
    let problem = at(now - 300, now).unwrap_err();
    assert_eq!(problem.kind, Kind::TimestampRefused);
    assert!(
        problem
            .to_form()
            .ends_with("&oauth_acceptable_timestamps=1799999701-1800000059"),
        "{problem:?}"
    );
}

#[test]
fn what_is_too_long_or_cannot_be_kept_is_refused() {
    for (name, most) in PROTOCOL {
        let send = |value: &str| by_query(&format!("{}&{name}={value}", without(name)));
        refused(send(&"1".repeat(most + 1)), Kind::ParameterRejected);
        refused(send("%00"), Kind::ParameterRejected);
        refused(send("a%0d%0ab"), Kind::ParameterRejected);
        refused(send("%ff"), Kind::ParameterRejected);
        refused(send("%c0%af"), Kind::ParameterRejected);
    }
    assert!(by_query(&format!("{USUAL}&{}", "a&".repeat(195))).is_ok());
    refused(
        by_query(&format!("{USUAL}&{}", "a&".repeat(196))),
        Kind::ParameterRejected,
    );
    refused(by_query(&format!("{USUAL}&a=%zz")), Kind::ParameterRejected);
}

#[test]
fn a_body_is_the_one_that_was_hashed() {
    let with = |method: &str, hash: &str, body: Body<'_>| {
        let header = format!(
            "{}, oauth_body_hash=\"{}\"",
            usual_header().replace("HMAC-SHA1", method),
            encode(hash.as_bytes())
        );
        let sent = Sent {
            method: "POST",
            target: "/r",
            authorization: &[header.as_bytes()],
            body,
        };
        parse(ORIGIN, &sent)
    };
    // By `openssl dgst -sha1` and `-sha256`.
    let (sha1, sha256) = (
        "Lve95gjOVATpfV8EL5X4nxwjKHE=",
        "f4OxZX/x/FO5LcGBSKHWXfwtSx+j1ncoSt3SABJtkGk=",
    );
    let body = b"Hello World!";
    for (method, hash) in [
        ("HMAC-SHA1", sha1),
        ("RSA-SHA1", sha1),
        ("PLAINTEXT", sha1),
        ("HMAC-SHA256", sha256),
    ] {
        let request = with(method, hash, Body::Other(body)).unwrap();
        assert!(
            request.base_string().contains("oauth_body_hash"),
            "it is signed itself"
        );
        refused(
            with(method, hash, Body::Other(b"Hello World?")),
            Kind::SignatureInvalid,
        );
        refused(with(method, hash, Body::Other(b"")), Kind::SignatureInvalid);
        refused(with(method, hash, Body::Form(body)), Kind::ParameterRejected);
    }
    refused(
        with("HMAC-SHA256", sha1, Body::Other(body)),
        Kind::SignatureInvalid,
    );
    assert!(with("HMAC-SHA1", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", Body::Other(b"")).is_ok());
}

#[test]
fn nothing_that_opens_anything_is_printed() {
    let sent = USUAL.replace("HMAC-SHA1", "PLAINTEXT").replace("c2ln", "hidden")
        + "&oauth_token=hidden&oauth_verifier=hidden";
    let request = by_query(&sent).unwrap();
    assert!(!format!("{request:?}").contains("hidden"));
    assert!(
        !request.base_string().contains("oauth_signature%3D"),
        "the signature is not signed, nor shown"
    );
}

/// A client of our own: signs what it is told to and puts the parameters where it is told to.
#[derive(Clone, Debug)]
struct Draft {
    method: &'static str,
    path: String,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    protocol: Vec<(String, String)>,
    place: usize,
}

const SECRETS: (&str, &str) = ("consumer & secret", "token/secret");

impl Draft {
    fn signature(&self) -> String {
        let all = self.query.iter().chain(&self.form).chain(&self.protocol);
        let mut pairs: Vec<(String, String)> = all
            .map(|(name, value)| (encode(name.as_bytes()), encode(value.as_bytes())))
            .collect();
        pairs.sort();
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let text = [self.method, &format!("{ORIGIN}{}", self.path), &pairs.join("&")]
            .map(|part| encode(part.as_bytes()))
            .join("&");
        let key = format!(
            "{}&{}",
            encode(SECRETS.0.as_bytes()),
            encode(SECRETS.1.as_bytes())
        );
        let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }

    fn is_accepted_with(&self, signature: &str) -> bool {
        let mut protocol = self.protocol.clone();
        protocol.push((SIGNATURE.to_owned(), signature.to_owned()));
        let (mut query, mut form, mut header) = (self.query.clone(), self.form.clone(), None);
        match self.place {
            0 => header = Some(header_of(&protocol)),
            1 => query.extend(protocol),
            _ => form.extend(protocol),
        }
        let target = format!("{}?{}", self.path, written(&query));
        let authorization: Vec<&[u8]> = header.iter().map(String::as_bytes).collect();
        let form = written(&form);
        let sent = Sent {
            method: self.method,
            target: &target,
            authorization: &authorization,
            body: Body::Form(form.as_bytes()),
        };
        parse(ORIGIN, &sent).is_ok_and(|request| signed_by(&request, SECRETS.0, Some(SECRETS.1)))
    }
}

fn written(pairs: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn header_of(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}=\"{}\"", encode(name.as_bytes()), encode(value.as_bytes())))
        .collect();
    format!("OAuth {}", pairs.join(", "))
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::vec(("[a-c%&=+ ふ]{1,3}", "(?s).{0,4}"), 0..5)
}

fn drafts() -> impl Strategy<Value = Draft> {
    let method = proptest::sample::select(["GET", "POST", "DELETE"].as_slice());
    (
        method,
        "/[a-z%20~/.]{0,6}",
        pairs(),
        pairs(),
        0..3_usize,
        "[a-zA-Z0-9]{1,8}",
    )
        .prop_map(|(method, path, query, form, place, nonce)| Draft {
            method,
            path,
            query,
            form,
            place,
            protocol: [
                (CONSUMER_KEY, "key"),
                (TOKEN, "tgo_x"),
                (SIGNATURE_METHOD, "HMAC-SHA1"),
                (TIMESTAMP, "1800000000"),
                (NONCE, &*nonce),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_signed_is_accepted_in_any_order_and_any_place(draft in drafts(), place in 0..3_usize) {
        let signature = draft.signature();
        prop_assert!(draft.is_accepted_with(&signature));
        let mut other = Draft { place, ..draft };
        other.query.reverse();
        other.form.reverse();
        other.protocol.reverse();
        std::mem::swap(&mut other.query, &mut other.form);
        prop_assert!(other.is_accepted_with(&signature));
    }

    #[test]
    fn any_change_of_what_is_signed_breaks_it(draft in drafts(), change in 0..7_usize, at in any::<proptest::sample::Index>()) {
        let mut other = draft.clone();
        match change {
            0 => other.method = "PATCH",
            1 => other.path.push('x'),
            2 => other.query.push(("new".to_owned(), String::new())),
            3 => other.form.push(("a".to_owned(), "b".to_owned())),
            4 => {
                let at = at.index(other.protocol.len());
                other.protocol[at].1.push('1');
            }
            5 => other.query.insert(0, ("c".to_owned(), "new".to_owned())),
            _ => other.path.insert_str(0, "//"),
        }
        prop_assert!(!other.is_accepted_with(&draft.signature()));
        let mut signature = draft.signature().into_bytes();
        let at = at.index(26);
        signature[at] = if signature[at] == b'A' { b'B' } else { b'A' };
        prop_assert!(!draft.is_accepted_with(std::str::from_utf8(&signature).unwrap()));
    }

    #[test]
    fn no_bytes_make_it_panic(header in proptest::collection::vec(any::<u8>(), 0..80), query in "(?s).{0,40}", form in proptest::collection::vec(any::<u8>(), 0..80)) {
        let header = [b"OAuth ".as_slice(), &header].concat();
        let target = format!("/?{query}");
        for body in [Body::Form(&form), Body::Other(&form)] {
            let _ = parse(ORIGIN, &Sent { method: "GET", target: &target, authorization: &[&header], body });
        }
    }
}
