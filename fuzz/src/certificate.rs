//! Client certificates: what a proxy's header holds is read within bounds, and no bytes of a certificate, a name
//! or a key set prove a client or bring the reader down.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tegata::model::certificate::{LARGEST, PresentedCertificate, RegisteredCertificate};
use tegata::model::client_authentication::{AuthMethod, ClientAuthentication};
use tegata::protocol::client_auth::distinguished_name::DistinguishedName;
use tegata::protocol::client_auth::jwks;
use tegata::protocol::client_auth::mtls::{Anchors, LONGEST_CHAIN, facts, prove};
use tegata::protocol::client_certificate::{Sent, read};
use time::OffsetDateTime;

use super::lines;

/// A header, `Client-Cert-Chain`, a subject, a key set; the header is also taken for base64 of a certificate.
pub fn holds(input: &[u8]) {
    let [header, chain, subject, set] = lines(input);
    let proxy_says = Sent {
        certificate: &[header],
        chain: &[chain],
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    names(&text(subject));
    let set = serde_json::from_slice(set).ok();
    if let Some(set) = &set {
        let _ = jwks::keys(set);
    }
    if let Ok(Some(presented)) = read(proxy_says) {
        assert!(presented.leaf.len() <= LARGEST && presented.chain.len() <= LONGEST_CHAIN);
        assert!(facts(&RegisteredCertificate::from_der(presented.leaf)).is_some());
        // There twice, it is believed no more.
        let twice = Sent {
            certificate: &[header, header],
            chain: &[],
        };
        assert!(read(twice).is_err());
    }
    let encoded = header.trim_ascii();
    let encoded = encoded
        .strip_prefix(b":")
        .and_then(|rest| rest.strip_suffix(b":"));
    let leaf = STANDARD.decode(encoded.unwrap_or_default()).unwrap_or_default();
    certificate(leaf, text(subject), set);
}

fn names(text: &str) {
    let Ok(name) = DistinguishedName::parse(text) else {
        return;
    };
    assert_eq!(DistinguishedName::parse(&name.to_string()), Ok(name));
}

fn certificate(leaf: Vec<u8>, subject: String, set: Option<serde_json::Value>) {
    let presented = PresentedCertificate {
        chain: vec![leaf.clone()],
        leaf,
    };
    let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
    let by_authority = ClientAuthentication {
        token_endpoint_auth_method: Some(AuthMethod::Tls),
        tls_client_auth_subject_dn: Some(subject),
        ..ClientAuthentication::default()
    };
    // Whatever it says of itself, nobody vouches for it.
    assert!(prove(&by_authority, &presented, &Anchors::default(), now).is_err());
    let by_itself = |certificates, jwks| ClientAuthentication {
        token_endpoint_auth_method: Some(AuthMethod::SelfSignedTls),
        certificates,
        jwks,
        ..ClientAuthentication::default()
    };
    assert!(prove(&by_itself(Vec::new(), None), &presented, &Anchors::default(), now).is_err());
    let registered = RegisteredCertificate::from_der(presented.leaf.clone());
    let proven = prove(
        &by_itself(vec![registered.clone()], set),
        &presented,
        &Anchors::default(),
        now,
    );
    assert!(proven.is_err() || facts(&registered).is_some_and(|known| known.not_after >= now));
}
