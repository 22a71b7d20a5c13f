//! `/oauth/authorized_applications`: what a user has allowed.

use std::collections::BTreeSet;

use crate::form::Form;
use crate::world::{Ask, World};

/// As many more applications that the only user has allowed, like the only one there is.
async fn more_consents(world: &World, more: u64) {
    let id = if world.is_on_sqlite() {
        "randomblob(16)"
    } else {
        "gen_random_uuid()"
    };
    let columns =
        "name, confidential, trusted, require_pkce, introspect, send_iss, localhost_any_port, redirect_uris,
        grants, version, created_at, updated_at";
    let made = world
        .change_rows(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {more})
             INSERT INTO applications (id, client_id, {columns})
             SELECT {id}, CAST(n.i AS TEXT), {columns} FROM applications CROSS JOIN n"
        ))
        .await;
    assert_eq!(made, more);
    world
        .change_rows(
            "INSERT INTO consents (user_id, application_id, scopes, created_at, updated_at)
             SELECT c.user_id, a.id, c.scopes, c.created_at, c.updated_at FROM consents c CROSS JOIN applications a
             WHERE a.id <> c.application_id",
        )
        .await;
}

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

async fn a_long_list_is_paged_and_no_application_is_shown_twice_or_missed(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    browser.authorize(&Ask::of(&app)).await.code();
    more_consents(&world, 120).await;
    let (mut seen, mut sizes) = (BTreeSet::new(), Vec::new());
    let mut next = Some("/oauth/authorized_applications".to_owned());
    while let Some(path) = next {
        let page = browser.get(&path).await;
        assert_eq!(page.body.contains(">Newest<"), path.contains("after="), "{page}");
        let actions: Vec<String> =
            Form::all(&page.body).into_iter().map(|form| form.action).filter(|action| action.ends_with("/delete")).collect();
        sizes.push(actions.len());
        seen.extend(actions);
        next = page.body.split('"').find(|text| text.contains("?after=")).map(str::to_owned);
    }
    assert_eq!((sizes, seen.len()), (vec![50, 50, 21], 121));
    for nonsense in ["x", "1.x", "99999999999999999999.x", "'%20OR%201=1", "-99999999999.018bcfe5-6800-7000-8000-000000000001", "9999999999999.018bcfe5-6800-7000-8000-000000000001"] {
        let page = browser.get(&format!("/oauth/authorized_applications?after={nonsense}")).await;
        assert_eq!(page.status, 200, "{nonsense}: {page}");
    }
}

async fn what_a_new_password_ended_is_not_listed_as_allowed(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().trusted().create().await;
    world.tokens(&alice, &app).await;
    // As it is where a password is changed at the very moment in which a grant is made.
    assert_eq!(world.change_rows("UPDATE grants SET user_epoch = user_epoch - 1").await, 1);
    world.change_rows("DELETE FROM consents").await;
    let page = world.signed_in(&alice).await.get("/oauth/authorized_applications").await;
    assert!(page.body.contains("You have not authorized an application"), "{page}");
}

}
