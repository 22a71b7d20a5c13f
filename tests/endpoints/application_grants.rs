//! `/oauth/applications/:id/grants`: an administrator looks at grants and tokens, and ends them.

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
    let digits = tegata::base::secret::SecretHash::of(&first.access);
    let fingerprint: String = digits.as_bytes()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
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
    for words in ["Authorized by alice", "Authorization code redeemed", "It replaced", "1 live refresh token"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!live.body.contains(second.refresh()) && !live.body.contains(first.refresh()), "{live}");
    world.clock.advance(60);
    world.refresh(&app, second.refresh()).await.tokens();
    world.clock.advance(60);
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    let dead = browser.get(&link).await;
    let text = &dead.body;
    assert!(text.contains("A replay was seen: a refresh token came again"), "{text}");
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

}
