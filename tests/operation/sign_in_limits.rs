//! Guessing passwords is slow, and slows down nobody else.

use crate::form::Form;
use crate::world::{Answer, Browser, World, at_once, filled_in};

/// Wrong passwords of one user from one address that are looked at together.
const BURST: usize = 5;
/// Seconds until one more is.
const INTERVAL: i64 = 30;

async fn wrong(browser: &Browser, name: &str) -> Answer {
    browser.try_to_sign_in(name, "not the password").await
}

/// Guesses until it is told to wait.
async fn use_up(world: &World, name: &str) -> usize {
    let browser = world.browser();
    for guesses in 0..200 {
        if wrong(&browser, name).await.status == 429 {
            return guesses;
        }
    }
    panic!("guessing is not slowed down");
}

on_each_database! {

with("rate_limits" = "true")
async fn a_hundred_guesses_at_the_edge_are_no_more_than_one(world: World) {
    world.user("alice").await;
    let browser = world.browser();
    for _ in 0..BURST - 1 {
        assert_eq!(wrong(&browser, "alice").await.status, 422);
    }
    let page = browser.get("/login").await;
    let form = filled_in(&page, "alice", "not the password");
    let answers = at_once(100, |_| browser.submit(&page, &form).into_future()).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 422).count();
    assert_eq!(looked_at, 1, "one was left");
    for answer in answers.iter().filter(|answer| answer.status != 422) {
        assert_eq!(answer.status, 429, "{answer}");
        let seconds: i64 = answer.header("retry-after").parse().expect("Retry-After in seconds");
        assert!((1..=INTERVAL).contains(&seconds), "{answer}");
    }
}

with("rate_limits" = "true")
async fn the_right_password_has_to_wait_too_and_time_opens_again(world: World) {
    let alice = world.user("alice").await;
    assert_eq!(use_up(&world, "alice").await, BURST);
    let browser = world.browser();
    let answer = browser.try_to_sign_in("alice", &alice.password).await;
    assert_eq!(answer.status, 429, "else a guess would be told by its status: {answer}");
    world.clock.advance(INTERVAL - 1);
    assert_eq!(browser.try_to_sign_in("alice", &alice.password).await.status, 429);
    world.clock.advance(1);
    assert_eq!(wrong(&browser, "alice").await.status, 422, "one more");
    assert_eq!(wrong(&browser, "alice").await.status, 429, "and no other");
    world.clock.advance(INTERVAL);
    browser.sign_in(&alice).await;
}

with("rate_limits" = "true")
async fn every_spelling_of_a_name_is_the_same_name(world: World) {
    world.user("alice").await;
    let browser = world.browser();
    for name in ["alice", "ALICE", "Alice", "\u{ff21}lice", "ALiCE"] {
        assert_eq!(wrong(&browser, name).await.status, 422, "{name}");
    }
    for name in ["alice", "aLICE", "\u{ff41}lice", "ALICE"] {
        assert_eq!(wrong(&browser, name).await.status, 429, "{name}");
    }
}

with("rate_limits" = "true")
async fn a_success_is_not_counted(world: World) {
    let alice = world.user("alice").await;
    for _ in 0..BURST - 1 {
        assert_eq!(wrong(&world.browser(), "alice").await.status, 422);
    }
    for _ in 0..2 * BURST {
        world.browser().sign_in(&alice).await;
    }
    assert_eq!(wrong(&world.browser(), "alice").await.status, 422, "and takes nothing back");
    assert_eq!(wrong(&world.browser(), "alice").await.status, 429);
}

with("rate_limits" = "true")
async fn strangers_do_not_slow_down_a_known_browser(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let known = world.signed_in(&alice).await;
    use_up(&world, "alice").await;
    assert_eq!(world.browser().try_to_sign_in("alice", &alice.password).await.status, 429);
    let page = known.get("/account").await;
    assert_eq!(known.submit(&page, &form_of(&page)).await.status, 303);
    known.sign_in(&alice).await;

    use_up(&world, "bob").await;
    let page = known.get("/account").await;
    assert_eq!(known.submit(&page, &form_of(&page)).await.status, 303);
    assert_eq!(
        known.try_to_sign_in("bob", &bob.password).await.status,
        429,
        "a browser is known for its own users alone"
    );
}

with("rate_limits" = "true")
async fn a_known_browser_may_not_guess_without_end(world: World) {
    let alice = world.user("alice").await;
    let known = world.signed_in(&alice).await;
    let page = known.get("/account").await;
    assert_eq!(known.submit(&page, &form_of(&page)).await.status, 303);
    for _ in 0..BURST {
        assert_eq!(wrong(&known, "alice").await.status, 422);
    }
    assert_eq!(wrong(&known, "alice").await.status, 429);
}

with("rate_limits" = "true")
async fn an_address_that_tries_every_name_is_slowed_down(world: World) {
    let browser = world.browser();
    let page = browser.get("/login").await;
    let mut looked_at = 0;
    for number in 0..60 {
        let form = filled_in(&page, &format!("user{number}"), "not the password");
        looked_at += usize::from(browser.submit(&page, &form).await.status == 422);
    }
    assert_eq!(looked_at, 30);
}

with("rate_limits" = "true")
async fn an_attempt_that_is_refused_by_its_address_leaves_nothing_behind(world: World) {
    let browser = world.browser();
    let page = browser.get("/login").await;
    let guess = async |number: i32| {
        let form = filled_in(&page, &format!("user{number}"), "not the password");
        browser.submit(&page, &form).await.status
    };
    let mut number = 0;
    while guess(number).await == 422 {
        number += 1;
        assert!(number < 200, "an address is slowed down");
    }
    let kept = world.count("throttles").await;
    for other in 1..=20 {
        assert_eq!(guess(number + other).await, 429);
    }
    assert_eq!(world.count("throttles").await, kept, "names made up at will fill no table");
}

with("rate_limits" = "true")
async fn guesses_at_the_current_password_count_like_failed_sign_ins(world: World) {
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    let guess = async |current: &str| change_password(&browser, current, "another long password").await;
    for _ in 0..BURST {
        let answer = guess("not the password").await;
        assert!(answer.status == 422 && answer.body.contains("not your current password"), "{answer}");
    }
    for current in ["not the password", &*alice.password] {
        let answer = guess(current).await;
        assert_eq!(answer.status, 422, "{answer}");
        assert!(answer.body.contains("Too many attempts failed. Wait 30 seconds"), "{answer}");
    }
    let page = browser.get("/account").await;
    assert_eq!(browser.submit(&page, &form_of(&page)).await.status, 303);
    assert_eq!(
        browser.try_to_sign_in("alice", &alice.password).await.status,
        429,
        "one count for both"
    );
    world.clock.advance(INTERVAL);
    browser.sign_in(&alice).await;
    world.clock.advance(INTERVAL);
    assert_eq!(guess(&alice.password).await.status, 303);
}

with("rate_limits" = "true")
async fn guesses_at_the_current_password_sent_together_are_no_more(world: World) {
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    let page = browser.get("/account").await;
    let form = new_password(&page, "not the password", "another long password");
    let answers = at_once(30, |_| browser.submit(&page, &form).into_future()).await;
    let looked_at = answers.iter().filter(|answer| answer.body.contains("not your current password")).count();
    assert_eq!(looked_at, BURST);
}

with("rate_limits" = "true")
async fn a_change_of_password_that_succeeds_is_not_counted(world: World) {
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    let mut current = alice.password.clone();
    for number in 0..2 * BURST {
        let new = format!("the {number}th long password");
        assert_eq!(change_password(&browser, &current, &new).await.status, 303);
        current = new;
    }
    for _ in 0..BURST {
        let answer = change_password(&browser, "not the password", "another long password").await;
        assert!(answer.body.contains("not your current password"), "{answer}");
    }
}

with("rate_limits" = "true")
async fn nothing_tells_who_exists(world: World) {
    world.user("alice").await;
    world.user("carol").await;
    assert_eq!(world.command(&["user", "disable", "carol"], "").await.exit, 0);
    let mut told = Vec::new();
    for name in ["alice", "nobody", "carol"] {
        let browser = world.browser();
        let page = browser.get("/login").await;
        let mut answers = Vec::new();
        for _ in 0..BURST + 2 {
            let answer = browser.submit(&page, &filled_in(&page, name, "not the password")).await;
            answers.push((answer.status, without_what_differs(&answer, name)));
        }
        told.push(answers);
    }
    assert_eq!(told[0], told[1], "an unknown name");
    assert_eq!(told[0], told[2], "a disabled user");
}

with("rate_limits" = "true")
async fn a_restart_forgets_no_guesses(world: World) {
    world.user("alice").await;
    use_up(&world, "alice").await;
    world.restart().await;
    assert_eq!(wrong(&world.browser(), "alice").await.status, 429);
}

with("rate_limits" = "true")
async fn guesses_at_a_client_secret_are_slowed_down_and_nobody_else_is(world: World) {
    let (app, other) = (world.application().create().await, world.application().create().await);
    let guess = || world.token(&[("grant_type", "client_credentials")]).basic(&app.client_id, "wrong");
    let answers = at_once(130, |_| guess().into_future()).await;
    for answer in answers.iter().filter(|answer| answer.status != 429) {
        answer.refused(401, "invalid_client");
    }
    let mut answer = guess().await;
    for _ in 0..100 {
        if answer.status == 429 {
            break;
        }
        answer = guess().await;
    }
    assert_eq!(answer.status, 429, "{answer}");
    assert!(!answer.header("retry-after").is_empty(), "{answer}");
    world.client_credentials(&other).await.tokens();
}

}

/// The form that signs out.
fn form_of(page: &Answer) -> Form {
    Form::all(&page.body)
        .into_iter()
        .find(|form| form.action == "/logout")
        .unwrap_or_else(|| panic!("nobody is signed in: {page}"))
}

/// The form of the account page, filled in.
fn new_password(page: &Answer, current: &str, new: &str) -> Form {
    let mut form = Form::with_id(&page.body, "change-password").unwrap_or_else(|| panic!("no form: {page}"));
    form.fill("current_password", current);
    form.fill("password", new);
    form.fill("password_confirmation", new);
    form
}

async fn change_password(browser: &Browser, current: &str, new: &str) -> Answer {
    let page = browser.get("/account").await;
    browser.submit(&page, &new_password(&page, current, new)).await
}

/// The page, less the name that was typed and the tokens that are new on every page.
fn without_what_differs(answer: &Answer, name: &str) -> String {
    let mut body = answer.body.replace(&format!("\"{name}\""), "\"NAME\"");
    for form in Form::all(&answer.body) {
        for (_, value) in form.fields.iter().filter(|(name, _)| name == "csrf_token") {
            body = body.replace(value, "TOKEN");
        }
    }
    body
}
