//! One request, built by naming what differs from the usual and sent by `.await`.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::redirect::Policy;
use reqwest::{Client, Method};

use super::{Answer, Application, Pair, tls};

/// A client that follows no redirect, knows no proxy and trusts the tests' authority alone; `localhost` is
/// IPv4, where the server listens.
pub(super) fn client(base_url: &str, cookies: bool, identity: Option<&Pair>) -> Client {
    let client = Client::builder()
        .tls_backend_preconfigured(tls::of_client(identity))
        .redirect(Policy::none())
        .no_proxy()
        .cookie_store(cookies);
    let host = url::Url::parse(base_url).unwrap().host_str().unwrap().to_owned();
    client
        .resolve(&host, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .build()
        .unwrap()
}

#[must_use = "a request is sent by awaiting it"]
pub(crate) struct Request {
    client: Client,
    method: Method,
    url: String,
    fields: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    pub(super) fn new(client: &Client, method: &str, url: &str) -> Self {
        Self {
            client: client.clone(),
            method: method.parse().unwrap(),
            url: url.to_owned(),
            fields: Vec::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// As `application` authenticates by default: by Basic, or with its bare `client_id` when public.
    pub(crate) fn by(self, application: &Application) -> Self {
        match &application.client_secret {
            Some(secret) => self.basic(&application.client_id, secret),
            None => self.field("client_id", &application.client_id),
        }
    }

    /// Basic credentials, both halves form-encoded (RFC 6749 §2.3.1).
    pub(crate) fn basic(self, id: &str, secret: &str) -> Self {
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        self.raw_basic(&format!("{}:{}", encoded(id), encoded(secret)))
    }

    /// Basic credentials as they are.
    pub(crate) fn raw_basic(self, credentials: &str) -> Self {
        self.header(
            "Authorization",
            &format!("Basic {}", STANDARD.encode(credentials)),
        )
    }

    /// The application's credentials in the body.
    pub(crate) fn secret_in_body(self, id: &str, secret: &str) -> Self {
        self.field("client_id", id).field("client_secret", secret)
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// With the certificate of `pair`, by the word of a proxy (RFC 9440).
    pub(crate) fn carrying(self, pair: &Pair) -> Self {
        self.header("Client-Cert", &format!(":{}:", STANDARD.encode(&pair.der)))
    }

    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn fields<N: AsRef<str>, V: AsRef<str>>(mut self, fields: &[(N, V)]) -> Self {
        for (name, value) in fields {
            self = self.field(name.as_ref(), value.as_ref());
        }
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn json(self, body: &serde_json::Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Any body at all, instead of the fields.
    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", content_type)
    }

    async fn send(self) -> Answer {
        let asked = self.asked();
        self.send_or_error()
            .await
            .unwrap_or_else(|error| panic!("{asked}: {error:?}"))
    }

    /// The answer, or `None` when the server is gone before all of it came.
    pub(crate) async fn try_send(self) -> Option<Answer> {
        self.send_or_error().await.ok()
    }

    /// The answer; else whether nobody listens any more, in contrast to a connection that broke off.
    pub(crate) async fn send_or_refused(self) -> Result<Answer, bool> {
        self.send_or_error().await.map_err(|error| error.is_connect())
    }

    fn asked(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    async fn send_or_error(self) -> reqwest::Result<Answer> {
        let asked = self.asked();
        let mut request = self.client.request(self.method.clone(), &self.url);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = match self.body {
            Some(body) => request.body(body),
            None if self.method == Method::POST || !self.fields.is_empty() => request.form(&self.fields),
            None => request,
        };
        Answer::read(asked, request.send().await?).await
    }
}

impl IntoFuture for Request {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
