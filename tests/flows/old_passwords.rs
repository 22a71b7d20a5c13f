//! What an old password allowed is dead once the password was reset or the user disabled, also what was
//! under way at that moment.

use tegata::base::secret::Secret;
use tegata::flow::authorize::{self, Next, Viewer};
use tegata::flow::users;
use tegata::model::caller::Caller;
use tegata::model::ids::UserId;
use tegata::protocol::params::Params;

use crate::form::Form;
use crate::world::{Answer, Application, Ask, Browser, User, World, at_once, meanwhile};

const ROUNDS: usize = 4;
const OTHERS: usize = 4;

fn id(user: &User) -> UserId {
    user.id.parse().unwrap()
}

/// Resets the password, as the command does, to one that tells the rounds apart.
async fn reset(world: &World, user: &mut User, round: usize) {
    user.password = format!("reset for the {round}th time");
    let new = Secret::new(user.password.as_str());
    let server = world.app().await;
    Box::pin(users::set_password(&server, &Caller::OPERATOR, id(user), new))
        .await
        .unwrap();
}

/// The code of an application that need not ask, if it gets one.
async fn code_without_asking(browser: &Browser, app: &Application) -> Option<String> {
    let answer = browser.get(&Ask::of(app).path()).await;
    browser.walk(answer, None, None).await.get("code")
}

/// A code as a request gets it that saw the user before `deed`, and was overtaken by it.
async fn overtaken<F: Future<Output = ()>>(world: &World, user: &User, app: &Application, deed: F) -> String {
    let server = world.app().await;
    let seen = Box::pin(users::find(&server, id(user))).await.unwrap().unwrap();
    deed.await;
    let path = Ask::of(app).path();
    let params = Params::parse(path.split_once('?').unwrap().1.as_bytes()).unwrap();
    let viewer = Viewer {
        user: &seen,
        sign_in: "the one from before",
    };
    let next = Box::pin(authorize::begin(
        &server,
        &Caller::OPERATOR,
        &params,
        Some(viewer),
        false,
    ))
    .await
    .unwrap();
    let Next::Deliver(delivered) = next else {
        panic!("a trusted application is not asked about: {next:?}")
    };
    delivered.code.unwrap().expose().to_owned()
}

/// Changes the password on the account page, from `user`'s to `new`.
async fn change(browser: &Browser, page: &Answer, user: &User, new: &str) -> Answer {
    let mut form = Form::with_id(&page.body, "change-password").expect("the account page");
    form.fill("current_password", &user.password);
    form.fill("password", new);
    form.fill("password_confirmation", new);
    browser.submit(page, &form).await
}

on_each_database! {

async fn a_code_that_a_reset_overtook_is_dead(world: World) {
    let mut alice = world.user("alice").await;
    let app = world.application().trusted().create().await;
    let before = alice.clone();
    let code = overtaken(&world, &before, &app, reset(&world, &mut alice, 1)).await;
    world.redeem(&app, &code).await.refused(400, "invalid_grant");

    let hers = world.signed_in(&alice).await;
    let shown = hers.get(&format!("/oauth/authorize/native?code={code}")).await;
    assert!(!shown.body.contains(&code), "nor is it shown: {shown}");
    let code = code_without_asking(&hers, &app).await.expect("one of the new password");
    world.redeem(&app, &code).await.tokens();
}

async fn a_code_that_disabling_overtook_stays_dead(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().trusted().create().await;
    let server = world.app().await;
    let code = overtaken(&world, &alice, &app, async {
        Box::pin(users::disable(&server, &Caller::OPERATOR, id(&alice))).await.unwrap();
        Box::pin(users::enable(&server, &Caller::OPERATOR, id(&alice))).await.unwrap();
    })
    .await;
    world.redeem(&app, &code).await.refused(400, "invalid_grant");
}

async fn no_code_asked_for_during_a_reset_is_good_after_it(world: World) {
    let mut alice = world.user("alice").await;
    let app = world.application().trusted().create().await;
    for round in 0..ROUNDS {
        let (browser, asked) = (world.signed_in(&alice).await, app.clone());
        let asking = move |_| {
            let (browser, app) = (browser.clone(), asked.clone());
            async move { code_without_asking(&browser, &app).await }
        };
        let codes = meanwhile(OTHERS, asking, reset(&world, &mut alice, round)).await;
        let codes: Vec<_> = codes.into_iter().flatten().collect();
        assert!(codes.len() >= OTHERS, "they had codes before");
        for code in &codes {
            world.redeem(&app, code).await.refused(400, "invalid_grant");
        }
    }
}

async fn no_session_begun_during_a_reset_is_good_after_it(world: World) {
    let mut alice = world.user("alice").await;
    for round in 0..ROUNDS {
        let (seen, old) = (world.clone(), alice.clone());
        let signing_in = move |_| {
            let (browser, old) = (seen.browser(), old.clone());
            async move {
                let answer = browser.try_to_sign_in(&old.username, &old.password).await;
                (answer.status == 303).then_some(browser)
            }
        };
        let begun = meanwhile(OTHERS, signing_in, reset(&world, &mut alice, round)).await;
        let begun: Vec<_> = begun.into_iter().flatten().collect();
        assert!(begun.len() >= OTHERS, "the old password was good before");
        for browser in &begun {
            assert_eq!(browser.get("/account").await.status, 303, "signed out");
        }
    }
    world.browser().sign_in(&alice).await;
}

with("refresh_token_retry_window" = "0s")
async fn no_token_fetched_during_a_reset_is_good_after_it(world: World) {
    let mut alice = world.user("alice").await;
    let app = world.application().trusted().create().await;
    for round in 0..ROUNDS {
        let browser = world.signed_in(&alice).await;
        let (seen, asked) = (world.clone(), app.clone());
        let fetching = move |_| {
            let (world, browser, app) = (seen.clone(), browser.clone(), asked.clone());
            async move {
                let code = code_without_asking(&browser, &app).await?;
                let first = world.redeem(&app, &code).await;
                let tokens = (first.status == 200).then(|| first.tokens())?;
                let next = world.refresh(&app, tokens.refresh()).await;
                let rotated = (next.status == 200).then(|| next.tokens());
                Some(rotated.unwrap_or(tokens))
            }
        };
        let fetched = meanwhile(OTHERS, fetching, reset(&world, &mut alice, round)).await;
        let fetched: Vec<_> = fetched.into_iter().flatten().collect();
        assert!(fetched.len() >= OTHERS, "they had tokens before");
        for tokens in &fetched {
            assert!(!world.is_active(&app, &tokens.access).await);
            world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
        }
    }
}

async fn a_change_by_the_old_password_never_undoes_a_reset(world: World) {
    let mut alice = world.user("alice").await;
    for round in 0..ROUNDS {
        let mut thief = Vec::new();
        for _ in 0..OTHERS {
            let browser = world.signed_in(&alice).await;
            let page = browser.get("/account").await;
            thief.push((browser, page));
        }
        let (server, old) = (world.app().await, alice.clone());
        alice.password = format!("reset for the {round}th time");
        at_once(OTHERS + 1, |number| {
            let (server, old, new) = (server.clone(), old.clone(), alice.password.clone());
            let thief = thief.get(number).cloned();
            async move {
                match thief {
                    Some((browser, page)) => drop(change(&browser, &page, &old, "stolen by a stranger").await),
                    None => users::set_password(&server, &Caller::OPERATOR, id(&old), Secret::new(new)).await.unwrap(),
                }
            }
        })
        .await;
        let stolen = world.browser().try_to_sign_in("alice", "stolen by a stranger").await;
        assert_eq!(stolen.status, 422, "{stolen}");
        world.browser().sign_in(&alice).await;
    }
}

}
