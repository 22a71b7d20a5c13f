//! The link on which the first administrator is made.

use std::sync::Arc;

use serde_json::Value;
use tegata::base::secret::Secret;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::process::Process;
use crate::form::Form;
use crate::world::{Answer, Browser, World};

/// How many may hash a password at a time, or wait to.
fn places() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores / 2).max(1) + 64
}

/// The path of the link that the server shows.
async fn link(process: &Process) -> String {
    let told = process.says("/setup?token=").await;
    let at = told.find("/setup?token=").unwrap();
    told[at..].split_whitespace().next().unwrap().to_owned()
}

async fn fill_in(browser: &Browser, path: &str, name: &str) -> Answer {
    let page = browser.get(path).await;
    if page.status == 410 {
        return page;
    }
    let mut form = Form::with_id(&page.body, "username").expect("the form of the first administrator");
    form.fill("username", name);
    form.fill("password", "a long enough password");
    form.fill("password_confirmation", "a long enough password");
    browser.submit(&page, &form).await
}

on_each_database! {

async fn the_link_makes_one_administrator_and_is_dead_then(world: World) {
    let mut process = Process::start(&world, &[]).await;
    let link = link(&process).await;
    let browser = process.world.browser();
    assert_eq!(fill_in(&browser, &link, "root").await.status, 303);
    assert_eq!(browser.get("/oauth/applications").await.status, 200, "signed in, as an administrator");

    let stranger = process.world.browser();
    assert_eq!(stranger.get(&link).await.status, 410);
    process.kill();
    let process = Process::start(&world, &[]).await;
    process.signal("TERM");
    let (_, told) = process.ended().await;
    assert!(!told.contains("/setup?token="), "no link where there is a user: {told}");
    let users = world.command(&["user", "list", "--json"], "").await.json();
    assert_eq!(users.as_array().map(Vec::len), Some(1));
    assert_eq!(users[0]["admin"], Value::Bool(true));
}

async fn of_many_who_open_the_link_at_once_one_wins(world: World) {
    let process = Process::start(&world, &[]).await;
    let link = link(&process).await;
    let seen = process.world.clone();
    let answers = crate::world::at_once(6, |number| {
        let (browser, link) = (seen.browser(), link.clone());
        async move { fill_in(&browser, &link, &format!("root{number}")).await.status }
    })
    .await;
    assert_eq!(answers.iter().filter(|status| **status == 303).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 303 | 410)), "{answers:?}");
    let users = world.command(&["user", "list", "--json"], "").await.json();
    assert_eq!(users.as_array().map(Vec::len), Some(1));
}

async fn the_link_dies_with_the_first_user_and_with_the_next_link(world: World) {
    let first = Process::start(&world, &[]).await;
    let old = link(&first).await;
    let second = Process::start(&world, &[]).await;
    let new = link(&second).await;
    assert_eq!(second.world.get(&old).await.status, 410, "a later start prints a link of its own");
    assert_eq!(second.world.get(&new).await.status, 200);
    assert_eq!(second.world.get("/setup?token=").await.status, 410);
    assert_eq!(second.world.get("/setup").await.status, 410);
    world.user("alice").await;
    assert_eq!(second.world.get(&new).await.status, 410);
}

async fn who_has_no_link_does_not_keep_the_hashing_busy(world: World) {
    let link = world.setup_link().await;
    let browser = world.browser();
    let page = browser.get(&link).await;
    let mut form = Form::with_id(&page.body, "username").expect("the form of the first administrator");
    form.fill("username", "root");
    form.fill("password", "a long enough password");
    form.fill("password_confirmation", "a long enough password");
    let mut forged = form.clone();
    forged.set("token", "made-up");

    // With every place taken, whatever hashes a password is answered 503.
    let passwords = world.app().await.passwords.clone();
    let full = Arc::new(Notify::new());
    let mut crowd = JoinSet::new();
    for _ in 0..places() + 2 {
        let (passwords, full) = (passwords.clone(), full.clone());
        crowd.spawn(async move {
            loop {
                if passwords.hash(Secret::new("a long enough password")).await.is_err() {
                    full.notify_one();
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    full.notified().await;
    for _ in 0..3 {
        let answer = browser.submit(&page, &forged).await;
        assert_eq!(answer.status, 410, "{answer}");
    }
    crowd.shutdown().await;
    let users = world.command(&["user", "list", "--json"], "").await.json();
    assert_eq!(users.as_array().map(Vec::len), Some(0));
}

async fn the_link_is_dead_after_a_day(world: World) {
    world.clock.advance(-24 * 3600 - 60);
    let token = tegata::flow::setup::link(&world.app().await).await.unwrap().unwrap();
    let path = format!("/setup?token={}", token.expose());
    assert_eq!(world.get(&path).await.status, 200);
    world.clock.advance(24 * 3600 - 5);
    assert_eq!(world.get(&path).await.status, 200);
    world.clock.advance(5);
    assert_eq!(world.get(&path).await.status, 410);
}

}
