//! A connection with what it sends: one operation of each workload.

use super::error::Result;
use super::http1::{self, Connection};
use super::options::Workload;
use super::scene::{self, Scene, Tokens};
use super::server::Server;

/// Does one operation after the other; what need not be made anew is made beforehand.
#[derive(Debug)]
pub(crate) struct Worker {
    connection: Connection,
    host: String,
    /// The trusted application's `Authorization` line.
    basic: String,
    tokens: Tokens,
    client_credentials: Vec<u8>,
    introspect: Vec<u8>,
    authorize: Vec<u8>,
    memos: Vec<Vec<u8>>,
    next_memos: usize,
}

impl Worker {
    pub(crate) fn new(
        scene: &Scene,
        server: &Server,
        connection: Connection,
        authorize: Vec<u8>,
        tokens: Tokens,
    ) -> Self {
        let host = server.host();
        let introspect = format!("token={}", tokens.access);
        Self {
            connection,
            basic: scene.web.basic.clone(),
            client_credentials: http1::post(
                host,
                "/oauth/token",
                &scene.machine.basic,
                "grant_type=client_credentials&scope=read",
            ),
            introspect: http1::post(host, "/oauth/introspect", &scene.web.basic, &introspect),
            authorize,
            memos: vec![memos(host, &tokens.access)],
            next_memos: 0,
            host: host.to_owned(),
            tokens,
        }
    }

    /// From now on W3 asks with these access tokens in turn, beginning with the one at `first`.
    pub(crate) fn use_tokens(&mut self, tokens: &[String], first: usize) {
        self.memos = tokens.iter().map(|token| memos(&self.host, token)).collect();
        self.next_memos = first;
    }

    pub(crate) fn access_token(&self) -> &str {
        &self.tokens.access
    }

    /// One operation, with its answer checked.
    pub(crate) async fn run(&mut self, workload: Workload) -> Result<()> {
        match workload {
            Workload::W1 => self.client_credentials().await,
            Workload::W2 => self.introspect().await,
            Workload::W3 => self.read_memos().await,
            Workload::W4 => self.authorization_code().await,
            Workload::W5 => self.refresh().await,
        }
    }

    async fn client_credentials(&mut self) -> Result<()> {
        let answer = self.connection.send(&self.client_credentials).await?;
        let token = answer.member("access_token").unwrap_or_default();
        answer.unless(
            answer.status == 200 && token.starts_with("tga_"),
            "token for client_credentials",
        )
    }

    async fn introspect(&mut self) -> Result<()> {
        let answer = self.connection.send(&self.introspect).await?;
        let is_active = answer.status == 200 && answer.body.contains("\"active\":true");
        answer.unless(is_active, "live token")
    }

    async fn read_memos(&mut self) -> Result<()> {
        let request = &self.memos[self.next_memos % self.memos.len()];
        self.next_memos += 1;
        let answer = self.connection.send(request).await?;
        let is_list = answer.status == 200 && answer.body.starts_with("{\"memos\":[{");
        answer.unless(is_list, "memos")
    }

    async fn authorization_code(&mut self) -> Result<()> {
        let redirect = self.connection.send(&self.authorize).await?;
        let form = scene::redemption(scene::code(&redirect)?);
        let redeem = http1::post(&self.host, "/oauth/token", &self.basic, &form);
        scene::tokens(&self.connection.send(&redeem).await?).map(drop)
    }

    /// One link of the chain: the refresh token of this answer is the next one's.
    async fn refresh(&mut self) -> Result<()> {
        let form = format!("grant_type=refresh_token&refresh_token={}", self.tokens.refresh);
        let request = http1::post(&self.host, "/oauth/token", &self.basic, &form);
        self.tokens = scene::tokens(&self.connection.send(&request).await?)?;
        Ok(())
    }

    pub(crate) async fn write_memo(&mut self, number: usize) -> Result<()> {
        let bearer = bearer(&self.tokens.access);
        let memo = format!("{{\"message\":\"Memo {number}: buy paper, ink and a new brush\"}}");
        let request = http1::with_body(&self.host, "/api/memos", &bearer, "application/json", &memo);
        let answer = self.connection.send(&request).await?;
        answer.unless(answer.status == 201, "new memo")
    }
}

fn memos(host: &str, token: &str) -> Vec<u8> {
    http1::get(host, "/api/memos", &bearer(token))
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}
