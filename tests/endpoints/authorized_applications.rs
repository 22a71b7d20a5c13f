//! `/oauth/authorized_applications`: what a user has allowed.

use crate::form::Form;
use crate::world::{Ask, World};

on_each_database! {

async fn the_list_shows_what_was_allowed_and_no_secret(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let code = browser.authorize(&Ask::of(&app)).await.code();
    let tokens = world.redeem(&app, &code).await.tokens();
    let page = browser.get("/oauth/authorized_applications").await;
    assert!(page.body.contains("Notes"), "{page}");
    for secret in [app.secret(), &tokens.access, tokens.refresh()] {
        assert!(!page.body.contains(secret));
    }
}

async fn who_withdraws_is_told_from_what(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().name("Memo <Bot>").create().await;
    let browser = world.signed_in(&alice).await;
    browser.authorize(&Ask::of(&app)).await.code();
    let page = browser.get("/oauth/authorized_applications").await;
    let form = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/delete")).unwrap();
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 303, "{answer}");
    let told = browser.get("/oauth/authorized_applications").await;
    assert!(told.body.contains("Memo &#60;Bot&#62; can no longer use your account."), "{told}");
}

async fn nobody_withdraws_what_another_allowed(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = world.application().create().await;
    let (hers, his) = (world.signed_in(&alice).await, world.signed_in(&bob).await);
    let code = hers.authorize(&Ask::of(&app)).await.code();
    let tokens = world.redeem(&app, &code).await.tokens();
    his.authorize(&Ask::of(&app)).await.code();

    let page = hers.get("/oauth/authorized_applications").await;
    let form = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/delete")).unwrap();
    let own = his.get("/oauth/authorized_applications").await;
    let mut forged = Form::all(&own.body).into_iter().find(|form| form.action.ends_with("/delete")).unwrap();
    forged.action.clone_from(&form.action);
    his.submit(&own, &forged).await;
    let stolen = his.submit(&page, &form).await;
    assert!(stolen.status >= 400, "a form with somebody else's token: {stolen}");
    assert_eq!(world.memos(&tokens.access).await.status, 200);
}

async fn a_form_without_its_token_withdraws_nothing(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let code = browser.authorize(&Ask::of(&app)).await.code();
    let tokens = world.redeem(&app, &code).await.tokens();
    let page = browser.get("/oauth/authorized_applications").await;
    let mut form = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/delete")).unwrap();
    form.fields.clear();
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 403, "{answer}");
    assert_eq!(world.memos(&tokens.access).await.status, 200);
}

}
