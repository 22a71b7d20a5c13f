//! The one door through which requests leave for other servers: bounded in time and in size, over TLS with the
//! authorities that the machine trusts, and never led elsewhere by a redirect.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use crate::base::secret::Secret;
use crate::protocol::answer::Answer;

/// From the first packet to the last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of an answer, in bytes. Metadata take a few thousand.
const LONGEST: usize = 512 * 1024;
const USER_AGENT: &str = concat!("tegata/", env!("CARGO_PKG_VERSION"));

/// Asks other servers. Cloning is cheap.
#[derive(Clone)]
pub struct Outbound(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Outbound {
    /// Trusts whom the machine trusts, or whom `SSL_CERT_FILE` and `SSL_CERT_DIR` name; nobody where there is
    /// nobody, which leaves http.
    ///
    /// # Errors
    /// That the TLS library has no protocol version in common with itself.
    pub fn new() -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(PATIENCE));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// The answer, whatever its status.
    ///
    /// # Errors
    /// That there is none.
    pub async fn ask(&self, call: Call) -> Result<Answer, NotAnswered> {
        let request = call.request()?;
        tokio::time::timeout(PATIENCE, self.send(request))
            .await
            .map_err(|_| NotAnswered::TooLate)?
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, NotAnswered> {
        let lost = |error: &dyn Error| NotAnswered::Lost(deepest(error));
        let response = self.0.request(request).await.map_err(|error| lost(&error))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LONGEST).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return NotAnswered::TooLong;
            }
            lost(&*error)
        })?;
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
        Ok(Answer::new(
            parts.status.as_u16(),
            headers,
            body.to_bytes().into(),
        ))
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbound")
    }
}

/// What is asked. Its `Display` is method and URL, and no header and no body.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    url: String,
    headers: Vec<(HeaderName, Secret)>,
    form: Option<Secret>,
}

impl Call {
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            url: url.into(),
            headers: vec![(header::ACCEPT, Secret::new("application/json, */*;q=0.1"))],
            form: None,
        }
    }

    /// `fields` go in the body as a form.
    pub fn post<'a>(url: impl Into<String>, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        Self {
            method: Method::POST,
            form: Some(Secret::new(form)),
            ..Self::get(url)
        }
    }

    #[must_use]
    pub fn bearer(self, token: &Secret) -> Self {
        self.authorized(format!("Bearer {}", token.expose()))
    }

    /// Both are form-encoded first (RFC 6749 §2.3.1).
    #[must_use]
    pub fn basic(self, client_id: &str, client_secret: &Secret) -> Self {
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(client_id), encoded(client_secret.expose()));
        self.authorized(format!("Basic {}", STANDARD.encode(pair)))
    }

    fn authorized(mut self, value: String) -> Self {
        self.headers.push((header::AUTHORIZATION, Secret::new(value)));
        self
    }

    fn request(self) -> Result<Request<Full<Bytes>>, NotAnswered> {
        let url = Url::parse(&self.url).map_err(|error| NotAnswered::NoUrl(error.to_string()))?;
        let mut request = Request::builder()
            .method(self.method)
            .uri(url.as_str())
            .header(header::USER_AGENT, USER_AGENT);
        for (name, value) in self.headers {
            let mut value = HeaderValue::from_str(value.expose())
                .map_err(|_| NotAnswered::NoUrl(format!("{name} has characters that no header has")))?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        if self.form.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let body = self.form.map_or_else(Bytes::new, |form| {
            Bytes::copy_from_slice(form.expose().as_bytes())
        });
        request
            .body(Full::new(body))
            .map_err(|error| NotAnswered::NoUrl(error.to_string()))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAnswered {
    /// It cannot be asked there.
    NoUrl(String),
    TooLate,
    TooLong,
    /// No connection, no TLS, or no HTTP.
    Lost(String),
}

impl fmt::Display for NotAnswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUrl(why) => write!(f, "it cannot be asked: {why}"),
            Self::TooLate => write!(f, "no whole answer within {} seconds", PATIENCE.as_secs()),
            Self::TooLong => write!(f, "the answer is longer than {LONGEST} bytes"),
            Self::Lost(why) => f.write_str(why),
        }
    }
}

impl Error for NotAnswered {}

/// The cause beneath all others: those above only say that something failed.
fn deepest(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_shown_without_what_it_carries() {
        let secret = Secret::new("s3cret");
        let call = Call::post("https://id.example/token", [("code", "s3cret")]).basic("a", &secret);
        assert_eq!(call.to_string(), "POST https://id.example/token");
        assert!(!format!("{call:?}").contains("s3cret"));
        let request = Call::get("https://api.example/")
            .bearer(&secret)
            .request()
            .unwrap();
        assert!(!format!("{request:?}").contains("s3cret"), "{request:?}");
    }

    #[test]
    fn basic_credentials_are_form_encoded_first() {
        let request = Call::get("https://id.example/")
            .basic("a:b", &Secret::new("c d%"))
            .request()
            .unwrap();
        let expected = format!("Basic {}", STANDARD.encode("a%3Ab:c+d%25"));
        assert_eq!(request.headers()[header::AUTHORIZATION], expected);
    }

    #[test]
    fn what_is_no_url_is_not_asked() {
        for text in ["", "id.example", "/token"] {
            assert!(
                matches!(Call::get(text).request(), Err(NotAnswered::NoUrl(_))),
                "{text}"
            );
        }
    }
}
