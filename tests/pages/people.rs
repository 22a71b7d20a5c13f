//! What people see who sign in and are asked for consent.

use super::Survey;
use crate::world::{Ask, Callback, Consumer, World};

const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

on_each_database! {

async fn before_anybody_signs_in(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    survey.open(&world.setup_link().await, "setup").await;
    window.fill("#username", "two words").await;
    window.fill("#password", "short").await;
    window.fill("#password_confirmation", "short").await;
    window.follow("#create-administrator").await;
    window.element("#username-error").await;
    survey.look("setup-errors").await;
    survey.open("/setup?token=unknown", "setup-gone").await;

    survey.open("/login", "login").await;
    window.try_to_sign_in("hanako", "not her password").await;
    window.element("#sign-in-error").await;
    survey.look("login-error").await;
    let app = world.application().name("Memo Bot").create().await;
    survey.open(&Ask::of(&app).path(), "login-for-an-application").await;
}

async fn errors(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let hanako = world.user("hanako").await;
    let app = world.application().name("Memo Bot").create().await;
    survey.open("/nowhere", "not-found").await;
    survey.open(&Ask::of(&app).with("client_id", "unknown").path(), "unknown-application").await;
    window.open("/login").await;
    window.sign_in(&hanako).await;
    survey.open(&Ask::of(&app).with("redirect_uri", "https://else.example/").path(), "mismatch").await;
    survey.open("/oauth/authorize?authorization=unknown", "over").await;
    survey.open("/oauth/authorize/native?code=unknown", "native-gone").await;
    survey.open("/oauth/applications", "forbidden").await;
}

with("resources" = "https://files.example,https://api.example/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
async fn consent_and_what_follows(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let hanako = world.user("hanako").await;
    let app = world.application().name("Memo Bot").redirect_uri(OOB).create().await;
    let public = world.application().name("Memo Bot for the terminal").public().create().await;
    let ask = Ask::of(&app);

    window.open(&ask.path()).await;
    window.sign_in(&hanako).await;
    survey.look("consent").await;
    window.follow("#deny").await;
    window.element("#error-code").await;
    survey.look("native-error").await;
    window.open(&ask.path()).await;
    window.follow("#authorize").await;
    window.element("#authorization-code").await;
    survey.look("native-code").await;
    world.clock.advance(86_400 * 40);
    window.open(&ask.clone().with("scope", "read write").path()).await;
    window.sign_in(&hanako).await;
    survey.look("consent-for-more").await;
    assert!(window.has("[data-scope=write] .tag").await && !window.has("[data-scope=read] .tag").await, "what is new");
    survey.open(&Ask::of(&public).path(), "consent-every-time").await;
    let bound = Ask::of(&public).with("resource", "https://files.example")
        .twice("resource", "https://api.example/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    survey.open(&bound.path(), "consent-for-resources").await;
}

async fn an_answer_on_its_way_to_the_application(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let hanako = world.user("hanako").await;
    let mut client = Callback::listen().await;
    let app = world.application().name("Memo Bot").redirect_uri(&client.silent_uri()).create().await;
    let ask = Ask::of(&app).with("response_mode", "form_post");
    window.open(&ask.path()).await;
    window.sign_in(&hanako).await;
    window.follow("#authorize").await;
    let sent = client.arrival().await;
    survey.look_at_what_goes_to(&sent, "form-post").await;
    window.open(&ask.with("scope", "unknown").path()).await;
    client.arrival().await;
    assert_eq!(client.posted("error"), "invalid_scope");
    survey.look_at_what_goes_to(&sent, "form-post-error").await;
}

async fn a_device_is_connected(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let hanako = world.user("hanako").await;
    let app = world.application().name("Memo Bot for the television").public().grant("device_code").create().await;
    let (first, second) = (world.device(&app).await, world.device(&app).await);

    window.open("/oauth/device").await;
    window.sign_in(&hanako).await;
    survey.look("device").await;
    window.fill("#user-code", "BBBB-BBBB").await;
    window.follow("#continue").await;
    window.element("#user-code-error").await;
    survey.look("device-unknown-code").await;
    window.fill("#user-code", &first.user_code.to_lowercase()).await;
    window.follow("#continue").await;
    assert_eq!(window.text("#shown-code").await, first.user_code);
    survey.look("device-confirm").await;
    window.follow("#authorize").await;
    window.element("#device-authorized").await;
    survey.look("device-connected").await;

    survey.open(&format!("/oauth/device?user_code={}", second.user_code), "device-prefilled").await;
    window.follow("#continue").await;
    world.clock.advance(601);
    window.follow("#authorize").await;
    window.element("#request-id").await;
    survey.look("device-over").await;
    let third = world.device(&app).await;
    window.open(&format!("/oauth/device?user_code={}", third.user_code)).await;
    window.follow("#continue").await;
    window.follow("#deny").await;
    window.element("#device-denied").await;
    survey.look("device-denied").await;
}

with("scopes" = "read=Read your memos,write=Write and delete your memos,user:*=Act for one user")
async fn consent_that_may_be_narrowed(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let hanako = world.user("hanako").await;
    let app = world.application().name("Memo Bot").redirect_uri(OOB).optional_scope("write user:*").create().await;
    let long = "d".repeat(100);
    window.open(&Ask::of(&app).with("scope", &format!("read write user:ichiro user:{long}")).path()).await;
    window.sign_in(&hanako).await;
    survey.look("consent-optional").await;
    window.click("input[value=write]").await;
    window.click(&format!("input[value='user:{long}']")).await;
    window.follow("#authorize").await;
    let code = window.text("#authorization-code").await;
    assert_eq!(world.redeem(&app, &code).await.tokens().json["scope"], "read user:ichiro");

    window.open(&Ask::of(&app).with("scope", "write").path()).await;
    window.click("input[value=write]").await;
    window.follow("#authorize").await;
    window.element(".summary").await;
    survey.look("consent-nothing-ticked").await;
    window.click("input[value=write]").await;
    window.follow("#authorize").await;
    let code = window.text("#authorization-code").await;
    assert_eq!(world.redeem(&app, &code).await.tokens().json["scope"], "write");
}

async fn the_account(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let hanako = world.user("hanako").await;
    window.open("/login").await;
    window.sign_in(&hanako).await;
    survey.open("/oauth/authorized_applications", "my-applications-none").await;
    for name in ["Memo Bot", "Memo Bot for the terminal"] {
        let app = world.application().name(name).redirect_uri(OOB).create().await;
        let both = Ask::of(&app).with("scope", "read write");
        window.open(&both.path()).await;
        window.follow("#authorize").await;
        window.element("#authorization-code").await;
    }
    survey.open("/oauth/authorized_applications", "my-applications").await;
    window.follow("button[aria-label='Withdraw access of Memo Bot']").await;
    window.element(".notice").await;
    survey.look("my-applications-withdrawn").await;

    world.signed_in(&hanako).await;
    survey.open("/account", "account").await;
    window.fill("#current_password", "not the current one").await;
    window.fill("#password", "two herons on one leg each").await;
    window.fill("#password_confirmation", "two herons on one leg each").await;
    window.follow("#change-password").await;
    window.element("#current_password-error").await;
    survey.look("account-errors").await;
}

with("oauth1" = "true")
async fn oauth_1_from_the_form_to_the_pin(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let (ichiro, hanako) = (world.administrator("ichiro").await, world.user("hanako").await);
    window.open("/login").await;
    window.sign_in(&ichiro).await;
    window.open("/oauth/applications/new").await;
    window.fill("#name", "Memo Bot for the terminal").await;
    window.fill("#redirect_uris", "urn:ietf:wg:oauth:2.0:oob\nhttps://memo.example/callback").await;
    window.click("#oauth1").await;
    window.fill("#oauth1_rsa_public_key", "nonsense").await;
    window.follow("#save").await;
    window.element("#oauth1_rsa_public_key-error").await;
    survey.look("oauth1-form-errors").await;
    window.fill("#oauth1_rsa_public_key", "").await;
    window.follow("#save").await;
    let secret = window.value("#consumer-secret").await;
    let client_id = window.text("#client-id").await;
    survey.look("oauth1-registered").await;
    window.follow("#sign-out").await;

    let consumer = Consumer::known(&client_id, &secret);
    let request = consumer.request_token(&world, "oob").await;
    window.open(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
    survey.look("oauth1-sign-in").await;
    window.sign_in(&hanako).await;
    survey.look("oauth1-consent").await;
    window.follow("#authorize").await;
    window.element("#oauth-verifier").await;
    survey.look("oauth1-pin").await;
    survey.open(&format!("/oauth/authorize?oauth_token={}", request.token), "oauth1-decided").await;
}

}
