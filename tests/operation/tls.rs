//! TLS of the server's own: what is spoken, with which certificate, and what changes while it serves.

use crate::world::{Ask, World};

on_each_database! {

with("tls" = "on") async fn a_code_is_got_and_redeemed_over_https(world: World) {
    assert!(world.base_url.starts_with("https://localhost:"), "{}", world.base_url);
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.browser();
    let authorized = browser.authorize_as(&alice, &Ask::of(&app)).await;
    let tokens = world.redeem(&app, &authorized.code()).await.tokens();
    let memos = world.memos(&tokens.access).await;
    assert_eq!(memos.status, 200, "{memos}");
    assert!(memos.header("strict-transport-security").starts_with("max-age="), "{memos}");
}

with("tls" = "on") async fn the_session_cookie_is_of_https_alone(world: World) {
    let alice = world.user("alice").await;
    let answer = world.browser().try_to_sign_in(&alice.username, &alice.password).await;
    assert_eq!(answer.status, 303, "{answer}");
    let cookies: Vec<&str> = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(!cookies.is_empty(), "{answer}");
    for cookie in cookies {
        assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");
    }
}

}
