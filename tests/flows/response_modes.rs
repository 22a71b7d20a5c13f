//! How the answer travels: in the query, in the fragment, or as a form that the browser posts.

use crate::form::Form;
use crate::world::{Ask, Callback, Scripts, World};

on_each_database! {

async fn a_code_travels_as_it_was_asked_for(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().redirect_uri("https://app.example/callback?a=1").create().await;
    let browser = world.signed_in(&alice).await;
    for (mode, start) in [
        ("query", "https://app.example/callback?a=1&code=tgc_"),
        ("fragment", "https://app.example/callback?a=1#code=tgc_"),
    ] {
        let answer = browser.authorize(&Ask::of(&app).with("response_mode", mode)).await;
        assert!(answer.redirect().as_str().starts_with(start), "{}", answer.redirect());
        assert_eq!(answer.get("state").as_deref(), Some("xyz-123"));
        assert_eq!(answer.get("iss").as_deref(), Some(&*world.base_url));
        world.redeem(&app, &answer.code()).await.tokens();
    }
}

async fn a_form_carries_the_answer_to_the_redirect_uri_alone(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().redirect_uri("https://app.example:8443/callback?a=1&b=2").create().await;
    let state = "\"><script>alert(1)</script>&amp;'";
    let ask = Ask::of(&app).with("response_mode", "form_post").with("state", state);
    let answer = world.browser().authorize_as(&alice, &ask).await;
    answer.is_page(200);
    let page = answer.answer;
    let forms = Form::all(&page.body);
    assert_eq!(forms.len(), 1, "{page}");
    assert_eq!(forms[0].action, "https://app.example:8443/callback?a=1&b=2");
    let value = |name: &str| {
        let found = forms[0].fields.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no {name}: {page}")).1.clone()
    };
    let names: Vec<_> = forms[0].fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    assert_eq!((value("state").as_str(), value("iss")), (state, world.base_url.clone()));
    assert_eq!(page.body.matches("<script").count(), 1, "{page}");
    world.redeem(&app, &value("code")).await.tokens();

    let (_, rest) = page.body.split_once("<script nonce=\"").unwrap();
    let nonce = rest.split('"').next().unwrap();
    let policy = page.header("content-security-policy");
    assert!(policy.contains(&format!("script-src 'nonce-{nonce}';")), "{policy}");
    assert!(policy.ends_with("form-action https://app.example:8443"), "{policy}");
    assert_eq!(page.header("cache-control"), "no-store");
    let again = world.signed_in(&alice).await.authorize(&ask).await.answer;
    assert!(!again.body.contains(nonce), "a nonce is for one answer");
}

with("grants" = "implicit")
async fn a_form_carries_a_token_too(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("implicit").create().await;
    let ask = Ask::of(&app).with("response_type", "token").with("response_mode", "form_post");
    let answer = world.browser().authorize_as(&alice, &ask).await;
    answer.is_page(200);
    let forms = Form::all(&answer.answer.body);
    let (name, token) = &forms[0].fields[0];
    assert_eq!(name, "access_token");
    assert_eq!(world.memos(token).await.status, 200);
}

async fn the_browser_posts_the_form_with_and_without_scripts(world: World) {
    let alice = world.user("alice").await;
    for scripts in [Scripts::On, Scripts::Off] {
        let mut client = Callback::listen().await;
        let app = world.application().redirect_uri(&client.uri()).create().await;
        let window = world.chromium(scripts).await;
        window.open(&Ask::of(&app).with("response_mode", "form_post").path()).await;
        window.sign_in(&alice).await;
        window.follow("#authorize").await;
        if scripts == Scripts::Off {
            assert_eq!(window.text("h1").await, "Back to Notes");
            window.follow("#continue").await;
        }
        let url = client.arrival().await;
        assert_eq!(url.query(), None, "nothing of it is in the address: {url}");
        assert_eq!(window.text("#arrived").await, "Arrived");
        let code = client.posted("code");
        assert_eq!(client.posted("state"), "xyz-123");
        assert_eq!(client.posted("iss"), world.base_url);
        world.redeem(&app, &code).await.tokens();
        let complaints = window.complaints().await;
        assert!(complaints.iter().all(|entry| !entry.message.contains("Content Security Policy")), "{complaints:?}");
    }
}

}
