//! `/oauth/applications`, by page and as JSON: for administrators alone.

use serde_json::{Value, json};

use crate::form::Form;
use crate::world::{Answer, Browser, Request, User, World, at_once};

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

    pub(crate) async fn create(&self, body: &Value) -> Answer {
        self.request("POST", "/oauth/applications").json(body).await
    }
}

fn notes() -> Value {
    json!({"name": "Notes", "redirect_uris": ["https://app.example/callback"], "scopes": ["read"], "confidential": true})
}

/// `body` with the members of `more` in place of its own.
fn merged(mut body: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

on_each_database! {

async fn a_program_disables_and_enables_an_application(world: World) {
    let root = world.administrator("root").await;
    let script = Script::signed_in(&world, &root).await;
    let path = format!("/oauth/applications/{}", script.create(&notes()).await.json()["id"].as_str().unwrap());
    for (word, disabled) in [("disable", true), ("disable", true), ("enable", false), ("enable", false)] {
        let answer = script.request("POST", &format!("{path}/{word}")).await;
        assert_eq!((answer.status, &answer.json()["disabled"]), (200, &json!(disabled)), "{word}: {answer}");
        assert_eq!(script.request("GET", &path).await.json()["disabled"], disabled, "{word}");
    }
    let nowhere = "/oauth/applications/01890000-0000-7000-8000-000000000000/disable";
    assert_eq!(script.request("POST", nowhere).await.status, 404);
}

async fn who_may_use_an_application_is_named_and_read(world: World) {
    let root = world.administrator("root").await;
    world.user("alice").await;
    let script = Script::signed_in(&world, &root).await;
    let made = script.create(&notes()).await.json();
    assert_eq!((&made["restricted"], &made["users"], &made["groups"]), (&json!(false), &json!([]), &json!([])));
    let path = format!("/oauth/applications/{}", made["id"].as_str().unwrap());
    let change = async |body: Value| script.request("PATCH", &path).json(&body).await;
    let named = change(json!({"restricted": true, "users": ["ALICE", "root", "alice"], "groups": ["staff", "dev", "dev"]})).await;
    assert_eq!(named.status, 200, "{named}");
    for answer in [named.json(), script.request("GET", &path).await.json(), script.request("GET", "/oauth/applications").await.json()[0].clone()] {
        assert_eq!((&answer["restricted"], &answer["users"], &answer["groups"]),
            (&json!(true), &json!(["alice", "root"]), &json!(["dev", "staff"])), "{answer}");
    }
    let renamed = change(json!({"name": "Memos"})).await.json();
    assert_eq!((&renamed["restricted"], &renamed["users"]), (&json!(true), &json!(["alice", "root"])), "what is left out stays");
    let opened = change(json!({"restricted": false})).await.json();
    assert_eq!((&opened["restricted"], &opened["users"], &opened["groups"]), (&json!(false), &json!([]), &json!([])));
}

async fn a_list_that_says_two_things_or_names_nobody_is_refused(world: World) {
    let root = world.administrator("root").await;
    world.user("alice").await;
    let script = Script::signed_in(&world, &root).await;
    let path = format!("/oauth/applications/{}", script.create(&notes()).await.json()["id"].as_str().unwrap());
    let many: Vec<_> = (0..101).map(|number| format!("g{number}")).collect();
    for (field, body) in [
        ("users", json!({"restricted": true, "users": ["alice", "nobody"]})),
        ("users", json!({"restricted": true, "users": ["alice\u{0}"]})),
        ("users", json!({"restricted": true, "users": ["%"]})),
        ("users", json!({"restricted": true, "users": vec!["alice"; 501]})),
        ("users", json!({"restricted": true})),
        ("users", json!({"restricted": true, "users": [], "groups": []})),
        ("groups", json!({"restricted": true, "groups": ["staff!"]})),
        ("groups", json!({"restricted": true, "groups": [""]})),
        ("groups", json!({"restricted": true, "groups": many})),
        ("restricted", json!({"users": ["alice"]})),
        ("restricted", json!({"restricted": false, "groups": ["staff"]})),
    ] {
        for refused in [
            script.request("PATCH", &path).json(&body).await,
            script.create(&merged(notes(), &body)).await,
        ] {
            assert_eq!(refused.status, 422, "{body}: {refused}");
            let errors = &refused.json()["errors"];
            assert!(errors[field].is_array() && errors.as_object().unwrap().len() == 1, "{body}: {refused}");
        }
    }
    for body in [json!({"restricted": "yes"}), json!({"users": 5}), json!({"groups": [null]})] {
        assert_eq!(script.request("PATCH", &path).json(&body).await.status, 400, "{body}");
    }
    let kept = script.request("GET", &path).await.json();
    assert_eq!((&kept["restricted"], &kept["users"], &kept["version"]), (&json!(false), &json!([]), &json!(1)));
}

async fn an_application_whose_last_user_is_deleted_can_still_be_changed(world: World) {
    let root = world.administrator("root").await;
    world.user("alice").await;
    let script = Script::signed_in(&world, &root).await;
    let body = merged(notes(), &json!({"restricted": true, "users": ["alice"]}));
    let path = format!("/oauth/applications/{}", script.create(&body).await.json()["id"].as_str().unwrap());
    assert_eq!(world.command(&["user", "delete", "alice"], "").await.exit, 0);
    let changed = script.request("PATCH", &path).json(&json!({"name": "Memos"})).await;
    assert_eq!(changed.status, 200, "{changed}");
    assert_eq!((&changed.json()["restricted"], &changed.json()["users"]), (&json!(true), &json!([])), "it does not open by itself");
}

async fn only_an_administrator_says_who_may_use_an_application(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().allow_user("alice").create().await;
    let shown = world.command(&["application", "show", &app.client_id, "--json"], "").await.json();
    let path = format!("/oauth/applications/{}", shown["id"].as_str().unwrap());
    let hers = Script::signed_in(&world, &alice).await;
    let body = json!({"restricted": false, "users": ["alice"], "groups": ["staff"]});
    assert_eq!(hers.request("PATCH", &path).json(&body).await.status, 403);
    assert_eq!(hers.request("GET", &path).await.status, 403, "nor reads it");
    let same = world.command(&["application", "show", &app.client_id, "--json"], "").await.json();
    assert_eq!(same, shown);
}

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

async fn null_in_a_change_is_the_servers_own_again(world: World) {
    let root = world.administrator("root").await;
    let script = Script::signed_in(&world, &root).await;
    let mut body = notes();
    body["access_token_ttl"] = json!("5m");
    let made = script.create(&body).await.json();
    assert_eq!(made["access_token_ttl"], 300);
    let path = format!("/oauth/applications/{}", made["id"].as_str().unwrap());
    let kept = script.request("PATCH", &path).json(&json!({"name": "Memos"})).await.json();
    assert_eq!((&kept["access_token_ttl"], &kept["scopes"]), (&json!(300), &json!(["read"])));
    let reset = json!({"access_token_ttl": null, "scopes": null});
    let answer = script.request("PATCH", &path).json(&reset).await;
    let changed = answer.json();
    assert_eq!((changed.get("access_token_ttl"), &changed["scopes"]), (None, &json!(["read", "write"])), "{answer}");
}

async fn changes_at_once_that_name_no_version_are_all_made(world: World) {
    let root = world.administrator("root").await;
    let script = Script::signed_in(&world, &root).await;
    let made = script.create(&notes()).await.json();
    let path = format!("/oauth/applications/{}", made["id"].as_str().unwrap());
    let bodies = [json!({"name": "Memos"}), json!({"require_pkce": true})];
    let [name, pkce] = &bodies;
    let (one, other) =
        tokio::join!(script.request("PATCH", &path).json(name), script.request("PATCH", &path).json(pkce));
    assert_eq!((one.status, other.status), (200, 200), "{one} {other}");
    let now = script.request("GET", &path).await.json();
    assert_eq!((&now["name"], &now["require_pkce"]), (&json!("Memos"), &json!(true)), "neither undid the other");
}

async fn a_name_is_kept_in_one_spelling(world: World) {
    let root = world.administrator("root").await;
    let script = Script::signed_in(&world, &root).await;
    let mut body = notes();
    body["name"] = json!("Cafe\u{301}");
    assert_eq!(script.create(&body).await.json()["name"], json!("Caf\u{e9}"));
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

async fn a_chosen_client_id_is_no_uuid(world: World) {
    let alice = world.administrator("alice").await;
    let script = Script::signed_in(&world, &alice).await;
    let another = "01890a5d-ac96-774b-bcce-b302099a8057";
    for id in [&*alice.id, &alice.id.to_uppercase(), &alice.id.replace('-', ""), another] {
        let mut body = notes();
        body["client_id"] = json!(id);
        let answer = script.create(&body).await;
        assert_eq!(answer.status, 422, "as sub of its own tokens it would pass for a user: {answer}");
        assert!(answer.json()["errors"]["client_id"][0].is_string(), "{answer}");
        let arguments = ["application", "create", "--name", "N", "--grant", "client_credentials", "--client-id", id];
        let printed = world.command(&arguments, "").await;
        assert_eq!((printed.exit, printed.stdout.as_str()), (1, ""), "{printed:?}");
        assert!(printed.stderr.contains("UUID"), "{printed:?}");
    }
    let mut body = notes();
    body["client_id"] = json!(format!("app-{another}"));
    assert_eq!(script.create(&body).await.status, 201);
}

async fn of_two_who_read_the_same_version_one_changes_it(world: World) {
    let (ichiro, hanako) = (world.administrator("ichiro").await, world.administrator("hanako").await);
    let (his, hers) = (Script::signed_in(&world, &ichiro).await, Script::signed_in(&world, &hanako).await);
    let made = his.create(&notes()).await.json();
    let path = format!("/oauth/applications/{}", made["id"].as_str().unwrap());
    let version = hers.request("GET", &path).await.json()["version"].clone();
    assert!(version.is_i64(), "a program reads which version it has");

    let change = |script: &Script, name: &str, version: &Value| {
        script.request("PATCH", &path).json(&json!({"name": name, "version": version}))
    };
    let first = change(&his, "His", &version).await;
    assert_eq!(first.status, 200, "{first}");
    let second = change(&hers, "Hers", &version).await;
    assert_eq!(second.status, 422, "{second}");
    assert!(second.json()["errors"]["version"][0].is_string(), "{second}");
    let now = hers.request("GET", &path).await.json();
    assert_eq!(now["name"], "His");
    assert_eq!(change(&hers, "Hers", &now["version"]).await.status, 200, "with the version of now");
    assert_eq!(hers.request("PATCH", &path).json(&json!({"name": "Any"})).await.status, 200, "without one");
}

async fn of_many_changes_at_once_to_one_version_one_is_made(world: World) {
    let root = world.administrator("root").await;
    let script = Script::signed_in(&world, &root).await;
    let made = script.create(&notes()).await.json();
    let path = format!("/oauth/applications/{}", made["id"].as_str().unwrap());
    let answers = at_once(10, |number| {
        let body = json!({"name": format!("Notes {number}"), "version": made["version"]});
        script.request("PATCH", &path).json(&body).into_future()
    })
    .await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(made.len(), 1);
    assert!(refused.iter().all(|answer| answer.status == 422));
    assert_eq!(script.request("GET", &path).await.json()["name"], made[0].json()["name"]);
}

async fn who_saves_an_old_form_overwrites_nothing_and_loses_nothing(world: World) {
    let (ichiro, hanako) = (world.administrator("ichiro").await, world.administrator("hanako").await);
    let (his, hers) = (world.signed_in(&ichiro).await, world.signed_in(&hanako).await);
    let script = Script::signed_in(&world, &ichiro).await;
    let made = script.create(&notes()).await.json();
    let path = format!("/oauth/applications/{}", made["id"].as_str().unwrap());
    let opened = |page: &Answer| Form::with_id(&page.body, "redirect_uris").unwrap_or_else(|| panic!("no form: {page}"));

    let (page, other) = (his.get(&format!("{path}/edit")).await, hers.get(&format!("{path}/edit")).await);
    let (mut form, mut late) = (opened(&page), opened(&other));
    form.set("redirect_uris", "https://his.example/cb");
    assert_eq!(his.submit(&page, &form).await.status, 303);
    late.set("name", "Her careful name");
    late.set("redirect_uris", "https://hers.example/cb");
    late.set("access_token_ttl", "7m");
    let told = hers.submit(&other, &late).await;
    assert_eq!(told.status, 409, "{told}");
    assert!(told.body.contains("Somebody else saved this application"), "{told}");
    for typed in ["Her careful name", "https://hers.example/cb", "\"7m\""] {
        assert!(told.body.contains(typed), "{typed} is lost: {told}");
    }
    let now = script.request("GET", &path).await.json();
    assert_eq!((&now["name"], &now["redirect_uris"]), (&json!("Notes"), &json!(["https://his.example/cb"])));

    let again = hers.submit(&told, &opened(&told)).await;
    assert_eq!(again.status, 303, "she has read it and means it: {again}");
    let now = script.request("GET", &path).await.json();
    assert_eq!((&now["name"], &now["redirect_uris"]), (&json!("Her careful name"), &json!(["https://hers.example/cb"])));
    assert_eq!(his.submit(&page, &form).await.status, 409, "his old form is old now");

    let mut without = opened(&hers.get(&format!("{path}/edit")).await);
    without.fields.retain(|(name, _)| name != "version");
    assert_eq!(hers.submit(&told, &without).await.status, 409, "a form without a version is older than any");
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
