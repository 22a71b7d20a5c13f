//! Names that try to be more than names, and addresses that try to be more than addresses.

use super::Survey;
use crate::world::{Application, Ask, Callback, User, World};

const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

const NAMES: [&str; 3] = [
    "<img src=x onerror=alert(1)>",
    "\"></title><svg onload=alert(1)><script>alert(1)</script>{{7*7}}",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
];

/// A user with the longest name there can be, allowing `application` what it asks.
async fn allow(survey: &Survey, user: &User, application: &Application, number: usize) {
    let window = &survey.window;
    window.open(&Ask::of(application).path()).await;
    if window.has("#sign-in").await {
        survey.look(&format!("hostile-login-{number}")).await;
        window.sign_in(user).await;
    }
    survey.look(&format!("hostile-consent-{number}")).await;
    window.follow("#authorize").await;
    window.element("#authorization-code").await;
    survey.look(&format!("hostile-code-{number}")).await;
}

/// What the page sends by itself, with the state that a stranger chose.
async fn hand_over(survey: &Survey, world: &World, name: &str, number: usize) {
    let window = &survey.window;
    let mut client = Callback::listen().await;
    let wanted = world.application().name(name).redirect_uri(&client.silent_uri());
    let app = wanted.create().await;
    let state = format!("{name}\r\n");
    let ask = Ask::of(&app)
        .with("response_mode", "form_post")
        .with("state", &state);
    window.open(&ask.path()).await;
    window.follow("#deny").await;
    let sent = client.arrival().await;
    assert_eq!(client.posted("error"), "access_denied");
    assert_eq!(client.posted("state"), state, "as it was sent");
    survey
        .look_at_what_goes_to(&sent, &format!("hostile-form-post-{number}"))
        .await;
    assert!(window.text("h1").await.contains(name), "as it is written");
}

async fn connect(survey: &Survey, world: &World, name: &str, number: usize) {
    let window = &survey.window;
    let app = world
        .application()
        .name(name)
        .public()
        .grant("device_code")
        .create()
        .await;
    let device = world.device(&app).await;
    window
        .open(&format!("/oauth/device?user_code={}", device.user_code))
        .await;
    window.follow("#continue").await;
    survey.look(&format!("hostile-device-{number}")).await;
    assert!(window.text("h1").await.contains(name), "as it is written");
    window.follow("#authorize").await;
    window.element("#device-authorized").await;
    survey.look(&format!("hostile-device-connected-{number}")).await;
}

on_each_database! {

with("scopes" = "read=<img src=x onerror=alert(1)>,write=Write")
async fn names_stay_text(world: World) {
    let survey = Survey::start(&world).await;
    let longest = world.user(&"w".repeat(64)).await;
    for (number, name) in NAMES.into_iter().enumerate() {
        let app = world.application().name(name).redirect_uri(OOB).create().await;
        allow(&survey, &longest, &app, number).await;
        assert!(survey.window.text("h1").await.contains(name), "as it is written");
        connect(&survey, &world, name, number).await;
        hand_over(&survey, &world, name, number).await;
    }
    survey.open("/oauth/authorized_applications", "hostile-my-applications").await;
    survey.open("/account", "hostile-account").await;
}

async fn a_name_that_turns_the_line_round_is_refused(world: World) {
    for name in ["Memo\u{202e}toB", "Memo\u{2066}Bot", "Memo\u{200b}Bot"] {
        let arguments = ["application", "create", "--name", name, "--redirect-uri", "https://memo.example/"];
        let printed = world.command(&arguments[..], "").await;
        assert_eq!((printed.exit, &*printed.stdout), (1, ""), "{name:?}: {}", printed.stderr);
    }
}

async fn addresses_stay_text(world: World) {
    let survey = Survey::start(&world).await;
    let attack = "%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E";
    for (name, path) in [
        ("reflected-path", "/"),
        ("reflected-next", "/login?next="),
        ("reflected-continue", "/login?continue="),
        ("reflected-error", "/login?error="),
        ("reflected-client", "/oauth/authorize?response_type=code&state=x&client_id="),
        ("reflected-setup", "/setup?token="),
        ("reflected-user-code", "/oauth/device?user_code="),
    ] {
        survey.open(&format!("{path}{attack}"), name).await;
    }
}

}
