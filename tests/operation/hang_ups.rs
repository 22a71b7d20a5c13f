//! Clients that send a request and hang up at any moment of its work: it is done whole or not at all, and
//! what it held of the server is free again.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Url, form_urlencoded};

use crate::world::{Answer, Application, Ask, World, at_once};

/// Rounds of [`Victims::hang_up`]; in the last the client waits until it is answered.
const ROUNDS: u32 = 30;
/// By so much later the clients of a round hang up than those of the round before.
const STEP: Duration = Duration::from_micros(400);

/// A POST of a form as it goes over the wire.
fn form(path: &str, fields: &[(&str, &str)]) -> String {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends a request, waits so long for the first byte of its answer, and hangs up.
async fn hang_up(world: &World, request: &str, patience: Duration) {
    let port = Url::parse(&world.base_url).unwrap().port().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let _ = timeout(patience, stream.read_u8()).await;
}

/// What is asked for by clients that do not wait.
struct Victims {
    app: Application,
    access: String,
    codes: Vec<String>,
    refresh: Vec<String>,
}

impl Victims {
    async fn of(world: &World) -> Self {
        let alice = world.user("alice").await;
        let app = world.application().create().await;
        let browser = world.signed_in(&alice).await;
        let (mut codes, mut refresh) = (Vec::new(), Vec::new());
        let ask = Ask::of(&app).with("scope", "read write");
        let code = browser.authorize(&ask).await.code();
        let access = world.redeem(&app, &code).await.tokens().access;
        for _ in 0..ROUNDS {
            codes.push(browser.authorize(&ask).await.code());
            let code = browser.authorize(&ask).await.code();
            refresh.push(world.redeem(&app, &code).await.tokens().refresh().to_owned());
        }
        Self {
            app,
            access,
            codes,
            refresh,
        }
    }

    /// A request of each kind, from clients of the same patience.
    async fn hang_up(&self, world: &World, round: usize, patience: Duration) {
        let (id, secret) = (&*self.app.client_id, self.app.secret());
        let token = |fields: &[(&str, &str)]| {
            form(
                "/oauth/token",
                &[fields, &[("client_id", id), ("client_secret", secret)]].concat(),
            )
        };
        let memo = "{\"message\":\"ふじ\"}";
        let requests = [
            token(&[
                ("grant_type", "authorization_code"),
                ("code", &self.codes[round]),
                ("redirect_uri", self.app.redirect_uri()),
            ]),
            token(&[
                ("grant_type", "refresh_token"),
                ("refresh_token", &self.refresh[round]),
            ]),
            token(&[("grant_type", "client_credentials")]),
            format!(
                "POST /api/memos HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{memo}",
                self.access,
                memo.len()
            ),
            form(
                "/oauth/introspect",
                &[
                    ("token", &self.access),
                    ("client_id", id),
                    ("client_secret", secret),
                ],
            ),
        ];
        at_once(requests.len(), |number| {
            let (world, request) = (world.clone(), requests[number].clone());
            async move { hang_up(&world, &request, patience).await }
        })
        .await;
    }
}

/// Rows that tell of a half done request; each of them is written in one transaction with its counterpart.
const HALVES: [(&str, &str); 4] = [
    (
        "a code that is used and gave nothing, or gave something and is not used",
        "SELECT count(*) FROM authorization_codes c WHERE (c.used_at IS NULL)
             = EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.grant_id = c.grant_id)",
    ),
    (
        "a code that gave a refresh token without an access token",
        "SELECT count(*) FROM authorization_codes c WHERE (c.used_at IS NULL)
             = EXISTS (SELECT 1 FROM access_tokens t WHERE t.grant_id = c.grant_id)",
    ),
    (
        "a refresh token that is used and has no successor, or has one and is not used",
        "SELECT count(*) FROM refresh_tokens r WHERE (r.used_at IS NULL)
             = EXISTS (SELECT 1 FROM refresh_tokens s WHERE s.parent_hash = r.hash)",
    ),
    (
        "a refresh token that was rotated without its answer being kept",
        "SELECT count(*) FROM refresh_tokens WHERE used_at IS NOT NULL AND retry_sealed IS NULL",
    ),
];

on_each_database! {

async fn who_hangs_up_leaves_nothing_half_done_and_holds_nothing(world: World) {
    let victims = Victims::of(&world).await;
    let rounds = usize::try_from(ROUNDS).unwrap();
    for round in 0..rounds {
        let patience = STEP * u32::try_from(round).unwrap();
        victims.hang_up(&world, round, if round + 1 < rounds { patience } else { Duration::MAX }).await;
    }
    // Far more hung up than the store has connections: had they kept them, this would wait in vain.
    world.client_credentials(&victims.app).await.tokens();
    for (what, query) in HALVES {
        assert_eq!(world.number(query).await, 0, "{what}");
    }
    assert!(world.number("SELECT count(*) FROM authorization_codes WHERE used_at IS NOT NULL").await > 0);

    for token in &victims.refresh {
        let next = world.refresh(&victims.app, token).await.tokens();
        world.refresh(&victims.app, next.refresh()).await.tokens();
    }
    for code in &victims.codes {
        let answer = world.redeem(&victims.app, code).await;
        assert!(matches!(answer.status, 200 | 400), "{answer}");
    }
    let memos = world.number("SELECT count(*) FROM memos").await;
    assert!((1..=i64::from(ROUNDS)).contains(&memos), "{memos}");
}

async fn sign_ins_that_nobody_waits_for_give_their_places_back(world: World) {
    let alice = world.user("alice").await;
    let browser = world.browser();
    let page = browser.get("/login").await;
    let form = crate::world::filled_in(&page, "alice", "not the password");
    let waiting: Vec<_> =
        (0..150).map(|_| tokio::spawn(browser.submit(&page, &form).into_future())).collect();
    let first = futures_util::future::select_all(waiting);
    let (_, _, waiting) = first.await;
    for gone in waiting {
        gone.abort();
    }
    let again = async || -> Answer { browser.try_to_sign_in("alice", &alice.password).await };
    let mut answer = again().await;
    for _ in 0..100 {
        if answer.status != 503 {
            break;
        }
        answer = again().await;
    }
    assert_eq!(answer.status, 303, "{answer}");
}

}
