//! What the workloads need to find: applications, a user with memos, signed-in browsers, live tokens.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::error::{Failure, Result};
use super::http1::{self, Answer, Connection};
use super::server::Server;
use super::store::Store;
use super::worker::Worker;

const USERNAME: &str = "resource-owner";
const MEMOS: usize = 10;
const REDIRECT_URI: &str = "https://client.example/callback";
/// One for all: making new ones would be the client's work, not the server's.
const CODE_VERIFIER: &str = "a-verifier-of-enough-characters-for-RFC-7636-S256";

/// A registered client.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) client_id: String,
    /// A whole `Authorization` line for Basic.
    pub(crate) basic: String,
}

impl Application {
    /// The secret, out of the `Authorization` line.
    pub(crate) fn secret(&self) -> Result<String> {
        let encoded = self.basic.trim().rsplit(' ').next().unwrap_or_default();
        let decoded = STANDARD
            .decode(encoded)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let secret = decoded.and_then(|pair| Some(pair.split_once(':')?.1.to_owned()));
        secret.ok_or_else(|| "credentials that cannot be read".into())
    }
}

/// What is in the store before the server starts.
#[derive(Debug)]
pub(crate) struct Scene {
    /// Acts for itself.
    pub(crate) machine: Application,
    /// Acts for the user, who is not asked: it is trusted.
    pub(crate) web: Application,
    password: String,
}

/// Access and refresh token of the user, from a whole code flow.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Scene {
    pub(crate) async fn set(store: &Store<'_>) -> Result<Self> {
        let user = store.command(&["user", "create", USERNAME]).await?;
        let machine = register(store, &["--name", "Machine", "--grant", "client_credentials"]).await?;
        let web = ["--name", "Web", "--trusted", "--redirect-uri", REDIRECT_URI];
        Ok(Self {
            machine,
            web: register(store, &web).await?,
            password: member(&user, "password")?,
        })
    }

    /// `count` connections, each with a session and tokens of its own, to a user with memos.
    pub(crate) async fn workers(&self, server: &Server, count: u64) -> Result<Vec<Worker>> {
        let mut workers = Vec::new();
        for _ in 0..count {
            let mut connection = Connection::open(server.address).await?;
            let cookies = self.sign_in(server, &mut connection).await?;
            let authorize = self.authorize(server, &cookies);
            let code = code(&connection.send(&authorize).await?)?.to_owned();
            let redeem = self.redeem(server, &code);
            let tokens = tokens(&connection.send(&redeem).await?)?;
            workers.push(Worker::new(self, server, connection, authorize, tokens));
        }
        if let Some(worker) = workers.first_mut() {
            for number in 0..MEMOS {
                worker.write_memo(number).await?;
            }
        }
        Ok(workers)
    }

    /// Walks through `/login` and gives the `Cookie` line of the session.
    async fn sign_in(&self, server: &Server, connection: &mut Connection) -> Result<String> {
        let page = connection.send(&http1::get(server.host(), "/login", "")).await?;
        page.unless(page.status == 200, "sign-in page")?;
        let cookies = cookies(&page);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(hidden_fields(page.body));
        form.append_pair("username", USERNAME)
            .append_pair("password", &self.password);
        let headers = format!("Origin: {}\r\n{cookies}", server.issuer);
        let sent = http1::post(server.host(), "/login", &headers, &form.finish());
        let signed_in = connection.send(&sent).await?;
        signed_in.unless(signed_in.status == 303, "sign-in")?;
        Ok(self::cookies(&signed_in))
    }

    /// An authorization request of the trusted application (RFC 6749 §4.1.1, RFC 7636 §4.3).
    fn authorize(&self, server: &Server, cookies: &str) -> Vec<u8> {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(CODE_VERIFIER));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.web.client_id),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "read write"),
            ("state", "0123456789abcdef"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let path = format!("/oauth/authorize?{}", query.finish());
        http1::get(server.host(), &path, cookies)
    }

    /// The token request for a code (RFC 6749 §4.1.3).
    fn redeem(&self, server: &Server, code: &str) -> Vec<u8> {
        http1::post(server.host(), "/oauth/token", &self.web.basic, &redemption(code))
    }
}

/// The form that redeems a code.
pub(crate) fn redemption(code: &str) -> String {
    // nothing in it needs escaping but the redirect URI, and the code is made of what needs none
    format!(
        "grant_type=authorization_code&redirect_uri=https%3A%2F%2Fclient.example%2Fcallback\
         &code_verifier={CODE_VERIFIER}&code={code}"
    )
}

/// The code in a redirect back to the application (RFC 6749 §4.1.2).
pub(crate) fn code<'a>(answer: &'a Answer<'_>) -> Result<&'a str> {
    let location = answer.header("location").unwrap_or_default();
    let query = location
        .strip_prefix(REDIRECT_URI)
        .and_then(|rest| rest.strip_prefix('?'));
    let found = query
        .unwrap_or_default()
        .split('&')
        .find_map(|pair| pair.strip_prefix("code="))
        .filter(|code| code.starts_with("tgc_"));
    answer.unless(
        matches!(answer.status, 302 | 303) && found.is_some(),
        "redirect with a code",
    )?;
    found.ok_or_else(|| Failure::when("no code", answer))
}

/// Both tokens of an answer (RFC 6749 §5.1).
pub(crate) fn tokens(answer: &Answer<'_>) -> Result<Tokens> {
    let access = answer.member("access_token").unwrap_or_default();
    let refresh = answer.member("refresh_token").unwrap_or_default();
    let is_good = answer.status == 200 && access.starts_with("tga_") && refresh.starts_with("tgr_");
    answer.unless(is_good, "tokens")?;
    Ok(Tokens {
        access: access.to_owned(),
        refresh: refresh.to_owned(),
    })
}

async fn register(store: &Store<'_>, flags: &[&str]) -> Result<Application> {
    let mut arguments = vec!["application", "create"];
    arguments.extend(flags);
    let created = store.command(&arguments).await?;
    let (client_id, secret) = (member(&created, "client_id")?, member(&created, "client_secret")?);
    let basic = STANDARD.encode(format!("{client_id}:{secret}"));
    Ok(Application {
        client_id,
        basic: format!("Authorization: Basic {basic}\r\n"),
    })
}

fn member(json: &serde_json::Value, name: &str) -> Result<String> {
    let text = json[name].as_str();
    text.map(str::to_owned)
        .ok_or_else(|| Failure::when(format_args!("no {name} in"), json))
}

/// The `Cookie` line that gives back what an answer has set.
fn cookies(answer: &Answer<'_>) -> String {
    let pairs: Vec<&str> = answer
        .headers("set-cookie")
        .filter_map(|cookie| cookie.split(';').next())
        .collect();
    format!("Cookie: {}\r\n", pairs.join("; "))
}

/// Names and values of a page's hidden fields, which stand there without anything to unescape.
fn hidden_fields(html: &str) -> impl Iterator<Item = (&str, &str)> {
    html.split("<input type=\"hidden\" name=\"")
        .skip(1)
        .filter_map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"")?;
            Some((name, rest.split_once('"')?.0))
        })
}
