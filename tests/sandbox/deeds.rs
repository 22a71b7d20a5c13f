//! What a test has done for it: users, applications, decisions, tokens, revocations.

use std::collections::HashMap;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tegata::sandbox::{RunningSandbox, seeds};
use url::Url;

use crate::form::Form;
use crate::world::{CHALLENGE, VERIFIER};

const CALLBACK: &str = "http://127.0.0.1:5000/callback";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

macro_rules! in_a_sandbox {
    ($(async fn $name:ident($target:ident: &Target) $body:block)+) => {
        $(#[test]
        fn $name() {
            async fn body($target: &Target) $body
            run(body);
        })+
    };
}

fn run(test: impl AsyncFnOnce(&Target)) {
    // of the HTTP client
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let target = Target::start().await;
        test(&target).await;
        target.sandbox.stop().await;
    });
}

/// A sandbox, and a client with cookies that follows no redirect.
struct Target {
    sandbox: RunningSandbox,
    issuer: String,
    http: Client,
}

/// A status and the JSON that came with it; null where none did.
#[derive(Debug)]
struct Answer(u16, Value);

impl Answer {
    #[track_caller]
    fn is(self, status: u16) -> Value {
        assert_eq!(self.0, status, "{}", self.1);
        self.1
    }

    /// An error of the control plane, and what its description has to say.
    #[track_caller]
    fn refused_as(self, status: u16, error: &str, said: &str) {
        let body = self.is(status);
        assert_eq!(body["error"], error, "{body}");
        let description = body["error_description"].as_str().unwrap();
        assert!(description.contains(said), "{description}");
    }

    #[track_caller]
    fn invalid_as(self, said: &str) {
        self.refused_as(400, "invalid_request", said);
    }

    #[track_caller]
    fn not_found_as(self, said: &str) {
        self.refused_as(404, "not_found", said);
    }

    /// An OAuth error of the real endpoints.
    #[track_caller]
    fn error_is(self, error: &str) {
        assert_eq!(self.1["error"], error, "{} {}", self.0, self.1);
    }
}

impl Target {
    async fn start() -> Self {
        let sandbox = tegata::sandbox::start().await.unwrap();
        let client = Client::builder().redirect(Policy::none()).no_proxy();
        Self {
            issuer: sandbox.issuer().as_str().to_owned(),
            http: client.cookie_store(true).build().unwrap(),
            sandbox,
        }
    }

    async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self
            .http
            .request(method, format!("{}/sandbox/{path}", self.issuer));
        answered(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    async fn get(&self, path: &str) -> Value {
        self.control(Method::GET, path, None).await.is(200)
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.control(Method::POST, path, Some(body)).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.control(Method::PATCH, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.control(Method::DELETE, path, None).await
    }

    async fn mint(&self, wanted: Value) -> Value {
        self.post("tokens", wanted).await.is(201)
    }

    /// The parameters of the answer to `ask`.
    async fn decided(&self, ask: Value) -> Value {
        self.post("authorize", json!({ "parameters": ask })).await.is(200)["parameters"].clone()
    }

    /// Freezes the clock, and moves it.
    fn advance(&self, seconds: i64) {
        let root = self.sandbox.sandboxes().root().unwrap();
        root.clock().freeze();
        root.clock().advance(seconds);
    }

    /// As the seeded confidential application.
    async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.token_as(seeds::CONFIDENTIAL, seeds::SECRET, fields).await
    }

    async fn token_as(&self, client_id: &str, secret: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.http.post(format!("{}/oauth/token", self.issuer));
        answered(request.basic_auth(client_id, Some(secret)).form(fields)).await
    }

    async fn refresh(&self, tokens: &Value) -> Answer {
        let refresh_token = tokens["refresh_token"].as_str().unwrap();
        let grant = ("grant_type", "refresh_token");
        self.token(&[grant, ("refresh_token", refresh_token)]).await
    }

    async fn redeem(&self, code: &Value) -> Answer {
        self.redeem_as(seeds::CONFIDENTIAL, seeds::SECRET, code).await
    }

    async fn redeem_as(&self, client_id: &str, secret: &str, code: &Value) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str().unwrap()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.token_as(client_id, secret, &fields).await
    }

    async fn memos(&self, tokens: &Value) -> u16 {
        let request = self.http.get(format!("{}/api/memos", self.issuer));
        let request = request.bearer_auth(tokens["access_token"].as_str().unwrap());
        request.send().await.unwrap().status().as_u16()
    }

    /// What introspection says of the access token.
    async fn seen(&self, tokens: &Value) -> Value {
        let request = self.http.post(format!("{}/oauth/introspect", self.issuer));
        let request = request.basic_auth(seeds::CONFIDENTIAL, Some(seeds::SECRET));
        let token = tokens["access_token"].as_str().unwrap();
        answered(request.form(&[("token", token)])).await.is(200)
    }

    /// Opens the authorization endpoint as a browser would.
    async fn open(&self, ask: &[(&str, &str)]) -> reqwest::Response {
        let request = self.http.get(format!("{}/oauth/authorize", self.issuer));
        request.query(ask).send().await.unwrap()
    }

    async fn device_codes(&self) -> Value {
        let request = self
            .http
            .post(format!("{}/oauth/device_authorization", self.issuer));
        let request = request.basic_auth(seeds::CONFIDENTIAL, Some(seeds::SECRET));
        answered(request.form(&[("scope", "read write")])).await.is(200)
    }

    async fn poll(&self, codes: &Value) -> Answer {
        let device_code = codes["device_code"].as_str().unwrap();
        let grant = ("grant_type", DEVICE_CODE);
        self.token(&[grant, ("device_code", device_code)]).await
    }
}

async fn answered(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    Answer(status, serde_json::from_slice(&body).unwrap_or_default())
}

/// What the seeded confidential application asks, with `more` besides or instead.
fn ask(more: Value) -> Value {
    let mut ask = json!({
        "response_type": "code",
        "client_id": seeds::CONFIDENTIAL,
        "redirect_uri": CALLBACK,
        "scope": "read write",
        "state": "the state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    });
    let Value::Object(more) = more else {
        panic!("{more}")
    };
    ask.as_object_mut().unwrap().extend(more);
    ask
}

const HINTED: [(&str, &str); 8] = [
    ("response_type", "code"),
    ("client_id", seeds::CONFIDENTIAL),
    ("redirect_uri", CALLBACK),
    ("scope", "read write"),
    ("state", "the state"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
    ("login_hint", seeds::USER),
];

#[track_caller]
fn redirected(response: &reqwest::Response) -> HashMap<String, String> {
    assert_eq!(response.status(), StatusCode::FOUND);
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(CALLBACK), "{location}");
    let location = Url::parse(location).unwrap();
    location.query_pairs().into_owned().collect()
}

in_a_sandbox! {
    async fn a_user_is_made_decides_and_is_deleted(target: &Target) {
        let made = target.post("users", json!({ "username": "bob", "groups": ["staff"] })).await.is(201);
        assert!(made["password"].as_str().unwrap().len() >= 8, "{made}");
        assert_eq!((&made["groups"], &made["admin"]), (&json!(["staff"]), &json!(false)));
        let chosen = json!({ "username": "carol", "password": "correct horse", "admin": true });
        assert_eq!(target.post("users", chosen).await.is(201)["password"], "correct horse");

        let listed = target.get("users").await;
        let names: Vec<_> = listed["users"].as_array().unwrap().iter().map(|user| &user["username"]).collect();
        assert_eq!(names, ["alice", "bob", "carol"]);
        assert!(listed["users"][1].get("password").is_none(), "{listed}");

        let sent = json!({ "parameters": ask(json!({})), "username": "bob" });
        let decided = target.post("authorize", sent).await.is(200);
        let tokens = target.redeem(&decided["parameters"]["code"]).await.is(200);
        assert_eq!(target.seen(&tokens).await["username"], "bob");

        target.delete("users/bob").await.is(204);
        assert_eq!(target.memos(&tokens).await, 401);
        target.delete("users/bob").await.not_found_as("no user bob");
    }

    async fn a_user_is_changed_and_what_hangs_on_it_ends(target: &Target) {
        let tokens = target.mint(json!({})).await;
        let promoted = target.patch("users/alice", json!({ "admin": true, "groups": ["staff"] })).await.is(200);
        assert_eq!((&promoted["admin"], &promoted["groups"]), (&json!(true), &json!(["staff"])));
        assert_eq!(target.memos(&tokens).await, 200);
        let disabled = target.patch("users/alice", json!({ "disabled": true })).await.is(200);
        assert_eq!(disabled["disabled"], true);
        target.refresh(&tokens).await.error_is("invalid_grant");
        target.post("tokens", json!({})).await.invalid_as("disabled");

        target.patch("users/alice", json!({ "disabled": false })).await.is(200);
        target.patch("users/alice", json!({ "admin": false })).await.refused_as(409, "conflict", "administrator");
        let tokens = target.mint(json!({})).await;
        target.patch("users/alice", json!({ "password": "short" })).await.invalid_as("password: ");
        target.patch("users/alice", json!({ "password": "correct horse" })).await.is(200);
        target.refresh(&tokens).await.error_is("invalid_grant");
        target.patch("users/alice", json!({ "username": "bob" })).await.invalid_as("username");
        target.patch("users/nobody", json!({})).await.not_found_as("nobody");
    }

    async fn a_user_who_cannot_be_made_is_refused_in_words(target: &Target) {
        let taken = json!({ "username": "ALICE", "password": "correct horse" });
        target.post("users", taken).await.refused_as(409, "conflict", "taken");
        let short = json!({ "username": "bob", "password": "short" });
        target.post("users", short).await.invalid_as("password: ");
        let unknown = json!({ "username": "bob", "role": "owner" });
        target.post("users", unknown).await.invalid_as("role");
        target.post("users", json!({})).await.invalid_as("username");
    }

    async fn an_application_has_the_id_secret_and_lifetime_that_are_chosen(target: &Target) {
        let wanted = json!({ "client_id": "mine", "client_secret": "hush", "access_token_ttl": "61s" });
        let made = target.post("applications", wanted.clone()).await.is(201);
        assert_eq!((&made["client_id"], &made["client_secret"]), (&json!("mine"), &json!("hush")));
        target.post("applications", wanted).await.refused_as(409, "conflict", "mine");

        let own = [("grant_type", "client_credentials")];
        assert_eq!(target.token_as("mine", "hush", &own).await.is(200)["expires_in"], 61);
        target.patch("applications/mine", json!({ "access_token_ttl": 7200 })).await.is(200);
        assert_eq!(target.token_as("mine", "hush", &own).await.is(200)["expires_in"], 7200);

        let listed = target.get("applications").await;
        let listed = listed["applications"].as_array().unwrap();
        assert!(listed.iter().any(|application| application["client_id"] == "mine"));
        target.delete("applications/mine").await.is(204);
        target.token_as("mine", "hush", &own).await.error_is("invalid_client");
        target.delete("applications/mine").await.not_found_as("no application mine");
    }

    async fn whether_a_refresh_token_rotates_is_the_applications_choice(target: &Target) {
        let rotated = target.mint(json!({})).await;
        assert_ne!(target.refresh(&rotated).await.is(200)["refresh_token"], rotated["refresh_token"]);
        target.patch("applications/confidential", json!({ "reuse_refresh_token": true })).await.is(200);
        let kept = target.mint(json!({})).await;
        for _ in 0..2 {
            assert_eq!(target.refresh(&kept).await.is(200)["refresh_token"], kept["refresh_token"]);
        }
        let public = json!({ "reuse_refresh_token": true });
        target.patch("applications/public", public).await.invalid_as("reuse_refresh_token: ");
    }

    async fn an_application_of_which_nothing_is_said_works(target: &Target) {
        let made = target.post("applications", json!({})).await.is(201);
        let (id, secret) = (made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
        let decided = target.decided(ask(json!({ "client_id": id }))).await;
        let tokens = target.redeem_as(id, secret, &decided["code"]).await.is(200);
        assert_eq!(target.memos(&tokens).await, 200);
    }

    async fn an_application_that_cannot_be_had_is_refused_in_words(target: &Target) {
        let unknown = json!({ "redirect_uri": CALLBACK });
        target.post("applications", unknown).await.invalid_as("redirect_uris");
        let wrong = json!({ "redirect_uris": ["ftp://x"], "confidential": false, "trusted": true });
        target.post("applications", wrong).await.invalid_as("trusted: ");
        let fixed = json!({ "client_secret": "other" });
        target.patch("applications/public", fixed).await.invalid_as("client_secret");
        target.patch("applications/nobody", json!({})).await.not_found_as("no application nobody");
    }

    async fn an_approval_answers_the_url_that_a_browser_would_open(target: &Target) {
        let url = format!(
            "http://tegata.test/oauth/authorize?response_type=code&client_id=confidential&scope=read&state=a%26b\
             &redirect_uri={CALLBACK}&code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let decided = target.post("authorize", json!({ "url": url })).await.is(200);
        let answer = &decided["parameters"];
        assert_eq!((&answer["state"], &answer["iss"]), (&json!("a&b"), &json!(target.issuer)));
        let redirect_to = decided["redirect_to"].as_str().unwrap();
        assert!(redirect_to.starts_with(CALLBACK), "{redirect_to}");
        assert!(redirect_to.contains(answer["code"].as_str().unwrap()), "{redirect_to}");
        assert_eq!(decided["method"], "GET");

        assert_eq!(target.redeem(&answer["code"]).await.is(200)["scope"], "read");
        target.redeem(&answer["code"]).await.error_is("invalid_grant");
    }

    async fn a_denial_comes_with_the_state_even_where_it_was_allowed_before(target: &Target) {
        for more in [json!({}), json!({}), json!({ "prompt": "none" })] {
            let sent = json!({ "parameters": ask(more), "decision": "deny" });
            let denied = target.post("authorize", sent).await.is(200);
            assert_eq!(denied["parameters"]["error"], "access_denied", "{denied}");
            assert_eq!(denied["parameters"]["state"], "the state");
            assert!(target.decided(ask(json!({}))).await["code"].is_string());
        }
    }

    async fn a_narrower_scope_is_granted_and_a_wider_one_refused(target: &Target) {
        target.decided(ask(json!({}))).await;
        let narrower = json!({ "parameters": ask(json!({})), "scope": "read" });
        let decided = target.post("authorize", narrower).await.is(200);
        let tokens = target.redeem(&decided["parameters"]["code"]).await.is(200);
        assert_eq!(tokens["scope"], "read");

        let wider = json!({ "parameters": ask(json!({ "scope": "read" })), "scope": "read write" });
        target.post("authorize", wider).await.invalid_as("write is not in");
        let empty = json!({ "parameters": ask(json!({})), "scope": "" });
        target.post("authorize", empty).await.invalid_as("at least one");
    }

    async fn prompts_are_answered_as_by_somebody_who_is_signed_in(target: &Target) {
        let asked = async |prompt: &str| target.decided(ask(json!({ "prompt": prompt }))).await;
        assert_eq!(asked("none").await["error"], "consent_required");
        for prompt in ["login", "login consent", "none"] {
            let decided = asked(prompt).await;
            assert!(decided["code"].is_string(), "{prompt}: {decided}");
        }
        assert_eq!(asked("often").await["error"], "invalid_request");
    }

    async fn an_answer_that_is_posted_or_shown_is_told_as_such(target: &Target) {
        let posted = json!({ "parameters": ask(json!({ "response_mode": "form_post" })) });
        let decided = target.post("authorize", posted).await.is(200);
        assert_eq!((&decided["method"], &decided["redirect_to"]), (&json!("POST"), &json!(CALLBACK)));
        assert!(decided["parameters"]["code"].is_string(), "{decided}");

        let shown = "urn:ietf:wg:oauth:2.0:oob";
        let made = json!({ "client_id": "native", "redirect_uris": [shown] });
        target.post("applications", made).await.is(201);
        for (decision, member) in [("approve", "code"), ("deny", "error")] {
            let asked = ask(json!({ "client_id": "native", "redirect_uri": shown }));
            let sent = json!({ "parameters": asked, "decision": decision });
            let decided = target.post("authorize", sent).await.is(200);
            assert_eq!(decided["redirect_to"], Value::Null);
            assert!(decided["parameters"][member].is_string(), "{decided}");
        }
    }

    async fn what_would_be_an_error_page_is_told_in_words(target: &Target) {
        let authorize = async |sent: Value| target.post("authorize", sent).await;
        let other = "https://client.example/other";
        let elsewhere = json!({ "parameters": ask(json!({ "redirect_uri": other })) });
        authorize(elsewhere).await.invalid_as("https://client.example/other; registered: http://127.0.0.1/");
        let nobody = json!({ "parameters": ask(json!({ "client_id": "nobody" })) });
        authorize(nobody).await.invalid_as("client_id");
        let nobody = json!({ "parameters": ask(json!({})), "username": "nobody" });
        authorize(nobody).await.not_found_as("no user nobody");
        let token = json!({ "url": format!("{}/oauth/token?client_id=x", target.issuer) });
        authorize(token).await.invalid_as("/oauth/authorize");
        authorize(json!({})).await.invalid_as("url");

        let twice = target.decided(ask(json!({ "code_challenge": ["a", "b"] }))).await;
        assert_eq!(twice["error"], "invalid_request", "{twice}");
    }

    async fn a_login_hint_is_answered_at_once_as_was_said(target: &Target) {
        let opened = async || redirected(&target.open(&HINTED).await);
        let scope_of = async |code: &str| target.redeem(&json!(code)).await.is(200)["scope"].clone();
        let put = async |hint: Value| target.control(Method::PUT, "hint", Some(hint)).await;

        assert_eq!(scope_of(&opened().await["code"]).await, "read write");
        put(json!({ "decision": "deny" })).await.is(200);
        let denied = opened().await;
        assert_eq!((&*denied["error"], &*denied["state"]), ("access_denied", "the state"));
        put(json!({ "decision": "approve", "scope": "write" })).await.is(200);
        assert_eq!(scope_of(&opened().await["code"]).await, "write");
        put(json!({ "scope": "elsewhere" })).await.is(200);
        assert_eq!(opened().await["error"], "access_denied");
        put(json!({})).await.is(200);
        assert_eq!(scope_of(&opened().await["code"]).await, "read write");
        put(json!({ "decision": "perhaps" })).await.invalid_as("perhaps");
        put(json!({ "scope": "" })).await.invalid_as("scope");
    }

    async fn without_a_user_in_the_hint_the_page_is_shown(target: &Target) {
        let mut of_nobody = HINTED;
        of_nobody[7].1 = "nobody@example.com";
        for ask in [&of_nobody[..], &HINTED[..7]] {
            let response = target.open(ask).await;
            let location = response.headers()["location"].to_str().unwrap();
            assert!(location.starts_with("/login"), "{location}");
        }
        let mut unproven = HINTED;
        unproven[1].1 = "nobody";
        assert_eq!(target.open(&unproven).await.status(), 400);
    }

    async fn a_hinted_answer_by_form_keeps_its_policy(target: &Target) {
        let response = target.open(&[&HINTED[..], &[("response_mode", "form_post")]].concat()).await;
        assert_eq!(response.status(), 200);
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("form-action http://127.0.0.1:5000"), "{policy}");
        let form = Form::all(&response.text().await.unwrap()).remove(0);
        assert_eq!(form.action, CALLBACK);
        assert!(form.fields.iter().any(|(name, _)| name == "code"), "{form:?}");
    }

    async fn a_minted_token_is_as_good_as_any(target: &Target) {
        let minted = target.mint(json!({})).await;
        assert_eq!((&minted["token_type"], &minted["expires_in"]), (&json!("Bearer"), &json!(3600)));
        assert_eq!(target.memos(&minted).await, 200);
        let seen = target.seen(&minted).await;
        assert_eq!((&seen["username"], &seen["client_id"]), (&json!("alice"), &json!("confidential")));

        let refreshed = target.refresh(&minted).await.is(200);
        assert_eq!(target.memos(&refreshed).await, 200);
        target.advance(3600);
        assert_eq!(target.memos(&minted).await, 401);
    }

    async fn a_minted_token_is_what_was_wanted(target: &Target) {
        target.post("users", json!({ "username": "bob" })).await.is(201);
        let wanted = json!({
            "client_id": "public", "username": "BOB", "scope": "write", "expires_in": 61, "refresh_token": false,
        });
        let minted = target.mint(wanted).await;
        assert_eq!((&minted["scope"], &minted["expires_in"]), (&json!("write"), &json!(61)));
        assert!(minted.get("refresh_token").is_none(), "{minted}");
        let seen = target.seen(&minted).await;
        assert_eq!((&seen["username"], &seen["client_id"]), (&json!("bob"), &json!("public")));
        target.advance(61);
        assert_eq!(target.seen(&minted).await, json!({ "active": false }));
    }

    async fn a_token_minted_for_long_outlives_what_a_grant_would(target: &Target) {
        let years = 5 * 366 * 86_400;
        target.advance(0);
        let minted = target.mint(json!({ "expires_in": years })).await;
        assert_eq!(minted["expires_in"], years);
        target.advance(years - 1);
        target.sandbox.sandboxes().sweep().await;
        assert_eq!(target.memos(&minted).await, 200);
        target.advance(1);
        assert_eq!(target.memos(&minted).await, 401);
    }

    async fn an_expired_token_is_refused_and_can_be_refreshed(target: &Target) {
        let minted = target.mint(json!({ "expired": true })).await;
        assert_eq!(minted["expires_in"], 0);
        assert_eq!(target.memos(&minted).await, 401);
        let refreshed = target.refresh(&minted).await.is(200);
        assert_eq!(target.memos(&refreshed).await, 200);
    }

    async fn a_revoked_token_set_is_dead(target: &Target) {
        let minted = target.mint(json!({ "revoked": true })).await;
        assert_eq!(target.memos(&minted).await, 401);
        target.refresh(&minted).await.error_is("invalid_grant");
    }

    async fn a_token_minted_for_another_resource_is_not_taken_here(target: &Target) {
        let elsewhere = target.mint(json!({ "resource": ["https://api.example/"] })).await;
        assert_eq!(target.memos(&elsewhere).await, 401);
        let seen = target.seen(&elsewhere).await;
        assert_eq!(seen["aud"], "https://api.example/", "{seen}");
        let own = json!({ "username": null, "resource": ["https://api.example/"] });
        assert_eq!(target.memos(&target.mint(own).await).await, 401);
        let here = json!({ "resource": [format!("{}/api/memos", target.issuer)] });
        assert_eq!(target.memos(&target.mint(here).await).await, 200);
    }

    async fn a_token_minted_for_no_user_is_the_applications_own(target: &Target) {
        let minted = target.mint(json!({ "username": null })).await;
        assert!(minted.get("refresh_token").is_none(), "{minted}");
        let seen = target.seen(&minted).await;
        assert_eq!((&seen["active"], seen.get("username")), (&json!(true), None));
    }

    async fn what_cannot_be_minted_is_refused_in_words(target: &Target) {
        for (wanted, said) in [
            (json!({ "username": null, "refresh_token": true }), "needs a user"),
            (json!({ "expires_in": -1 }), "expires_in"),
            (json!({ "expires_in": i64::MAX }), "expires_in"),
            (json!({ "expired": true, "expires_in": 5 }), "expires_in"),
            (json!({ "scope": "\u{e9}" }), "scope"),
            (json!({ "resource": ["memos"] }), "memos"),
            (json!({ "audience": "memos" }), "audience"),
        ] {
            target.post("tokens", wanted).await.invalid_as(said);
        }
        let nobody = target.post("tokens", json!({ "client_id": "nobody" })).await;
        nobody.not_found_as("no application nobody");
        let nobody = target.post("tokens", json!({ "username": "nobody" })).await;
        nobody.not_found_as("no user nobody");
    }

    async fn the_provider_revokes_one_token_or_all_of_somebody(target: &Target) {
        let revoke = async |sent: Value| target.post("revoke", sent).await;
        let (first, second) = (target.mint(json!({})).await, target.mint(json!({})).await);
        assert_eq!(revoke(json!({ "token": first["access_token"] })).await.is(200)["revoked"], 1);
        target.refresh(&first).await.error_is("invalid_grant");
        assert_eq!(target.memos(&second).await, 200);

        let of_another = json!({ "username": "alice", "client_id": "public" });
        assert_eq!(revoke(of_another).await.is(200)["revoked"], 0);
        assert_eq!(revoke(json!({ "username": "alice" })).await.is(200)["revoked"], 1);
        target.refresh(&second).await.error_is("invalid_grant");

        let own = target.mint(json!({ "username": null })).await;
        revoke(json!({ "client_id": "confidential" })).await.is(200);
        assert_eq!(target.memos(&own).await, 401);

        revoke(json!({ "token": "tga_x" })).await.not_found_as("token");
        revoke(json!({ "username": "nobody" })).await.not_found_as("nobody");
        revoke(json!({})).await.invalid_as("token");
        revoke(json!({ "token": "tga_x", "username": "alice" })).await.invalid_as("token");
    }

    async fn in_process_the_settings_are_given_at_the_start(_target: &Target) {
        let sandbox = tegata::sandbox::start_with([("access_token_ttl", "61s")]).await.unwrap();
        let issuer = sandbox.issuer().as_str().to_owned();
        let http = Client::new();
        let request = http.post(format!("{issuer}/oauth/token")).basic_auth(seeds::CONFIDENTIAL, Some(seeds::SECRET));
        let tokens = answered(request.form(&[("grant_type", "client_credentials")])).await.is(200);
        assert_eq!(tokens["expires_in"], 61);
        sandbox.stop().await;
        let refused = tegata::sandbox::start_with([("access_token_ttl", "soon")]).await.unwrap_err();
        assert!(refused.to_string().contains("access_token_ttl"), "{refused}");
    }

    async fn a_world_to_which_nobody_comes_is_dropped(target: &Target) {
        let sandboxes = target.sandbox.sandboxes();
        let made = [sandboxes.make().await.unwrap().unwrap(), sandboxes.make().await.unwrap().unwrap()];
        let [used, unused] = made.map(|world| world.app().issuer.as_str().to_owned());
        let healthy = async |issuer: &str| {
            let answered = target.http.get(format!("{issuer}/healthz")).send().await.unwrap();
            answered.status() == StatusCode::OK
        };
        sandboxes.drop_unused().await;
        assert!(healthy(&used).await, "a new one has its time");
        sandboxes.drop_unused().await;
        assert!(healthy(&used).await && !healthy(&unused).await);
        sandboxes.drop_unused().await;
        assert!(healthy(&target.issuer).await, "the first stays");
    }

    async fn a_scripted_answer_is_read_by_a_page_of_the_applications_own(target: &Target) {
        let origin = "https://app.example";
        let allowed = json!({ "allowed_origins": [origin] });
        target.patch("applications/public", allowed).await.is(200);
        target.post("scripts", json!({ "endpoint": "token", "answer": { "status": 503 } })).await.is(201);
        let form = [("grant_type", "refresh_token"), ("client_id", seeds::PUBLIC)];
        let request = target.http.post(format!("{}/oauth/token", target.issuer));
        let answered = request.header("origin", origin).form(&form).send().await.unwrap();
        assert_eq!(answered.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answered.headers()["access-control-allow-origin"], origin);
    }

    async fn in_a_year_everything_ends_in_its_time(target: &Target) {
        const DAY: i64 = 86_400;
        let (late, code) = (target.decided(ask(json!({}))).await, target.decided(ask(json!({}))).await);
        let devices = target.device_codes().await;
        let mut tokens = target.redeem(&code["code"]).await.is(200);
        target.advance(61);
        target.redeem(&late["code"]).await.error_is("invalid_grant");
        assert_eq!(target.memos(&tokens).await, 200);
        target.advance(600);
        target.poll(&devices).await.error_is("expired_token");
        target.advance(3600);
        assert_eq!(target.memos(&tokens).await, 401);
        for _ in 0..12 {
            target.advance(29 * DAY);
            tokens = target.refresh(&tokens).await.is(200);
            assert_eq!(target.memos(&tokens).await, 200);
        }
        target.advance(18 * DAY);
        target.refresh(&tokens).await.error_is("invalid_grant");
        let again = target.decided(ask(json!({}))).await;
        target.redeem(&again["code"]).await.is(200);
    }

    async fn sessions_end_when_they_are_ended(target: &Target) {
        let login = format!("{}/login", target.issuer);
        let page = target.http.get(&login).send().await.unwrap().text().await.unwrap();
        let mut form = Form::with_id(&page, "sign-in").unwrap();
        form.fill("username", seeds::USER);
        form.fill("password", seeds::PASSWORD);
        let answer = target.http.post(&login).form(&form.fields).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let account = async || {
            let request = target.http.get(format!("{}/account", target.issuer));
            request.send().await.unwrap().status().as_u16()
        };
        assert_eq!(account().await, 200);

        target.delete("sessions").await.invalid_as("username");
        target.delete("sessions?username=nobody").await.not_found_as("nobody");
        assert_eq!(account().await, 200);
        target.delete("sessions?username=alice").await.is(204);
        assert_eq!(account().await, 303);
    }

    async fn a_device_is_decided_on_at_once_by_its_user_code(target: &Target) {
        let codes = target.device_codes().await;
        let sent = json!({ "user_code": codes["user_code"], "decision": "approve", "scope": "read" });
        assert_eq!(target.post("devices", sent.clone()).await.is(200)["decided"], true);
        assert_eq!(target.poll(&codes).await.is(200)["scope"], "read");
        target.post("devices", sent).await.not_found_as("user_code");

        let codes = target.device_codes().await;
        let sent = json!({ "user_code": codes["user_code"], "decision": "approve", "scope": "other" });
        target.post("devices", sent).await.is(200);
        target.poll(&codes).await.error_is("access_denied");

        let codes = target.device_codes().await;
        let sent = json!({ "user_code": codes["user_code"], "decision": "deny" });
        target.post("devices", sent).await.is(200);
        target.poll(&codes).await.error_is("access_denied");
    }

    async fn a_device_is_told_to_slow_down_and_to_wait_before_it_is_decided(target: &Target) {
        target.advance(0);
        let sent = json!({ "decision": "approve", "slow_down": 2, "after_polls": 3, "client_id": "confidential" });
        assert_eq!(target.post("devices", sent).await.is(201)["decided"], false);
        let codes = target.device_codes().await;
        for _ in 0..2 {
            target.poll(&codes).await.error_is("slow_down");
        }
        for _ in 0..3 {
            target.poll(&codes).await.error_is("authorization_pending");
        }
        let tokens = target.poll(&codes).await.is(200);
        assert_eq!(target.seen(&tokens).await["username"], "alice");
        target.poll(&codes).await.error_is("invalid_grant");
    }

    async fn a_device_for_which_nothing_is_ordered_waits(target: &Target) {
        target.advance(0);
        let (first, second) = (target.device_codes().await, target.device_codes().await);
        target.post("devices", json!({ "decision": "deny", "client_id": "public" })).await.is(201);
        target.poll(&first).await.error_is("authorization_pending");
        target.post("devices", json!({ "decision": "deny" })).await.is(201);
        target.poll(&second).await.error_is("access_denied");
        target.poll(&first).await.error_is("slow_down");
    }

    async fn an_order_keeps_to_the_device_that_it_began_with(target: &Target) {
        target.advance(0);
        let (first, second) = (target.device_codes().await, target.device_codes().await);
        target.post("devices", json!({ "decision": "deny", "after_polls": 1 })).await.is(201);
        target.poll(&first).await.error_is("authorization_pending");
        target.poll(&second).await.error_is("authorization_pending");
        target.poll(&first).await.error_is("access_denied");
    }

    async fn an_order_that_cannot_be_meant_is_refused_in_words(target: &Target) {
        let order = async |sent: Value| target.post("devices", sent).await;
        order(json!({})).await.invalid_as("decision");
        order(json!({ "decision": "approve", "after_polls": -1 })).await.invalid_as("-1");
        order(json!({ "decision": "approve", "user_code": "WDJB" })).await.invalid_as("user_code");
        order(json!({ "decision": "approve", "user_code": "WDJB-MJHT" })).await.not_found_as("user_code");
        order(json!({ "decision": "approve", "client_id": "nobody" })).await.not_found_as("nobody");
        order(json!({ "decision": "approve", "username": "nobody" })).await.not_found_as("nobody");
    }
}
