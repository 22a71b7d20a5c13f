use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName as Name, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType,
};
use serde_json::json;
use time::Duration as Span;

use super::*;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH.saturating_add(Span::seconds(1_780_000_000));

type Authority = CertifiedIssuer<'static, KeyPair>;

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = Name::new();
    params.distinguished_name.push(
        DnType::CountryName,
        DnValue::PrintableString("JP".try_into().unwrap()),
    );
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Example");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = NOW - Span::days(1);
    params.not_after = NOW + Span::days(1);
    params
}

fn of_authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn authority(name: &str) -> Authority {
    CertifiedIssuer::self_signed(of_authority(name), KeyPair::generate().unwrap()).unwrap()
}

fn issued(authority: &Authority, params: &CertificateParams) -> PresentedCertificate {
    let certificate = params
        .signed_by(&KeyPair::generate().unwrap(), authority)
        .unwrap();
    PresentedCertificate {
        leaf: certificate.der().to_vec(),
        chain: Vec::new(),
    }
}

fn anchors(authority: &Authority) -> Anchors {
    Anchors::parse(authority.pem().as_bytes()).unwrap()
}

fn by_authority(field: &str, value: &str) -> ClientAuthentication {
    let method = AuthMethod::Tls;
    serde_json::from_value(json!({ "token_endpoint_auth_method": method, field: value })).unwrap()
}

fn self_signed() -> ClientAuthentication {
    ClientAuthentication {
        token_endpoint_auth_method: Some(AuthMethod::SelfSignedTls),
        ..ClientAuthentication::default()
    }
}

fn reason(outcome: Result<(), NotProven>) -> Option<Reason> {
    outcome.err().map(|why| why.reason)
}

#[test]
fn a_certificate_of_the_authority_proves_the_subject_that_is_registered() {
    let authority = authority("Authority");
    let anchors = anchors(&authority);
    let presented = issued(&authority, &params("Memo Bot"));
    let proven = |name| {
        prove(
            &by_authority("tls_client_auth_subject_dn", name),
            &presented,
            &anchors,
            NOW,
        )
    };
    assert_eq!(proven("CN=Memo Bot,O=Example,C=JP"), Ok(()));
    assert_eq!(proven("cn=memo bot, o=example, c=jp"), Ok(()));
    for other in [
        "CN=Memo Bot",
        "C=JP,O=Example,CN=Memo Bot",
        "CN=Other,O=Example,C=JP",
    ] {
        assert_eq!(
            proven(other),
            Err(NotProven::seen(
                Reason::CertificateSubject,
                "CN=Memo Bot,O=Example,C=JP"
            )),
            "{other}"
        );
    }
}

#[test]
fn each_alternative_name_proves_by_itself_and_in_its_own_kind_alone() {
    let authority = authority("Authority");
    let anchors = anchors(&authority);
    let mut params = params("app.example");
    params.subject_alt_names = vec![
        SanType::DnsName("other.example".try_into().unwrap()),
        SanType::DnsName("App.example".try_into().unwrap()),
        SanType::URI("spiffe://example/app".try_into().unwrap()),
        SanType::IpAddress("192.0.2.7".parse().unwrap()),
        SanType::IpAddress("2001:db8::7".parse().unwrap()),
        SanType::Rfc822Name("App@Mail.example".try_into().unwrap()),
    ];
    let presented = issued(&authority, &params);
    let outcome = |field, value| reason(prove(&by_authority(field, value), &presented, &anchors, NOW));
    for (field, value) in [
        ("tls_client_auth_san_dns", "app.EXAMPLE"),
        ("tls_client_auth_san_dns", "other.example"),
        ("tls_client_auth_san_uri", "spiffe://example/app"),
        ("tls_client_auth_san_ip", "192.0.2.7"),
        ("tls_client_auth_san_ip", "2001:DB8:0::7"),
        ("tls_client_auth_san_email", "App@mail.example"),
    ] {
        assert_eq!(outcome(field, value), None, "{field} {value}");
    }
    for (field, value) in [
        ("tls_client_auth_san_dns", "example"),
        ("tls_client_auth_san_dns", "an.app.example"),
        ("tls_client_auth_san_uri", "spiffe://example/APP"),
        ("tls_client_auth_san_uri", "spiffe://example/app/"),
        ("tls_client_auth_san_ip", "192.0.2.8"),
        ("tls_client_auth_san_ip", "::ffff:192.0.2.7"),
        ("tls_client_auth_san_email", "app@mail.example"),
        ("tls_client_auth_subject_dn", "CN=app.example"),
    ] {
        assert_eq!(
            outcome(field, value),
            Some(Reason::CertificateSubject),
            "{field} {value}"
        );
    }
}

#[test]
fn the_common_name_is_no_alternative_name() {
    let authority = authority("Authority");
    let presented = issued(&authority, &params("app.example"));
    let registered = by_authority("tls_client_auth_san_dns", "app.example");
    let refused = prove(&registered, &presented, &anchors(&authority), NOW).unwrap_err();
    assert_eq!(refused.reason, Reason::CertificateSubject);
    assert!(refused.seen.unwrap().starts_with("no alternative name"));
}

#[test]
fn another_authority_of_the_same_name_proves_nothing() {
    let (ours, theirs) = (authority("Authority"), authority("Authority"));
    let registered = by_authority("tls_client_auth_subject_dn", "CN=Memo Bot,O=Example,C=JP");
    let presented = issued(&theirs, &params("Memo Bot"));
    let outcome = |anchors| reason(prove(&registered, &presented, &anchors, NOW));
    assert_eq!(outcome(anchors(&ours)), Some(Reason::CertificateUntrusted));
    assert_eq!(outcome(Anchors::default()), Some(Reason::CertificateUntrusted));
    assert_eq!(outcome(anchors(&theirs)), None);
    let by_itself = params("Memo Bot")
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap();
    let presented = PresentedCertificate {
        leaf: by_itself.der().to_vec(),
        chain: vec![ours.der().to_vec()],
    };
    let refused = reason(prove(&registered, &presented, &anchors(&ours), NOW));
    assert_eq!(refused, Some(Reason::CertificateUntrusted));
}

#[test]
fn a_path_leads_through_what_came_with_the_certificate() {
    let root = authority("Root");
    let middle =
        CertifiedIssuer::signed_by(of_authority("Middle"), KeyPair::generate().unwrap(), &root).unwrap();
    let registered = by_authority("tls_client_auth_subject_dn", "CN=Memo Bot,O=Example,C=JP");
    let mut presented = issued(&middle, &params("Memo Bot"));
    let outcome =
        |presented: &PresentedCertificate| reason(prove(&registered, presented, &anchors(&root), NOW));
    assert_eq!(outcome(&presented), Some(Reason::CertificateUntrusted));
    presented.chain = vec![middle.der().to_vec()];
    assert_eq!(outcome(&presented), None);
    presented.chain = vec![middle.der().to_vec(); LONGEST_CHAIN + 1];
    assert_eq!(outcome(&presented), Some(Reason::CertificateUnreadable));
    presented.chain = vec![vec![0; LARGEST + 1]];
    assert_eq!(outcome(&presented), Some(Reason::CertificateUnreadable));
}

#[test]
fn a_certificate_that_is_no_authority_issues_none() {
    let root = authority("Root");
    let client = CertifiedIssuer::signed_by(params("Client"), KeyPair::generate().unwrap(), &root).unwrap();
    let mut presented = issued(&client, &params("Memo Bot"));
    presented.chain = vec![client.der().to_vec()];
    let registered = by_authority("tls_client_auth_subject_dn", "CN=Memo Bot,O=Example,C=JP");
    let refused = reason(prove(&registered, &presented, &anchors(&root), NOW));
    assert_eq!(refused, Some(Reason::CertificateUntrusted));
}

#[test]
fn a_certificate_for_servers_alone_proves_no_client() {
    let authority = authority("Authority");
    let registered = by_authority("tls_client_auth_subject_dn", "CN=Memo Bot,O=Example,C=JP");
    let outcome = |usages: &[ExtendedKeyUsagePurpose]| {
        let mut params = params("Memo Bot");
        params.extended_key_usages = usages.to_vec();
        reason(prove(
            &registered,
            &issued(&authority, &params),
            &anchors(&authority),
            NOW,
        ))
    };
    let (server, client) = (
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    );
    assert_eq!(
        outcome(std::slice::from_ref(&server)),
        Some(Reason::CertificatePurpose)
    );
    assert_eq!(
        outcome(&[ExtendedKeyUsagePurpose::Any]),
        Some(Reason::CertificatePurpose)
    );
    assert_eq!(outcome(&[server, client]), None);
}

#[test]
fn a_certificate_is_good_within_its_validity_alone() {
    let authority = authority("Authority");
    let params = params("Memo Bot");
    let pair = KeyPair::generate().unwrap();
    let by_itself = params.self_signed(&pair).unwrap().der().to_vec();
    let registered = [
        (
            by_authority("tls_client_auth_subject_dn", "CN=Memo Bot,O=Example,C=JP"),
            issued(&authority, &params),
        ),
        (
            ClientAuthentication {
                certificates: vec![RegisteredCertificate::from_der(by_itself.clone())],
                ..self_signed()
            },
            PresentedCertificate {
                leaf: by_itself,
                chain: Vec::new(),
            },
        ),
    ];
    for (registered, presented) in registered {
        let at = |now| reason(prove(&registered, &presented, &anchors(&authority), now));
        assert_eq!(at(params.not_before), None);
        assert_eq!(at(params.not_after), None);
        assert_eq!(
            at(params.not_before - Span::SECOND),
            Some(Reason::CertificateExpired)
        );
        assert_eq!(
            at(params.not_after + Span::SECOND),
            Some(Reason::CertificateExpired)
        );
    }
}

#[test]
fn a_self_signed_certificate_is_known_by_itself_or_by_its_key() {
    let pair = KeyPair::generate().unwrap();
    let certificate = params("Memo Bot").self_signed(&pair).unwrap();
    let renewed = params("Memo Bot").self_signed(&pair).unwrap();
    let stranger = params("Memo Bot")
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap();
    let presented = |certificate: &rcgen::Certificate| PresentedCertificate {
        leaf: certificate.der().to_vec(),
        chain: Vec::new(),
    };
    let outcome = |registered: &ClientAuthentication, shown| {
        reason(prove(registered, &presented(shown), &Anchors::default(), NOW))
    };
    let url = |bytes: &[u8]| {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    };
    let (x, y) = rcgen::PublicKeyData::der_bytes(&pair)[1..].split_at(32);
    let key = json!({ "kty": "EC", "crv": "P-256", "x": url(x), "y": url(y) });
    let x5c = {
        use base64::Engine;
        json!({ "x5c": [base64::engine::general_purpose::STANDARD.encode(certificate.der())] })
    };
    let with_key = |key| ClientAuthentication {
        jwks: Some(json!({ "keys": [key] })),
        ..self_signed()
    };
    let by_itself = ClientAuthentication {
        certificates: vec![RegisteredCertificate::from_der(certificate.der().to_vec())],
        ..self_signed()
    };
    for (registered, takes_another_of_the_key) in
        [(by_itself, false), (with_key(x5c), false), (with_key(key), true)]
    {
        assert_eq!(outcome(&registered, &certificate), None);
        assert_eq!(outcome(&registered, &renewed).is_none(), takes_another_of_the_key);
        assert_eq!(outcome(&registered, &stranger), Some(Reason::CertificateUnknown));
    }
    assert_eq!(
        outcome(&self_signed(), &certificate),
        Some(Reason::CertificateUnknown)
    );
}

#[test]
fn exactly_one_subject_is_registered() {
    let none = Subject::of(&ClientAuthentication::default()).unwrap_err();
    assert_eq!(none[0].0, "tls_client_auth_subject_dn");
    let two = ClientAuthentication {
        tls_client_auth_san_dns: Some("app.example".to_owned()),
        tls_client_auth_san_ip: Some("192.0.2.7".to_owned()),
        ..ClientAuthentication::default()
    };
    let faults = Subject::of(&two).unwrap_err();
    assert_eq!(
        faults.iter().map(|(field, _)| *field).collect::<Vec<_>>(),
        ["tls_client_auth_san_ip"]
    );
}

#[test]
fn what_is_no_name_of_its_kind_is_refused_in_words() {
    for (field, value) in [
        ("tls_client_auth_subject_dn", "Memo Bot"),
        ("tls_client_auth_san_dns", "https://app.example"),
        ("tls_client_auth_san_dns", "*.app.example"),
        ("tls_client_auth_san_dns", "app example"),
        ("tls_client_auth_san_uri", "app"),
        ("tls_client_auth_san_uri", "spiffe://ex ample"),
        ("tls_client_auth_san_ip", "192.0.2"),
        ("tls_client_auth_san_ip", "192.0.2.0/24"),
        ("tls_client_auth_san_email", "app"),
        ("tls_client_auth_san_email", "@example"),
    ] {
        let faults = Subject::of(&by_authority(field, value)).unwrap_err();
        assert_eq!(faults[0].0, field, "{value}");
        assert!(faults[0].1.ends_with('.'), "{value}");
    }
}

#[test]
fn anchors_are_certificates() {
    assert!(Anchors::parse(b"").is_err());
    assert!(Anchors::parse(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_err());
    assert_eq!(anchors(&authority("Authority")).0.len(), 1);
}

#[test]
fn a_registered_certificate_is_told_in_words() {
    let certificate = params("Memo Bot")
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap();
    let known = facts(&RegisteredCertificate::from_der(certificate.der().to_vec())).unwrap();
    assert_eq!(known.subject, "CN=Memo Bot,O=Example,C=JP");
    assert_eq!(known.not_after, NOW + Span::days(1));
    assert_eq!(facts(&RegisteredCertificate::from_der(vec![0x30, 0])), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_certificate_never_panics_and_never_proves(at in any::<prop::sample::Index>(), byte in 1_u8..) {
        let authority = authority("Authority");
        let mut presented = issued(&authority, &params("Memo Bot"));
        let at = at.index(presented.leaf.len());
        presented.leaf[at] ^= byte;
        let registered = by_authority("tls_client_auth_subject_dn", "CN=Memo Bot,O=Example,C=JP");
        prop_assert!(prove(&registered, &presented, &anchors(&authority), NOW).is_err());
    }
}
