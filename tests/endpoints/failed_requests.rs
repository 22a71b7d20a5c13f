//! `/oauth/applications/:id/failed_requests`: what an application's requests were refused for.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tegata::flow::failed_requests::Attempt;
use tegata::flow::{applications, sweep};
use tegata::model::failed_request::Endpoint;
use tegata::protocol::authorize::Unproven;
use tegata::protocol::params::Params;

use crate::form::Form;
use crate::world::{Answer, Application, Ask, Browser, CHALLENGE, Request, World};

const DAY: i64 = 24 * 3600;

/// An application, and an administrator who looks at its failed requests.
struct Watch {
    world: World,
    browser: Browser,
    path: String,
}

impl Watch {
    async fn over(world: &World, app: &Application) -> Self {
        let root = world.administrator("root").await;
        Self {
            world: world.clone(),
            browser: world.signed_in(&root).await,
            path: format!("/oauth/applications/{}/failed_requests", id_of(world, app).await),
        }
    }

    /// Everything that was noted is written first.
    async fn written(&self) {
        sweep::round(&self.world.app().await).await.unwrap();
    }

    async fn page(&self) -> Answer {
        self.written().await;
        self.browser.get(&self.path).await
    }

    async fn rows(&self) -> Vec<Value> {
        self.written().await;
        let answer = self
            .browser
            .get(&self.path)
            .header("Accept", "application/json")
            .await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json().as_array().unwrap().clone()
    }

    /// The one row of this reason.
    async fn row(&self, reason: &str) -> Value {
        let rows = self.rows().await;
        let mut found = rows.iter().filter(|row| row["reason"] == reason);
        let row = found
            .next()
            .unwrap_or_else(|| panic!("no {reason}: {rows:?}"))
            .clone();
        assert_eq!(found.next(), None, "{reason} is there once");
        row
    }

    /// Asserts that there are rows of these errors and reasons at the endpoint, and no others.
    async fn saw(&self, endpoint: &str, expected: &[(&str, &str)]) {
        let rows = self.rows().await;
        let endpoint = format!("/oauth/{endpoint}");
        let here = rows.iter().filter(|row| row["endpoint"] == endpoint.as_str());
        let seen: BTreeSet<_> = here
            .map(|row| (row["error"].as_str().unwrap(), row["reason"].as_str().unwrap()))
            .collect();
        assert_eq!(seen, expected.iter().copied().collect());
    }

    /// The form of the page that would register a redirect URI, sent for the row `id`.
    fn add(&self, page: &Answer, id: &str) -> Request {
        let mut form = Form::all(&page.body)
            .into_iter()
            .next()
            .expect("a form with a token");
        form.action = format!("{}/{id}/redirect_uri", self.path);
        self.browser.submit(page, &form)
    }
}

async fn id_of(world: &World, app: &Application) -> String {
    let shown = world
        .command(&["application", "show", &app.client_id, "--json"], "")
        .await
        .json();
    shown["id"].as_str().unwrap().to_owned()
}

async fn registered(world: &World, app: &Application) -> Value {
    world
        .command(&["application", "show", &app.client_id, "--json"], "")
        .await
        .json()["redirect_uris"]
        .clone()
}

/// Every text in the table.
async fn dump(world: &World) -> Vec<String> {
    let url = &world.database_url;
    let text = AssertSqlSafe(
        "SELECT endpoint || ' ' || error || ' ' || reason || ' ' || coalesce(parameter, '') || ' '
             || coalesce(value, '') || ' ' || request_id FROM failed_requests"
            .to_owned(),
    );
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        sqlx::query_scalar(text).fetch_all(&mut connection).await.unwrap()
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::query_scalar(text).fetch_all(&mut connection).await.unwrap()
    }
}

on_each_database! {

async fn a_redirect_uri_that_is_not_registered_is_shown_beside_those_that_are(world: World) {
    let app = world.application().redirect_uri("https://app.example/callback").create().await;
    let watch = Watch::over(&world, &app).await;
    let ask = Ask::of(&app).with("redirect_uri", "https://app.example/callback/");
    for _ in 0..2 {
        world.get(&ask.path()).await;
    }
    let last = world.get(&ask.path()).await;
    let row = watch.row("redirect_uri_mismatch").await;
    assert_eq!(row["value"], "https://app.example/callback/");
    assert_eq!(row["registered"], json!(["https://app.example/callback"]));
    assert_eq!(row["difference"], json!(["trailing slash"]));
    assert_eq!((&row["count"], &row["endpoint"]), (&json!(3), &json!("/oauth/authorize")));
    assert_eq!((&row["section"], &row["request_id"]), (&json!("RFC 9700 §2.1"), &json!(last.header("x-request-id"))));
    let page = watch.page().await;
    assert!(page.body.contains("https://app.example/callback<mark>/</mark>"), "{page}");
    let shown = watch.browser.get(watch.path.trim_end_matches("/failed_requests")).await;
    assert!(shown.body.contains("1 kind within a day"), "{shown}");
    world.clock.advance(DAY + 1);
    let root = world.command(&["application", "failures", &app.client_id, "--json"], "").await.json();
    assert_eq!(root[0]["reason"], "redirect_uri_mismatch", "the command tells the same");
    let plain = world.command(&["application", "failures", &app.client_id], "").await.stdout;
    assert!(plain.contains("differs in") && plain.contains("trailing slash"), "{plain}");
}

async fn every_refused_authorization_has_its_reason(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().redirect_uri("https://app.example/a").redirect_uri("https://app.example/b").scope("read").create().await;
    let watch = Watch::over(&world, &app).await;
    let browser = world.signed_in(&alice).await;
    let ask = Ask::of(&app);
    for ask in [
        ask.clone().without("redirect_uri"),
        ask.clone().with("response_type", "token"),
        ask.clone().with("response_type", "id_token"),
        ask.clone().with("response_mode", "web_message"),
        ask.clone().without("response_type"),
        ask.clone().with("state", &"x".repeat(9000)),
        ask.clone().with("request", "x"),
        ask.clone().twice("scope", "write"),
        ask.clone().with("scope", "read write"),
        ask.clone().with("scope", "read,\"write\""),
        ask.clone().with("prompt", "nonsense"),
        ask.clone().with("prompt", "none"),
        ask.clone().with("code_challenge", CHALLENGE).with("code_challenge_method", "plain"),
        ask.clone().with("code_challenge", "short").with("code_challenge_method", "S256"),
    ] {
        browser.get(&ask.path()).await;
    }
    world.get(&ask.clone().with("prompt", "none").path()).await;
    assert_eq!(browser.deny(&ask).await.error(), "access_denied");
    watch
        .saw("authorize", &[
            ("invalid_request", "redirect_uri_missing"),
            ("unsupported_response_type", "grant_not_offered"),
            ("unsupported_response_type", "response_type_unsupported"),
            ("invalid_request", "response_mode_unsupported"),
            ("invalid_request", "parameter_missing"),
            ("invalid_request", "state_too_long"),
            ("request_not_supported", "request_object"),
            ("invalid_request", "parameter_repeated"),
            ("invalid_scope", "scope_not_allowed"),
            ("invalid_scope", "scope_malformed"),
            ("invalid_request", "prompt_unknown"),
            ("consent_required", "consent_required"),
            ("invalid_request", "pkce_method_unsupported"),
            ("invalid_request", "code_challenge_malformed"),
            ("login_required", "login_required"),
            ("access_denied", "user_denied"),
        ])
        .await;
}

async fn every_refusal_of_a_token_has_its_reason(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().redirect_uri("https://app.example/a").redirect_uri("https://app.example/b").scope("read").create().await;
    let watch = Watch::over(&world, &app).await;
    let browser = world.signed_in(&alice).await;
    let ask = Ask::of(&app);
    let pkce = browser.authorize(&ask.clone().pkce()).await.code();
    let plain = browser.authorize(&ask.clone().with("prompt", "consent")).await.code();
    let late = browser.authorize(&ask.clone().with("prompt", "consent")).await.code();
    for request in [
        world.redeem(&app, "tgc_unknown"),
        world.redeem(&app, &pkce),
        world.redeem(&app, &pkce).field("code_verifier", &"x".repeat(43)),
        world.redeem(&app, &plain).field("code_verifier", &"x".repeat(43)),
        world.redeem(&app, &plain).without("redirect_uri"),
        world.redeem(&app, &plain).without("redirect_uri").field("redirect_uri", "https://app.example/b"),
        world.redeem(&app, &plain).without("code"),
        world.token(&[("grant_type", "no_such")]).by(&app),
        world.client_credentials(&app).secret_in_body(&app.client_id, "x"),
        world.token(&[("grant_type", "client_credentials"), ("client_id", &app.client_id)]),
        world.token(&[("grant_type", "client_credentials")]).basic(&app.client_id, "wrong"),
        world.client_credentials(&app).field("scope", "write"),
        world.refresh(&app, "tgr_unknown"),
        world.revoke("").by(&app),
        world.introspect("").by(&app),
    ] {
        let answer = request.await;
        assert!(answer.status >= 400, "{answer}");
    }
    let tokens = world.redeem(&app, &plain).await.tokens();
    world.refresh(&app, tokens.refresh()).field("scope", "read write").await.refused(400, "invalid_scope");
    world.redeem(&app, &plain).await.refused(400, "invalid_grant");
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
    world.clock.advance(61);
    world.redeem(&app, &late).await.refused(400, "invalid_grant");

    watch
        .saw("token", &[
            ("invalid_grant", "code_unknown"),
            ("invalid_grant", "verifier_missing"),
            ("invalid_grant", "verifier_differs"),
            ("invalid_grant", "verifier_unexpected"),
            ("invalid_grant", "code_redirect_uri_missing"),
            ("invalid_grant", "code_redirect_uri_differs"),
            ("invalid_grant", "code_used"),
            ("invalid_grant", "code_expired"),
            ("invalid_request", "parameter_missing"),
            ("unsupported_grant_type", "grant_type_unsupported"),
            ("invalid_request", "several_mechanisms"),
            ("invalid_client", "secret_missing"),
            ("invalid_client", "secret_wrong"),
            ("invalid_scope", "scope_not_allowed"),
            ("invalid_scope", "scope_widened"),
            ("invalid_grant", "refresh_token_unknown"),
            ("invalid_grant", "grant_ended"),
        ])
        .await;
    watch.saw("revoke", &[("invalid_request", "parameter_missing")]).await;
    watch.saw("introspect", &[("invalid_request", "parameter_missing")]).await;
}

async fn an_address_at_a_registered_host_is_added_by_a_button(world: World) {
    let app = world.application().redirect_uri("https://app.example/callback").create().await;
    let watch = Watch::over(&world, &app).await;
    world.get(&Ask::of(&app).with("redirect_uri", "https://app.example/other").path()).await;
    let row = watch.row("redirect_uri_mismatch").await;
    assert_eq!((&row["can_be_added"], &row["mended"]), (&json!(true), &json!(false)));
    let page = watch.page().await;
    let id = row["id"].as_str().unwrap();
    assert!(page.body.contains(&format!("{id}/redirect_uri")) && page.body.contains("Add this redirect URI"), "{page}");
    let bare = watch.browser.request("POST", &format!("{}/{id}/redirect_uri", watch.path)).await;
    assert_eq!(bare.status, 403, "without the page's token: {bare}");
    assert_eq!(registered(&world, &app).await, json!(["https://app.example/callback"]));
    let answer = watch.add(&page, id).field("redirect_uri", "https://evil.example/").await;
    assert_eq!(answer.status, 303, "{answer}");
    assert_eq!(registered(&world, &app).await, json!(["https://app.example/callback", "https://app.example/other"]));
    let row = watch.row("redirect_uri_mismatch").await;
    assert_eq!((&row["can_be_added"], &row["mended"]), (&json!(false), &json!(true)));
    assert_eq!(watch.add(&page, id).await.status, 303, "a second press changes nothing");
    assert_eq!(registered(&world, &app).await.as_array().unwrap().len(), 2);
}

async fn an_address_anywhere_else_is_never_added(world: World) {
    let app = world.application().redirect_uri("https://app.example/callback").create().await;
    let other = world.application().redirect_uri("https://evil.example/").create().await;
    let watch = Watch::over(&world, &app).await;
    let evil = [
        "https://evil.example/callback",
        "https://app.example.evil.example/callback",
        "https://app.example@evil.example/callback",
        "https://user:password@app.example/callback",
        r"https://app.example\@evil.example/callback",
        r"https:\\app.example\callback",
        "https://app.example:8443/callback",
        "https://app.example%2eevil.example/callback",
        "https://APP.example/callback",
        "http://app.example/callback",
        "//app.example/callback",
        "https:app.example/callback",
        "https://app.example/callback/../evil",
        "https://app.example/callback#fragment",
        "https://app.example/callback?code=x",
        "javascript://app.example/%0aalert(1)",
        "https://app.example/callback\r\n",
    ];
    for (number, uri) in evil.into_iter().enumerate() {
        let page = world.get(&Ask::of(&app).with("redirect_uri", uri).path()).await;
        assert_eq!(page.status, 400, "{uri}");
        if number == 8 {
            watch.written().await;
        }
    }
    // The sender's own application has it registered: that counts for nothing here.
    world.get(&Ask::of(&other).with("redirect_uri", "https://evil.example/callback").path()).await;
    let rows = watch.rows().await;
    assert_eq!(rows.len(), evil.len(), "{rows:#?}");
    let page = watch.page().await;
    assert!(!page.body.contains("Add this redirect URI"), "{page}");
    for row in &rows {
        assert_eq!(row["can_be_added"], false, "{row}");
        let answer = watch.add(&page, row["id"].as_str().unwrap()).await;
        assert_eq!(answer.status, 303, "{answer}");
    }
    assert_eq!(registered(&world, &app).await, json!(["https://app.example/callback"]));
    let foreign = world.command(&["application", "failures", &other.client_id, "--json"], "").await.json();
    assert_eq!(foreign[0]["can_be_added"], true);
    let answer = watch.add(&page, foreign[0]["id"].as_str().unwrap()).await;
    assert_eq!(answer.status, 404, "a row of another application: {answer}");
    assert_eq!(watch.add(&page, "nonsense").await.status, 404);
}

async fn a_flood_neither_fills_nor_slows_the_store(world: World) {
    let app = world.application().create().await;
    let watch = Watch::over(&world, &app).await;
    let server = world.app().await;
    let client = applications::find_by_client_id(&server, &app.client_id).await.unwrap().unwrap();
    for number in 0..10_000 {
        let sent = format!("https://evil.example/{number}");
        let params = Params::parse(format!("redirect_uri={sent}").as_bytes()).unwrap();
        let attempt = Attempt { endpoint: Endpoint::Authorize, params: &params, request_id: "flood" };
        attempt.unproven(&server, &client.application, &Unproven::Mismatch { sent });
    }
    let rows = watch.rows().await;
    assert_eq!(rows.iter().map(|row| row["count"].as_i64().unwrap()).sum::<i64>(), 10_000);
    // Sixteen values and the rest together; the server's own housekeeping may have come in between.
    assert!(rows.len() <= 34, "{}", rows.len());
    for round in 0..5 {
        world.clock.advance(1);
        for number in 0..16 {
            let uri = format!("https://evil.example/{round}-{number}");
            world.get(&Ask::of(&app).with("redirect_uri", &uri).path()).await;
        }
        watch.written().await;
    }
    let rows = watch.rows().await;
    assert_eq!((rows.len(), dump(&world).await.len()), (50, 50), "the rows seen last are kept");
    assert_eq!(rows[0]["value"].as_str().map(|value| value.starts_with("https://evil.example/4-")), Some(true));
}

async fn no_secret_is_kept_whatever_it_is_sent_as(world: World) {
    let app = world.application().create().await;
    let secret = app.secret();
    let watch = Watch::over(&world, &app).await;
    let hidden = "hunter2hunter2";
    let mut ask = Ask::of(&app).with("redirect_uri", &format!("https://u:{hidden}@app.example/cb?code={hidden}&{hidden}#{hidden}"));
    for name in ["state", "nonce", "code", "login_hint", "code_challenge", "client_secret", "password", hidden] {
        ask = ask.with(name, hidden);
    }
    world.get(&ask.path()).await;
    for name in ["state", "prompt", "response_mode", "response_type", "scope", "code_challenge_method", "resource"] {
        world.get(&Ask::of(&app).with(name, secret).path()).await;
        world.get(&Ask::of(&app).with(name, hidden).twice(name, hidden).path()).await;
    }
    world.get(&Ask::of(&app).twice(hidden, "a").twice(hidden, "b").path()).await;
    for name in ["code", "code_verifier", "refresh_token", "client_secret", "client_assertion", "username", "password", "token", hidden] {
        for grant in ["authorization_code", "refresh_token", "client_credentials", "password", secret] {
            let fields = [("grant_type", grant), ("client_id", &app.client_id), (name, hidden)];
            world.token(&fields).await;
            world.token(&fields).field(name, secret).await;
        }
    }
    watch.written().await;
    let kept = dump(&world).await;
    assert!(kept.len() > 10, "{kept:#?}");
    for text in kept {
        assert!(!text.contains(hidden) && !text.contains(&secret[4..]), "{text}");
    }
}

async fn what_was_sent_is_shown_as_text_and_steers_nothing(world: World) {
    let app = world.application().create().await;
    let watch = Watch::over(&world, &app).await;
    let hostile = "https://evil.example/<script>alert(1)</script>\"'\r\n\u{1b}[31m\u{202e}\0{{7*7}}";
    world.get(&Ask::of(&app).with("redirect_uri", hostile).path()).await;
    world.get(&Ask::of(&app).with("scope", "<i>\u{7f}\n").path()).await;
    let page = watch.page().await;
    assert_eq!(page.status, 200, "{page}");
    assert!(page.body.contains("&#60;script&#62;alert") && page.body.contains("{{7*7}}"), "{page}");
    assert!(!page.body.contains("<script>alert") && !page.body.contains("<i>"), "{page}");
    for text in dump(&world).await {
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    }
}

async fn only_administrators_see_them(world: World) {
    let app = world.application().create().await;
    let watch = Watch::over(&world, &app).await;
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    assert_eq!(browser.get(&watch.path).await.status, 403);
    assert_eq!(browser.get(&watch.path).header("Accept", "application/json").await.status, 403);
    assert_eq!(world.get(&watch.path).await.status, 303);
    let page = watch.page().await;
    assert!(page.body.contains("Nothing was refused in the last 30 days"), "{page}");
    let nobody = "/oauth/applications/0192f0c1-5a3e-7cc2-8f6e-2f9f0a4f5d11/failed_requests";
    assert_eq!(watch.browser.get(nobody).await.status, 404);
    assert_eq!(watch.browser.get(nobody).header("Accept", "application/json").await.status, 404);
}

async fn they_are_forgotten_after_thirty_days_and_with_their_application(world: World) {
    let app = world.application().create().await;
    let gone = world.application().create().await;
    let watch = Watch::over(&world, &app).await;
    for app in [&app, &gone] {
        world.get(&Ask::of(app).with("redirect_uri", "https://else.example/").path()).await;
    }
    world.get(&Ask::of(&app).with("client_id", "unknown").path()).await;
    watch.written().await;
    assert_eq!(dump(&world).await.len(), 2, "of an unknown client nothing is kept");
    world.command(&["application", "delete", &gone.client_id], "").await;
    assert_eq!(dump(&world).await.len(), 1);
    world.clock.advance(30 * DAY - 1);
    watch.written().await;
    assert_eq!(dump(&world).await.len(), 1);
    world.clock.advance(1);
    watch.written().await;
    assert_eq!(dump(&world).await.len(), 0);
}

async fn what_two_nodes_saw_is_added_up(world: World) {
    let app = world.application().create().await;
    let watch = Watch::over(&world, &app).await;
    let ask = Ask::of(&app).with("redirect_uri", "https://else.example/");
    for _ in 0..2 {
        world.get(&ask.path()).await;
        watch.written().await;
        world.clock.advance(1);
    }
    let other = world.second_node().await;
    other.get(&ask.path()).await;
    // Whoever looks at the page sees what that node has not written yet.
    let root = world.administrator("other").await;
    let seen = other.signed_in(&root).await.get(&watch.path).header("Accept", "application/json").await.json();
    assert_eq!(seen[0]["count"], 3, "{seen}");
}

}
