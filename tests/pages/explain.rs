//! Pages for developers: what an error means, and what an application's requests were refused for.

use super::Survey;
use crate::world::{Ask, World};

on_each_database! {

async fn what_an_error_means(world: World) {
    let survey = Survey::start(&world).await;
    survey.open("/oauth/errors", "explanations").await;
    survey.window.follow("a[href$='/oauth/errors/invalid_grant']").await;
    survey.window.element("dl").await;
    survey.look("explanation").await;
}

async fn what_was_refused(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let ichiro = world.administrator("ichiro").await;
    let app = world.application().name("Memo Bot").scope("read").create().await;
    let ask = Ask::of(&app);
    window.open("/login").await;
    window.sign_in(&ichiro).await;
    window.open("/oauth/applications").await;
    window.follow("tbody a").await;
    window.follow("#failed-requests").await;
    window.element("h1").await;
    survey.look("failed-requests-none").await;
    let hostile = "https://evil.example/\"><img src=x onerror=alert(1)>\u{202e}\r\n?a=b";
    for ask in [
        ask.clone().with("redirect_uri", hostile),
        ask.clone().with("redirect_uri", &format!("https://evil.example/{}", "w".repeat(2000))),
        ask.clone().with("scope", "read write"),
        ask.clone().with("redirect_uri", "https://app.example/callback/"),
    ] {
        world.get(&ask.path()).await;
    }
    world.token(&[("grant_type", "client_credentials")]).basic(&app.client_id, "wrong").await;
    tegata::flow::sweep::round(&world.app().await).await.unwrap();
    let own = window.url().await;
    survey.open(own.as_str(), "failed-requests").await;
    window.follow("form[action$='/redirect_uri'] button").await;
    window.element(".notice").await;
    survey.look("failed-requests-mended").await;
    window.open(own.as_str()).await;
    assert!(!window.has("form[action$='/redirect_uri']").await, "no other address is offered");
    survey.open(&ask.with("redirect_uri", "https://else.example/").path(), "mismatch-leads-to-failures").await;
    window.follow("a[href$='/failed_requests']").await;
    assert_eq!(window.url().await.path(), own.path());
}

}
