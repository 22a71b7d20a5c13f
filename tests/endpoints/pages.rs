//! What holds of every page a person meets.

use crate::form::Form;
use crate::world::{Ask, World};

on_each_database! {

async fn who_is_not_signed_in_is_sent_to_sign_in(world: World) {
    for path in
        ["/oauth/applications", "/oauth/applications/new", "/users", "/users/new", "/oauth/authorized_applications", "/oauth/device"]
     {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 303, "{path}: {answer}");
        assert_eq!(answer.location().unwrap().path(), "/login");
    }
}

async fn a_cookie_is_kept_from_scripts_and_other_sites(world: World) {
    let alice = world.user("alice").await;
    let answer = world.browser().try_to_sign_in("alice", &alice.password).await;
    let cookies: Vec<_> =
        answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(!cookies.is_empty(), "{answer}");
    for cookie in cookies {
        for word in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(word), "{word} is missing: {cookie}");
        }
        assert!(!cookie.contains("Domain"), "a cookie for this host alone: {cookie}");
    }
}

async fn signing_out_ends_the_session(world: World) {
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    let page = browser.get("/oauth/authorized_applications").await;
    assert_eq!(page.status, 200, "{page}");
    let leave = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/logout"));
    let answer = browser.submit(&page, &leave.expect("a way to sign out")).await;
    assert_eq!(answer.status, 303, "{answer}");
    assert_eq!(browser.get("/oauth/authorized_applications").await.status, 303);
}

async fn nobody_signs_another_out_from_elsewhere(world: World) {
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    for request in
        [browser.get("/logout"), browser.request("POST", "/logout").header("Origin", "https://evil.example")]
    {
        let answer = request.await;
        assert!(answer.status >= 400, "{answer}");
    }
    assert_eq!(browser.get("/oauth/authorized_applications").await.status, 200);
}

async fn a_page_of_a_person_is_kept_by_no_cache(world: World) {
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    for path in ["/oauth/authorized_applications", "/login"] {
        assert!(browser.get(path).await.header("cache-control").contains("no-store"), "{path}");
    }
}

async fn text_in_an_address_does_not_become_a_page(world: World) {
    let hostile = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for path in [
        format!("/login?error={hostile}&username={hostile}&continue={hostile}"),
        format!("/oauth/authorize?client_id={hostile}&error={hostile}&error_description={hostile}"),
        format!("/{hostile}"),
    ] {
        let answer = world.get(&path).await;
        assert!(!answer.body.contains("<script>alert"), "{path}: {answer}");
    }
}

async fn a_form_that_holds_a_field_twice_is_refused(world: World) {
    let root = world.administrator("root").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&root).await;
    browser.authorize(&Ask::of(&app)).await.code();
    let listed = browser.get("/oauth/applications").await;
    let application = listed.body.split('"').find(|text| text.starts_with("/oauth/applications/0")).unwrap();
    let stranger = world.browser();
    let ask = Ask::of(&app).with("prompt", "consent");
    let pages = [
        stranger.get("/login").await,
        browser.get("/account").await,
        browser.get("/oauth/applications/new").await,
        browser.get(&format!("{application}/edit")).await,
        browser.get(&format!("{application}/delete")).await,
        browser.get("/oauth/authorized_applications").await,
        browser.consent_page(&ask).await.0,
    ];
    let mut refused = 0;
    for (number, page) in pages.iter().enumerate() {
        assert_eq!(page.status, 200, "{page}");
        let browser = if number == 0 { &stranger } else { &browser };
        for form in Form::all(&page.body) {
            for (name, value) in form.fields.iter().filter(|(name, _)| !["scopes", "grants"].contains(&name.as_str())) {
                let mut twice = form.clone();
                twice.fields.push((name.clone(), value.clone()));
                let answer = browser.submit(page, &twice).await;
                assert_eq!(answer.status, 400, "{name} twice to {}: {answer}", form.action);
                refused += 1;
            }
        }
    }
    assert!(refused > 20, "{refused} fields");
    let still = browser.get("/oauth/authorized_applications").await;
    assert!(still.body.contains("Notes"), "nothing was done: {still}");
}

async fn a_hostile_name_is_shown_as_text(world: World) {
    let alice = world.user("alice").await;
    let name = "<img src=x onerror=alert(1)>\"'{{7*7}}";
    let printed = world
        .command(
            &["application", "create", "--name", name, "--redirect-uri", "https://a.example/", "--json"],
            "",
        )
        .await
        .json();
    let id = printed["client_id"].as_str().unwrap();
    let browser = world.signed_in(&alice).await;
    let path =
        format!("/oauth/authorize?response_type=code&client_id={id}&redirect_uri=https%3A%2F%2Fa.example%2F");
    let page = browser.walk(browser.get(&path).await, None, None).await.answer;
    assert!(page.body.contains("onerror") && page.body.contains("{{7*7}}"), "the name is shown: {page}");
    assert!(!page.body.contains("<img src=x"), "and does nothing: {page}");
}

}
