//! Floods of what is dear to look at (argon2id, RFC 9106): a few are looked at, the rest is sent away, and
//! everybody else is served as before.

use std::thread;
use std::time::{Duration, Instant};

use super::process::Process;
use crate::world::{Answer, Application, Ask, Request, World, at_once, filled_in};

/// Passwords that wait for their turn.
const QUEUE: usize = 64;
/// What everybody else waits for an answer at most, but for one in twenty.
const QUICK: Duration = Duration::from_secs(1);
const MEBIBYTE: u64 = 1 << 20;

/// Passwords that are looked at at a time.
fn at_a_time() -> usize {
    (thread::available_parallelism().map_or(1, usize::from) / 2).max(1)
}

/// Twice as many as are looked at or wait.
fn flood_size() -> usize {
    2 * (at_a_time() + QUEUE)
}

/// The answers to a flood during which `others` are served quickly and within little memory.
async fn flood(process: &Process, others: &[&Application], request: impl Fn() -> Request) -> Vec<Answer> {
    // The store's connections are made before: how long that takes is not the question here.
    at_once(40, |_| process.world.client_credentials(others[0]).into_future()).await;
    let memory = process.peak_memory();
    let flood: Vec<_> = (0..flood_size())
        .map(|_| tokio::spawn(request().into_future()))
        .collect();
    let mut times = Vec::new();
    while flood.iter().any(|asked| !asked.is_finished()) {
        for other in others {
            let started = Instant::now();
            let answer = process.world.client_credentials(other).await;
            // Who is sent away has waited in vain, for longer than anybody.
            times.push(if answer.status == 200 {
                started.elapsed()
            } else {
                Duration::MAX
            });
        }
    }
    times.sort_unstable();
    assert!(
        times.len() > 20,
        "the flood lasts long enough to be felt: {times:?}"
    );
    let slow = times[times.len() * 95 / 100];
    assert!(slow < QUICK, "{slow:?}");

    let most = 19 * u64::try_from(at_a_time()).unwrap() * MEBIBYTE + 64 * MEBIBYTE;
    if let (Some(before), Some(after)) = (memory, process.peak_memory()) {
        assert!(after - before < most, "{} MiB more", (after - before) / MEBIBYTE);
    }
    let mut answers = Vec::new();
    for asked in flood {
        answers.push(asked.await.unwrap());
    }
    answers
}

/// Some were looked at and told `status`; the others have to come back later.
fn are_looked_at_or_sent_away(answers: &[Answer], status: u16) {
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    let (looked_at, sent_away) = (count(status), count(503));
    assert_eq!(looked_at + sent_away, flood_size(), "nothing else is answered");
    assert!(
        looked_at > 0 && sent_away > 0,
        "{looked_at} looked at, {sent_away} sent away"
    );
}

on_each_database! {

with("rate_limits" = "true")
async fn who_never_signs_in_cannot_fill_the_store_with_questions(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let path = Ask::of(&app).path();
    let mut refused = None;
    for _ in 0..60 {
        let answers = at_once(50, |_| world.get(&path).into_future()).await;
        refused = answers.into_iter().find(|answer| answer.status != 302);
        if refused.is_some() {
            break;
        }
    }
    let refused = refused.expect("there is an end");
    assert_eq!(refused.status, 429, "{refused}");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0, "{refused}");
    assert!(world.count("authorization_requests").await >= 600, "an office may come at once");
    browser.authorize(&Ask::of(&app)).await.code();
}

async fn a_flood_of_sign_ins_is_sent_away_and_nobody_else_waits(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    world.stop().await;
    let process = Process::start(&world, &[]).await;
    let browser = process.world.browser();
    for name in ["alice", "nobody"] {
        let page = browser.get("/login").await;
        let form = filled_in(&page, name, "not the password");
        let answers = flood(&process, &[&app], || browser.submit(&page, &form)).await;
        are_looked_at_or_sent_away(&answers, 422);
    }
    browser.sign_in(&alice).await;
}

async fn a_flood_of_guesses_at_a_chosen_secret_is_sent_away_and_nobody_else_waits(world: World) {
    let app = world.application().create().await;
    let chosen = |name: &str| format!("a secret that {name} made up one fine day");
    let known = world.application().chosen_secret(&chosen("somebody")).create().await;
    let target = world.application().chosen_secret(&chosen("nobody")).create().await;
    world.stop().await;
    let process = Process::start(&world, &[]).await;
    process.world.client_credentials(&known).await.tokens();
    let guess = || process.world.token(&[("grant_type", "client_credentials")]).basic(&target.client_id, "wrong");
    let answers = flood(&process, &[&app, &known], guess).await;
    are_looked_at_or_sent_away(&answers, 401);
    process.world.client_credentials(&target).await.tokens();
}

with("grants" = "password,client_credentials")
async fn a_flood_of_passwords_for_tokens_is_sent_away_and_nobody_else_waits(world: World) {
    let alice = world.user("alice").await;
    let legacy = world.application().grant("password").create().await;
    let app = world.application().grant("client_credentials").create().await;
    world.stop().await;
    let process = Process::start(&world, &["--grants", "password,client_credentials"]).await;
    for (name, password) in [("alice", "not the password"), ("nobody", &*alice.password)] {
        let fields = [("grant_type", "password"), ("username", name), ("password", password)];
        let answers = flood(&process, &[&app], || process.world.token(&fields).by(&legacy)).await;
        are_looked_at_or_sent_away(&answers, 400);
        for answer in answers.iter().filter(|answer| answer.status == 503) {
            assert!(!answer.header("retry-after").is_empty(), "{answer}");
            assert_eq!(answer.json()["error"], "temporarily_unavailable", "{answer}");
        }
    }
    let fields = [("grant_type", "password"), ("username", "alice"), ("password", &*alice.password)];
    process.world.token(&fields).by(&legacy).await.tokens();
}

}
