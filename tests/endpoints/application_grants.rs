//! `/oauth/applications/:id/grants`: an administrator looks at grants and tokens, and ends them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::applications::Script;
use crate::form::Form;
use crate::world::{Answer, Application, Browser, World};

async fn id_of(world: &World, app: &Application) -> String {
    let shown = world
        .command(&["application", "show", &app.client_id, "--json"], "")
        .await
        .json();
    shown["id"].as_str().unwrap().to_owned()
}

async fn root(world: &World) -> Browser {
    let root = world.administrator("root").await;
    world.signed_in(&root).await
}

/// Where the only link to a grant leads.
fn grant_link(list: &Answer) -> String {
    let is_grant = |text: &&str| text.contains("/grants/0");
    let mut links = list.body.split('"').filter(is_grant);
    let link = links.next().unwrap_or_else(|| panic!("no grant: {list}"));
    assert_eq!(links.next(), None, "one grant: {list}");
    link.to_owned()
}

async fn press(browser: &Browser, page: &Answer, button: &str) -> Answer {
    let form = Form::with_id(&page.body, button).unwrap_or_else(|| panic!("no form: {page}"));
    let answer = browser.submit(page, &form).await;
    assert_eq!(answer.status, 303, "{answer}");
    browser.get(answer.location().unwrap().as_str()).await
}

/// As many more grants like the only one there is.
async fn more_grants(world: &World, more: u64) {
    let id = if world.is_on_sqlite() {
        "randomblob(16)"
    } else {
        "gen_random_uuid()"
    };
    let grown = world
        .change_rows(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {more})
             INSERT INTO grants (id, application_id, user_id, user_epoch, grant_type, scopes, created_at, expires_at)
             SELECT {id}, g.application_id, g.user_id, g.user_epoch, g.grant_type, g.scopes, g.created_at, g.expires_at
             FROM grants g CROSS JOIN n"
        ))
        .await;
    assert_eq!(grown, more);
}

/// As many more refresh tokens of the only grant there is, all of them used.
async fn more_refresh_tokens(world: &World, more: u64) {
    let hash = if world.is_on_sqlite() {
        "CAST(printf('%032d', n.i) AS BLOB)"
    } else {
        "convert_to(lpad(CAST(n.i AS TEXT), 32, '0'), 'UTF8')"
    };
    let grown = world
        .change_rows(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {more})
             INSERT INTO refresh_tokens
                 (hash, grant_id, parent_hash, scopes, created_at, expires_at, used_at, retry_count)
             SELECT {hash}, r.grant_id, r.hash, r.scopes, r.created_at, r.expires_at, r.created_at, 0
             FROM refresh_tokens r CROSS JOIN n"
        ))
        .await;
    assert_eq!(grown, more);
}

fn ids(list: &Value) -> Vec<String> {
    let grants = list["grants"].as_array().unwrap();
    grants
        .iter()
        .map(|grant| grant["id"].as_str().unwrap().to_owned())
        .collect()
}

on_each_database! {

async fn live_grants_are_listed_by_user_and_one_is_revoked_alone(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = world.application().create().await;
    let (hers, his) = (world.tokens(&alice, &app).await, world.tokens(&bob, &app).await);
    let browser = root(&world).await;
    let path = format!("/oauth/applications/{}/grants", id_of(&world, &app).await);
    let all = browser.get(&path).await;
    assert!(all.body.contains("2 live grants"), "{all}");
    assert!(!all.body.contains(&hers.access), "{all}");
    let only_hers = browser.get(&format!("{path}?q=LIC")).await;
    assert!(only_hers.body.contains("1 live grant<") && !only_hers.body.contains("bob"), "{only_hers}");
    let shown = browser.get(&grant_link(&only_hers)).await;
    let after = press(&browser, &shown, "revoke-grant").await;
    assert!(after.body.contains("1 live grant<") && !after.body.contains("alice"), "{after}");
    assert_eq!(world.memos(&hers.access).await.status, 401);
    assert_eq!(world.memos(&his.access).await.status, 200);
}

async fn all_is_revoked_after_a_page_that_says_how_much(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let hers = world.tokens(&alice, &app).await;
    let own = world.client_credentials(&app).await.tokens();
    let browser = root(&world).await;
    let path = format!("/oauth/applications/{}/grants", id_of(&world, &app).await);
    let sure = browser.get(&format!("{path}/revoke")).await;
    let text = &sure.body;
    assert!(text.contains("2 live access tokens and 1 user’s grants stop working"), "{text}");
    assert_eq!(world.memos(&hers.access).await.status, 200, "nothing is done by looking");
    let after = press(&browser, &sure, "revoke-all").await;
    assert!(after.body.contains("Nothing is granted"), "{after}");
    assert_eq!(world.memos(&hers.access).await.status, 401);
    assert_eq!(world.memos(&own.access).await.status, 401);
}

async fn a_token_of_the_applications_own_is_known_and_revoked_by_its_fingerprint(world: World) {
    let app = world.application().create().await;
    let (first, second) =
        (world.client_credentials(&app).await.tokens(), world.client_credentials(&app).await.tokens());
    let browser = root(&world).await;
    let id = id_of(&world, &app).await;
    let page = browser.get(&format!("/oauth/applications/{id}/grants")).await;
    let hash = tegata::base::secret::SecretHash::of(&first.access);
    let fingerprint = format!("{:08x}", u32::from_be_bytes(hash.as_bytes()[..4].try_into().unwrap()));
    assert!(page.body.contains(&format!("tga_… {fingerprint}")), "{page}");
    let ends = format!("/tokens/{fingerprint}/revoke");
    let form = Form::all(&page.body).into_iter().find(|form| form.action.ends_with(&ends)).unwrap();
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 303, "{answer}");
    assert_eq!(world.memos(&first.access).await.status, 401);
    assert_eq!(world.memos(&second.access).await.status, 200);
}

async fn the_family_of_a_grant_is_told_from_consent_to_replay(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let browser = root(&world).await;
    let list = browser.get(&format!("/oauth/applications/{}/grants", id_of(&world, &app).await)).await;
    let link = grant_link(&list);
    world.clock.advance(60);
    let second = world.refresh(&app, first.refresh()).await.tokens();
    let live = browser.get(&link).await;
    let text = &live.body;
    for words in ["alice authorized the application", "Authorization code redeemed", "replaced", "1 live refresh token"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!live.body.contains(second.refresh()) && !live.body.contains(first.refresh()), "{live}");
    world.clock.advance(60);
    world.refresh(&app, second.refresh()).await.tokens();
    world.clock.advance(60);
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    let dead = browser.get(&link).await;
    let text = &dead.body;
    assert!(text.contains("It was revoked: a refresh token came again that was replaced before."), "{text}");
    assert!(text.contains("somebody who stole it"), "{text}");
    assert!(text.contains("0 live access tokens, 0 live refresh tokens"), "{text}");
    assert!(!dead.body.contains("id=\"revoke-grant\""), "{dead}");
}

async fn nobody_but_an_administrator_looks_and_another_applications_grant_is_not_found(world: World) {
    let alice = world.user("alice").await;
    let (app, other) = (world.application().create().await, world.application().create().await);
    world.tokens(&alice, &app).await;
    let (id, other) = (id_of(&world, &app).await, id_of(&world, &other).await);
    let browser = root(&world).await;
    let link = grant_link(&browser.get(&format!("/oauth/applications/{id}/grants")).await);
    assert_eq!(browser.get(&link.replace(&id, &other)).await.status, 404);
    assert_eq!(browser.get(&format!("/oauth/applications/{id}/grants/nonsense")).await.status, 404);
    let hers = world.signed_in(&alice).await;
    for path in [format!("/oauth/applications/{id}/grants"), format!("/oauth/applications/{id}/grants/revoke"), link] {
        assert_eq!(hers.get(&path).await.status, 403, "{path}");
    }
}

async fn many_grants_are_paged_and_none_is_shown_twice_or_missed(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    world.tokens(&alice, &app).await;
    more_grants(&world, 120).await;
    let path = format!("/oauth/applications/{}/grants", id_of(&world, &app).await);
    let root = world.administrator("root").await;
    let script = Script::signed_in(&world, &root).await;
    let (mut seen, mut sizes, mut next) = (BTreeSet::new(), Vec::new(), Value::Null);
    loop {
        let after = next.as_str().map(|id| format!("?after={id}")).unwrap_or_default();
        let list = script.request("GET", &format!("{path}{after}")).await.json();
        assert_eq!(list["grants_total"], 121, "{list}");
        sizes.push(ids(&list).len());
        seen.extend(ids(&list));
        next = list["next"].clone();
        if next.is_null() {
            break;
        }
    }
    assert_eq!((sizes, seen.len()), (vec![50, 50, 21], 121));

    let browser = world.signed_in(&root).await;
    let first = browser.get(&path).await;
    assert!(first.body.contains("121 live grants<") && !first.body.contains(">Newest<"), "{first}");
    let link = first.body.split('"').find(|text| text.contains("/grants?after=")).unwrap();
    let second = browser.get(link).await;
    assert!(second.body.contains(">Newest<") && second.body.contains(">Next page<"), "{second}");
    assert_eq!(browser.get(&format!("{path}?after='%20OR%201=1")).await.status, 200, "no id: from the first");
}

async fn of_a_family_of_ten_thousand_a_page_is_shown_at_a_time(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    more_refresh_tokens(&world, 9_998).await;
    world.clock.advance(60);
    world.refresh(&app, first.refresh()).await.tokens();
    let browser = root(&world).await;
    let list = browser.get(&format!("/oauth/applications/{}/grants", id_of(&world, &app).await)).await;
    let link = grant_link(&list);
    let renewals = |page: &Answer| page.body.matches("Access renewed").count() + page.body.matches("First refresh").count();
    let newest = browser.get(&link).await;
    assert!(newest.body.contains("Page 200 of 200") && !newest.body.contains("alice authorized"), "{newest}");
    assert_eq!(renewals(&newest), 50, "{newest}");
    let begun = browser.get(&format!("{link}?page=1")).await;
    assert!(begun.body.contains("Page 1 of 200") && begun.body.contains("alice authorized"), "{begun}");
    assert_eq!(renewals(&begun), 50, "{begun}");
    let beyond = browser.get(&format!("{link}?page=1000000000")).await;
    assert!(beyond.body.contains("Page 200 of 200"), "{beyond}");
}

async fn programs_read_and_revoke_in_json(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let (one, two) = (world.tokens(&alice, &app).await, world.tokens(&alice, &app).await);
    let own = world.client_credentials(&app).await.tokens();
    let path = format!("/oauth/applications/{}", id_of(&world, &app).await);
    let root = world.administrator("root").await;
    let script = Script::signed_in(&world, &root).await;

    let answer = script.request("GET", &format!("{path}/grants")).await;
    assert!(answer.header("cache-control").contains("no-store"), "{answer}");
    let list = answer.json();
    assert_eq!((&list["next"], &list["grants_total"], &list["own_tokens_total"]), (&Value::Null, &json!(2), &json!(1)));
    assert_eq!(list["grants"][0]["user"], "alice", "{list}");
    assert_eq!(list["grants"][0]["live_tokens"], 2, "{list}");
    for token in [&*one.access, one.refresh(), &own.access] {
        assert!(!answer.body.contains(token), "{answer}");
    }
    let none = script.request("GET", &format!("{path}/grants?q=nobody")).await.json();
    assert_eq!(none["grants"], json!([]));

    let grant = format!("{path}/grants/{}", ids(&list)[0]);
    let shown = script.request("GET", &grant).await.json();
    assert_eq!((&shown["live"], &shown["why_not"], &shown["user"]), (&json!(true), &Value::Null, &json!("alice")));
    assert_eq!(shown["timeline"][0]["what"], "alice authorized the application");
    let gone = script.request("DELETE", &grant).await;
    assert_eq!((gone.status, &*gone.body), (204, ""));
    assert_eq!(script.request("DELETE", &grant).await.status, 404, "it is dead already");
    let dead = script.request("GET", &grant).await.json();
    assert_eq!(dead["why_not"], "It was revoked: an administrator did it.");
    let live = [world.memos(&one.access).await.status, world.memos(&two.access).await.status];
    assert_eq!(live.iter().filter(|status| **status == 200).count(), 1, "{live:?}");

    let fingerprint = list["own_tokens"][0]["fingerprint"].as_str().unwrap();
    assert_eq!(script.request("DELETE", &format!("{path}/tokens/{fingerprint}")).await.status, 204);
    assert_eq!(world.memos(&own.access).await.status, 401);
    assert_eq!(script.request("DELETE", &format!("{path}/tokens/nonsense")).await.status, 404);
    assert_eq!(script.request("DELETE", &format!("{path}/grants")).await.status, 204);
    assert_eq!(world.memos(&one.access).await.status, 401);
    assert_eq!(world.memos(&two.access).await.status, 401);
}

async fn programs_that_may_not_are_refused_and_change_nothing(world: World) {
    let alice = world.user("alice").await;
    let (app, other) = (world.application().create().await, world.application().create().await);
    let hers = world.tokens(&alice, &app).await;
    let root = world.administrator("root").await;
    let admin = Script::signed_in(&world, &root).await;
    let path = format!("/oauth/applications/{}", id_of(&world, &app).await);
    let list = admin.request("GET", &format!("{path}/grants")).await.json();
    let (grant, fingerprint) = (format!("{path}/grants/{}", ids(&list)[0]), format!("{path}/tokens/00000000"));
    let script = Script::signed_in(&world, &alice).await;
    for path in [&format!("{path}/grants"), &grant] {
        assert_eq!(script.request("GET", path).await.status, 403, "{path}");
        assert_eq!(world.get(path).header("Accept", "application/json").await.status, 401, "{path}");
    }
    for path in [&format!("{path}/grants"), &grant, &fingerprint] {
        assert_eq!(script.request("DELETE", path).await.status, 403, "{path}");
        let bare = world.signed_in(&root).await.request("DELETE", path).await;
        assert_eq!(bare.status, 403, "without the session's token: {path}");
        let plain = world.request("DELETE", path).bearer(&hers.access).await;
        assert_eq!(plain.status, 403, "a token without the scope: {path}");
    }
    let elsewhere = grant.replace(&path, &format!("/oauth/applications/{}", id_of(&world, &other).await));
    assert_eq!(admin.request("GET", &elsewhere).await.status, 404);
    assert_eq!(admin.request("DELETE", &elsewhere).await.status, 404);
    assert_eq!(world.memos(&hers.access).await.status, 200);
}

with("user_applications" = "true")
async fn the_owner_of_an_application_does_not_see_who_uses_it(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = world.application().create().await;
    let his = world.tokens(&bob, &app).await;
    let id = id_of(&world, &app).await;
    let owned = world.change_rows("UPDATE applications SET owner_id = (SELECT id FROM users WHERE username = 'alice')").await;
    assert_eq!(owned, 1);
    let browser = world.signed_in(&alice).await;
    let shown = browser.get(&format!("/oauth/applications/{id}")).await;
    assert_eq!((shown.status, shown.body.contains("/grants\"")), (200, false), "{shown}");
    let script = Script::signed_in(&world, &alice).await;
    for path in [format!("/oauth/applications/{id}/grants"), format!("/oauth/applications/{id}/grants/revoke")] {
        assert_eq!(browser.get(&path).await.status, 403, "{path}");
    }
    for method in ["GET", "DELETE"] {
        assert_eq!(script.request(method, &format!("/oauth/applications/{id}/grants")).await.status, 403, "{method}");
    }
    assert_eq!(world.memos(&his.access).await.status, 200);
}

}
