//! Which scopes a token carries (RFC 6749 §3.3): what was asked for, as far as it is allowed.

use serde_json::json;

use crate::world::{Ask, World};

on_each_database! {

with("scopes" = "read=Read,write=Write,admin=Everything", "default_scopes" = "read")
async fn an_application_has_a_default_of_its_own(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().default_scope("write admin").create().await;
    assert_eq!(world.client_credentials(&app).await.tokens().json["scope"], "admin write");
    let code = world.browser().authorize_as(&alice, &Ask::of(&app).without("scope")).await.code();
    assert_eq!(world.redeem(&app, &code).await.tokens().json["scope"], "admin write");
    let usual = world.application().create().await;
    assert_eq!(world.client_credentials(&usual).await.tokens().json["scope"], "read");
}

with("scopes_by_grant" = "client_credentials=read")
async fn a_grant_gives_what_the_server_lets_it_give(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    world.client_credentials(&app).field("scope", "read write").await.refused(400, "invalid_scope");
    assert_eq!(world.client_credentials(&app).await.tokens().json["scope"], "read");
    let both = Ask::of(&app).with("scope", "read write");
    let code = world.browser().authorize_as(&alice, &both).await.code();
    assert_eq!(world.redeem(&app, &code).await.tokens().json["scope"], "read write");
}

with("scopes_by_grant" = "device_code=read", "access_token_ttl_by_grant" = "device_code=7m")
async fn a_device_is_given_what_its_grant_gives_for_as_long(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("device_code").grant("refresh_token").create().await;
    let beyond = world.post("/oauth/device_authorization", &[("scope", "read write")]).by(&app);
    beyond.await.refused(400, "invalid_scope");
    let device = world.device(&app).await;
    world.signed_in(&alice).await.authorize_device(&device).await;
    let tokens = world.poll(&app, &device).await.tokens();
    assert_eq!((&tokens.json["scope"], &tokens.json["expires_in"]), (&"read".into(), &420.into()));
    let refreshed = world.refresh(&app, tokens.refresh()).await.tokens();
    assert_eq!(refreshed.json["expires_in"], 420);
}

async fn a_grant_that_is_restricted_later_refreshes_to_what_is_left(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let both = Ask::of(&app).with("scope", "read write");
    let browser = world.signed_in(&alice).await;
    let code = browser.authorize(&both).await.code();
    let first = world.redeem(&app, &code).await.tokens();
    let (waiting, mut form) = browser.consent_page(&both.clone().with("prompt", "consent")).await;

    world.restart_with(&[("scopes_by_grant", "authorization_code=read")]).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    assert_eq!(second.json["scope"], "read");
    form.press("authorize");
    let refused = browser.submit(&waiting, &form).await;
    assert_eq!(refused.status, 400, "what was asked before is judged by what holds now: {refused}");
}

with("scopes" = "read=Read your memos,user:*=Act for one user", "default_scopes" = "read")
async fn a_scope_with_a_star_is_asked_for_with_a_value(world: World) {
    let alice = world.user("alice").await;
    let any = world.application().scope("read user:*").create().await;
    let one = world.application().scope("read user:1").create().await;
    for (app, scope, granted) in [(&any, "user:2 read", "read user:2"), (&one, "user:1", "user:1")] {
        let tokens = world.client_credentials(app).field("scope", scope).await.tokens();
        assert_eq!(tokens.json["scope"], granted);
        let told = world.introspect(&tokens.access).by(app).await.json();
        assert_eq!(told["scope"], granted);
    }
    for (app, scope) in [(&one, "user:2"), (&one, "user:*"), (&any, "user:*"), (&any, "user:"), (&any, "user:1*")] {
        world.client_credentials(app).field("scope", scope).await.refused(400, "invalid_scope");
    }
    let ask = Ask::of(&any).with("scope", "user:2");
    let (page, _) = world.signed_in(&alice).await.consent_page(&ask).await;
    assert!(page.body.contains("Act for one user: 2"), "{page}");
    let metadata = world.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["scopes_supported"], json!(["read", "user:*"]));
}

async fn a_refresh_never_reaches_past_what_was_granted(world: World) {
    let world = world.second_node_with(&[("scopes", "read=Read,user:*=Act for one user")]).await;
    let alice = world.user("alice").await;
    let app = world.application().scope("read user:*").create().await;
    let code = world.browser().authorize_as(&alice, &Ask::of(&app).with("scope", "user:1")).await.code();
    let tokens = world.redeem(&app, &code).await.tokens();
    for scope in ["user:2", "user:*", "user:1 read"] {
        world.refresh(&app, tokens.refresh()).field("scope", scope).await.refused(400, "invalid_scope");
    }
    let narrow = world.refresh(&app, tokens.refresh()).field("scope", "user:1").await.tokens();
    assert_eq!(narrow.json["scope"], "user:1");
}

with("scopes" = "read=Read,user:*=Act for one user")
async fn the_form_keeps_a_scope_that_only_a_pattern_stands_for(world: World) {
    let root = world.administrator("root").await;
    let app = world.application().scope("read user:1").create().await;
    let browser = world.signed_in(&root).await;
    let list = browser.get("/oauth/applications").await;
    let path = crate::form::addresses(&list.body).into_iter().find(|path| path.contains("/oauth/applications/0")).unwrap();
    let page = browser.get(&format!("{path}/edit")).await;
    let mut form = crate::form::Form::with_id(&page.body, "save").unwrap();
    form.fill("name", "Renamed");
    for scope in ["read", "user:1"] {
        form.fields.push(("default_scopes".to_owned(), scope.to_owned()));
    }
    assert_eq!(browser.submit(&page, &form).await.status, 303);
    assert_eq!(world.client_credentials(&app).field("scope", "user:1").await.tokens().json["scope"], "user:1");
    world.client_credentials(&app).field("scope", "user:2").await.refused(400, "invalid_scope");
    assert_eq!(world.client_credentials(&app).await.tokens().json["scope"], "read user:1");
}

async fn a_default_names_what_can_be_granted(world: World) {
    let node = world.second_node_with(&[("scopes", "read=Read,user:*=Act for one user")]).await;
    for scope in ["user:*", "applications", "unknown"] {
        let words = ["application", "create", "--name", "N", "--grant", "client_credentials", "--default-scope", scope];
        let printed = node.command(&words, "").await;
        assert_eq!(printed.exit, 1, "{scope}: {printed:?}");
        assert!(printed.stderr.contains(scope), "{printed:?}");
    }
}

}
