//! What a person leaves out of what an application asks for.

use crate::form::Form;
use crate::world::{Answer, Application, Ask, Browser, User, World};

fn both(app: &Application) -> Ask {
    Ask::of(app).with("scope", "read write")
}

/// The decision with these scopes ticked, whatever the page offers.
async fn authorize(browser: &Browser, page: &Answer, form: &Form, ticked: &[&str]) -> Answer {
    let mut form = form.clone();
    form.press("authorize");
    form.fields.retain(|(name, _)| name != "scopes");
    let ticked = ticked
        .iter()
        .map(|scope| ("scopes".to_owned(), (*scope).to_owned()));
    form.fields.extend(ticked);
    browser.submit(page, &form).await
}

fn offered(form: &Form) -> Vec<&str> {
    let ticked = form.fields.iter().filter(|(name, _)| name == "scopes");
    ticked.map(|(_, value)| value.as_str()).collect()
}

fn code(answer: &Answer) -> Option<String> {
    let location = answer.location()?;
    let code = location.query_pairs().find(|(name, _)| name == "code")?;
    Some(code.1.into_owned())
}

/// The scope of the token that comes of `ticked`.
async fn granted(world: &World, user: &User, app: &Application, ask: &Ask, ticked: &[&str]) -> String {
    let browser = world.signed_in(user).await;
    let (page, form) = browser.consent_page(ask).await;
    let answer = authorize(&browser, &page, &form, ticked).await;
    let code = code(&answer).unwrap_or_else(|| panic!("no code: {answer}"));
    let tokens = world.redeem(app, &code).await.tokens();
    let refreshed = world.refresh(app, tokens.refresh()).await.tokens();
    assert_eq!(refreshed.json["scope"], tokens.json["scope"]);
    tokens.json["scope"].as_str().unwrap().to_owned()
}

on_each_database! {

async fn what_is_unticked_is_not_granted_and_is_asked_again(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().optional_scope("write").create().await;
    let browser = world.signed_in(&alice).await;
    let (page, form) = browser.consent_page(&both(&app)).await;
    assert_eq!(offered(&form), ["write"], "ticked, and what is required has no box");
    let answer = authorize(&browser, &page, &form, &[]).await;
    let tokens = world.redeem(&app, &code(&answer).unwrap()).await.tokens();
    assert_eq!(tokens.json["scope"], "read");
    assert_eq!(world.introspect(&tokens.access).by(&app).await.json()["scope"], "read");
    world.refresh(&app, tokens.refresh()).field("scope", "read write").await.refused(400, "invalid_scope");

    let known = browser.get(&Ask::of(&app).path()).await;
    assert!(browser.walk(known, None, None).await.get("code").is_some(), "read is remembered");
    browser.consent_page(&both(&app)).await;
}

async fn what_stays_ticked_is_granted_and_remembered(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().optional_scope("write").create().await;
    let browser = world.signed_in(&alice).await;
    let tokens = world.redeem(&app, &browser.authorize(&both(&app)).await.code()).await.tokens();
    assert_eq!(tokens.json["scope"], "read write");
    let again = browser.get(&both(&app).path()).await;
    assert!(browser.walk(again, None, None).await.get("code").is_some());
}

async fn what_is_unticked_later_is_no_longer_remembered(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().optional_scope("write").create().await;
    let browser = world.signed_in(&alice).await;
    browser.authorize(&both(&app)).await.code();
    let (page, form) = browser.consent_page(&both(&app).with("prompt", "consent")).await;
    code(&authorize(&browser, &page, &form, &[]).await).unwrap();
    browser.consent_page(&both(&app)).await;
    let read = browser.get(&Ask::of(&app).path()).await;
    assert!(browser.walk(read, None, None).await.get("code").is_some());
}

with("scopes" = "read=Read,write=Write,admin=Everything")
async fn the_form_widens_nothing(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().optional_scope("write admin").create().await;
    let asked = Ask::of(&app).with("scope", "read write");
    for (ticked, expected) in [
        (&["write", "admin", "unknown", "not a scope", ""][..], "read write"),
        (&["admin"], "read"),
        (&["read", "*"], "read"),
    ] {
        let ask = asked.clone().with("prompt", "consent");
        assert_eq!(granted(&world, &alice, &app, &ask, ticked).await, expected, "{ticked:?}");
    }
    let public = world.application().public().optional_scope("write").create().await;
    assert_eq!(granted(&world, &alice, &public, &both(&public), &[]).await, "read");
}

async fn nothing_at_all_is_not_authorized(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().optional_scope("read write").create().await;
    let browser = world.signed_in(&alice).await;
    let (page, form) = browser.consent_page(&both(&app)).await;
    let again = authorize(&browser, &page, &form, &["unknown"]).await;
    assert_eq!((again.status, code(&again)), (422, None), "{again}");
    assert!(again.body.contains("Nothing was ticked"), "{again}");
    assert_eq!(world.count("grants").await, 0);
    let form = Form::with_id(&again.body, "authorize").unwrap();
    assert!(offered(&form).is_empty(), "as it was left");
    let one = authorize(&browser, &again, &form, &["write"]).await;
    let tokens = world.redeem(&app, &code(&one).unwrap()).await.tokens();
    assert_eq!(tokens.json["scope"], "write");
    let late = authorize(&browser, &again, &form, &["read"]).await;
    assert_eq!((late.status, code(&late)), (400, None), "decided is decided: {late}");

    let (page, form) = browser.consent_page(&both(&app)).await;
    let again = authorize(&browser, &page, &form, &[]).await;
    let mut form = Form::with_id(&again.body, "authorize").unwrap();
    form.press("deny");
    let denied = browser.submit(&again, &form).await;
    assert!(denied.location().unwrap().query().unwrap().contains("error=access_denied"), "{denied}");
}

with("optional_scopes" = "write")
async fn the_application_says_what_is_optional_or_else_the_server(world: World) {
    let alice = world.user("alice").await;
    let usual = world.application().create().await;
    let own = world.application().optional_scope("read").create().await;
    assert_eq!(granted(&world, &alice, &usual, &both(&usual), &[]).await, "read");
    assert_eq!(granted(&world, &alice, &own, &both(&own), &[]).await, "write");
}

with("optional_scopes" = "write")
async fn what_could_be_unticked_when_it_was_shown_stays_so(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let (page, form) = browser.consent_page(&both(&app)).await;
    world.restart_with(&[("optional_scopes", "read")]).await;
    let answer = authorize(&browser, &page, &form, &[]).await;
    let tokens = world.redeem(&app, &code(&answer).unwrap()).await.tokens();
    assert_eq!(tokens.json["scope"], "read");
}

with("scopes" = "read=Read,user:*=Act for one user", "optional_scopes" = "user:*")
async fn one_of_many_that_a_pattern_stands_for_is_unticked_by_itself(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let ask = Ask::of(&app).with("scope", "read user:1 user:2");
    assert_eq!(granted(&world, &alice, &app, &ask, &["user:2"]).await, "read user:2");
    let again = ask.with("prompt", "consent");
    assert_eq!(granted(&world, &alice, &app, &again, &["user:*"]).await, "read user:1 user:2", "no more than was asked");
}

}
