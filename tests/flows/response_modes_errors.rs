//! Errors travel as the answer would have; what cannot travel so is refused.

use crate::form::Form;
use crate::world::{Ask, World};

on_each_database! {

async fn an_unknown_mode_is_refused_as_if_none_had_been_named(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for mode in ["web_message", "form_post.jwt", "jwt", "QUERY", "query fragment"] {
        let answer = browser.authorize(&Ask::of(&app).with("response_mode", mode)).await;
        assert_eq!(answer.error(), "invalid_request", "{mode}");
        assert_eq!(answer.redirect().fragment(), None, "{mode}");
    }
    let twice = Ask::of(&app).with("response_mode", "query").twice("response_mode", "fragment");
    assert_eq!(browser.authorize(&twice).await.error(), "invalid_request");
}

async fn an_error_travels_in_the_mode_that_was_asked_for(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let ask = Ask::of(&app).with("response_mode", "fragment");
    for (ask, error) in [(ask.clone().with("scope", "unknown"), "invalid_scope"), (ask.clone(), "access_denied")] {
        let answer = browser.deny(&ask).await;
        assert_eq!(answer.error(), error);
        assert!(answer.redirect().query().is_none(), "{}", answer.redirect());
    }
    let ask = ask.with("response_mode", "form_post");
    for (ask, error) in [(ask.clone().with("scope", "unknown"), "invalid_scope"), (ask, "access_denied")] {
        let answer = browser.deny(&ask).await;
        answer.is_page(200);
        let forms = Form::all(&answer.answer.body);
        assert_eq!(forms[0].action, app.redirect_uri());
        let fields = &forms[0].fields;
        assert_eq!(fields[0], ("error".to_owned(), error.to_owned()));
        assert!(fields.contains(&("state".to_owned(), "xyz-123".to_owned())), "{fields:?}");
        assert!(fields.contains(&("iss".to_owned(), world.base_url.clone())), "{fields:?}");
    }
}

async fn a_stranger_is_told_by_a_form_too_and_gets_no_session(world: World) {
    let app = world.application().create().await;
    let ask = Ask::of(&app).with("response_mode", "form_post").with("prompt", "none");
    let answer = world.get(&ask.path()).await;
    let forms = Form::all(&answer.body);
    assert_eq!(forms[0].fields[0], ("error".to_owned(), "login_required".to_owned()));
    assert!(!answer.headers.contains_key("set-cookie"), "{answer}");
}

async fn no_form_is_posted_to_what_takes_none(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().redirect_uri("com.example.app:/callback").create().await;
    let browser = world.signed_in(&alice).await;
    let answer = browser.authorize(&Ask::of(&app).with("response_mode", "form_post")).await;
    assert_eq!(answer.error(), "invalid_request");
    assert!(answer.redirect().as_str().starts_with("com.example.app:/callback?error="), "{}", answer.redirect());
    let answer = browser.authorize(&Ask::of(&app).with("response_mode", "fragment")).await;
    assert!(answer.redirect().as_str().starts_with("com.example.app:/callback#code="), "{}", answer.redirect());
}

async fn an_unproven_redirect_uri_is_never_posted_to(world: World) {
    let app = world.application().create().await;
    let ask = Ask::of(&app).with("response_mode", "form_post").with("redirect_uri", "https://evil.example/");
    let answer = world.get(&ask.path()).await;
    assert_eq!(answer.status, 400);
    assert!(!answer.body.contains("evil.example\"") && Form::all(&answer.body).is_empty(), "{answer}");
}

}
