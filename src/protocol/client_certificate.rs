//! The certificate of a client by the word of the proxy in front, where TLS ends: in the header that the
//! operator names, in one of three formats.
//!
//! - RFC 9440: `:BASE64:`, what came with it in `Client-Cert-Chain`;
//! - PEM, percent-encoded, as nginx has it in `$ssl_client_escaped_cert`;
//! - `X-Forwarded-Client-Cert` of Envoy: `Hash=…;Cert="…";Chain="…"`, percent-encoded PEM, of which the last
//!   element is by the proxy that is nearest.
//!
//! A client can send the header too: who asks for this has made sure that a proxy wrote it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::client_auth::mtls::{LONGEST_CHAIN, is_readable};
use super::forwarded::{outside_quotes, unquoted};
use crate::model::certificate::{PresentedCertificate, RegisteredCertificate};

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

/// The last element. What a client wrote into an element before it, or into a quoted value of it, such as the
/// subject of its certificate, ends neither.
fn forwarded(value: &str) -> Result<Vec<Vec<u8>>, Unreadable> {
    let elements = outside_quotes(value, ',').ok_or(Unreadable)?;
    let last = elements.last().ok_or(Unreadable)?;
    let (mut leaf, mut chain) = (None, None);
    for pair in outside_quotes(last, ';').ok_or(Unreadable)? {
        let (name, value) = pair.split_once('=').ok_or(Unreadable)?;
        let field = match name.trim().to_ascii_lowercase().as_str() {
            "cert" => &mut leaf,
            "chain" => &mut chain,
            _ => continue,
        };
        if field
            .replace(pem(unquoted(value.trim()).ok_or(Unreadable)?)?)
            .is_some()
        {
            return Err(Unreadable);
        }
    }
    match (leaf, chain) {
        (Some(leaf), Some(chain)) if leaf.len() == 1 && leaf.first() == chain.first() => Ok(chain),
        (Some(leaf), None) if leaf.len() == 1 => Ok(leaf),
        (None, Some(chain)) => Ok(chain),
        _ => Err(Unreadable),
    }
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
        let element = format!(
            "By=spiffe://mesh;Hash=00;Cert=\"{}\";Subject=\"CN=a\"",
            escaped(&leaf)
        );
        assert_eq!(sent(&[&element]), alone);
        let whole = Ok(Some(presented(&leaf, &[&issuer, &root])));
        assert_eq!(sent_with(&[&item(&leaf)], &[&item(&issuer), &item(&root)]), whole);
        let chain = format!("{}, {}", item(&issuer), item(&root));
        assert_eq!(sent_with(&[&item(&leaf)], &[&chain]), whole);
        let text = [&leaf, &issuer, &root].map(escaped).concat();
        assert_eq!(sent(&[&text]), whole);
        assert_eq!(
            sent(&[&format!("Cert=\"{}\";Chain=\"{text}\"", escaped(&leaf))]),
            whole
        );
        assert_eq!(sent(&[&format!("Chain=\"{text}\"")]), whole);
    }

    #[test]
    fn a_proxy_that_saw_none_says_so() {
        for none in [&[][..], &[""], &[" "]] {
            assert_eq!(sent(none), Ok(None), "{none:?}");
        }
    }

    #[test]
    fn the_last_element_counts_and_what_a_client_wrote_ends_none() {
        let [client, proxy] = ["client", "proxy"].map(certificate);
        let element = |of: &RegisteredCertificate| format!("Cert=\"{}\"", escaped(of));
        let both = format!("{},{}", element(&client), element(&proxy));
        assert_eq!(sent(&[&both]), Ok(Some(presented(&proxy, &[]))));
        let subject = format!("{};Subject=\"CN=a\\\",{},\"", element(&proxy), "Cert=x");
        assert_eq!(sent(&[&subject]), Ok(Some(presented(&proxy, &[]))));
        assert_eq!(sent(&[&format!("{},Hash=00", element(&client))]), Err(Unreadable));
    }

    #[test]
    fn what_is_ambiguous_or_no_certificate_is_none() {
        let [one, other] = ["one", "other"].map(certificate);
        let (item_one, escaped_one) = (item(&one), escaped(&one));
        for values in [
            &[item_one.as_str(), item_one.as_str()][..],
            &[&item_one, ""],
            &[&item_one[1..]],
            &[&item_one[..item_one.len() - 1]],
            &[":AAAA:"],
            &["::"],
            &["(null)"],
            &["Hash=00;Subject=\"CN=a\""],
            &[&format!("Cert=\"{escaped_one}")],
            &[&format!("Cert=\"{escaped_one}\";Cert=\"{escaped_one}\"")],
            &[&format!("Cert=\"{escaped_one}\";Chain=\"{}\"", escaped(&other))],
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
