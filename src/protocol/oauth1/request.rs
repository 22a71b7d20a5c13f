//! A signed request (RFC 5849 §3.1, §3.2 and §3.5): its parameters, read one way or refused.
//!
//! Names that begin with `oauth_` and are none of the protocol's are signed like any parameter, and mean nothing.

use std::collections::BTreeMap;
use std::fmt;

use subtle::ConstantTimeEq;

use super::base_string::{self, Parameter, parameters};
use super::problem::{Kind, Problem};
use super::signature::{self, Keys, SignatureMethod};
use crate::base::form::{self, Malformed};
use crate::base::secret::Secret;
use crate::protocol::bearer::after_scheme;

const CONSUMER_KEY: &str = "oauth_consumer_key";
const TOKEN: &str = "oauth_token";
const SIGNATURE_METHOD: &str = "oauth_signature_method";
const SIGNATURE: &str = "oauth_signature";
const TIMESTAMP: &str = "oauth_timestamp";
const NONCE: &str = "oauth_nonce";
const VERSION: &str = "oauth_version";
const CALLBACK: &str = "oauth_callback";
const VERIFIER: &str = "oauth_verifier";
const BODY_HASH: &str = "oauth_body_hash";

/// The protocol's parameters, with the most bytes that each may have.
const PROTOCOL: [(&str, usize); 10] = [
    (CONSUMER_KEY, 128),
    (TOKEN, 128),
    (SIGNATURE_METHOD, 32),
    // RSA with 8192 bits, in base64.
    (SIGNATURE, 1400),
    (TIMESTAMP, 15),
    (NONCE, 256),
    (VERSION, 8),
    (CALLBACK, 2048),
    (VERIFIER, 128),
    (BODY_HASH, 64),
];

/// Most parameters of a request.
const MOST: usize = 200;

/// A request as it came.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "holds what opens something")]
pub struct Sent<'a> {
    pub method: &'a str,
    /// Path and query, as the client sent them.
    pub target: &'a str,
    pub authorization: &'a [&'a [u8]],
    pub body: Body<'a>,
}

/// All of a request's body.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "may hold what opens something")]
pub enum Body<'a> {
    /// `application/x-www-form-urlencoded`: its parameters are signed (§3.4.1.3.1).
    Form(&'a [u8]),
    /// Any other, or none: covered by `oauth_body_hash` alone.
    Other(&'a [u8]),
}

/// Whether header and query say that the request is a signed one. An empty header with the parameters in the query
/// does; another scheme beside a signature in the query does too, and is refused by [`SignedRequest::parse`].
pub fn is_claimed(authorization: &[&[u8]], target: &str) -> bool {
    authorization.iter().any(|header| oauth(header).is_some()) || names_signature(query(target).as_bytes())
}

/// Whether a form says so.
pub fn is_claimed_by_form(form: &[u8]) -> bool {
    names_signature(form)
}

fn names_signature(query_or_form: &[u8]) -> bool {
    query_or_form.split(|&byte| byte == b'&').any(|pair| {
        let name = pair.split(|&byte| byte == b'=').next().unwrap_or_default();
        form::decode_bytes(name).is_ok_and(|name| name == SIGNATURE.as_bytes())
    })
}

fn query(target: &str) -> &str {
    target.split_once('?').map_or("", |(_, query)| query)
}

fn oauth(header: &[u8]) -> Option<&[u8]> {
    after_scheme(header, "oauth")
}

/// A request that says who signed it. Nothing of it is proven before [`SignedRequest::is_signed_by`].
#[derive(Clone)]
pub struct SignedRequest {
    consumer_key: String,
    token: Option<String>,
    method: SignatureMethod,
    /// With PLAINTEXT it is the secrets themselves.
    signature: Secret,
    freshness: Option<Freshness>,
    callback: Option<String>,
    verifier: Option<Secret>,
    body_hash: Option<String>,
    base_string: String,
}

/// By what a request is known when it comes again (§3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Seconds since 1970, more than zero.
    pub timestamp: i64,
    pub nonce: String,
}

impl SignedRequest {
    /// Reads a request to `origin`, which is scheme and authority of the address that clients know: what a request
    /// itself says of its host decides nothing.
    ///
    /// # Errors
    /// What is missing, there twice or in two places, unreadable or unsupported; a body that is not the one that was
    /// hashed.
    pub fn parse(origin: &str, sent: &Sent<'_>) -> Result<Self, Problem> {
        let places = Places::read(sent)?;
        let values = places.protocol();
        values
            .and_then(|values| Self::made_of(values, &places, origin, sent))
            .map_err(|problem| problem.named(places.consumer_key()))
    }

    fn made_of(
        mut values: BTreeMap<&'static str, String>,
        places: &Places,
        origin: &str,
        sent: &Sent<'_>,
    ) -> Result<Self, Problem> {
        check_version(&values)?;
        let method = signature_method(&values, origin)?;
        let freshness = freshness(&mut values, method)?;
        let mut value = |name: &str| values.remove(name);
        let (Some(consumer_key), Some(signature)) = (value(CONSUMER_KEY), value(SIGNATURE)) else {
            return Err(Problem::absent(&[CONSUMER_KEY, SIGNATURE]));
        };
        let request = Self {
            consumer_key,
            token: value(TOKEN),
            method,
            signature: Secret::new(signature),
            freshness,
            callback: value(CALLBACK),
            verifier: value(VERIFIER).map(Secret::new),
            body_hash: value(BODY_HASH),
            base_string: places.base_string(sent.method, &base_string::uri(origin, sent.target)),
        };
        request.check_body(sent.body)?;
        Ok(request)
    }

    /// The name of the application.
    pub fn consumer_key(&self) -> &str {
        &self.consumer_key
    }

    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    pub fn signature_method(&self) -> SignatureMethod {
        self.method
    }

    /// `None` where PLAINTEXT came without: then nothing tells a request from its repetition (§3.1).
    pub fn freshness(&self) -> Option<&Freshness> {
        self.freshness.as_ref()
    }

    pub fn callback(&self) -> Option<&str> {
        self.callback.as_deref()
    }

    pub fn verifier(&self) -> Option<&Secret> {
        self.verifier.as_ref()
    }

    pub fn body_hash(&self) -> Option<&str> {
        self.body_hash.as_deref()
    }

    /// What was to be signed (§3.4.1).
    pub fn base_string(&self) -> &str {
        &self.base_string
    }

    /// Whether whoever sent it has the secrets, or for RSA-SHA1 the private key.
    pub fn is_signed_by(&self, keys: &Keys<'_>) -> bool {
        signature::is_valid(self.method, keys, &self.base_string, &self.signature)
    }

    /// Whether the request was made just now: less than `window` seconds ago, and less than `skew` seconds ahead of
    /// our clock (§3.3).
    ///
    /// # Errors
    /// `timestamp_refused`.
    pub fn check_time(&self, now: i64, window: i64, skew: i64) -> Result<(), Problem> {
        let Some(Freshness { timestamp, .. }) = &self.freshness else {
            return Ok(());
        };
        let age = now.saturating_sub(*timestamp);
        if age < window && age.saturating_neg() < skew {
            return Ok(());
        }
        let acceptable = format!("{}-{}", now - window + 1, now + skew - 1);
        let advice = if age > 0 {
            format!(
                "The timestamp is {age} seconds behind this server; set the client's clock, and sign every request anew"
            )
        } else {
            format!(
                "The timestamp is {} seconds ahead of this server; set the client's clock",
                age.saturating_neg()
            )
        };
        Err(Problem::new(Kind::TimestampRefused, advice).with("oauth_acceptable_timestamps", acceptable))
    }

    fn check_body(&self, body: Body<'_>) -> Result<(), Problem> {
        let Some(sent) = &self.body_hash else {
            return Ok(());
        };
        let Body::Other(body) = body else {
            return Err(Problem::rejected(
                BODY_HASH,
                "Leave out oauth_body_hash: a form body is signed as its parameters are",
            ));
        };
        if self
            .method
            .body_hash(body)
            .as_bytes()
            .ct_eq(sent.as_bytes())
            .into()
        {
            return Ok(());
        }
        Err(Problem::new(
            Kind::SignatureInvalid,
            "The body is not the one that oauth_body_hash was made from",
        ))
    }
}

/// Shows who says to have sent it, and nothing that opens anything.
impl fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest")
            .field("consumer_key", &self.consumer_key)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// The parameters of a request, by where they came.
struct Places {
    header: Vec<Parameter>,
    query: Vec<Parameter>,
    form: Vec<Parameter>,
}

impl Places {
    fn read(sent: &Sent<'_>) -> Result<Self, Problem> {
        let places = Self {
            header: header_parameters(sent.authorization)?,
            query: parameters(query(sent.target).as_bytes()).map_err(|fault| unreadable("query", fault))?,
            form: match sent.body {
                Body::Form(form) => parameters(form).map_err(|fault| unreadable("form", fault))?,
                Body::Other(_) => Vec::new(),
            },
        };
        if places.all().count() > MOST {
            let advice = format!("Send at most {MOST} parameters");
            return Err(Problem::new(Kind::ParameterRejected, advice));
        }
        Ok(places)
    }

    fn all(&self) -> impl Iterator<Item = &Parameter> {
        self.header.iter().chain(&self.query).chain(&self.form)
    }

    /// Whom the request names, where it names one.
    fn consumer_key(&self) -> Option<String> {
        let mut names = self
            .all()
            .filter(|parameter| parameter.name == CONSUMER_KEY.as_bytes());
        match (names.next(), names.next()) {
            (Some(only), None) => String::from_utf8(only.value.clone()).ok(),
            _ => None,
        }
    }

    /// The protocol's parameters, by name: each once, all in one place (§3.2, §3.5). An empty one counts as absent.
    fn protocol(&self) -> Result<BTreeMap<&'static str, String>, Problem> {
        let mut values = BTreeMap::new();
        let mut carrier = None;
        for (place, parameters) in [&self.header, &self.query, &self.form].into_iter().enumerate() {
            for parameter in parameters {
                let Some((name, most)) = known(&parameter.name) else {
                    continue;
                };
                if *carrier.get_or_insert(place) != place {
                    let advice = "Send all parameters of OAuth in one place: the Authorization header, the form or the query";
                    return Err(Problem::rejected(name, advice));
                }
                let value = readable(name, most, &parameter.value)?;
                if values.insert(name, value).is_some() {
                    return Err(Problem::rejected(name, format!("Send {name} once")));
                }
            }
        }
        values.retain(|_, value| !value.is_empty());
        Ok(values)
    }

    fn base_string(&self, method: &str, uri: &str) -> String {
        let signed: Vec<Parameter> = self
            .all()
            .filter(|parameter| parameter.name != SIGNATURE.as_bytes())
            .cloned()
            .collect();
        base_string::base_string(method, uri, &signed)
    }
}

fn known(name: &[u8]) -> Option<(&'static str, usize)> {
    PROTOCOL.into_iter().find(|(known, _)| known.as_bytes() == name)
}

fn readable(name: &'static str, most: usize, value: &[u8]) -> Result<String, Problem> {
    if value.len() > most {
        return Err(Problem::rejected(
            name,
            format!("Send at most {most} bytes in {name}"),
        ));
    }
    std::str::from_utf8(value)
        .ok()
        .filter(|text| !text.chars().any(char::is_control))
        .map(str::to_owned)
        .ok_or_else(|| Problem::rejected(name, format!("Send {name} in UTF-8 without control characters")))
}

fn unreadable(place: &str, fault: Malformed) -> Problem {
    Problem::new(Kind::ParameterRejected, format!("The {place} has {fault}"))
}

/// The parameters of the `Authorization` header but for the realm (§3.5.1).
fn header_parameters(authorization: &[&[u8]]) -> Result<Vec<Parameter>, Problem> {
    let refused = |advice| Err(Problem::new(Kind::ParameterRejected, advice));
    match authorization {
        [] => Ok(Vec::new()),
        [one] => match oauth(one) {
            Some(rest) => read_header(rest).ok_or_else(|| {
                let advice = "The Authorization header is not OAuth and a list of name=\"value\", percent-encoded, with commas between them";
                Problem::new(Kind::ParameterRejected, advice)
            }),
            None => refused("A signed request cannot have other credentials in its Authorization header"),
        },
        _ => refused("More than one Authorization header was sent"),
    }
}

fn read_header(rest: &[u8]) -> Option<Vec<Parameter>> {
    if !rest.is_empty() && !rest.starts_with(b" ") && !rest.starts_with(b"\t") {
        return None;
    }
    let mut parameters = Vec::new();
    let mut rest = rest.trim_ascii();
    loop {
        while let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
        }
        if rest.is_empty() {
            return Some(parameters);
        }
        let (name, after) = divided(rest, b'=')?;
        let quoted = after.trim_ascii_start().strip_prefix(b"\"")?;
        let (value, after) = closed(quoted)?;
        rest = after.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
        parameters.extend(header_parameter(name.trim_ascii_end(), value)?);
    }
}

/// `Some(None)` for the realm, which is not signed.
#[expect(clippy::option_option, reason = "unreadable, left out, or there")]
fn header_parameter(name: &[u8], value: &[u8]) -> Option<Option<Parameter>> {
    if name.eq_ignore_ascii_case(b"realm") {
        return Some(None);
    }
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(byte);
    if name.is_empty() || !name.iter().all(plain) || value.contains(&b'\\') {
        return None;
    }
    Some(Some(Parameter {
        name: form::percent_decode(name).ok()?,
        value: form::percent_decode(value).ok()?,
    }))
}

fn divided(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let (before, after) = text.split_at(text.iter().position(|&byte| byte == at)?);
    Some((before, after.get(1..)?))
}

/// What stands before the quote that closes a quoted string, and what comes after it.
fn closed(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    let end = text.iter().position(|&byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    let (before, after) = text.split_at(end);
    Some((before, after.get(1..)?))
}

fn check_version(values: &BTreeMap<&'static str, String>) -> Result<(), Problem> {
    match values.get(VERSION).map(String::as_str) {
        None | Some("1.0") => Ok(()),
        Some(_) => Err(
            Problem::new(Kind::VersionRejected, "Send oauth_version=1.0, or leave it out")
                .with("oauth_acceptable_versions", "1.0-1.0"),
        ),
    }
}

/// PLAINTEXT shows the secrets to everybody on the way, so that there must be TLS, or no way at all (§3.4.4).
fn signature_method(
    values: &BTreeMap<&'static str, String>,
    origin: &str,
) -> Result<SignatureMethod, Problem> {
    let required = [CONSUMER_KEY, SIGNATURE_METHOD, SIGNATURE];
    let absent: Vec<&str> = required
        .into_iter()
        .filter(|name| !values.contains_key(name))
        .collect();
    let Some(sent) = values.get(SIGNATURE_METHOD).filter(|_| absent.is_empty()) else {
        return Err(Problem::absent(&absent));
    };
    let supported = |method: &SignatureMethod| *method != SignatureMethod::Plaintext || is_private(origin);
    if let Some(method) = SignatureMethod::parse(sent).filter(supported) {
        return Ok(method);
    }
    let names: Vec<&str> = SignatureMethod::ALL
        .into_iter()
        .filter(supported)
        .map(SignatureMethod::as_str)
        .collect();
    let advice = format!("Sign by one of {}", names.join(", "));
    Err(Problem::new(Kind::SignatureMethodRejected, advice))
}

fn is_private(origin: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let host = authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(authority, |(host, _)| host);
    scheme.eq_ignore_ascii_case("https") || matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Both or, with PLAINTEXT, none (§3.1).
fn freshness(
    values: &mut BTreeMap<&'static str, String>,
    method: SignatureMethod,
) -> Result<Option<Freshness>, Problem> {
    match (values.remove(TIMESTAMP), values.remove(NONCE)) {
        (Some(timestamp), Some(nonce)) => Ok(Some(Freshness {
            timestamp: seconds(&timestamp)?,
            nonce,
        })),
        (None, None) if method == SignatureMethod::Plaintext => Ok(None),
        (None, None) => Err(Problem::absent(&[TIMESTAMP, NONCE])),
        (None, Some(_)) => Err(Problem::absent(&[TIMESTAMP])),
        (Some(_), None) => Err(Problem::absent(&[NONCE])),
    }
}

fn seconds(text: &str) -> Result<i64, Problem> {
    text.parse()
        .ok()
        .filter(|&seconds: &i64| seconds > 0 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or_else(|| {
            Problem::new(
                Kind::TimestampRefused,
                "Send oauth_timestamp as whole seconds since 1970, in digits alone",
            )
        })
}

#[cfg(test)]
mod tests;
