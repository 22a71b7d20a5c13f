//! Sessions from their first cookie to their end.

use crate::form::Form;
use crate::world::{Answer, Application, Ask, Browser, User, World, at_once, filled_in};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// The cookie of that name that an answer sets.
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let cookies = answer.headers.get_all("set-cookie").iter();
    let mut pairs = cookies.filter_map(|value| value.to_str().ok()?.split(';').next()?.split_once('='));
    pairs
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// Asks for `app` in several tabs before any of them is answered, and authorizes in each.
async fn all_pages_opened_at_once_work(browser: &Browser, app: &Application) {
    let ask = Ask::of(app).with("prompt", "consent");
    let pages = at_once(8, |_| {
        let (browser, ask) = (browser.clone(), ask.clone());
        async move { browser.consent_page(&ask).await }
    })
    .await;
    for (page, mut form) in pages {
        form.press("authorize");
        let answer = browser.submit(&page, &form).await;
        let location = answer.location().map(String::from).unwrap_or_default();
        assert!(location.contains("code="), "{answer}");
    }
}

/// Signs in without a cookie jar, in the session `cookie`.
async fn sign_in_with(world: &World, user: &User, page: &Answer, cookie: &str) -> Answer {
    let form = filled_in(page, &user.username, &user.password);
    world
        .request("POST", "/login")
        .fields(&form.fields)
        .header("Cookie", &format!("tegata={cookie}"))
        .await
}

/// Whether this session opens the account page.
async fn opens(world: &World, cookie: &str) -> bool {
    let answer = world
        .get("/account")
        .header("Cookie", &format!("tegata={cookie}"))
        .await;
    assert!(matches!(answer.status, 200 | 303), "{answer}");
    answer.status == 200
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/account").await.status == 200
}

/// Presses a button of the account page.
async fn press(browser: &Browser, id: &str, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get("/account").await;
    let mut form = Form::with_id(&page.body, id).unwrap_or_else(|| panic!("no #{id}: {page}"));
    for (id, value) in fields {
        form.fill(id, value);
    }
    browser.submit(&page, &form).await
}

on_each_database! {

async fn signing_in_changes_the_id_and_kills_the_old_one(world: World) {
    let alice = world.user("alice").await;
    let page = world.get("/login").await;
    let before = cookie(&page, "tegata").expect("the sign-in form has a session");
    let answer = sign_in_with(&world, &alice, &page, &before).await;
    assert_eq!(answer.status, 303, "{answer}");
    let after = cookie(&answer, "tegata").expect("a new id");
    assert_ne!(before, after);
    assert!(opens(&world, &after).await);
    assert!(!opens(&world, &before).await, "who planted the old id has nothing of it");
}

async fn an_id_that_was_made_up_is_not_taken_over(world: World) {
    let alice = world.user("alice").await;
    for planted in ["AAAAAAAAAAAAAAAAAAAAAA", "x", "", "%00", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let page = world.get("/login").header("Cookie", &format!("tegata={planted}")).await;
        let given = cookie(&page, "tegata").expect("an id of the server's own");
        assert_ne!(given, planted);
        let answer = sign_in_with(&world, &alice, &page, &given).await;
        assert_eq!(answer.status, 303, "{answer}");
        assert!(!opens(&world, planted).await);
    }
}

async fn signing_out_kills_the_session_on_the_server(world: World) {
    let alice = world.user("alice").await;
    let page = world.get("/login").await;
    let answer = sign_in_with(&world, &alice, &page, &cookie(&page, "tegata").unwrap()).await;
    let stolen = cookie(&answer, "tegata").unwrap();
    let with = format!("tegata={stolen}");
    let account = world.get("/account").header("Cookie", &with).await;
    let leave = Form::all(&account.body).into_iter().find(|form| form.action == "/logout").unwrap();
    let answer = world.request("POST", "/logout").fields(&leave.fields).header("Cookie", &with).await;
    assert_eq!(answer.status, 303, "{answer}");
    assert!(!opens(&world, &stolen).await, "a copy of the cookie is worth nothing");
    let again = sign_in_with(&world, &alice, &page, &stolen).await;
    assert_eq!(again.status, 403, "nor is a form of that session");
}

with("session_ttl" = "2h", "session_max_ttl" = "1d")
async fn a_session_ends_when_it_is_idle_and_when_it_is_old(world: World) {
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    world.clock.advance(2 * HOUR - 1);
    assert!(is_signed_in(&browser).await);
    world.clock.advance(2 * HOUR - 1);
    assert!(is_signed_in(&browser).await, "use keeps it alive");
    world.clock.advance(2 * HOUR);
    assert!(!is_signed_in(&browser).await, "idle for too long");

    let browser = world.signed_in(&alice).await;
    for _ in 0..23 {
        world.clock.advance(HOUR);
        assert!(is_signed_in(&browser).await);
    }
    world.clock.advance(HOUR);
    assert!(!is_signed_in(&browser).await, "used all the time, and still over after a day");
}

async fn a_form_of_an_anonymous_session_is_good_for_an_hour(world: World) {
    let alice = world.user("alice").await;
    let browser = world.browser();
    let page = browser.get("/login").await;
    let form = filled_in(&page, &alice.username, &alice.password);
    world.clock.advance(HOUR);
    assert_eq!(browser.submit(&page, &form).await.status, 403, "too old");
    assert_eq!(browser.try_to_sign_in(&alice.username, &alice.password).await.status, 303);
}

async fn a_new_password_ends_every_other_session(world: World) {
    let alice = world.user("alice").await;
    let (here, there) = (world.signed_in(&alice).await, world.signed_in(&alice).await);
    let new = "another long password";
    let fields = |current| [("current_password", current), ("password", new), ("password_confirmation", new)];
    assert_eq!(press(&here, "change-password", &fields("not the password")).await.status, 422);
    assert!(is_signed_in(&there).await, "a wrong password changes nothing");
    let answer = press(&here, "change-password", &fields(&alice.password)).await;
    assert_eq!(answer.status, 303, "{answer}");
    assert!(is_signed_in(&here).await);
    assert!(!is_signed_in(&there).await);
    assert_ne!(world.browser().try_to_sign_in("alice", &alice.password).await.status, 303);
    assert_eq!(world.browser().try_to_sign_in("alice", new).await.status, 303);
}

async fn a_new_password_changes_the_id_and_kills_the_old_one(world: World) {
    let alice = world.user("alice").await;
    let page = world.get("/login").await;
    let answer = sign_in_with(&world, &alice, &page, &cookie(&page, "tegata").unwrap()).await;
    let before = cookie(&answer, "tegata").unwrap();
    let with = format!("tegata={before}");
    let account = world.get("/account").header("Cookie", &with).await;
    let mut form = Form::with_id(&account.body, "change-password").unwrap();
    form.fill("current_password", &alice.password);
    form.fill("password", "another long password");
    form.fill("password_confirmation", "another long password");
    let answer = world.request("POST", "/account/password").fields(&form.fields).header("Cookie", &with).await;
    assert_eq!(answer.status, 303, "{answer}");
    let after = cookie(&answer, "tegata").expect("a new id");
    assert_ne!(before, after);
    assert!(opens(&world, &after).await);
    assert!(!opens(&world, &before).await, "a copy of the old cookie is worth nothing");

    let with = format!("tegata={after}");
    let stale = world.request("POST", "/account/password").fields(&form.fields).header("Cookie", &with).await;
    assert_eq!(stale.status, 403, "nor is a form of the old session: {stale}");
}

async fn of_pages_opened_at_once_in_a_new_session_every_form_works(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    all_pages_opened_at_once_work(&browser, &app).await;
    let fields = [
        ("current_password", alice.password.as_str()),
        ("password", "another long password"),
        ("password_confirmation", "another long password"),
    ];
    assert_eq!(press(&browser, "change-password", &fields).await.status, 303);
    all_pages_opened_at_once_work(&browser, &app).await;
}

async fn the_command_that_sets_a_password_ends_every_session(world: World) {
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    let printed = world.command(&["user", "password", "alice", "--json"], "").await.json();
    assert!(!is_signed_in(&browser).await);
    let new = printed["password"].as_str().unwrap();
    assert_eq!(world.browser().try_to_sign_in("alice", new).await.status, 303);
}

async fn a_disabled_user_is_out_at_once_and_for_good(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let (hers, his) = (world.signed_in(&alice).await, world.signed_in(&bob).await);
    assert_eq!(world.command(&["user", "disable", "alice"], "").await.exit, 0);
    assert!(!is_signed_in(&hers).await);
    assert_ne!(world.browser().try_to_sign_in("alice", &alice.password).await.status, 303);
    assert_eq!(world.command(&["user", "enable", "alice"], "").await.exit, 0);
    assert!(!is_signed_in(&hers).await, "what was ended stays ended");
    assert!(is_signed_in(&his).await, "nobody else is concerned");
    world.browser().sign_in(&alice).await;
}

async fn a_deleted_user_leaves_nothing_to_who_takes_the_name(world: World) {
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    assert_eq!(world.command(&["user", "delete", "alice"], "").await.exit, 0);
    let next = world.user("alice").await;
    assert_ne!(alice.id, next.id);
    assert!(!is_signed_in(&browser).await);
}

async fn signing_out_everywhere_signs_out_everywhere(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let (here, there) = (world.signed_in(&alice).await, world.signed_in(&alice).await);
    let his = world.signed_in(&bob).await;
    let answer = press(&here, "sign-out-everywhere", &[]).await;
    assert_eq!(answer.status, 303, "{answer}");
    assert!(!is_signed_in(&here).await);
    assert!(!is_signed_in(&there).await);
    assert!(is_signed_in(&his).await);
}

async fn a_session_is_good_on_every_node(world: World) {
    let alice = world.user("alice").await;
    let node = world.second_node().await;
    let page = world.get("/login").await;
    let answer = sign_in_with(&world, &alice, &page, &cookie(&page, "tegata").unwrap()).await;
    let session = cookie(&answer, "tegata").unwrap();
    assert!(opens(&node, &session).await);
    world.clock.advance(40 * DAY);
    assert!(!opens(&node, &session).await);
}

}
