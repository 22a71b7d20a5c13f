//! `tegata token revoke` and `tegata sweep`, while a server runs.

use serde_json::{Value, json};

use crate::world::World;

on_each_database! {

async fn one_token_is_revoked_with_its_grant(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    for take_refresh in [true, false] {
        let tokens = world.tokens(&alice, &app).await;
        let other = world.tokens(&alice, &app).await;
        let token = if take_refresh { tokens.refresh() } else { &tokens.access };
        let revoked = world.command(&["token", "revoke", "--json"], &format!("{token}\n")).await.json();
        assert_eq!(revoked, json!({"revoked": true}));
        world.memos(&tokens.access).await.challenged(401, "invalid_token");
        world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
        assert_eq!(world.memos(&other.access).await.status, 200, "another grant lives on");
    }
    let unknown = format!("tga_{}", "x".repeat(43));
    assert_eq!(world.command(&["token", "revoke", "--json"], &unknown).await.json(), json!({"revoked": false}));
    let nothing = world.command(&["token", "revoke", "--json"], "").await;
    assert_eq!((nothing.exit, nothing.stdout.as_str()), (1, ""), "{nothing:?}");
}

async fn a_token_of_an_application_itself_is_revoked_alone(world: World) {
    let app = world.application().create().await;
    let (first, second) =
        (world.client_credentials(&app).await.tokens(), world.client_credentials(&app).await.tokens());
    let revoked = world.command(&["token", "revoke", "--json"], &first.access).await.json();
    assert_eq!(revoked, json!({"revoked": true}));
    assert!(!world.is_active(&app, &first.access).await);
    assert!(world.is_active(&app, &second.access).await);
}

async fn all_of_a_user_or_of_an_application_is_revoked(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let (one, two) = (world.application().create().await, world.application().create().await);
    let (hers, her_other, his) = (
        world.tokens(&alice, &one).await,
        world.tokens(&alice, &two).await,
        world.tokens(&bob, &one).await,
    );
    let revoke = async |options: &[&str]| -> Value {
        world.command(&[&["token", "revoke", "--json"], options].concat(), "").await.json()["revoked"].clone()
    };
    assert_eq!(revoke(&["--user", "ALICE", "--application", &one.client_id]).await, 1);
    assert_eq!(world.memos(&hers.access).await.status, 401);
    assert_eq!(world.memos(&her_other.access).await.status, 200);
    assert_eq!(revoke(&["--user", "alice"]).await, 1);
    assert_eq!(world.memos(&her_other.access).await.status, 401);
    assert_eq!(world.memos(&his.access).await.status, 200);
    let own = world.client_credentials(&one).await.tokens();
    assert_eq!(revoke(&["--application", &one.client_id]).await, 2, "what it has on its own behalf too");
    assert_eq!(world.memos(&his.access).await.status, 401);
    assert_eq!(world.memos(&own.access).await.status, 401);
    assert_eq!(revoke(&["--application", &one.client_id]).await, 0);
    for options in [["--user", "nobody"], ["--application", "nothing"]] {
        let refused = world.command(&["token", "revoke", "--json", options[0], options[1]], "").await;
        assert_eq!((refused.exit, refused.stdout.as_str()), (1, ""), "{refused:?}");
    }
}

async fn a_sweep_says_how_much_it_deleted(world: World) {
    let app = world.application().access_token_ttl("60s").create().await;
    // The command has the system's clock: what the server made an hour ago has expired for it.
    world.clock.advance(-3600);
    for _ in 0..3 {
        world.client_credentials(&app).await.tokens();
    }
    assert_eq!(world.command(&["sweep", "--json"], "").await.json(), json!({"deleted": 3}));
    assert_eq!(world.command(&["sweep", "--json"], "").await.json(), json!({"deleted": 0}));
    let plain = world.command(&["sweep"], "").await;
    assert_eq!((plain.exit, plain.stderr.as_str()), (0, ""), "{plain:?}");
}

}
