//! Clients of OAuth 1.0a against the server: a consumer of 2009, requests-oauthlib, a person with a PIN in Chromium.

use crate::world::{Consumer, Scripts, World, exchange};

use super::python::{Desk, opened};
use crate::form::text_of;

const CALLBACK: &str = "http://localhost:3005/the_dance/process_callback?service_provider_id=11";
const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

fn desk(world: &World, consumer: &Consumer, callback: &str, method: &str, place: &str) -> Desk {
    Desk::new(world, &consumer.application)
        .with("CONSUMER_SECRET", &consumer.secret)
        .with("REDIRECT_URI", callback)
        .with("METHOD", method)
        .with("PLACE", place)
}

on_each_database! {

with("oauth1" = "true")
async fn seed_000_a_consumer_of_the_app_engine_library_takes_its_seven_steps(world: World) {
    let alice = world.user("alice").await;
    let consumer = Consumer::create(&world, &["https://consumer.example/verify"], &[]).await;
    let desk = desk(&world, &consumer, "https://consumer.example/verify", "", "");
    let waiting = desk.open("app_engine_consumer.py");
    let callback = opened(&world, &alice, &waiting.url).await.redirect().to_string();
    assert_eq!(waiting.answer(&callback), "screen_name alice\nknows alice True True True\n");
}

with("oauth1" = "true")
async fn seed_001_the_exchanges_with_a_provider_by_header_body_and_query(world: World) {
    let alice = world.user("alice").await;
    let consumer = Consumer::create(&world, &[CALLBACK], &[]).await;
    for (method, place) in [
        ("HMAC-SHA1", "AUTH_HEADER"), ("HMAC-SHA1", "BODY"), ("HMAC-SHA1", "QUERY"), ("HMAC-SHA256", "AUTH_HEADER"),
        ("PLAINTEXT", "AUTH_HEADER"),
    ] {
        let desk = desk(&world, &consumer, CALLBACK, method, place);
        let waiting = desk.open("provider_exchanges.py");
        let callback = opened(&world, &alice, &waiting.url).await.redirect().to_string();
        let calls = "AUTH_HEADER 200 alice 200 {'memos': []}\nQUERY 200 alice 200 {'memos': []}\n";
        assert_eq!(waiting.answer(&callback), format!("alice True\n{calls}"), "{method} {place}");
    }
}

with("oauth1" = "true")
async fn seed_001_the_exchanges_signed_by_an_rsa_key(world: World) {
    let alice = world.user("alice").await;
    let made = Consumer::create(&world, &[CALLBACK], &[]).await;
    let first = desk(&world, &made, CALLBACK, "RSA-SHA1", "AUTH_HEADER");
    let private = first.path("key.pem");
    let public = first.run("rsa_key.py", &[&private]);
    let file = world.folder().join("public.pem");
    std::fs::write(&file, public).unwrap();
    let options = ["--oauth1-rsa-public-key", file.to_str().unwrap()];
    let consumer = Consumer::create(&world, &[CALLBACK], &options).await;
    let desk = desk(&world, &consumer, CALLBACK, "RSA-SHA1", "AUTH_HEADER").with("RSA_KEY_FILE", &private);
    let waiting = desk.open("provider_exchanges.py");
    let callback = opened(&world, &alice, &waiting.url).await.redirect().to_string();
    let printed = waiting.answer(&callback);
    assert!(printed.starts_with("alice True\nAUTH_HEADER 200 alice 200"), "{printed}");
}

with("oauth1" = "true")
async fn seed_001_a_desktop_application_takes_the_pin_that_a_person_copies(world: World) {
    let alice = world.user("alice").await;
    let consumer = Consumer::create(&world, &[OOB], &[]).await;
    let desk = desk(&world, &consumer, "oob", "HMAC-SHA1", "AUTH_HEADER");
    let waiting = desk.open("provider_exchanges.py");
    let shown = opened(&world, &alice, &waiting.url).await.answer;
    let pin = text_of(&shown.body, "oauth-verifier").unwrap_or_else(|| panic!("no PIN: {shown}"));
    assert!(waiting.answer(&pin).starts_with("alice True\n"));
}

with("oauth1" = "true")
async fn seed_001_a_person_is_shown_a_pin_in_chromium(world: World) {
    let alice = world.user("alice").await;
    let consumer = Consumer::create(&world, &[OOB], &[]).await;
    let request = consumer.request_token(&world, "oob").await;
    let window = world.chromium(Scripts::Off).await;
    window.open(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
    window.sign_in(&alice).await;
    assert_eq!(window.text("h1").await, "Authorize Notes?");
    window.follow("#authorize").await;
    let pin = window.text("#oauth-verifier").await;
    let answer = exchange(&world, &request, &pin).by_header().await;
    assert_eq!(answer.status, 200, "{answer}");
}

with("oauth1" = "true")
async fn a_person_is_led_back_to_the_application_in_chromium(world: World) {
    let alice = world.user("alice").await;
    let mut client = crate::world::Callback::listen().await;
    let uri = client.uri();
    let trusted = Consumer::create(&world, &[&uri], &["--trusted"]).await;
    let asked = Consumer::create(&world, &[&uri], &[]).await;
    let window = world.chromium(Scripts::Off).await;
    // The sign-in form of a trusted application ends at the application itself.
    let request = trusted.request_token(&world, &uri).await;
    window.open(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
    window.sign_in(&alice).await;
    let arrived = client.arrival().await;
    assert!(arrived.query().unwrap().contains("oauth_verifier="), "{arrived}");
    let request = asked.request_token(&world, &uri).await;
    window.open(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
    window.follow("#authorize").await;
    let arrived = client.arrival().await;
    assert!(arrived.query().unwrap().contains("oauth_verifier="), "{arrived}");
}

}
