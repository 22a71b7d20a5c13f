//! What must happen once happens once, however many ask at the same time.

use std::collections::HashSet;

use crate::form::Form;
use crate::world::{Ask, Tokens, World, at_once, filled_in, meanwhile};

const CROWD: usize = 100;

on_each_database! {

async fn one_code_gives_tokens_once(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    let answers = at_once(CROWD, |_| {
        let request = world.redeem(&app, &code);
        async move { request.await }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1);
    for answer in &lost {
        answer.refused(400, "invalid_grant");
    }
    let tokens = won[0].tokens();
    assert!(
        !world.is_active(&app, &tokens.access).await,
        "a proven duplicate is a replay: both may be the thief"
    );
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
}

async fn one_code_at_two_nodes_gives_tokens_once(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    let nodes = [world.clone(), world.second_node().await];
    let answers = at_once(20, |number| {
        let request = nodes[number % 2].redeem(&app, &code);
        async move { request.await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

with("refresh_token_retry_window" = "0s")
async fn one_refresh_token_rotates_once(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let answers = at_once(CROWD, |_| {
        let request = world.refresh(&app, first.refresh());
        async move { request.await }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1);
    for answer in &lost {
        answer.refused(400, "invalid_grant");
    }
    assert!(
        !world.is_active(&app, &won[0].tokens().access).await,
        "without a window a duplicate is a replay"
    );
}

async fn a_few_at_once_all_get_the_same_pair(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let answers = at_once(8, |_| {
        let request = world.refresh(&app, first.refresh());
        async move { request.await }
    })
    .await;
    let pairs: Vec<Tokens> = answers.iter().map(crate::world::Answer::tokens).collect();
    let distinct: HashSet<_> = pairs.iter().map(|pair| (&pair.access, pair.refresh())).collect();
    assert_eq!(distinct.len(), 1, "one rotation, told eight times");
    assert!(world.is_active(&app, &pairs[0].access).await);
    world.refresh(&app, pairs[0].refresh()).await.tokens();
}

async fn a_crowd_gets_one_pair_or_nothing(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let answers = at_once(CROWD, |_| {
        let request = world.refresh(&app, first.refresh());
        async move { request.await }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    let distinct: HashSet<_> = won.iter().map(|answer| without_times(&answer.body)).collect();
    assert_eq!(distinct.len(), 1);
    for answer in &lost {
        answer.refused(400, "invalid_grant");
    }
}

async fn a_few_at_two_nodes_all_get_the_same_pair(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let nodes = [world.clone(), world.second_node().await];
    let answers = at_once(8, |number| {
        let request = nodes[number % 2].refresh(&app, first.refresh());
        async move { request.await }
    })
    .await;
    let distinct: HashSet<_> = answers.iter().map(|answer| answer.tokens().access).collect();
    assert_eq!(distinct.len(), 1);
}

async fn nothing_of_a_grant_survives_its_revocation(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for _ in 0..10 {
        let code = browser.authorize(&Ask::of(&app)).await.code();
        let first = world.redeem(&app, &code).await.tokens();
        let answers = at_once(6, |number| {
            let refreshing = world.refresh(&app, first.refresh());
            let revoking = world.revoke(first.refresh()).by(&app);
            async move { if number % 3 == 2 { revoking.await } else { refreshing.await } }
        })
        .await;
        for answer in answers.iter().filter(|answer| answer.body.contains("access_token")) {
            let tokens = answer.tokens();
            assert!(!world.is_active(&app, &tokens.access).await, "revocation was answered 200");
            assert!(!world.is_active(&app, tokens.refresh()).await, "revocation was answered 200");
        }
    }
}

async fn consent_given_many_times_at_once_gives_one_code(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let (page, mut form) = browser.consent_page(&Ask::of(&app)).await;
    form.press("authorize");
    let answers = at_once(20, |_| {
        let request = browser.submit(&page, &form);
        async move { request.await }
    })
    .await;
    let code = |query: &str| query.split('&').find_map(|pair| pair.strip_prefix("code=").map(str::to_owned));
    let codes: HashSet<_> = answers
        .iter()
        .filter_map(crate::world::Answer::location)
        .filter_map(|url| code(url.query()?))
        .collect();
    assert_eq!(codes.len(), 1);
}

async fn allowing_and_denying_at_once_has_one_outcome(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for _ in 0..5 {
        let ask = Ask::of(&app).with("scope", "read").with("prompt", "consent");
        let (page, form) = browser.consent_page(&ask).await;
        let answers = at_once(4, |number| {
            let mut form = form.clone();
            form.press(if number % 2 == 0 { "authorize" } else { "deny" });
            let request = browser.submit(&page, &form);
            async move { request.await }
        })
        .await;
        let outcome = |word: &str| answers.iter().any(|answer| answer.header("location").contains(word));
        assert!(outcome("code=") != outcome("error=access_denied"), "{answers:?}");
    }
}

async fn nothing_remembered_is_allowed_after_a_withdrawal(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    browser.authorize(&Ask::of(&app)).await.code();
    let page = browser.get("/oauth/authorized_applications").await;
    let withdraw = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/delete")).unwrap();
    for _ in 0..5 {
        browser.authorize(&Ask::of(&app)).await.code();
        let (asking, ask) = (browser.clone(), Ask::of(&app));
        let without_a_question = move |_| {
            let (browser, ask) = (asking.clone(), ask.clone());
            async move {
                let answer = browser.get(&ask.path()).await;
                browser.walk(answer, None, None).await.get("code")
            }
        };
        let withdrawing = async {
            let answer = browser.submit(&page, &withdraw).await;
            assert_eq!(answer.status, 303, "{answer}");
        };
        let codes: Vec<_> = meanwhile(6, without_a_question, withdrawing).await.into_iter().flatten().collect();
        assert!(codes.len() >= 6, "it was remembered before");
        for code in &codes {
            world.redeem(&app, code).await.refused(400, "invalid_grant");
        }
        let listed = browser.get("/oauth/authorized_applications").await;
        assert!(!listed.body.contains("Notes"), "{listed}");
    }
}

with("rate_limits" = "true")
async fn a_crowd_gets_no_more_guesses_than_one(world: World) {
    let (_alice, bob) = (world.user("alice").await, world.user("bob").await);
    let browser = world.browser();
    let mut allowed = 0;
    while browser.try_to_sign_in("alice", "wrong").await.status != 429 {
        allowed += 1;
        assert!(allowed < 200, "guessing passwords is slowed down");
    }
    world.clock.advance(30 * 24 * 3600);

    let browser = world.browser();
    let page = browser.get("/login").await;
    let form = filled_in(&page, "bob", "wrong");
    let answers = at_once(40, |_| {
        let request = browser.submit(&page, &form);
        async move { request.await }
    })
    .await;
    assert!(answers.iter().all(|answer| answer.status != 303));
    let guesses = answers.iter().filter(|answer| answer.status != 429).count();
    assert!(guesses <= allowed, "{guesses} guesses at once, {allowed} one by one");

    world.clock.advance(30 * 24 * 3600);
    world.browser().sign_in(&bob).await;
}

async fn many_users_at_once_are_not_mixed_up(world: World) {
    let app = world.application().create().await;
    let mut users = Vec::new();
    for number in 0..8 {
        users.push(world.user(&format!("user{number}")).await);
    }
    let told = at_once(users.len(), |number| {
        let (world, app, user) = (world.clone(), app.clone(), users[number].clone());
        async move {
            let tokens = world.tokens(&user, &app).await;
            let said = world.introspect(&tokens.access).by(&app).await.json();
            (user.username, said["username"].as_str().unwrap().to_owned())
        }
    })
    .await;
    assert!(told.iter().all(|(user, said)| user == said), "{told:?}");
}

}

/// A token answer without the members that count seconds.
fn without_times(body: &str) -> String {
    let mut json: serde_json::Value = serde_json::from_str(body).unwrap();
    let members = json.as_object_mut().unwrap();
    members.retain(|name, _| name.ends_with("_token"));
    json.to_string()
}
