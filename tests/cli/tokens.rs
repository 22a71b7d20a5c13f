//! `tegata token …` and `tegata sweep`, while a server runs.

use serde_json::{Value, json};

use crate::world::{Printed, World};

async fn show(world: &World, token: &str) -> Printed {
    world
        .command(&["token", "show", "--json"], &format!("{token}\n"))
        .await
}

fn fingerprint(token: &str) -> String {
    let hash = tegata::base::secret::SecretHash::of(token);
    format!(
        "{:08x}",
        u32::from_be_bytes(hash.as_bytes()[..4].try_into().unwrap())
    )
}

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

async fn a_token_in_hand_is_told_what_it_is(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let grants = world.command(&["grant", "list", "--user", "alice", "--json"], "").await.json();
    for (token, kind) in [(&*tokens.access, "access_token"), (tokens.refresh(), "refresh_token")] {
        let shown = show(&world, token).await.json();
        assert_eq!((&shown["kind"], &shown["fingerprint"]), (&json!(kind), &json!(fingerprint(token))));
        assert_eq!((&shown["application"], &shown["user"]), (&json!(app.client_id), &json!("alice")));
        assert_eq!((&shown["grant"], &shown["grant_type"]), (&grants[0]["id"], &json!("authorization_code")));
        assert_eq!((&shown["scopes"], &shown["resources"]), (&json!(["read"]), &json!([])));
        assert_eq!((&shown["live"], &shown["why_not"]), (&json!(true), &Value::Null));
    }
    let own = world.client_credentials(&app).await.tokens();
    let shown = show(&world, &own.access).await.json();
    assert_eq!((&shown["user"], &shown["grant"], &shown["grant_type"]), (&Value::Null, &Value::Null, &Value::Null));
    let plain = world.command(&["token", "show"], &own.access).await;
    assert!(plain.exit == 0 && plain.stdout.contains(&fingerprint(&own.access)), "{plain:?}");
    assert!(!plain.stdout.contains(&own.access), "{plain:?}");
}

async fn a_dead_token_in_hand_is_told_why(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let why = async |token: &str| {
        let shown = show(&world, token).await.json();
        assert_eq!(shown["live"], false, "{shown}");
        shown["why_not"].as_str().unwrap().to_owned()
    };
    let tokens = world.tokens(&alice, &app).await;
    world.refresh(&app, tokens.refresh()).await.tokens();
    assert_eq!(why(tokens.refresh()).await, "It was used before, and each works once.");
    let own = world.client_credentials(&app).await.tokens();
    world.command(&["token", "revoke", "--json"], &own.access).await.json();
    assert_eq!(why(&own.access).await, "It was revoked.");
    world.command(&["user", "password", "alice", "--json"], "").await.json();
    assert_eq!(why(&tokens.access).await, "Its grant was revoked: the user’s password was changed.");
    // The command has the system's clock: what the server made two hours ago has expired for it.
    world.clock.advance(-7200);
    let old = world.client_credentials(&app).await.tokens();
    assert_eq!(why(&old.access).await, "It has expired.");
    let last = world.client_credentials(&app).await.tokens();
    world.command(&["application", "delete", &app.client_id, "--json"], "").await.json();
    assert_eq!(why(&last.access).await, "The application is disabled or deleted.");
}

async fn what_is_no_token_of_ours_is_refused(world: World) {
    let app = world.application().create().await;
    let unknown = format!("tga_{}A", "x".repeat(42));
    for (text, words) in [
        (&*unknown, "no such token is known"),
        ("nonsense", "no such token is known"),
        (app.secret(), "this is a client secret, not a token"),
    ] {
        let refused = show(&world, text).await;
        assert_eq!((refused.exit, refused.stdout.as_str()), (1, ""), "{refused:?}");
        assert!(refused.stderr.contains(words) && !refused.stderr.contains(text), "{refused:?}");
    }
}

async fn live_tokens_are_listed_by_fingerprint_alone(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let (one, two) = (world.application().create().await, world.application().create().await);
    let (hers, her_other, his) =
        (world.tokens(&alice, &one).await, world.tokens(&alice, &two).await, world.tokens(&bob, &one).await);
    let own = world.client_credentials(&one).await.tokens();
    let list = async |options: &[&str]| {
        let printed = world.command(&[&["token", "list", "--json"], options].concat(), "").await;
        for token in [&*hers.access, hers.refresh(), &own.access] {
            assert!(!printed.stdout.contains(token), "{printed:?}");
        }
        let mut found: Vec<String> = Vec::new();
        for token in printed.json().as_array().unwrap() {
            found.push(token["fingerprint"].as_str().unwrap().to_owned());
        }
        found.sort();
        found
    };
    let expected = |tokens: &[&str]| {
        let mut expected: Vec<String> = tokens.iter().map(|token| fingerprint(token)).collect();
        expected.sort();
        expected
    };
    let of_one = [&*hers.access, hers.refresh(), &his.access, his.refresh(), &own.access];
    assert_eq!(list(&["--application", &one.client_id]).await, expected(&of_one));
    let of_alice = [&*hers.access, hers.refresh(), &her_other.access, her_other.refresh()];
    assert_eq!(list(&["--user", "alice"]).await, expected(&of_alice));
    let both = ["--user", "alice", "--application", &two.client_id];
    assert_eq!(list(&both).await, expected(&[&her_other.access, her_other.refresh()]));
    assert_eq!(list(&["--application", &one.client_id, "--limit", "2"]).await.len(), 2);

    let newer = world.refresh(&one, hers.refresh()).await.tokens();
    world.command(&["token", "revoke", "--user", "bob", "--json"], "").await.json();
    let left = [&*hers.access, &newer.access, newer.refresh(), &own.access];
    assert_eq!(list(&["--application", &one.client_id]).await, expected(&left), "used and revoked ones are gone");
    assert_eq!(list(&["--user", "bob"]).await, Vec::<String>::new());
}

}
