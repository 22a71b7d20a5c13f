//! The certificate of a client by the word of the proxy in front, where TLS ends: in the header that the
//! operator names, in one of three formats.
//!
//! - RFC 9440: `:BASE64:`, what came with it in `Client-Cert-Chain`;
//! - PEM, percent-encoded, as nginx has it in `$ssl_client_escaped_cert`;
//! - `X-Forwarded-Client-Cert` of Envoy: `Hash=…;Cert="…";Chain="…"`, percent-encoded PEM, in one element that
//!   the proxy alone wrote (`SANITIZE_SET`), whose hash is that of the certificate.
//!
//! A client can send the header too: who asks for this has made sure that a proxy wrote it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::client_auth::mtls::{LONGEST_CHAIN, is_readable};
use super::forwarded::{outside_quotes, unquoted};
use crate::model::certificate::{PresentedCertificate, RegisteredCertificate, Thumbprint};

/// Longest header that is read: certificates as percent-encoded PEM, with room for escapes.
const LONGEST: usize = 256 * 1024;

/// A header that is there and holds no certificate that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// The headers of one request, in the order sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent<'a> {
    /// Of the header that the operator names.
    pub certificate: &'a [&'a [u8]],
    /// Of `Client-Cert-Chain` (RFC 9440 §2.3).
    pub chain: &'a [&'a [u8]],
}

/// `None` where the proxy says that there is none: by an empty header, or by leaving it out.
///
/// # Errors
/// Where it is there twice, or cannot be read.
pub fn read(sent: Sent<'_>) -> Result<Option<PresentedCertificate>, Unreadable> {
    let value = match sent.certificate {
        [] => return Ok(None),
        [one] => text(one)?,
        _ => return Err(Unreadable),
    };
    let found = if value.is_empty() {
        return Ok(None);
    } else if value.starts_with(':') {
        byte_sequences(value, sent.chain)?
    } else if percent_decode_str(value).take(10).eq(*b"-----BEGIN") {
        // No PEM holds these: a proxy appended what it says to what the client sent.
        if value.contains([',', ';', '"']) {
            return Err(Unreadable);
        }
        pem(value)?
    } else {
        forwarded(value)?
    };
    checked(found).map(Some)
}

fn text(value: &[u8]) -> Result<&str, Unreadable> {
    if value.len() > LONGEST {
        return Err(Unreadable);
    }
    std::str::from_utf8(value).map(str::trim).map_err(|_| Unreadable)
}

fn checked(certificates: Vec<Vec<u8>>) -> Result<PresentedCertificate, Unreadable> {
    let mut certificates = certificates.into_iter();
    let leaf = certificates
        .next()
        .filter(|der| is_readable(der))
        .ok_or(Unreadable)?;
    let chain: Vec<_> = certificates.collect();
    if chain.len() > LONGEST_CHAIN {
        return Err(Unreadable);
    }
    Ok(PresentedCertificate { leaf, chain })
}

/// RFC 9440 §2.1: byte sequences (RFC 8941 §3.3.5).
fn byte_sequences(leaf: &str, chain: &[&[u8]]) -> Result<Vec<Vec<u8>>, Unreadable> {
    let mut certificates = vec![byte_sequence(leaf)?];
    for value in chain {
        for item in text(value)?.split(',').take(LONGEST_CHAIN + 1) {
            certificates.push(byte_sequence(item.trim())?);
        }
    }
    Ok(certificates)
}

fn byte_sequence(item: &str) -> Result<Vec<u8>, Unreadable> {
    let encoded = item.strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
    STANDARD
        .decode(encoded.ok_or(Unreadable)?)
        .map_err(|_| Unreadable)
}

/// At least one.
fn pem(encoded: &str) -> Result<Vec<Vec<u8>>, Unreadable> {
    let decoded = percent_decode_str(encoded)
        .decode_utf8()
        .map_err(|_| Unreadable)?;
    let read = RegisteredCertificate::read_all(&decoded).map_err(|_| Unreadable)?;
    if read.is_empty() {
        return Err(Unreadable);
    }
    Ok(read
        .iter()
        .map(|certificate| certificate.der().to_vec())
        .collect())
}

/// The one element. Envoy copies the alternative names of the client's certificate into it as they are, so that
/// a client can write members, and elements, of its own: but behind the hash that is never left out, and neither
/// a second hash nor a certificate of another hash is believed.
fn forwarded(value: &str) -> Result<Vec<Vec<u8>>, Unreadable> {
    if outside_quotes(value, ',').ok_or(Unreadable)?.len() != 1 {
        return Err(Unreadable);
    }
    let members = members(value).ok_or(Unreadable)?;
    let certificates_of = |name| members.get(name).map(|value| pem(value)).transpose();
    let certificates = match (certificates_of("cert")?, certificates_of("chain")?) {
        (Some(leaf), Some(chain)) if leaf.len() == 1 && leaf.first() == chain.first() => chain,
        (Some(leaf), None) if leaf.len() == 1 => leaf,
        (None, Some(chain)) => chain,
        _ => return Err(Unreadable),
    };
    let hash = certificates
        .first()
        .map(|leaf| Thumbprint::of(leaf).hexadecimal());
    let is_meant = members
        .get("hash")
        .zip(hash)
        .is_some_and(|(said, hash)| said.eq_ignore_ascii_case(&hash));
    is_meant.then_some(certificates).ok_or(Unreadable)
}

/// By their names in lower case, without quotes; but for the alternative names, of which there may be many: those
/// of the client (`URI`, `DNS`) and of the proxy (`By`). `None` where another name is there twice.
fn members(element: &str) -> Option<BTreeMap<String, &str>> {
    let mut members = BTreeMap::new();
    for pair in outside_quotes(element, ';')? {
        let (name, value) = pair.split_once('=')?;
        let (name, value) = (name.trim().to_ascii_lowercase(), unquoted(value.trim())?);
        let is_alternative_name = matches!(name.as_str(), "by" | "uri" | "dns");
        if !is_alternative_name && members.insert(name, value).is_some() {
            return None;
        }
    }
    Some(members)
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn certificate(name: &str) -> RegisteredCertificate {
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        RegisteredCertificate::from_der(made.der().to_vec())
    }

    fn escaped(certificate: &RegisteredCertificate) -> String {
        utf8_percent_encode(&certificate.to_string(), NON_ALPHANUMERIC).to_string()
    }

    fn hash(certificate: &RegisteredCertificate) -> String {
        Thumbprint::of(certificate.der()).hexadecimal()
    }

    /// As Envoy writes it.
    fn element(certificate: &RegisteredCertificate) -> String {
        format!("Hash={};Cert=\"{}\"", hash(certificate), escaped(certificate))
    }

    fn item(certificate: &RegisteredCertificate) -> String {
        format!(":{}:", STANDARD.encode(certificate.der()))
    }

    fn sent(values: &[&str]) -> Result<Option<PresentedCertificate>, Unreadable> {
        sent_with(values, &[])
    }

    fn sent_with(values: &[&str], chain: &[&str]) -> Result<Option<PresentedCertificate>, Unreadable> {
        let bytes = |values: &[&str]| {
            values
                .iter()
                .map(|value| value.as_bytes().to_vec())
                .collect::<Vec<_>>()
        };
        let (values, chain) = (bytes(values), bytes(chain));
        read(Sent {
            certificate: &values.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            chain: &chain.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        })
    }

    fn presented(leaf: &RegisteredCertificate, chain: &[&RegisteredCertificate]) -> PresentedCertificate {
        PresentedCertificate {
            leaf: leaf.der().to_vec(),
            chain: chain.iter().map(|one| one.der().to_vec()).collect(),
        }
    }

    #[test]
    fn a_certificate_is_read_in_each_of_the_formats() {
        let [leaf, issuer, root] = ["leaf", "issuer", "root"].map(certificate);
        let alone = Ok(Some(presented(&leaf, &[])));
        assert_eq!(sent(&[&item(&leaf)]), alone);
        assert_eq!(sent(&[&escaped(&leaf)]), alone);
        assert_eq!(sent(&[&leaf.to_string().replace('\n', "%0A")]), alone);
        let said = format!("By=spiffe://mesh;{};Subject=\"CN=a\"", element(&leaf));
        assert_eq!(sent(&[&said]), alone);
        let whole = Ok(Some(presented(&leaf, &[&issuer, &root])));
        assert_eq!(sent_with(&[&item(&leaf)], &[&item(&issuer), &item(&root)]), whole);
        let chain = format!("{}, {}", item(&issuer), item(&root));
        assert_eq!(sent_with(&[&item(&leaf)], &[&chain]), whole);
        let text = [&leaf, &issuer, &root].map(escaped).concat();
        assert_eq!(sent(&[&text]), whole);
        let said = format!("{};Chain=\"{text}\"", element(&leaf));
        assert_eq!(sent(&[&said]), whole);
        let said = format!("Hash={};Chain=\"{text}\"", hash(&leaf));
        assert_eq!(sent(&[&said]), whole);
    }

    #[test]
    fn a_proxy_that_saw_none_says_so() {
        for none in [&[][..], &[""], &[" "]] {
            assert_eq!(sent(none), Ok(None), "{none:?}");
        }
    }

    #[test]
    fn what_a_client_has_written_into_its_own_certificate_or_header_makes_it_nobody_else() {
        let [client, victim] = ["client", "victim"].map(certificate);
        let of = |whose: &RegisteredCertificate| format!("Cert=\"{}\"", escaped(whose));
        let own = format!("By=spiffe://mesh;{}", element(&client));
        let (hash, stolen) = (hash(&victim), of(&victim));
        for name in [
            format!("x,{stolen}"),
            format!("x;{stolen}"),
            format!("x,{}", element(&victim)),
            format!("x;{}", element(&victim)),
            format!("x;Chain=\"{}\"", escaped(&victim)),
            format!("x;hash={hash}"),
            format!("x; HASH ={hash}"),
            "a,b".to_owned(),
            "x\"".to_owned(),
        ] {
            let said = format!("{own};Subject=\"\";URI={name};DNS=app.example");
            assert_eq!(sent(&[&said]), Err(Unreadable), "{said}");
            let without_certificate = format!("Hash={};URI={name}", self::hash(&client));
            assert_eq!(sent(&[&without_certificate]), Err(Unreadable), "{name}");
        }
        // The proxy appends to what came: as an element, or within a quote that was left open.
        for before in [
            element(&victim),
            format!("{};Subject=\"", element(&victim)),
            escaped(&victim),
        ] {
            for after in ["", ";URI=x", ";URI=\"", ";Subject=\"CN=a\";URI=\""] {
                let said = format!("{before},{own}{after}");
                assert_eq!(sent(&[&said]), Err(Unreadable), "{said}");
            }
        }
        for harmless in [
            "Subject=\"CN=\\\",b;Hash=00\"",
            "URI=a=b;URI=spiffe://a;DNS=a;DNS=b;By=spiffe://other",
        ] {
            let alone = Ok(Some(presented(&client, &[])));
            assert_eq!(sent(&[&format!("{own};{harmless}")]), alone, "{harmless}");
        }
    }

    #[test]
    fn an_element_is_of_the_certificate_that_its_hash_is_of() {
        let [one, other] = ["one", "other"].map(certificate);
        let cert = format!("Cert=\"{}\"", escaped(&one));
        let alone = Ok(Some(presented(&one, &[])));
        assert_eq!(
            sent(&[&format!("{cert};hash={}", hash(&one).to_uppercase())]),
            alone
        );
        let wrong = [
            String::new(),
            "00".to_owned(),
            hash(&other),
            hash(&one)[1..].to_owned(),
        ];
        for hash in wrong {
            assert_eq!(sent(&[&format!("Hash={hash};{cert}")]), Err(Unreadable), "{hash}");
        }
        assert_eq!(sent(&[&cert]), Err(Unreadable));
        let twice = format!("{};Hash={}", element(&one), hash(&one));
        assert_eq!(sent(&[&twice]), Err(Unreadable));
        let chain = format!("Hash={};Chain=\"{}\"", hash(&other), escaped(&one));
        assert_eq!(sent(&[&chain]), Err(Unreadable));
    }

    #[test]
    fn what_is_ambiguous_or_no_certificate_is_none() {
        let [one, other] = ["one", "other"].map(certificate);
        let (item_one, escaped_one, element_one) = (item(&one), escaped(&one), element(&one));
        for values in [
            &[item_one.as_str(), item_one.as_str()][..],
            &[&item_one, ""],
            &[&item_one[1..]],
            &[&item_one[..item_one.len() - 1]],
            &[":AAAA:"],
            &["::"],
            &["(null)"],
            &[&format!("Hash={};Subject=\"CN=a\"", hash(&one))],
            &[&element_one[..element_one.len() - 1]],
            &[&format!("{element_one};Cert=\"{escaped_one}\"")],
            &[&format!("{element_one};Subject=\"\";Subject=\"\"")],
            &[&format!("{element_one};Chain=\"{}\"", escaped(&other))],
            &[&escaped_one[..escaped_one.len() / 2]],
            &["-----BEGIN CERTIFICATE-----%FF"],
        ] {
            assert_eq!(sent(values), Err(Unreadable), "{values:?}");
        }
        assert_eq!(sent_with(&[&item_one], &["x"]), Err(Unreadable));
        let many = vec![item_one.clone(); LONGEST_CHAIN + 1].join(",");
        assert_eq!(sent_with(&[&item_one], &[&many]), Err(Unreadable));
        assert_eq!(sent(&[&":".repeat(LONGEST + 1)]), Err(Unreadable));
    }
}
