//! Applications of users who are no administrators: theirs alone.

use serde_json::{Value, json};
use tegata::flow::applications::{self, Manager, Older, Wanted};
use tegata::model::caller::Caller;

use super::applications::Script;
use crate::form::Form;
use crate::world::{Answer, Application, Ask, Browser, User, World, at_once};

const CALLBACK: &str = "https://app.example/callback";

fn notes() -> Value {
    json!({"name": "Notes", "redirect_uris": [CALLBACK], "scopes": ["read"]})
}

fn path_of(made: &Value) -> String {
    format!("/oauth/applications/{}", made["id"].as_str().unwrap())
}

/// An application that `script` registered.
async fn registered(script: &Script) -> Value {
    let made = script.create(&notes()).await;
    assert_eq!(made.status, 201, "{made}");
    made.json()
}

async fn read(script: &Script, path: &str) -> Value {
    let read = script.request("GET", path).await;
    assert_eq!(read.status, 200, "{read}");
    read.json()
}

async fn names_listed(script: &Script) -> Vec<Value> {
    let listed = read(script, "/oauth/applications").await;
    listed
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].clone())
        .collect()
}

/// A form of no use but for its token, to be sent anywhere.
async fn any_form(browser: &Browser) -> (Answer, Form) {
    let page = browser.get("/account").await;
    let form = Form::all(&page.body)
        .into_iter()
        .find(|form| form.action.ends_with("/logout"));
    (page, form.unwrap())
}

/// Presses the button `id` on the page `path`, with `fields` filled in.
async fn press(browser: &Browser, path: &str, id: &str, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get(path).await;
    let mut form = Form::with_id(&page.body, id).unwrap_or_else(|| panic!("no {id}: {page}"));
    for (name, value) in fields {
        form.set(name, value);
    }
    browser.submit(&page, &form).await
}

async fn followed(browser: &Browser, answer: Answer) -> Answer {
    assert_eq!(answer.status, 303, "{answer}");
    browser.get(answer.location().unwrap().as_str()).await
}

fn client_of(made: &Value) -> Application {
    let text = |name: &str| made[name].as_str();
    Application::known(text("client_id").unwrap(), text("client_secret"), CALLBACK)
}

fn manager(user: &User) -> Manager {
    Manager::Owner(user.id.parse().unwrap())
}

on_each_database! {

with("user_applications" = "true")
async fn a_program_of_a_user_manages_what_the_user_owns(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let (hers, his) = (Script::signed_in(&world, &alice).await, Script::signed_in(&world, &bob).await);
    world.application().name("Of the administrators").create().await;
    let made = registered(&hers).await;
    assert_eq!(made["owner"], "alice");
    world.client_credentials(&client_of(&made)).await.tokens();
    registered(&his).await;
    assert_eq!(names_listed(&hers).await, ["Notes"], "nobody else's");
    let path = path_of(&made);
    let changed = hers.request("PATCH", &path).json(&json!({"name": "Memos", "owner": "alice"})).await;
    assert_eq!((changed.status, &changed.json()["name"]), (200, &json!("Memos")), "{changed}");
    assert_eq!(read(&hers, &format!("{path}/failed_requests")).await, json!([]));
    assert_eq!(hers.request("DELETE", &path).await.status, 204);
    assert!(names_listed(&hers).await.is_empty());
    assert_eq!(names_listed(&his).await, ["Notes"]);
    world.client_credentials(&client_of(&made)).await.refused(401, "invalid_client");
}

with("user_applications" = "true")
async fn a_user_manages_an_application_in_the_browser(world: World) {
    let alice = world.user("alice").await;
    let hers = world.signed_in(&alice).await;
    let home = hers.get("/account").await;
    assert!(home.body.contains("href=\"/oauth/applications\"") && !home.body.contains("href=\"/users\""), "{home}");
    let form = hers.get("/oauth/applications/new").await;
    for hidden in ["trusted", "introspect", "owner", "send_iss"] {
        assert!(!form.body.contains(&format!("id=\"{hidden}\"")), "{hidden}: {form}");
    }
    assert!(!form.body.contains("value=\"applications\""), "{form}");
    let fields = [("name", "Notes"), ("redirect_uris", CALLBACK)];
    let made = press(&hers, "/oauth/applications/new", "save", &fields).await;
    assert!(made.status == 201 && made.body.contains("tgs_"), "{made}");
    assert!(!made.body.contains("disable-application"), "{made}");
    let list = hers.get("/oauth/applications").await;
    let path = list.body.split('"').find(|text| text.starts_with("/oauth/applications/0")).unwrap().to_owned();
    let saved = press(&hers, &format!("{path}/edit"), "save", &[("name", "Memos")]).await;
    assert!(followed(&hers, saved).await.body.contains("Saved."));
    assert_eq!(press(&hers, &path, "rotate-secret", &[]).await.status, 201);
    let page = hers.get(&path).await;
    let retire = Form::all(&page.body).into_iter().find(|form| form.action.contains("/secrets/")).unwrap();
    let retired = hers.submit(&page, &retire).await;
    assert!(followed(&hers, retired).await.body.contains("The secret is retired"));
    let deleted = press(&hers, &format!("{path}/delete"), "delete-application", &[]).await;
    assert!(followed(&hers, deleted).await.body.contains("Memos is deleted"));
}

with("user_applications" = "true")
async fn an_owner_sees_who_may_use_an_application_and_does_not_say_it(world: World) {
    let (alice, root) = (world.user("alice").await, world.administrator("root").await);
    let (hers, roots) = (Script::signed_in(&world, &alice).await, Script::signed_in(&world, &root).await);
    let path = path_of(&registered(&hers).await);
    let change = async |script: &Script, body: Value| script.request("PATCH", &path).json(&body).await;
    for body in [
        json!({"restricted": true, "users": ["alice"]}),
        json!({"restricted": true, "users": ["nobody"], "groups": ["of the house"]}),
        json!({"groups": ["staff"]}),
    ] {
        let mut new = notes();
        new.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        for refused in [change(&hers, body.clone()).await, hers.create(&new).await] {
            let told = json!({"errors": {"restricted": ["Only an administrator says who may use an application."]}});
            assert_eq!((refused.status, refused.json()), (422, told), "who there is is not told: {body}");
        }
    }
    let restricted = change(&roots, json!({"restricted": true, "users": ["root"], "groups": ["staff"]})).await;
    assert_eq!(restricted.status, 200, "{restricted}");
    assert_eq!(change(&hers, json!({"restricted": false})).await.status, 422);
    assert_eq!(change(&hers, json!({"users": ["root", "alice"]})).await.status, 422);
    let same = change(&hers, json!({"name": "Memos", "restricted": true, "users": ["ROOT"]})).await;
    assert_eq!(same.status, 200, "{same}");

    let browser = world.signed_in(&alice).await;
    let edit = format!("{path}/edit");
    assert!(!browser.get(&edit).await.body.contains("id=\"restricted-no\""));
    let saved = press(&browser, &edit, "save", &[("name", "Notes")]).await;
    assert!(followed(&browser, saved).await.body.contains("Users: <bdi>root</bdi>"));
    let forged = press(&browser, &edit, "save", &[("restricted", "false")]).await;
    assert!(forged.status == 422 && forged.body.contains("restricted-error"), "{forged}");
    let kept = read(&roots, &path).await;
    assert_eq!((&kept["restricted"], &kept["users"], &kept["groups"]), (&json!(true), &json!(["root"]), &json!(["staff"])));
}

with("user_applications" = "true")
async fn another_users_application_is_not_there(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let root = world.administrator("root").await;
    let (hers, roots) = (Script::signed_in(&world, &alice).await, Script::signed_in(&world, &root).await);
    let (hers_made, roots_made) = (registered(&hers).await, registered(&roots).await);
    let his = Script::signed_in(&world, &bob).await;
    registered(&his).await;
    let browser = world.signed_in(&bob).await;
    let (page, mut form) = any_form(&browser).await;
    form.set("name", "Taken");
    form.set("redirect_uris", "https://evil.example/callback");
    form.set("version", "1");
    form.set("grants", "authorization_code");
    let nothing = json!({"id": "01890000-0000-7000-8000-000000000000"});
    for made in [&hers_made, &roots_made, &nothing] {
        let path = path_of(made);
        for word in ["", "/edit", "/delete", "/failed_requests"] {
            let got = browser.get(&format!("{path}{word}")).await;
            assert!(got.status == 404 && !got.body.contains("Notes"), "{word}: {got}");
        }
        let row = "01890000-0000-7000-8000-000000000000";
        for word in ["", "/delete", "/secrets", &format!("/secrets/{row}/delete"), &format!("/failed_requests/{row}/redirect_uri")] {
            form.action = format!("{path}{word}");
            let sent = browser.submit(&page, &form).await;
            assert_eq!(sent.status, 404, "{word}: {sent}");
        }
        for word in ["disable", "enable"] {
            form.action = format!("{path}/{word}");
            assert_eq!(browser.submit(&page, &form).await.status, 403, "{word}");
            assert_eq!(his.request("POST", &format!("{path}/{word}")).await.status, 403, "{word}");
        }
        assert_eq!(browser.get(&format!("{path}/disable")).await.status, 403);
        assert_eq!(his.request("GET", &path).await.status, 404);
        assert_eq!(his.request("GET", &format!("{path}/failed_requests")).await.status, 404);
        assert_eq!(his.request("PATCH", &path).json(&json!({"name": "Taken"})).await.status, 404);
        assert_eq!(his.request("DELETE", &path).await.status, 404);
    }
    let unchanged = read(&roots, &path_of(&hers_made)).await;
    assert_eq!(unchanged["version"], hers_made["version"], "{unchanged}");
    world.client_credentials(&client_of(&hers_made)).await.tokens();
    let search = browser.get("/oauth/applications?q=notes").await;
    assert!(search.body.contains("1 application<"), "{search}");
}

with("user_applications" = "true")
async fn an_owner_does_not_switch_an_application_off_or_on(world: World) {
    let (alice, root) = (world.user("alice").await, world.administrator("root").await);
    let (hers, roots) = (Script::signed_in(&world, &alice).await, Script::signed_in(&world, &root).await);
    let made = registered(&hers).await;
    let path = path_of(&made);
    assert_eq!(hers.request("POST", &format!("{path}/disable")).await.status, 403);
    assert_eq!(roots.request("POST", &format!("{path}/disable")).await.status, 200);
    assert_eq!(hers.request("POST", &format!("{path}/enable")).await.status, 403);
    let patched = hers.request("PATCH", &path).json(&json!({"disabled": false, "disabled_at": null})).await;
    assert_eq!((patched.status, &patched.json()["disabled"]), (200, &json!(true)), "{patched}");
    let page = world.signed_in(&alice).await.get(&path).await;
    assert!(page.body.contains("An administrator has switched it off"), "{page}");
    world.client_credentials(&client_of(&made)).await.refused(401, "invalid_client");
}

with("user_applications" = "true")
async fn what_only_an_administrator_gives_is_refused_beside_its_field(world: World) {
    let alice = world.user("alice").await;
    world.user("bob").await;
    let hers = Script::signed_in(&world, &alice).await;
    let made = registered(&hers).await;
    let path = path_of(&made);
    for (field, value) in [
        ("trusted", json!(true)),
        ("introspect", json!(true)),
        ("send_iss", json!(false)),
        ("scopes", json!(["read", "applications"])),
        ("owner", json!("bob")),
        ("owner", json!("nobody")),
        ("owner", Value::Null),
        ("access_token_ttl", json!("2h")),
        ("access_token_ttls", json!({"device_code": "2h"})),
        ("refresh_token_ttl", json!("31d")),
        ("refresh_token_max_ttl", json!("366d")),
    ] {
        let mut body = notes();
        body[field] = value.clone();
        let bare = json!({ (field): value });
        for refused in [hers.create(&body).await, hers.request("PATCH", &path).json(&bare).await] {
            assert_eq!(refused.status, 422, "{field}: {refused}");
            let errors = refused.json()["errors"].clone();
            let told = errors[field][0].as_str().unwrap_or_else(|| panic!("{field}: {refused}"));
            assert!(told.starts_with("Only an administrator"), "{field}: {told}");
            assert_eq!(errors.as_object().unwrap().len(), 1, "{field}: {refused}");
        }
    }
    let shorter = json!({"access_token_ttl": "5m", "refresh_token_ttl": "1d", "refresh_token_max_ttl": "2d"});
    assert_eq!(hers.request("PATCH", &path).json(&shorter).await.status, 200, "less is for everybody");
    assert_eq!(names_listed(&hers).await, ["Notes"]);
}

with("user_applications" = "true")
async fn fields_that_no_form_has_change_nothing(world: World) {
    let alice = world.user("alice").await;
    let bob = world.user("bob").await;
    let hers = Script::signed_in(&world, &alice).await;
    let made = registered(&hers).await;
    let path = path_of(&made);
    let extra = json!({
        "id": "01890000-0000-7000-8000-000000000000", "owner_id": bob.id, "disabled": true, "deleted_at": null,
        "created_at": "2000-01-01T00:00:00Z", "client_id": "mine", "client_secret": "x".repeat(40), "admin": true,
    });
    let patched = hers.request("PATCH", &path).json(&extra).await;
    assert_eq!(patched.status, 200, "{patched}");
    for member in ["id", "owner", "disabled", "created_at", "client_id"] {
        assert_eq!(patched.json()[member], made[member], "{member}");
    }
    world.client_credentials(&client_of(&made)).await.tokens();
    let browser = world.signed_in(&alice).await;
    for (name, value) in [("trusted", "true"), ("introspect", "true"), ("owner", "bob"), ("scopes", "applications")] {
        let fields = [("name", "Notes"), ("redirect_uris", CALLBACK), (name, value)];
        let refused = press(&browser, "/oauth/applications/new", "save", &fields).await;
        let beside = format!("id=\"{name}-error\"");
        assert!(refused.status == 422 && refused.body.contains(&beside), "{name}: {refused}");
        let refused = press(&browser, &format!("{path}/edit"), "save", &[(name, value)]).await;
        assert!(refused.status == 422 && refused.body.contains(&beside), "{name}: {refused}");
    }
    assert_eq!(names_listed(&hers).await.len(), 1);
}

with("user_applications" = "true")
async fn an_owner_keeps_or_gives_up_what_an_administrator_gave(world: World) {
    let (alice, root) = (world.user("alice").await, world.administrator("root").await);
    let (hers, roots) = (Script::signed_in(&world, &alice).await, Script::signed_in(&world, &root).await);
    let path = path_of(&registered(&hers).await);
    let given = json!({
        "trusted": true, "introspect": true, "send_iss": false, "scopes": ["read", "applications"], "access_token_ttl": "2h",
    });
    assert_eq!(roots.request("PATCH", &path).json(&given).await.status, 200);
    let browser = world.signed_in(&alice).await;
    let saved = press(&browser, &format!("{path}/edit"), "save", &[("name", "Memos")]).await;
    assert_eq!(saved.status, 303, "{saved}");
    let now = read(&hers, &path).await;
    assert_eq!(now["name"], "Memos");
    for (name, value) in [("trusted", json!(true)), ("introspect", json!(true)), ("send_iss", json!(false)), ("access_token_ttl", json!(7200))] {
        assert_eq!(now[name], value, "{name}");
    }
    assert_eq!(now["scopes"], json!(["applications", "read"]));
    for further in [
        json!({"redirect_uris": [CALLBACK, "https://other.example/callback"]}),
        json!({"scopes": ["read", "applications", "write"]}),
        json!({"grants": ["authorization_code", "refresh_token", "client_credentials", "device_code"]}),
        json!({"allowed_origins": ["https://other.example"]}),
    ] {
        let refused = hers.request("PATCH", &path).json(&further).await;
        assert!(refused.status == 422 && refused.json()["errors"]["trusted"][0].is_string(), "{further}: {refused}");
    }
    let elsewhere = json!({"trusted": false, "redirect_uris": ["https://other.example/callback"]});
    let beside = path_of(&registered(&hers).await);
    assert_eq!(roots.request("PATCH", &beside).json(&json!({"trusted": true})).await.status, 200);
    assert_eq!(hers.request("PATCH", &beside).json(&elsewhere).await.status, 200, "people are asked again");
    let less = json!({"trusted": false, "scopes": ["read"], "access_token_ttl": "90m"});
    assert_eq!(hers.request("PATCH", &path).json(&less).await.status, 200);
    for more in [json!({"trusted": true}), json!({"scopes": ["read", "applications"]}), json!({"access_token_ttl": "2h"})] {
        assert_eq!(hers.request("PATCH", &path).json(&more).await.status, 422, "{more}");
    }
}

with("user_applications" = "true", "scopes" = "read=Read,applications=Manage applications")
async fn to_name_no_scope_is_not_a_way_to_the_scope_that_manages_applications(world: World) {
    let alice = world.user("alice").await;
    let hers = Script::signed_in(&world, &alice).await;
    for scopes in [Value::Null, json!("applications")] {
        let refused = hers.create(&json!({"name": "N", "redirect_uris": [CALLBACK], "scopes": scopes})).await;
        assert_eq!(refused.status, 422, "{scopes}: {refused}");
        assert!(refused.json()["errors"]["scopes"][0].is_string(), "{refused}");
    }
    registered(&hers).await;
}

with("user_applications" = "true")
async fn a_lifetime_of_a_grant_that_is_not_allowed_yet_is_no_way_around(world: World) {
    let alice = world.user("alice").await;
    let hers = Script::signed_in(&world, &alice).await;
    let mut body = notes();
    body["grants"] = json!(["authorization_code"]);
    let path = path_of(&hers.create(&body).await.json());
    let later = json!({"access_token_ttls": {"client_credentials": "3650d"}});
    assert_eq!(hers.request("PATCH", &path).json(&later).await.status, 422);
}

with("user_applications" = "true")
async fn administrators_see_whose_all_are_and_hand_over(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let root = world.administrator("root").await;
    let (hers, his) = (Script::signed_in(&world, &alice).await, Script::signed_in(&world, &bob).await);
    let roots = Script::signed_in(&world, &root).await;
    let path = path_of(&registered(&hers).await);
    assert_eq!(path_of(&read(&roots, "/oauth/applications").await[0]), path);
    let browser = world.signed_in(&root).await;
    let list = browser.get("/oauth/applications").await;
    assert!(list.body.contains("owned by <bdi>alice</bdi>"), "{list}");
    let roots_own = registered(&roots).await;
    assert_eq!(roots_own["owner"], Value::Null, "an administrator's are everybody's who administers");

    for wrong in ["nobody", "a b"] {
        let refused = roots.request("PATCH", &path).json(&json!({"owner": wrong})).await;
        assert!(refused.status == 422 && refused.json()["errors"]["owner"][0].is_string(), "{refused}");
    }
    let handed = roots.request("PATCH", &path).json(&json!({"owner": "Bob"})).await;
    assert_eq!((handed.status, &handed.json()["owner"]), (200, &json!("bob")), "{handed}");
    assert_eq!(hers.request("GET", &path).await.status, 404);
    assert_eq!(his.request("GET", &path).await.status, 200);
    let saved = press(&browser, &format!("{path}/edit"), "save", &[("name", "Memos")]).await;
    assert_eq!(saved.status, 303, "{saved}");
    assert_eq!(read(&his, &path).await["name"], "Memos", "the form keeps whose it is");
    press(&browser, &format!("{path}/edit"), "save", &[("owner", "alice")]).await;
    assert_eq!((hers.request("GET", &path).await.status, his.request("GET", &path).await.status), (200, 404));
    press(&browser, &format!("{path}/edit"), "save", &[("owner", "")]).await;
    assert_eq!(read(&roots, &path).await["owner"], Value::Null, "an emptied field takes it away");
    press(&browser, &format!("{path}/edit"), "save", &[("owner", "alice")]).await;
    assert_eq!(hers.request("GET", &path).await.status, 200);
    assert_eq!(roots.request("PATCH", &path).json(&json!({"owner": null})).await.json()["owner"], Value::Null);
    assert_eq!(hers.request("GET", &path).await.status, 404);
}

with("user_applications" = "true")
async fn once_handed_over_the_former_owner_does_nothing_more(world: World) {
    let (alice, root) = (world.user("alice").await, world.administrator("root").await);
    let bob = world.user("bob").await;
    let (hers, roots) = (Script::signed_in(&world, &alice).await, Script::signed_in(&world, &root).await);
    let made = registered(&hers).await;
    let (path, id) = (path_of(&made), made["id"].as_str().unwrap().parse().unwrap());
    let server = world.app().await;
    let (former, caller) = (manager(&alice), &Caller::OPERATOR);
    assert!(Box::pin(applications::rotate_secret(&server, former, caller, id, Older::Retire)).await.unwrap().is_some());
    assert_eq!(roots.request("PATCH", &path).json(&json!({"owner": "bob"})).await.status, 200);
    // Whatever a page saw before: the statement itself asks whose it is.
    let secrets = |found: Option<tegata::model::application::Client>| {
        found.unwrap().secrets.into_iter().map(|secret| secret.id).collect::<Vec<_>>()
    };
    let before = secrets(Box::pin(applications::find(&server, manager(&bob), id)).await.unwrap());
    assert!(Box::pin(applications::rotate_secret(&server, former, caller, id, Older::Retire)).await.is_err());
    for secret in &before {
        assert!(!Box::pin(applications::retire_secret(&server, former, caller, id, *secret)).await.unwrap());
    }
    assert!(!Box::pin(applications::delete(&server, former, caller, id)).await.unwrap());
    let wanted = Wanted { name: "Taken".into(), ..Wanted::default() };
    for version in 1..10 {
        assert!(Box::pin(applications::change(&server, former, caller, id, &wanted, version)).await.is_err());
    }
    let after = secrets(Box::pin(applications::find(&server, manager(&bob), id)).await.unwrap());
    assert_eq!(before, after);
}

with("user_applications" = "true")
async fn with_the_setting_off_applications_are_the_administrators_alone(world: World) {
    let (alice, root) = (world.user("alice").await, world.administrator("root").await);
    let hers = Script::signed_in(&world, &alice).await;
    let made = registered(&hers).await;
    let path = path_of(&made);
    let off = world.second_node_with(&[("user_applications", "false")]).await;
    let browser = off.signed_in(&alice).await;
    for path in ["/oauth/applications", "/oauth/applications/new", &path, &format!("{path}/edit"), &format!("{path}/delete"), &format!("{path}/failed_requests")] {
        assert_eq!(browser.get(path).await.status, 403, "{path}");
        assert_eq!(browser.get(path).header("Accept", "application/json").await.status, 403, "{path}");
    }
    let (page, mut form) = any_form(&browser).await;
    assert!(!page.body.contains("href=\"/oauth/applications\""), "{page}");
    for word in ["", "/delete", "/secrets"] {
        form.action = format!("{path}{word}");
        assert_eq!(browser.submit(&page, &form).await.status, 403, "{word}");
    }
    let script = Script::signed_in(&off, &alice).await;
    assert_eq!(script.create(&notes()).await.status, 403);
    assert_eq!(script.request("PATCH", &path).json(&json!({"name": "X"})).await.status, 403);
    assert_eq!(script.request("DELETE", &path).await.status, 403);
    off.client_credentials(&client_of(&made)).await.tokens();
    assert_eq!(Script::signed_in(&off, &root).await.request("GET", &path).await.json()["owner"], "alice");
}

with("user_applications" = "true")
async fn an_application_outlives_its_owner(world: World) {
    let (alice, root) = (world.user("alice").await, world.administrator("root").await);
    let (hers, roots) = (Script::signed_in(&world, &alice).await, Script::signed_in(&world, &root).await);
    let made = registered(&hers).await;
    let path = path_of(&made);
    let browser = world.signed_in(&root).await;
    let page = browser.get(&format!("/users/{}", alice.id)).await;
    assert!(page.body.contains("Owned applications") && page.body.contains(&path), "{page}");
    world.command(&["user", "disable", "alice"], "").await;
    world.client_credentials(&client_of(&made)).await.tokens();
    assert_eq!(read(&roots, &path).await["owner"], "alice");
    assert_ne!(hers.request("GET", &path).await.status, 200, "the owner is signed out");
    world.command(&["user", "delete", "alice"], "").await;
    world.client_credentials(&client_of(&made)).await.tokens();
    assert_eq!(read(&roots, &path).await["owner"], Value::Null);
    assert!(browser.get(&path).await.body.contains("a deleted user"));
    assert!(browser.get("/oauth/applications").await.body.contains("owned by a deleted user"));
    let other = Script::signed_in(&world, &world.user("alice").await).await;
    assert_eq!(other.request("GET", &path).await.status, 404, "another of the same name");
    let handed = roots.request("PATCH", &path).json(&json!({"owner": "alice"})).await;
    assert_eq!(handed.status, 200, "{handed}");
    assert_eq!(other.request("GET", &path).await.status, 200);
}

with("user_applications" = "true")
async fn of_many_registrations_at_once_none_is_one_too_many(world: World) {
    let alice = world.user("alice").await;
    let server = world.app().await;
    let wanted = Wanted {
        name: "Notes".into(),
        redirect_uris: vec![CALLBACK.into()],
        scopes: Some(vec!["read".into()]),
        ..Wanted::default()
    };
    for _ in 0..applications::MOST_OWNED - 2 {
        Box::pin(applications::create(&server, manager(&alice), &Caller::OPERATOR, &wanted)).await.unwrap();
    }
    let node = world.second_node().await.app().await;
    let answers = at_once(12, |number| {
        let (place, wanted) = ([&server, &node][number % 2].clone(), wanted.clone());
        let by = manager(&alice);
        async move { Box::pin(applications::create(&place, by, &Caller::OPERATOR, &wanted)).await.is_ok() }
    })
    .await;
    assert_eq!(answers.into_iter().filter(|made| *made).count(), 2);
    let hers = Script::signed_in(&world, &alice).await;
    let told = hers.create(&notes()).await;
    assert!(told.status == 422 && told.body.contains("You have 100 applications"), "{told}");
}

with("user_applications" = "true")
async fn a_users_token_manages_what_the_user_owns(world: World) {
    let alice = world.user("alice").await;
    let tool = world.application().name("Tool").scope("applications").create().await;
    let code = world.signed_in(&alice).await.authorize(&Ask::of(&tool).with("scope", "applications")).await.code();
    let token = world.redeem(&tool, &code).await.tokens().access;
    let listed = world.get("/oauth/applications").bearer(&token).await;
    assert_eq!((listed.status, listed.json()), (200, json!([])), "{listed}");
    let made = world.request("POST", "/oauth/applications").bearer(&token).json(&notes()).await;
    assert_eq!((made.status, &made.json()["owner"]), (201, &json!("alice")), "{made}");
    let root = world.administrator("root").await;
    let of_root = path_of(&registered(&Script::signed_in(&world, &root).await).await);
    assert_eq!(world.get(&of_root).bearer(&token).await.status, 404);
    let disable = format!("{}/disable", path_of(&made.json()));
    assert_eq!(world.request("POST", &disable).bearer(&token).await.status, 403);
    let own = world.token(&[("grant_type", "client_credentials"), ("scope", "applications")]).by(&tool).await.tokens();
    world.get("/oauth/applications").bearer(&own.access).await.challenged(403, "insufficient_scope");
    let off = world.second_node_with(&[("user_applications", "false")]).await;
    off.get("/oauth/applications").bearer(&token).await.challenged(403, "insufficient_scope");
}

with("user_applications" = "true", "scopes" = "read=Read,applications=Manage applications")
async fn who_becomes_an_administrator_grants_anew_what_manages_applications(world: World) {
    let (alice, root) = (world.user("alice").await, world.administrator("root").await);
    let tool = world.application().name("Tool").scope("read applications").create().await;
    let browser = world.signed_in(&alice).await;
    let asked = Ask::of(&tool).with("scope", "applications");
    let code = browser.authorize(&asked).await.code();
    let manages = world.redeem(&tool, &code).await.tokens();
    let reader = world.application().name("Reader").scope("read").create().await;
    let reads = world.tokens(&alice, &reader).await;
    let roots = world.signed_in(&root).await;
    press(&roots, &format!("/users/{}", alice.id), "switch-administrator", &[]).await;
    world.get("/oauth/applications").bearer(&manages.access).await.challenged(401, "invalid_token");
    world.refresh(&tool, manages.refresh()).await.refused(400, "invalid_grant");
    assert_eq!(world.memos(&reads.access).await.status, 200, "the rest goes on");
    let (page, _) = browser.consent_page(&asked).await;
    assert_eq!(page.status, 200, "the administrator is asked: {page}");
}

with("user_applications" = "true")
async fn an_owner_sees_what_the_applications_requests_were_refused_for(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let hers = Script::signed_in(&world, &alice).await;
    let made = registered(&hers).await;
    let wrong = Ask::of(&client_of(&made)).with("redirect_uri", "https://app.example/Callback").path();
    let told = world.signed_in(&alice).await.get(&wrong).await;
    assert!(told.status == 400 && told.body.contains(CALLBACK), "{told}");
    let strangers = world.signed_in(&bob).await.get(&wrong).await;
    assert!(strangers.status == 400 && !strangers.body.contains(CALLBACK), "{strangers}");
    tegata::flow::sweep::round(&world.app().await).await.unwrap();
    let browser = world.signed_in(&alice).await;
    let page = browser.get(&format!("{}/failed_requests", path_of(&made))).await;
    assert!(page.status == 200 && page.body.contains("https://app.example/"), "{page}");
    let add = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/redirect_uri")).unwrap();
    let added = browser.submit(&page, &add).await;
    assert!(followed(&browser, added).await.body.contains("The redirect URI is registered"));
}

async fn people_are_told_whose_the_application_is_that_asks_them(world: World) {
    world.user("alice").await;
    let bob = world.user("bob").await;
    let of_a_user = world.application().grant("authorization_code").grant("device_code").owner("alice").create().await;
    let plain = world.application().create().await;
    let browser = world.signed_in(&bob).await;
    let (page, _) = browser.consent_page(&Ask::of(&of_a_user)).await;
    assert!(page.body.contains("It belongs to the user <bdi><b>alice</b></bdi>"), "{page}");
    let device = world.device(&of_a_user).await;
    let (page, _) = browser.asked(&device.user_code).await;
    assert!(page.body.contains("It belongs to the user <bdi><b>alice</b></bdi>"), "{page}");
    let (page, _) = browser.consent_page(&Ask::of(&plain)).await;
    assert!(!page.body.contains("It belongs to"), "{page}");
}

async fn the_command_says_whose_an_application_is(world: World) {
    world.user("alice").await;
    let arguments = ["application", "create", "--name", "Notes", "--client-id", "notes", "--redirect-uri", CALLBACK];
    let made = world.command(&[&arguments[..], &["--owner", "Alice", "--json"]].concat(), "").await.json();
    assert_eq!(made["owner"], "alice");
    assert_eq!(world.command(&["application", "list", "--json"], "").await.json()[0]["owner"], "alice");
    for line in [&["application", "list"][..], &["application", "show", "notes"]] {
        let printed = world.command(line, "").await;
        assert!(printed.stdout.contains("alice"), "{printed:?}");
    }
    let refused = world.command(&["application", "create", "--name", "N", "--redirect-uri", CALLBACK, "--owner", "bob"], "").await;
    assert!(refused.exit == 1 && refused.stderr.contains("--owner: There is no user"), "{refused:?}");
}

}
