//! Who gets no token from the authorization endpoint (RFC 6749 §4.2.2.1).

use tegata::flow::authorize::{self, Next, Viewer};
use tegata::flow::users;
use tegata::model::caller::Caller;
use tegata::protocol::params::Params;

use crate::world::{Ask, World};

const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

on_each_database! {

async fn where_the_operator_does_not_name_it_it_is_not_there(world: World) {
    let alice = world.user("alice").await;
    let create = ["application", "create", "--name", "App", "--redirect-uri", "https://app.example/", "--grant", "implicit"];
    let refused = world.command(&create, "").await;
    assert_eq!(refused.exit, 1);
    assert!(refused.stderr.contains("implicit"), "{}", refused.stderr);
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let answer = browser.authorize(&Ask::of(&app).with("response_type", "token")).await;
    assert_eq!(answer.error(), "unsupported_response_type");
}

with("grants" = "implicit")
async fn it_is_taken_away_with_the_setting_even_from_who_is_reading(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("implicit").create().await;
    let browser = world.signed_in(&alice).await;
    let (page, mut form) = browser.consent_page(&Ask::of(&app).with("response_type", "token")).await;
    world.restart_with(&[("grants", "authorization_code")]).await;
    form.press("authorize");
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 400, "{answer}");
    assert_eq!(world.count("grants").await, 0);
}

with("grants" = "authorization_code,implicit")
async fn an_application_uses_the_grants_it_is_allowed(world: World) {
    let alice = world.user("alice").await;
    let by_code = world.application().grant("authorization_code").create().await;
    let by_token = world.application().grant("implicit").create().await;
    let browser = world.signed_in(&alice).await;
    let answer = browser.authorize(&Ask::of(&by_code).with("response_type", "token")).await;
    assert_eq!(answer.error(), "unauthorized_client");
    assert_eq!(answer.redirect().query(), None, "RFC 6749 §4.2.2.1: in the fragment");
    assert_eq!(browser.authorize(&Ask::of(&by_token)).await.error(), "unauthorized_client");
    for mixed in ["code token", "token code", "TOKEN", "token id_token"] {
        let answer = browser.authorize(&Ask::of(&by_token).with("response_type", mixed)).await;
        assert_eq!(answer.error(), "unsupported_response_type", "{mixed}");
    }
}

with("grants" = "implicit")
async fn a_token_never_goes_into_a_query(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("implicit").create().await;
    let ask = Ask::of(&app).with("response_type", "token").with("response_mode", "query");
    let answer = world.signed_in(&alice).await.authorize(&ask).await;
    assert_eq!(answer.error(), "invalid_request");
    assert_eq!(answer.redirect().query(), None, "its error does not either");
    assert_eq!(world.count("access_tokens").await, 0);
}

with("grants" = "implicit")
async fn a_token_is_never_shown_on_a_page(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().redirect_uri(OOB).grant("implicit").create().await;
    let answer = world.signed_in(&alice).await.authorize(&Ask::of(&app).with("response_type", "token")).await;
    answer.is_page(200);
    assert!(answer.answer.body.contains("invalid_request"), "{}", answer.answer);
    assert_eq!(world.count("access_tokens").await, 0);
}

with("grants" = "implicit")
async fn a_denial_comes_in_the_fragment(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("implicit").create().await;
    let answer = world.signed_in(&alice).await.deny(&Ask::of(&app).with("response_type", "token")).await;
    assert_eq!(answer.error(), "access_denied");
    let redirect = answer.redirect();
    assert!(redirect.query().is_none() && redirect.fragment().is_some(), "{redirect}");
    assert_eq!(answer.get("state").as_deref(), Some("xyz-123"));
}

with("grants" = "implicit")
async fn an_application_without_a_redirect_uri_cannot_have_it(world: World) {
    let refused = world.command(&["application", "create", "--name", "App", "--grant", "implicit"], "").await;
    assert_eq!(refused.exit, 1);
    assert!(refused.stderr.contains("redirect"), "{}", refused.stderr);
}

with("grants" = "implicit")
async fn a_user_who_was_disabled_meanwhile_gets_no_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().trusted().grant("implicit").create().await;
    let server = world.app().await;
    let seen = Box::pin(users::find(&server, alice.id.parse().unwrap())).await.unwrap().unwrap();
    assert_eq!(world.command(&["user", "disable", "alice"], "").await.exit, 0);
    let path = Ask::of(&app).with("response_type", "token").path();
    let params = Params::parse(path.split_once('?').unwrap().1.as_bytes()).unwrap();
    let viewer = Viewer { user: &seen, sign_in: "the one from before" };
    let next = Box::pin(authorize::begin(&server, &Caller::OPERATOR, &params, Some(viewer), false)).await.unwrap();
    assert!(!matches!(next, Next::Deliver(_)), "{next:?}");
    assert_eq!(world.count("access_tokens").await, 0);
}

}
