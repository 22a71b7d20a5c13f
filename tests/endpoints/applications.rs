//! `/oauth/applications`, by page and as JSON: for administrators alone.

use serde_json::{Value, json};

use crate::form::Form;
use crate::world::{Answer, Browser, Request, User, World};

/// A browser of an administrator, with what a script in it sends along against forged requests.
pub(crate) struct Script {
    browser: Browser,
    token: String,
    origin: String,
}

impl Script {
    pub(crate) async fn signed_in(world: &World, user: &User) -> Self {
        let browser = world.signed_in(user).await;
        let page = browser.get("/oauth/authorized_applications").await;
        let forms = Form::all(&page.body);
        let fields = forms.into_iter().flat_map(|form| form.fields);
        let token = fields
            .into_iter()
            .find(|(name, _)| name == "csrf_token")
            .expect("a form token")
            .1;
        Self {
            browser,
            token,
            origin: page.url.origin().ascii_serialization(),
        }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let request = self
            .browser
            .request(method, path)
            .header("Accept", "application/json");
        request
            .header("X-CSRF-Token", &self.token)
            .header("Origin", &self.origin)
    }

    async fn create(&self, body: &Value) -> Answer {
        self.request("POST", "/oauth/applications").json(body).await
    }
}

fn notes() -> Value {
    json!({"name": "Notes", "redirect_uris": ["https://app.example/callback"], "scopes": ["read"], "confidential": true})
}

on_each_database! {

async fn an_administrator_keeps_applications(world: World) {
    let root = world.administrator("root").await;
    let script = Script::signed_in(&world, &root).await;
    let made = script.create(&notes()).await;
    assert_eq!(made.status, 201, "{made}");
    let json = made.json();
    let id = json["client_id"].as_str().unwrap().to_owned();
    let secret = json["client_secret"].as_str().expect("the secret is shown once").to_owned();
    assert_eq!((&json["name"], &json["scopes"]), (&json!("Notes"), &json!(["read"])));
    world.token(&[("grant_type", "client_credentials")]).basic(&id, &secret).await.tokens();

    let list = script.request("GET", "/oauth/applications").await;
    assert_eq!(list.status, 200, "{list}");
    assert!(list.body.contains(&id) && !list.body.contains(&secret), "{list}");

    let path = json["id"]
        .as_str()
        .map_or_else(|| format!("/oauth/applications/{id}"), |id| format!("/oauth/applications/{id}"));
    let shown = script.request("GET", &path).await;
    assert_eq!((shown.status, shown.body.contains(&secret)), (200, false), "{shown}");
    let changed = script.request("PATCH", &path).json(&json!({"name": "Memos"})).await;
    assert_eq!((changed.status, &changed.json()["name"]), (200, &json!("Memos")), "{changed}");
    let deleted = script.request("DELETE", &path).await;
    assert_eq!((deleted.status, &*deleted.body), (204, ""));
    assert_eq!(script.request("GET", &path).await.status, 404);
    let gone = world.token(&[("grant_type", "client_credentials")]).basic(&id, &secret).await;
    gone.refused(401, "invalid_client");
}

async fn a_wrong_field_is_named(world: World) {
    let root = world.administrator("root").await;
    let script = Script::signed_in(&world, &root).await;
    let wrong = [
        ("name", json!("")),
        ("redirect_uris", json!(["javascript:alert(1)"])),
        ("redirect_uris", json!(["https://app.example/#fragment"])),
        ("redirect_uris", json!(["https://user@app.example/"])),
        ("redirect_uris", json!(["/relative"])),
        ("redirect_uris", json!(["http://app.example/"])),
        ("redirect_uris", json!([])),
        ("scopes", json!(["unknown"])),
        ("grants", json!(["nonsense"])),
        ("access_token_ttl", json!("soon")),
    ];
    for (field, value) in wrong {
        let mut body = notes();
        body[field] = value.clone();
        let answer = script.create(&body).await;
        assert_eq!(answer.status, 422, "{field} = {value}: {answer}");
        let messages = &answer.json()["errors"][field];
        assert!(messages.as_array().is_some_and(|list| !list.is_empty()), "{field} = {value}: {answer}");
    }
    let list = script.request("GET", "/oauth/applications").await;
    assert!(!list.body.contains("Notes"), "nothing was kept: {list}");
}

async fn an_empty_list_of_scopes_widens_nothing(world: World) {
    let root = world.administrator("root").await;
    let script = Script::signed_in(&world, &root).await;
    let made = script.create(&json!({"name": "Notes", "redirect_uris": ["https://app.example/cb"], "scopes": ["read"]})).await;
    let path = format!("/oauth/applications/{}", made.json()["id"].as_str().unwrap());
    for none in [json!([]), json!(""), json!([" "])] {
        let answer = script.request("PATCH", &path).json(&json!({"scopes": none})).await;
        assert_eq!(answer.status, 422, "{answer}");
    }
    let answer = script.request("PATCH", &path).json(&json!([])).await;
    assert_eq!(answer.status, 400, "{answer}");
    let now = script.request("GET", &path).await;
    assert_eq!(now.json()["scopes"], json!(["read"]), "{now}");
}

async fn nobody_else_keeps_applications(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let script = Script::signed_in(&world, &alice).await;
    assert_eq!(script.request("GET", "/oauth/applications").await.status, 403);
    assert_eq!(script.create(&notes()).await.status, 403);
    for path in ["/oauth/applications", "/oauth/applications/new"] {
        assert_eq!(script.browser.get(path).await.status, 403, "{path}");
    }
    let json = world.get("/oauth/applications").header("Accept", "application/json").await;
    assert_eq!((json.status, json.body.contains(&app.client_id)), (401, false), "{json}");
    let tokens = world.tokens(&alice, &app).await;
    let bearer = world.get("/oauth/applications").header("Accept", "application/json").bearer(&tokens.access);
    bearer.await.challenged(403, "insufficient_scope");
}

async fn a_session_alone_is_not_enough_to_change(world: World) {
    let root = world.administrator("root").await;
    let script = Script::signed_in(&world, &root).await;
    let bare = script.browser.request("POST", "/oauth/applications").header("Accept", "application/json");
    let answer = bare.json(&notes()).await;
    assert_eq!(answer.status, 403, "without the token against forged requests: {answer}");
    let wrong = script.browser.request("POST", "/oauth/applications").header("Accept", "application/json");
    assert_eq!(wrong.header("X-CSRF-Token", "forged").json(&notes()).await.status, 403);
    assert!(!script.request("GET", "/oauth/applications").await.body.contains("Notes"));
}

async fn the_form_registers_an_application(world: World) {
    let root = world.administrator("root").await;
    let browser = world.signed_in(&root).await;
    let page = browser.get("/oauth/applications/new").await;
    let form = Form::all(&page.body)
        .into_iter()
        .find(|form| form.fields.iter().any(|(name, _)| name == "redirect_uris"));
    let mut form = form.unwrap_or_else(|| panic!("no form: {page}"));
    form.set("name", "Notes");
    form.set("redirect_uris", "https://one.example/cb\r\nhttps://two.example/cb");
    let mut answer = browser.submit(&page, &form).await;
    if let Some(location) = answer.location() {
        answer = browser.get(location.as_str()).await;
    }
    assert!(answer.body.contains("tgs_"), "the secret is shown once: {answer}");
    assert!(answer.body.contains("https://two.example/cb"), "{answer}");
    let list = browser.get("/oauth/applications").await;
    let link = list.body.split('"').find(|text| text.starts_with("/oauth/applications/0"));
    let again = browser.get(link.expect("a link to the application")).await;
    assert!(!again.body.contains("tgs_"), "and not again: {again}");
    assert!(again.body.contains("https://two.example/cb"), "{again}");
}

async fn a_form_with_faults_keeps_what_was_typed(world: World) {
    let root = world.administrator("root").await;
    let browser = world.signed_in(&root).await;
    let page = browser.get("/oauth/applications/new").await;
    let form = Form::all(&page.body)
        .into_iter()
        .find(|form| form.fields.iter().any(|(name, _)| name == "redirect_uris"));
    let mut form = form.unwrap_or_else(|| panic!("no form: {page}"));
    form.set("name", "My careful name");
    form.set("redirect_uris", "http://app.example/cb");
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 422, "{answer}");
    assert!(
        answer.body.contains("My careful name") && answer.body.contains("http://app.example/cb"),
        "{answer}"
    );
}

}
