//! What is disabled is dead at once, on every endpoint and node: applications, and users.

use tegata::flow::{applications, users};
use tegata::model::caller::Caller;

use crate::form::Form;
use crate::world::{Answer, Application, Ask, Tokens, User, World, meanwhile};

const ROUNDS: usize = 3;
const OTHERS: usize = 4;

async fn switch(world: &World, app: &Application, deed: &str) {
    let done = world
        .command(&["application", deed, &app.client_id, "--json"], "")
        .await;
    assert_eq!(done.json()["disabled"], deed == "disable");
}

/// Every way in that `app` has, tried at `node`: with the tokens and the code from before.
async fn is_shut_out(node: &World, app: &Application, tokens: &Tokens, code: &str) {
    node.client_credentials(app).await.refused(401, "invalid_client");
    node.refresh(app, tokens.refresh())
        .await
        .refused(401, "invalid_client");
    node.redeem(app, code).await.refused(401, "invalid_client");
    node.device_authorization(app)
        .await
        .refused(401, "invalid_client");
    node.introspect(&tokens.access)
        .by(app)
        .await
        .refused(401, "invalid_client");
    node.revoke(&tokens.access)
        .by(app)
        .await
        .refused(401, "invalid_client");
    node.memos(&tokens.access).await.challenged(401, "invalid_token");
}

async fn is_at_work(world: &World, app: &Application, tokens: &Tokens) {
    world.client_credentials(app).await.tokens();
    assert_eq!(world.memos(&tokens.access).await.status, 200);
    assert!(world.is_active(app, &tokens.access).await);
    assert!(world.is_active(app, tokens.refresh()).await);
}

/// What a page says, without the id of its request.
fn words(page: &Answer) -> &str {
    let (_, rest) = page.body.split_once("<h1>").expect("a page");
    rest.split_once("class=\"foot\"")
        .expect("the foot of an error page")
        .0
}

fn every_grant(world: &World) -> crate::world::Wanted {
    [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "device_code",
    ]
    .iter()
    .fold(world.application(), |wanted, grant| wanted.grant(grant))
}

on_each_database! {

async fn a_disabled_application_is_shut_out_at_once_on_every_node(world: World) {
    let alice = world.user("alice").await;
    let (app, observer) = (every_grant(&world).create().await, world.application().introspects().create().await);
    let node = world.second_node().await;
    let browser = world.signed_in(&alice).await;
    let code = browser.authorize(&Ask::of(&app)).await.code();
    let tokens = world.redeem(&app, &code).await.tokens();
    let unused = browser.authorize(&Ask::of(&app)).await.code();
    is_at_work(&world, &app, &tokens).await;
    is_at_work(&node, &app, &tokens).await;
    switch(&world, &app, "disable").await;
    for place in [&world, &node] {
        is_shut_out(place, &app, &tokens, &unused).await;
        assert!(!place.is_active(&observer, &tokens.access).await);
        assert!(!place.is_active(&observer, tokens.refresh()).await);
    }
}

async fn enabled_again_it_goes_on_with_what_has_not_expired(world: World) {
    let alice = world.user("alice").await;
    let app = every_grant(&world).create().await;
    let node = world.second_node().await;
    let tokens = world.tokens(&alice, &app).await;
    switch(&world, &app, "disable").await;
    for place in [&world, &node] {
        place.client_credentials(&app).await.refused(401, "invalid_client");
    }
    switch(&world, &app, "enable").await;
    for place in [&world, &node] {
        is_at_work(place, &app, &tokens).await;
    }
    let next = world.refresh(&app, tokens.refresh()).await.tokens();
    switch(&world, &app, "disable").await;
    world.clock.advance(3601);
    switch(&world, &app, "enable").await;
    world.memos(&next.access).await.challenged(401, "invalid_token");
    world.refresh(&app, next.refresh()).await.tokens();
}

async fn nobody_authorizes_a_disabled_application(world: World) {
    let (alice, root) = (world.user("alice").await, world.administrator("root").await);
    let (asked, trusted) = (world.application().create().await, world.application().trusted().create().await);
    let hers = world.signed_in(&alice).await;
    let (page, mut form) = hers.consent_page(&Ask::of(&asked)).await;
    form.press("authorize");
    hers.authorize(&Ask::of(&trusted)).await.code();
    for app in [&asked, &trusted] {
        switch(&world, app, "disable").await;
    }
    let decided = hers.submit(&page, &form).await;
    assert!(decided.location().is_none() && decided.status == 400, "{decided}");
    let told = hers.get(&Ask::of(&trusted).path()).await;
    assert!(told.status == 400 && told.location().is_none(), "{told}");
    assert!(told.body.contains("an administrator has switched off") && !told.body.contains("Notes"), "{told}");
    let unknown = hers.get(&Ask::of(&trusted).with("client_id", "nobody").path()).await;
    assert_eq!(words(&told), words(&unknown), "others are not told which applications there are");
    let told = world.signed_in(&root).await.get(&Ask::of(&trusted).path()).await;
    assert!(told.body.contains("Notes is disabled") && told.body.contains("href=\"/oauth/applications/0"), "{told}");
}

async fn a_device_cannot_be_connected_to_a_disabled_application(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().grant("device_code").create().await;
    let (device, other) = (world.device(&app).await, world.device(&app).await);
    let browser = world.signed_in(&alice).await;
    let (page, mut form) = browser.asked(&device.user_code).await;
    form.press("authorize");
    switch(&world, &app, "disable").await;
    let decided = browser.submit(&page, &form).await;
    assert!(decided.status >= 400, "{decided}");
    let typed = browser.type_code(&other.user_code).await;
    assert!(Form::with_id(&typed.body, "authorize").is_none(), "{typed}");
    world.poll(&app, &device).await.refused(401, "invalid_client");
    switch(&world, &app, "enable").await;
    world.poll(&app, &device).await.refused(400, "authorization_pending");
}

async fn the_user_sees_that_an_administrator_switched_it_off(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    browser.authorize(&Ask::of(&app)).await.code();
    let shown = browser.get("/oauth/authorized_applications").await;
    assert!(!shown.body.contains("Switched off"), "{shown}");
    switch(&world, &app, "disable").await;
    let shown = browser.get("/oauth/authorized_applications").await;
    assert!(shown.body.contains("Switched off by an administrator"), "{shown}");
    let withdraw = Form::all(&shown.body).into_iter().find(|form| form.action.ends_with("/delete")).unwrap();
    assert_eq!(browser.submit(&shown, &withdraw).await.status, 303, "what is off can be withdrawn");
}

async fn nothing_issued_while_an_application_is_disabled_is_alive_after_it(world: World) {
    let alice = world.user("alice").await;
    let app = every_grant(&world).create().await;
    let id = world.command(&["application", "show", &app.client_id, "--json"], "").await.json()["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let server = world.app().await;
    let node = world.second_node().await;
    for _ in 0..ROUNDS {
        let tokens = world.tokens(&alice, &app).await;
        let (places, asking, refresh) = ([world.clone(), node.clone()], app.clone(), tokens.refresh().to_owned());
        let task = move |number: usize| {
            let (place, app, refresh) = (places[number % 2].clone(), asking.clone(), refresh.clone());
            async move {
                let own = place.client_credentials(&app).await;
                let refreshed = place.refresh(&app, &refresh).await;
                [own, refreshed].into_iter().filter(|answer| answer.status == 200).collect::<Vec<_>>()
            }
        };
        let disabling = async { assert!(Box::pin(applications::disable(&server, &Caller::OPERATOR, id)).await.unwrap()) };
        let given: Vec<_> = meanwhile(OTHERS, task, disabling).await.into_iter().flatten().collect();
        assert!(given.len() >= OTHERS, "they had tokens before");
        for answer in &given {
            world.memos(&answer.tokens().access).await.challenged(401, "invalid_token");
        }
        node.client_credentials(&app).await.refused(401, "invalid_client");
        assert!(Box::pin(applications::enable(&server, &Caller::OPERATOR, id)).await.unwrap());
    }
}

async fn a_disabled_user_is_shut_out_at_once_on_every_endpoint(world: World) {
    let alice = world.user("alice").await;
    let app = every_grant(&world).create().await;
    let node = world.second_node().await;
    let browser = world.signed_in(&alice).await;
    let code = browser.authorize(&Ask::of(&app)).await.code();
    let tokens = world.redeem(&app, &code).await.tokens();
    let unused = browser.authorize(&Ask::of(&app)).await.code();
    let device = world.device(&app).await;
    browser.authorize_device(&device).await;
    assert_eq!(world.command(&["user", "disable", "alice"], "").await.exit, 0);
    world.redeem(&app, &unused).await.refused(400, "invalid_grant");
    world.poll(&app, &device).await.refused(400, "invalid_grant");
    for place in [&world, &node] {
        place.memos(&tokens.access).await.challenged(401, "invalid_token");
        place.get("/oauth/token/info").bearer(&tokens.access).await.challenged(401, "invalid_token");
        place.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
        assert!(!place.is_active(&app, &tokens.access).await);
        assert!(!place.is_active(&app, tokens.refresh()).await);
    }
    let asked = browser.get(&Ask::of(&app).path()).await;
    let stopped = browser.walk(asked, None, None).await;
    assert!(Form::with_id(&stopped.answer.body, "sign-in").is_some());
    assert_ne!(world.browser().try_to_sign_in("alice", &alice.password).await.status, 303);
}

async fn nothing_of_a_user_is_alive_once_disabling_them_is_done(world: World) {
    let server = world.app().await;
    let app = world.application().create().await;
    let node = world.second_node().await;
    for round in 0..ROUNDS {
        let alice: User = world.user(&format!("alice{round}")).await;
        let id = alice.id.parse().unwrap();
        let mut families = Vec::new();
        for _ in 0..OTHERS {
            families.push(world.tokens(&alice, &app).await.refresh().to_owned());
        }
        let (places, asking, families) = ([world.clone(), node.clone()], app.clone(), families.clone());
        let refreshing = move |number: usize| {
            let (place, app, mut token) = (places[number % 2].clone(), asking.clone(), families[number].clone());
            async move {
                let mut given = Vec::new();
                for _ in 0..3 {
                    let answer = place.refresh(&app, &token).await;
                    if answer.status != 200 {
                        break;
                    }
                    answer.tokens().refresh().clone_into(&mut token);
                    given.push(answer.tokens());
                }
                given
            }
        };
        let disabling = async { Box::pin(users::disable(&server, &Caller::OPERATOR, id)).await.unwrap() };
        let given: Vec<_> = meanwhile(OTHERS, refreshing, disabling).await.into_iter().flatten().collect();
        assert!(given.len() >= OTHERS, "they refreshed before");
        for tokens in &given {
            world.memos(&tokens.access).await.challenged(401, "invalid_token");
            node.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
        }
    }
}

}
