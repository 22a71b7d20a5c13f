//! What an application may have is edited between two refreshes (RFC 6749 §6: never more than was granted).

use serde_json::json;

use crate::endpoints::applications::Script;
use crate::world::{Application, Ask, Tokens, User, World};

/// An administrator who edits `app`.
struct Editor {
    script: Script,
    path: String,
}

impl Editor {
    async fn of(world: &World, app: &Application) -> Self {
        let root = world.administrator("root").await;
        let script = Script::signed_in(world, &root).await;
        let listed = script.request("GET", "/oauth/applications").await.json();
        let one = listed
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["client_id"] == *app.client_id);
        let id = one.expect("it is registered")["id"].as_str().unwrap();
        Self {
            script,
            path: format!("/oauth/applications/{id}"),
        }
    }

    async fn allows(&self, scopes: &[&str]) {
        let answer = self
            .script
            .request("PATCH", &self.path)
            .json(&json!({"scopes": scopes}))
            .await;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.json()["scopes"], json!(scopes));
    }
}

async fn granted(world: &World, user: &User, app: &Application, scope: &str) -> Tokens {
    let ask = Ask::of(app).with("scope", scope);
    let code = world.browser().authorize_as(user, &ask).await.code();
    let tokens = world.redeem(app, &code).await.tokens();
    assert_eq!(tokens.json["scope"], scope);
    tokens
}

on_each_database! {

async fn what_an_application_is_allowed_later_is_not_granted(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read").create().await;
    let editor = Editor::of(&world, &app).await;
    let mut tokens = granted(&world, &alice, &app, "read").await;
    editor.allows(&["read", "write"]).await;
    for scope in ["write", "read write"] {
        world.refresh(&app, tokens.refresh()).field("scope", scope).await.refused(400, "invalid_scope");
    }
    for _ in 0..2 {
        tokens = world.refresh(&app, tokens.refresh()).await.tokens();
        assert_eq!(tokens.json["scope"], "read");
    }
    let memo = json!({"message": "ふじ"});
    let written = world.request("POST", "/api/memos").bearer(&tokens.access).json(&memo).await;
    written.challenged(403, "insufficient_scope");
}

async fn what_an_application_has_lost_is_not_given_again_and_comes_back_with_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let editor = Editor::of(&world, &app).await;
    let first = granted(&world, &alice, &app, "read write").await;
    editor.allows(&["read"]).await;
    for scope in ["write", "read write"] {
        world.refresh(&app, first.refresh()).field("scope", scope).await.refused(400, "invalid_scope");
    }
    let narrow = world.refresh(&app, first.refresh()).await.tokens();
    assert_eq!(narrow.json["scope"], "read");
    editor.allows(&["read", "write"]).await;
    let whole = world.refresh(&app, narrow.refresh()).await.tokens();
    assert_eq!(whole.json["scope"], "read write", "the user granted both");
}

async fn an_application_that_has_lost_all_that_was_granted_gets_nothing(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let editor = Editor::of(&world, &app).await;
    let tokens = granted(&world, &alice, &app, "read").await;
    editor.allows(&["write"]).await;
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_scope");
    world.refresh(&app, tokens.refresh()).field("scope", "write").await.refused(400, "invalid_scope");
    editor.allows(&["read"]).await;
    assert_eq!(world.refresh(&app, tokens.refresh()).await.tokens().json["scope"], "read");
}

async fn a_lost_answer_tells_no_more_scopes_than_the_first_one(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read").create().await;
    let editor = Editor::of(&world, &app).await;
    let first = granted(&world, &alice, &app, "read").await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    editor.allows(&["read", "write"]).await;
    let again = world.refresh(&app, first.refresh()).await.tokens();
    assert_eq!((&again.access, &again.json["scope"]), (&second.access, &second.json["scope"]));
    assert_eq!(world.refresh(&app, again.refresh()).await.tokens().json["scope"], "read");
}

}
