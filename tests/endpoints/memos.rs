//! `/api/memos`: the protected resource (RFC 6750).

use serde_json::{Value, json};

use crate::world::{Answer, Application, Ask, User, World};

/// An access token of `user` for `read write`.
pub(super) async fn token(world: &World, user: &User, app: &Application) -> String {
    let ask = Ask::of(app).with("scope", "read write");
    let code = world.browser().authorize_as(user, &ask).await.code();
    world.redeem(app, &code).await.tokens().access
}

pub(super) async fn write(world: &World, token: &str, message: &str) -> Answer {
    world
        .request("POST", "/api/memos")
        .bearer(token)
        .json(&json!({"message": message}))
        .await
}

fn messages(listed: &Value) -> Vec<&str> {
    listed["memos"]
        .as_array()
        .unwrap()
        .iter()
        .map(|memo| memo["message"].as_str().unwrap())
        .collect()
}

on_each_database! {

async fn a_memo_is_written_read_changed_and_deleted(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let token = token(&world, &alice, &app).await;

    let written = write(&world, &token, "ふじ").await;
    assert_eq!(written.status, 201, "{written}");
    let memo = written.json();
    assert_eq!(memo["message"], "ふじ");
    assert_eq!(memo["created_at"], memo["updated_at"]);
    assert!(
        memo["created_at"].as_str().is_some_and(|time| time.len() == 20 && time.ends_with('Z')),
        "{memo}"
    );
    let path = format!("/api/memos/{}", memo["id"].as_str().unwrap());
    assert_eq!(world.get(&path).bearer(&token).await.json(), memo);

    world.clock.advance(5);
    let changed = world.request("PATCH", &path).bearer(&token).json(&json!({"message": "つがる"})).await;
    assert_eq!((changed.status, &changed.json()["message"]), (200, &json!("つがる")));
    assert_eq!(changed.json()["created_at"], memo["created_at"]);
    assert_ne!(changed.json()["updated_at"], memo["updated_at"]);

    let deleted = world.request("DELETE", &path).bearer(&token).await;
    assert_eq!((deleted.status, &*deleted.body), (204, ""));
    assert_eq!(world.get(&path).bearer(&token).await.status, 404);
    assert_eq!(world.request("DELETE", &path).bearer(&token).await.status, 404);
}

async fn memos_are_listed_newest_first_and_in_pages(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let token = token(&world, &alice, &app).await;
    for number in 0..5 {
        write(&world, &token, &number.to_string()).await;
        world.clock.advance(i64::from(number >= 3));
    }
    let all = world.memos(&token).await.json();
    assert_eq!((messages(&all), all.get("next")), (vec!["4", "3", "2", "1", "0"], None));

    let first = world.get("/api/memos?limit=2").bearer(&token).await.json();
    assert_eq!(messages(&first), ["4", "3"]);
    let mut seen: Vec<String> = messages(&first).into_iter().map(str::to_owned).collect();
    let mut after = first["memos"][1]["id"].as_str().unwrap().to_owned();
    while seen.len() < 5 {
        let page = world.get(&format!("/api/memos?limit=2&after={after}")).bearer(&token).await.json();
        let memos = page["memos"].as_array().unwrap();
        assert!(!memos.is_empty(), "a page stands still: {page}");
        memos.last().unwrap()["id"].as_str().unwrap().clone_into(&mut after);
        seen.extend(messages(&page).into_iter().map(str::to_owned));
        assert_eq!(page.get("next").is_some(), seen.len() < 5, "{page}");
    }
    assert_eq!(seen, ["4", "3", "2", "1", "0"]);
}

async fn everybody_has_their_own(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = world.application().create().await;
    let (hers, his) = (token(&world, &alice, &app).await, token(&world, &bob, &app).await);
    let memo = write(&world, &hers, "secret").await.json();
    assert_eq!(world.memos(&his).await.json(), json!({"memos": []}));
    let path = format!("/api/memos/{}", memo["id"].as_str().unwrap());
    assert_eq!(world.get(&path).bearer(&his).await.status, 404);
    assert_eq!(world.request("DELETE", &path).bearer(&his).await.status, 404);
    let change = world.request("PATCH", &path).bearer(&his).json(&json!({"message": "mine now"})).await;
    assert_eq!(change.status, 404);
    assert_eq!(messages(&world.memos(&hers).await.json()), ["secret"]);
}

async fn one_user_sees_the_same_memos_through_every_application(world: World) {
    let alice = world.user("alice").await;
    let (one, two) = (world.application().create().await, world.application().create().await);
    write(&world, &token(&world, &alice, &one).await, "shared").await;
    assert_eq!(messages(&world.memos(&token(&world, &alice, &two).await).await.json()), ["shared"]);
}

async fn the_scheme_is_bearer_in_any_case(world: World) {
    let app = world.application().create().await;
    let token = world.client_credentials(&app).await.tokens().access;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = world.get("/api/memos").header("Authorization", &format!("{scheme} {token}")).await;
        assert_eq!(answer.status, 200, "{answer}");
    }
}

async fn an_answer_to_a_token_is_nobody_elses(world: World) {
    let app = world.application().create().await;
    let token = world.client_credentials(&app).await.tokens().access;
    let answer = world.memos(&token).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("vary").to_lowercase().contains("authorization"), "{answer}");
}

}
