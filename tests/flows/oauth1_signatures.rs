//! Signed requests (RFC 5849 §3): whatever is not exactly what was signed opens nothing and uses nothing up.

use std::path::PathBuf;

use serde_json::{Value, json};
use tegata::base::clock::Clock;
use tegata::base::config::Database;
use tegata::base::entropy::Entropy;
use tegata::base::sealing::SealingKeys;
use tegata::base::secret::Secret;
use tegata::flow::sweep;
use tegata::model::ids::ApplicationId;
use tegata::model::oauth1::{bound_to_consumer, bound_to_token};
use tegata::model::scope::Scopes;
use tegata::store::Db;
use tegata::store::oauth1::{access_tokens, consumers};
use time::Duration;
use uuid::Uuid;

use crate::world::{Answer, Application, Ask, Call, Keys, Request, User, World, at_once, encoded};

const ME: &str = "/account/verify_credentials.json";
const MEMOS: &str = "/api/memos";

/// A world that speaks OAuth 1.0a, and the back door by which its rows are made.
struct Bench {
    world: World,
    db: Db,
    sealing: SealingKeys,
}

impl Bench {
    async fn of(world: &World) -> Self {
        Self::with(world, &[]).await
    }

    async fn with(world: &World, own: &[(&str, &str)]) -> Self {
        let file = world.folder().join("sealing.key");
        world
            .restart_with(&settings(&file.display().to_string(), own))
            .await;
        let database = match world.database_url.strip_prefix("sqlite://") {
            Some(path) => Database::SqliteFile(PathBuf::from(path)),
            None => Database::Postgres(Secret::new(&*world.database_url)),
        };
        Self {
            world: world.clone(),
            db: Db::open(&database).await.unwrap(),
            sealing: SealingKeys::read(&file).unwrap(),
        }
    }

    /// Of an application, whose access token `user` allowed.
    async fn keys(&self, app: &Application, user: &User) -> Keys {
        let consumer_secret = self.consumer(app).await;
        self.token(app, user, &consumer_secret).await
    }

    async fn consumer(&self, app: &Application) -> String {
        let secret = Secret::generate(&Entropy::System, "tgs_");
        let id = self.id(app).await;
        let sealed = self.seal(&bound_to_consumer(id), &secret);
        let mut tx = self.db.write().await.unwrap();
        assert!(
            consumers::insert(&mut tx, id, &sealed, None, self.now())
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
        secret.expose().to_owned()
    }

    async fn token(&self, app: &Application, user: &User, consumer_secret: &str) -> Keys {
        let ask = Ask::of(app).with("scope", &self.scopes(app).await);
        self.world.signed_in(user).await.authorize(&ask).await.code();
        let (grant,): (Uuid,) = self
            .db
            .query("SELECT id FROM grants WHERE application_id = $1 ORDER BY id DESC LIMIT 1")
            .bind(self.id(app).await)
            .one()
            .await
            .unwrap();
        let (token, secret) = (
            Secret::generate(&Entropy::System, "tgo_"),
            Secret::generate(&Entropy::System, ""),
        );
        let new = access_tokens::NewAccessToken {
            hash: token.hash(),
            grant_id: grant.into(),
            secret_sealed: &self.seal(&bound_to_token(token.hash()), &secret),
            expires_at: self.now() + Duration::days(1),
        };
        let mut tx = self.db.write().await.unwrap();
        assert!(access_tokens::insert(&mut tx, &new, self.now()).await.unwrap());
        tx.commit().await.unwrap();
        Keys {
            consumer_key: app.client_id.clone(),
            consumer_secret: consumer_secret.to_owned(),
            token: token.expose().to_owned(),
            token_secret: secret.expose().to_owned(),
        }
    }

    /// The keys with a request token in place of the access token.
    async fn with_request_token(&self, app: &Application, keys: &Keys) -> Keys {
        let (token, secret) = (
            Secret::generate(&Entropy::System, "tgo_"),
            Secret::generate(&Entropy::System, ""),
        );
        self.db
            .command(
                "INSERT INTO oauth1_request_tokens
                     (hash, application_id, secret_sealed, callback, scopes, created_at, expires_at)
                 VALUES ($1, $2, $3, 'oob', $4, $5, $6)",
            )
            .bind(token.hash().to_vec())
            .bind(self.id(app).await)
            .bind(self.seal(&bound_to_token(token.hash()), &secret))
            .bind(sqlx::types::Json(Scopes::parse("read").unwrap()))
            .bind(self.now())
            .bind(self.now() + Duration::minutes(10))
            .execute()
            .await
            .unwrap();
        Keys {
            token: token.expose().to_owned(),
            token_secret: secret.expose().to_owned(),
            ..keys.clone()
        }
    }

    fn seal(&self, bound_to: &str, secret: &Secret) -> Vec<u8> {
        self.sealing
            .seal(&Entropy::System, bound_to, secret.expose().as_bytes())
            .unwrap()
    }

    /// All that the application may ask for.
    async fn scopes(&self, app: &Application) -> String {
        let shown = self
            .world
            .command(&["application", "show", &app.client_id, "--json"], "")
            .await
            .json();
        let names = shown["scopes"].as_array().unwrap();
        names
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    }

    async fn id(&self, app: &Application) -> ApplicationId {
        let shown = self
            .world
            .command(&["application", "show", &app.client_id, "--json"], "")
            .await;
        shown.json()["id"].as_str().unwrap().parse().unwrap()
    }

    fn now(&self) -> time::OffsetDateTime {
        Clock::Steered(self.world.clock.clone()).now()
    }
}

fn settings<'s>(file: &'s str, own: &[(&'s str, &'s str)]) -> Vec<(&'s str, &'s str)> {
    let mut settings = vec![("oauth1", "true"), ("sealing_key_file", file)];
    settings.extend(own);
    settings
}

/// An application that may read and write, and alice's keys for it.
async fn usual(bench: &Bench) -> (Application, User, Keys) {
    let alice = bench.world.user("alice").await;
    let app = bench.world.application().scope("read write").create().await;
    let keys = bench.keys(&app, &alice).await;
    (app, alice, keys)
}

/// Asserts a refusal: its name, in the body and where there is one in the challenge.
#[track_caller]
fn refused(answer: &Answer, status: u16, problem: &str) {
    assert_eq!(answer.status, status, "{answer}");
    assert_eq!(
        answer.header("content-type"),
        "application/x-www-form-urlencoded",
        "{answer}"
    );
    assert_eq!(answer.header("cache-control"), "no-store", "{answer}");
    let members: Vec<(String, String)> = url::form_urlencoded::parse(answer.body.as_bytes())
        .into_owned()
        .collect();
    assert_eq!(
        members[0],
        ("oauth_problem".to_owned(), problem.to_owned()),
        "{answer}"
    );
    assert!(
        members[1].0 == "oauth_problem_advice" && members[1].1.len() > 10,
        "{answer}"
    );
    let challenge = answer.header("www-authenticate");
    let expected = format!("oauth_problem=\"{problem}\"");
    assert_eq!(
        status == 401,
        challenge.starts_with("OAuth realm=\"http") && challenge.ends_with(&expected),
        "{answer}"
    );
}

#[track_caller]
fn opened(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer}");
}

on_each_database! {

async fn a_signed_request_opens_the_memos_wherever_its_parameters_are(world: World) {
    let bench = Bench::of(&world).await;
    let (_, alice, keys) = usual(&bench).await;
    let body = json!({"message": "ふじ"}).to_string();
    let hashed = world.call(&keys, "POST", MEMOS).hashed(&body).by_header();
    assert_eq!(hashed.body("application/json", body).await.status, 201);
    let form = world.call(&keys, "POST", MEMOS).form("message", "ふじ & more +");
    assert_eq!(form.by_header().await.json()["message"], "ふじ & more +");
    let call = world.call(&keys, "POST", MEMOS).form("message", "all in the form");
    assert_eq!(call.by_form().await.status, 201);
    let call = world.call(&keys, "POST", MEMOS).query("unknown", "x y").form("message", "in the query");
    assert_eq!(call.by_query().await.status, 201);
    for method in ["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"] {
        let call = world.call(&keys, "GET", MEMOS).with("oauth_signature_method", method).query("limit", "3");
        let page = call.by_header().await;
        opened(&page);
        assert_eq!(page.json()["memos"].as_array().unwrap().len(), 3, "{page}");
        assert_eq!((page.header("cache-control"), page.header("vary")), ("no-store", "Authorization"), "{page}");
        opened(&world.call(&keys, "GET", MEMOS).with("oauth_signature_method", method).by_query().await);
    }
    let me = world.call(&keys, "GET", ME).by_query().await;
    opened(&me);
    let (json, picture) = (me.json(), me.json()["profile_image_url"].as_str().unwrap().to_owned());
    assert_eq!(json, json!({"id": alice.id, "screen_name": "alice", "name": "alice", "profile_image_url": picture}));
    let picture = world.get(picture.strip_prefix(&world.base_url).unwrap()).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/svg+xml"), "{picture}");
}

async fn whatever_is_not_what_was_signed_is_refused_and_uses_nothing_up(world: World) {
    let bench = Bench::of(&world).await;
    let (app, alice, keys) = usual(&bench).await;
    let other = world.application().name("Other").create().await;
    let others = bench.keys(&other, &alice).await;
    let with = |change: fn(&mut Keys)| {
        let mut keys = keys.clone();
        change(&mut keys);
        keys
    };
    let foreign = Keys { token: others.token.clone(), token_secret: others.token_secret.clone(), ..keys.clone() };
    let swapped = Keys { token_secret: others.token_secret.clone(), ..keys.clone() };
    let request_token = bench.with_request_token(&app, &keys).await;
    let bearer = world.tokens(&alice, &app).await.access;
    let oauth2 = Keys { token: bearer, ..keys.clone() };
    let right = world.call(&keys, "GET", ME);
    let same = |keys: &Keys| {
        let mut call = world.call(keys, "GET", ME);
        for name in ["oauth_nonce", "oauth_timestamp"] {
            let (_, value) = right.protocol.iter().find(|(known, _)| known == name).unwrap();
            call = call.with(name, value);
        }
        call
    };
    let host = "http://evil.example";
    let cases: Vec<(&str, Request, u16, &str)> = vec![
        ("consumer secret", same(&with(|keys| keys.consumer_secret.push('x'))).by_header(), 401, "signature_invalid"),
        ("no consumer secret", same(&with(|keys| keys.consumer_secret.clear())).by_header(), 401, "signature_invalid"),
        ("token secret", same(&with(|keys| keys.token_secret.push('x'))).by_header(), 401, "signature_invalid"),
        ("no token secret", same(&with(|keys| keys.token_secret.clear())).by_query(), 401, "signature_invalid"),
        ("secret of another token", same(&swapped).by_header(), 401, "signature_invalid"),
        ("token of another consumer", same(&foreign).by_header(), 401, "token_rejected"),
        ("request token", same(&request_token).by_header(), 401, "token_rejected"),
        ("token of OAuth 2.0", same(&oauth2).by_header(), 401, "token_rejected"),
        ("unknown token", same(&with(|keys| keys.token.replace_range(4..5, "-"))).by_header(), 401, "token_rejected"),
        ("no token", same(&keys).without("oauth_token").by_header(), 400, "parameter_absent"),
        ("unknown consumer", same(&with(|keys| keys.consumer_key.push('x'))).by_header(), 401, "consumer_key_unknown"),
        ("NUL in the consumer", same(&keys).with("oauth_consumer_key", "\0").by_query(), 400, "parameter_rejected"),
        ("no name of ours", same(&keys).with("oauth_consumer_key", "' or 1=1").by_query(), 401, "consumer_key_unknown"),
        ("host", same(&keys).signed_for(host).by_header(), 401, "signature_invalid"),
        (
            "forged host",
            same(&keys).signed_for(host).by_header().header("Host", "evil.example").header("X-Forwarded-Host", "evil.example"),
            401,
            "signature_invalid",
        ),
        (
            "forged scheme",
            same(&keys)
                .signed_for(&world.base_url.replace("http:", "https:"))
                .by_header()
                .header("X-Forwarded-Proto", "https")
                .header("Forwarded", "proto=https;host=evil.example"),
            401,
            "signature_invalid",
        ),
        ("RSA without a key", same(&keys).with("oauth_signature_method", "RSA-SHA1").by_header(), 400, "signature_method_rejected"),
        ("RSA-SHA256", same(&keys).with("oauth_signature_method", "RSA-SHA256").by_header(), 400, "signature_method_rejected"),
        ("version", same(&keys).with("oauth_version", "2.0").by_header(), 400, "version_rejected"),
        ("no nonce", same(&keys).without("oauth_nonce").by_header(), 400, "parameter_absent"),
        ("no timestamp", same(&keys).without("oauth_timestamp").by_query(), 400, "parameter_absent"),
        ("no time", same(&keys).with("oauth_timestamp", "0").by_header(), 401, "timestamp_refused"),
        ("time before 1970", same(&keys).with("oauth_timestamp", "-1").by_header(), 401, "timestamp_refused"),
        ("time in words", same(&keys).with("oauth_timestamp", "now").by_query(), 401, "timestamp_refused"),
        ("hash of another body", same(&keys).hashed("x").by_header(), 401, "signature_invalid"),
        ("twice", same(&keys).query("oauth_nonce", "x").by_query(), 400, "parameter_rejected"),
        ("in two places", same(&keys).query("oauth_nonce", "x").by_header(), 400, "parameter_rejected"),
        ("two headers", same(&keys).by_header().header("Authorization", "Bearer x"), 400, "parameter_rejected"),
        ("nothing", world.get(ME).header("Authorization", "OAuth"), 400, "parameter_absent"),
        ("no header", world.get(ME), 400, "parameter_absent"),
        ("a bearer token", world.get(ME).bearer(&oauth2.token), 400, "parameter_rejected"),
    ];
    for (what, request, status, problem) in cases {
        println!("{what}");
        refused(&request.await, status, problem);
    }
    assert_eq!(world.count("oauth1_nonces").await, 0, "a nonce is recorded where all else is right");
    opened(&right.by_header().await);
    refused(&right.by_header().await, 401, "nonce_used");
    refused(&right.by_query().await, 401, "nonce_used");
}

async fn what_was_changed_on_the_way_is_refused(world: World) {
    let bench = Bench::of(&world).await;
    let (_, _, keys) = usual(&bench).await;
    let signed = |call: &Call| {
        let call = call.clone().with("oauth_signature", &call.signature());
        let pairs: Vec<String> =
            call.protocol.iter().map(|(name, value)| format!("{name}=\"{}\"", encoded(value))).collect();
        format!("OAuth {}", pairs.join(", "))
    };
    let get = world.call(&keys, "GET", MEMOS).query("limit", "1");
    let send = |method: &str, target: &str, header: &str| {
        let form: &[(&str, &str)] = &[];
        world.request(method, target).fields(form).header("Authorization", header)
    };
    let header = signed(&get);
    for (method, target) in [
        ("GET", "/api/memos?limit=2"),
        ("GET", "/api/memos?limit=1&after=x"),
        ("GET", "/api/memos"),
        ("GET", "/api/memos/?limit=1"),
        ("GET", "/api/memos/x?limit=1"),
        ("POST", "/api/memos?limit=1"),
    ] {
        let answer = send(method, target, &header).await;
        refused(&answer, 401, "signature_invalid");
        let told: Vec<_> = url::form_urlencoded::parse(answer.body.as_bytes()).into_owned().collect();
        let shown = told.iter().find(|(name, _)| name == "debug_base_string");
        assert!(shown.is_some_and(|(_, text)| text.starts_with(method) && *text != get.base_string()), "{answer}");
    }
    let form = world.call(&keys, "POST", MEMOS).form("message", "mine");
    let header = signed(&form);
    let send = |message: &str| world.post(MEMOS, &[("message", message)]).header("Authorization", &header);
    refused(&send("yours").await, 401, "signature_invalid");
    assert_eq!(send("mine").await.status, 201);
    let body = json!({"message": "mine"}).to_string();
    let header = signed(&world.call(&keys, "POST", MEMOS).hashed(&body));
    let send = |body: &str| world.request("POST", MEMOS).body("application/json", body).header("Authorization", &header);
    refused(&send("{\"message\":\"yours\"}").await, 401, "signature_invalid");
    assert_eq!(send(&body).await.status, 201);
    assert_eq!(world.count("memos").await, 2);
}

async fn the_path_is_signed_as_it_was_sent(world: World) {
    let bench = Bench::of(&world).await;
    let (_, _, keys) = usual(&bench).await;
    for path in ["/api/memos", "/api/memos/", "/account/verify_credentials.json/"] {
        opened(&world.call(&keys, "GET", path).by_header().await);
    }
    let encoded = world.call(&keys, "GET", "/api/memos/%78").by_header().await;
    assert_eq!(encoded.status, 404, "let in, to a memo that there is not: {encoded}");
    refused(&world.call(&keys, "GET", "/api/memos").signed_for("http://LOCALHOST").by_header().await, 401, "signature_invalid");
}

async fn the_address_that_counts_is_the_public_one(world: World) {
    let bench = Bench::of(&world).await;
    let (_, _, keys) = usual(&bench).await;
    let file = world.folder().join("sealing.key").display().to_string();
    world.restart_with(&settings(&file, &[("public_url", "https://id.example/auth")])).await;
    let path = "/auth/account/verify_credentials.json";
    let call = world.call(&keys, "GET", path);
    refused(&call.by_header().await, 401, "signature_invalid");
    opened(&call.signed_for("https://id.example").by_header().await);
    let plaintext = world.call(&keys, "GET", path).with("oauth_signature_method", "PLAINTEXT");
    opened(&plaintext.by_header().await);
    let known = world.call(&keys, "GET", path).signed_for("https://id.example").by_header();
    opened(&known.header("Host", "evil.example").await);
}

async fn a_nonce_is_used_once_by_whoever_comes_first(world: World) {
    let bench = Bench::of(&world).await;
    let (app, alice, keys) = usual(&bench).await;
    let file = world.folder().join("sealing.key").display().to_string();
    let second = world.second_node_with(&settings(&file, &[])).await;
    for round in 0..2 {
        let call = world.call(&keys, "GET", ME);
        let answers = at_once(50, |number| {
            let node = if round == 1 && number % 2 == 1 { second.clone() } else { world.clone() };
            let sent = call.clone().through(&node);
            async move { sent.by_header().await }
        })
        .await;
        let taken = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(taken, 1, "of round {round}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            refused(answer, 401, "nonce_used");
        }
    }
    assert_eq!(world.count("oauth1_nonces").await, 2);
    let fixed = |keys: &Keys| world.call(keys, "GET", ME).with("oauth_nonce", "the same");
    opened(&fixed(&keys).by_header().await);
    refused(&fixed(&keys).by_header().await, 401, "nonce_used");
    let again = bench.token(&app, &alice, &keys.consumer_secret).await;
    opened(&fixed(&again).by_header().await);
    world.clock.advance(1);
    opened(&fixed(&keys).by_header().await);
}

async fn a_timestamp_counts_within_the_window_alone_and_a_nonce_for_as_long(world: World) {
    let bench = Bench::with(&world, &[("oauth1_timestamp_window", "5m"), ("oauth1_clock_skew", "1m")]).await;
    let (_, _, keys) = usual(&bench).await;
    let ahead = world.call(&keys, "GET", ME).with("oauth_timestamp", &(bench.now().unix_timestamp() + 59).to_string());
    opened(&ahead.by_header().await);
    for seconds in [60, 300, 100_000] {
        let at = (bench.now().unix_timestamp() + seconds).to_string();
        refused(&world.call(&keys, "GET", ME).with("oauth_timestamp", &at).by_header().await, 401, "timestamp_refused");
    }
    let early = world.call(&keys, "GET", ME);
    let spent = world.call(&keys, "GET", ME);
    opened(&spent.by_header().await);
    world.clock.advance(299);
    sweep::all(&world.app().await).await.unwrap();
    refused(&spent.by_header().await, 401, "nonce_used");
    opened(&early.by_header().await);
    world.clock.advance(1);
    refused(&early.by_header().await, 401, "timestamp_refused");
    refused(&spent.by_header().await, 401, "timestamp_refused");
    world.clock.advance(58);
    sweep::all(&world.app().await).await.unwrap();
    refused(&ahead.by_header().await, 401, "nonce_used");
    world.clock.advance(1);
    refused(&ahead.by_header().await, 401, "timestamp_refused");
    world.clock.advance(60);
    sweep::all(&world.app().await).await.unwrap();
    assert_eq!(world.count("oauth1_nonces").await, 0, "what is too old is remembered no more");
}

async fn a_token_opens_what_it_was_granted_for_as_long_as_that_lasts(world: World) {
    let bench = Bench::of(&world).await;
    let alice = world.user("alice").await;
    let app = world.application().scope("read").create().await;
    let keys = bench.keys(&app, &alice).await;
    opened(&world.call(&keys, "GET", MEMOS).by_header().await);
    let written = world.call(&keys, "POST", MEMOS).form("message", "x").by_header().await;
    refused(&written, 403, "permission_denied");
    assert!(written.body.contains("scope%20write"), "{written}");

    assert_eq!(world.command(&["user", "disable", "alice"], "").await.exit, 0);
    refused(&world.call(&keys, "GET", ME).by_header().await, 401, "token_rejected");
    let wrong = Keys { token_secret: "x".to_owned(), ..keys.clone() };
    refused(&world.call(&wrong, "GET", ME).by_header().await, 401, "signature_invalid");

    let bob = world.user("bob").await;
    let keys = bench.token(&app, &bob, &keys.consumer_secret).await;
    opened(&world.call(&keys, "GET", ME).by_header().await);
    world.clock.advance(24 * 3600);
    refused(&world.call(&keys, "GET", ME).by_header().await, 401, "token_expired");
}

async fn bearer_tokens_go_on_as_ever_where_oauth_1_is_on_too(world: World) {
    let bench = Bench::of(&world).await;
    let (app, alice, keys) = usual(&bench).await;
    let ask = Ask::of(&app).with("scope", "read write");
    let code = world.signed_in(&alice).await.authorize(&ask).await.code();
    let tokens = world.redeem(&app, &code).await.tokens();
    assert_eq!(world.memos(&tokens.access).await.status, 200);
    world.get(MEMOS).await.challenged(401, "");
    world.post(MEMOS, &[("message", "x")]).await.challenged(401, "");
    world.memos("tga_x").await.challenged(401, "invalid_token");
    world.memos(&keys.token).await.challenged(401, "invalid_token");
    let json = world.request("POST", MEMOS).bearer(&tokens.access).json(&json!({"message": "x"})).await;
    assert_eq!(json.status, 201, "{json}");
    let form = world.post(MEMOS, &[("message", "x")]).bearer(&tokens.access).await;
    form.refused(400, "invalid_request");
    let both = world.get("/api/memos?oauth_signature=x").bearer(&tokens.access).await;
    refused(&both, 400, "parameter_rejected");
    let large = world.post(MEMOS, &[("message", "x".repeat(70_000).as_str())]).await;
    assert_eq!(large.status, 413, "{large}");
}

async fn where_oauth_1_is_off_there_is_nothing_of_it(world: World) {
    let keys = Keys {
        consumer_key: "app".to_owned(),
        consumer_secret: "x".to_owned(),
        token: "tgo_x".to_owned(),
        token_secret: "x".to_owned(),
    };
    assert_eq!(world.call(&keys, "GET", ME).by_header().await.status, 404);
    world.call(&keys, "GET", MEMOS).by_header().await.challenged(401, "");
    world.call(&keys, "GET", MEMOS).by_query().await.challenged(401, "");
    world.call(&keys, "POST", MEMOS).by_form().await.challenged(401, "");
}

async fn failures_are_slowed_down_and_told_and_successes_never_are(world: World) {
    let bench = Bench::with(&world, &[("rate_limits", "true")]).await;
    let (app, _, keys) = usual(&bench).await;
    for _ in 0..110 {
        opened(&world.call(&keys, "GET", ME).by_header().await);
    }
    let wrong = Keys { token_secret: "x".to_owned(), ..keys.clone() };
    let mut answers = Vec::new();
    for _ in 0..110 {
        answers.push(world.call(&wrong, "GET", ME).by_header().await);
    }
    refused(&answers[0], 401, "signature_invalid");
    let last = answers.last().unwrap();
    assert_eq!(last.status, 429, "{last}");
    assert!(!last.header("retry-after").is_empty(), "{last}");
    opened(&world.call(&keys, "GET", ME).by_header().await);

    let root = world.administrator("root").await;
    refused(&world.call(&keys, "GET", MEMOS).without("oauth_nonce").by_header().await, 400, "parameter_absent");
    sweep::round(&world.app().await).await.unwrap();
    let path = format!("/oauth/applications/{}/failed_requests", bench.id(&app).await);
    let page = world.signed_in(&root).await.get(&path).header("Accept", "application/json").await;
    let rows = page.json();
    let find = |reason: &str| rows.as_array().unwrap().iter().find(|row| row["reason"] == reason).unwrap().clone();
    let unread = find("parameter_missing");
    assert_eq!((&unread["endpoint"], &unread["count"]), (&json!(MEMOS), &json!(1)), "{page}");
    let row = find("signature_wrong");
    assert_eq!((&row["reason"], &row["error"]), (&json!("signature_wrong"), &json!("signature_invalid")), "{page}");
    assert_eq!((&row["endpoint"], &row["parameter"]), (&json!(ME), &json!("oauth_signature")), "{page}");
    assert!(row["count"].as_i64().unwrap() >= 100 && row.get("error_uri").is_none() && row["value"].is_null(), "{page}");
    let audited = world.command(&["audit", "--json"], "").await.json();
    let failed = audited.as_array().unwrap().iter().find(|event| event["event"] == "client_authentication_failed");
    assert_eq!(failed.unwrap()["detail"]["reason"], "signature_wrong", "{audited:#}");
}

async fn housekeeping_goes_on_where_nonces_cannot_be_counted(world: World) {
    usual(&Bench::of(&world).await).await;
    world.change_rows("ALTER TABLE oauth1_nonces RENAME COLUMN application_id TO elsewhere").await;
    let before = world.count("audit_events").await;
    assert!(before > 0, "there is something to sweep");
    world.clock.advance(10 * 365 * 86_400);
    sweep::round(&world.app().await).await.unwrap();
    assert_eq!(world.count("audit_events").await, 0);
}

async fn strangers_who_sign_wrongly_shut_nobody_out(world: World) {
    let bench = Bench::with(&world, &[("rate_limits", "true")]).await;
    let (app, _, keys) = usual(&bench).await;
    let wrong = Keys { consumer_secret: "x".to_owned(), ..keys.clone() };
    let asks = |keys: &Keys| {
        let call = world.call(keys, "POST", "/oauth/request_token").without("oauth_token");
        call.with("oauth_callback", app.redirect_uri()).by_header()
    };
    let mut answers = Vec::new();
    for _ in 0..110 {
        answers.push(world.call(&wrong, "GET", MEMOS).by_header().await);
    }
    refused(&answers[0], 401, "signature_invalid");
    assert_eq!(answers[109].status, 429, "{}", answers[109]);
    let keyed = Keys { token: String::new(), token_secret: String::new(), ..keys.clone() };
    let stranger = Keys { consumer_secret: "x".to_owned(), ..keyed.clone() };
    assert_eq!(asks(&stranger).await.status, 429);

    opened(&world.call(&keys, "GET", MEMOS).by_header().await);
    opened(&asks(&keyed).await);
    opened(&world.client_credentials(&app).await);
}

async fn an_application_with_too_many_nonces_waits_and_others_do_not(world: World) {
    let bench = Bench::of(&world).await;
    let (_, alice, keys) = usual(&bench).await;
    let other = world.application().name("Other").create().await;
    let others = bench.keys(&other, &alice).await;
    opened(&world.call(&keys, "GET", ME).by_header().await);
    let hash = if world.is_on_sqlite() { "CAST(n AS BLOB)" } else { "decode(lpad(to_hex(n), 8, '0'), 'hex')" };
    let filled = format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 107999)
         INSERT INTO oauth1_nonces (hash, application_id, expires_at)
         SELECT {hash}, application_id, expires_at FROM numbers, oauth1_nonces"
    );
    assert_eq!(world.change_rows(&filled).await, 107_999);
    sweep::round(&world.app().await).await.unwrap();
    let waits = world.call(&keys, "GET", ME).by_header().await;
    assert_eq!((waits.status, waits.header("retry-after")), (429, "10"), "{waits}");
    assert_eq!(world.count("oauth1_nonces").await, 108_000);
    opened(&world.call(&others, "GET", ME).by_header().await);
    world.clock.advance(361);
    sweep::all(&world.app().await).await.unwrap();
    sweep::round(&world.app().await).await.unwrap();
    opened(&world.call(&keys, "GET", ME).by_header().await);
    assert_eq!(world.count("oauth1_nonces").await, 1, "what is over is swept");
}

}
