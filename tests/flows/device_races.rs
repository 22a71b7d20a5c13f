//! What must happen once happens once, and a flood stays small (RFC 8628 §5).

use std::collections::HashSet;

use tegata::base::clock::Clock;
use tegata::base::config::DatabaseUrl;
use tegata::base::secret::SecretHash;
use tegata::model::resource::Resources;
use tegata::model::scope::Scopes;
use tegata::store::devices::{self, NewDeviceCode};
use tegata::store::{Db, applications};
use time::Duration;

use crate::form::text_of;
use crate::world::{Application, World, at_once};

/// Codes of one application that may wait.
const MOST: i64 = 1000;

on_each_database! {

async fn of_fifty_polls_one_gets_tokens(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().grant("device_code").create().await;
    let device = world.device(&app).await;
    world.signed_in(&alice).await.authorize_device(&device).await;
    let nodes = [world.clone(), world.second_node().await];
    let answers = at_once(50, |number| {
        let request = nodes[number % 2].poll(&app, &device);
        async move { request.await }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1);
    // A server that has too much to do may ask to come again; it gives no tokens for that.
    for answer in lost.iter().filter(|answer| answer.status != 503) {
        answer.refused(400, "invalid_grant");
    }
    world.poll(&app, &device).await.refused(400, "invalid_grant");
    assert_eq!(world.memos(&won[0].tokens().access).await.status, 200, "the others were no thieves");
    assert_eq!((world.count("access_tokens").await, world.count("grants").await), (1, 1));
}

async fn of_many_early_polls_each_is_counted(world: World) {
    let app = world.application().public().grant("device_code").create().await;
    let device = world.device(&app).await;
    let nodes = [world.clone(), world.second_node().await];
    let answers = at_once(10, |number| {
        let request = nodes[number % 2].poll(&app, &device);
        async move { request.await }
    })
    .await;
    let pending = answers.iter().filter(|answer| answer.json()["error"] == "authorization_pending").count();
    let slower = answers.iter().filter(|answer| answer.json()["error"] == "slow_down").count();
    assert_eq!((pending, slower), (1, 9));
    // Five seconds, and five more for each of nine.
    world.clock.advance(50);
    world.poll(&app, &device).await.refused(400, "authorization_pending");
    world.clock.advance(49);
    world.poll(&app, &device).await.refused(400, "slow_down");
}

async fn of_two_people_at_one_code_one_is_asked(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = world.application().public().grant("device_code").create().await;
    let browsers = [world.signed_in(&alice).await, world.signed_in(&bob).await];
    for browser in &browsers {
        // A session's token against CSRF is made with its first page.
        assert_eq!(browser.get("/oauth/device").await.status, 200);
    }
    for _ in 0..10 {
        let device = world.device(&app).await;
        let answers = at_once(8, |number| {
            let (browser, code) = (browsers[number % 2].clone(), device.user_code.clone());
            async move { (number % 2, browser.type_code(&code).await) }
        })
        .await;
        let asked: HashSet<_> =
            answers.iter().filter(|(_, answer)| answer.status == 200).map(|(who, _)| *who).collect();
        assert_eq!(asked.len(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|(_, answer)| answer.status == 200).count(), 4);
    }
}

async fn of_both_buttons_at_once_one_counts(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().grant("device_code").create().await;
    let browser = world.signed_in(&alice).await;
    for round in 1..=5 {
        let device = world.device(&app).await;
        let (page, form) = browser.asked(&device.user_code).await;
        let answers = at_once(10, |number| {
            let mut form = form.clone();
            form.press(["authorize", "deny"][number % 2]);
            let request = browser.submit(&page, &form);
            async move { request.await }
        })
        .await;
        let done: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(done.len(), 1, "round {round}");
        let poll = world.poll(&app, &device).await;
        if text_of(&done[0].body, "device-authorized").is_some() {
            poll.tokens();
        } else {
            poll.refused(400, "access_denied");
        }
    }
    assert_eq!(world.count("grants").await, world.count("access_tokens").await, "no grant of a decision that lost");
}

async fn a_code_that_is_taken_is_drawn_again(world: World) {
    let app = world.application().public().grant("device_code").create().await;
    world.user("alice").await;
    // The same chance at both nodes: the second draws what the first has drawn.
    let nodes = [world.second_node_seeded(7).await, world.second_node_seeded(7).await];
    let mut codes = HashSet::new();
    for _ in 0..3 {
        for node in &nodes {
            let device = node.device(&app).await;
            codes.insert(device.user_code);
            codes.insert(device.device_code);
        }
    }
    assert_eq!(codes.len(), 12);
}

async fn a_flood_ends_at_the_applications_own_limit(world: World) {
    let app = world.application().grant("device_code").create().await;
    let other = world.application().grant("device_code").create().await;
    let waiting = world.device(&app).await;
    fill(&world, &app, MOST - 2).await;
    world.device(&app).await;
    for _ in 0..2 {
        world.device_authorization(&app).await.refused(429, "temporarily_unavailable");
    }
    assert_eq!(world.count("device_codes").await, MOST);
    world.device(&other).await;
    world.poll(&app, &waiting).await.refused(400, "authorization_pending");

    // A decision makes room, and so does time.
    let alice = world.user("alice").await;
    world.signed_in(&alice).await.decide_device(&waiting.user_code, "deny").await;
    world.device(&app).await;
    world.device_authorization(&app).await.refused(429, "temporarily_unavailable");
    world.clock.advance(600);
    world.device(&app).await;
}

}

/// Lets `count` more codes of `app` wait, as if so many devices had asked.
async fn fill(world: &World, app: &Application, count: i64) {
    let url = DatabaseUrl::parse(&world.database_url, "the test").unwrap();
    let db = Db::open(url.database()).await.unwrap();
    let client = applications::find_by_client_id(&db, &app.client_id)
        .await
        .unwrap()
        .unwrap();
    let now = Clock::Steered(world.clock.clone()).now();
    for number in 0..count {
        let new = NewDeviceCode {
            hash: SecretHash::of(&format!("device code {number}")),
            user_code_hash: SecretHash::of(&format!("user code {number}")),
            application_id: client.application.id,
            application_version: client.application.version,
            scopes: &Scopes::parse("read").unwrap(),
            resources: &Resources::default(),
            requested_from: "192.0.2.1".to_owned(),
            expires_at: now + Duration::minutes(10),
            forget_at: now + Duration::hours(1),
            poll_interval: 5,
        };
        assert!(devices::insert(&db, &new, MOST, now).await.unwrap());
    }
    db.close().await;
}
