//! An administrator and a user walk the pages in Chromium, once with scripts and once without.

use serde_json::json;

use crate::world::{Application, Ask, Callback, Chromium, Scripts, User, World};

const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

/// From the link in the log to an application and its secret; signs out again.
async fn set_up(world: &World, window: &Chromium, redirect_uri: &str) -> Application {
    let link = world.setup_link().await;
    window.open(&link).await;
    window.fill("#username", "ichiro").await;
    window.fill("#password", "a seal cut from pear wood").await;
    window
        .fill("#password_confirmation", "a seal cut from pear wood")
        .await;
    window.follow("#create-administrator").await;
    assert!(window.text(".notice").await.contains("first administrator"));

    let application = register(window, redirect_uri).await;
    window.follow("#sign-out").await;
    window.element("#sign-in").await;

    window.open(&link).await;
    assert_eq!(
        window.text("h1").await,
        "This set-up link no longer works",
        "the link works once"
    );
    application
}

async fn register(window: &Chromium, redirect_uri: &str) -> Application {
    window.follow("#new-application").await;
    window.fill("#name", "Memo Bot").await;
    window.fill("#redirect_uris", redirect_uri).await;
    for scope in ["read", "write"] {
        window.click(&format!("input[name=scopes][value={scope}]")).await;
    }
    window.follow("#save").await;

    let secret = window.value("#client-secret").await;
    let client_id = window.text("#client-id").await;
    assert!(secret.starts_with("tgs_"), "{}", window.describe().await);
    window.open("/oauth/applications").await;
    window.follow("th a").await;
    assert_eq!(window.text("#client-id").await, client_id);
    assert!(!window.has("#client-secret").await, "a secret is shown once");
    Application::known(&client_id, Some(&secret), redirect_uri)
}

/// Signs in on the way to an application, allows it two scopes, and lets it write a memo.
async fn allow(
    world: &World,
    window: &Chromium,
    user: &User,
    application: &Application,
    client: &mut Callback,
) -> String {
    let ask = Ask::of(application).with("scope", "read write");
    window.open(&ask.path()).await;
    window.sign_in(user).await;
    assert_eq!(window.text("h1").await, "Authorize Memo Bot?");
    let page = window.text("main").await;
    for said in [&*user.username, "Read your memos", "127.0.0.1"] {
        assert!(page.contains(said), "{said} is not on {page}");
    }
    assert!(window.has("[data-scope=read]").await && window.has("[data-scope=write]").await);
    window.follow("#authorize").await;

    let code = arrived(world, client, "code").await;
    assert_eq!(window.text("#arrived").await, "Arrived");
    let token = world.redeem(application, &code).await.tokens().access;
    let memo = json!({"message": "ふじ"});
    let written = world
        .request("POST", "/api/memos")
        .bearer(&token)
        .json(&memo)
        .await;
    assert_eq!(written.status, 201, "{written}");
    assert_eq!(world.memos(&token).await.json()["memos"][0]["message"], "ふじ");
    token
}

/// What came to the application's redirect URI beside `state` and `iss` (RFC 6749 §4.1.2, RFC 9207).
async fn arrived(world: &World, client: &mut Callback, name: &str) -> String {
    let url = client.arrival().await;
    let brought: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let value = |name: &str| {
        let mut found = brought.iter().filter(|(known, _)| known == name);
        let value = found.next().unwrap_or_else(|| panic!("no {name} in {url}"));
        assert!(found.next().is_none(), "{name} stands twice in {url}");
        value.1.clone()
    };
    assert_eq!(value("state"), "xyz-123");
    assert_eq!(value("iss"), world.base_url);
    value(name)
}

/// An application without a redirect URI of its own: the code is copied from a page, the denial told on one.
async fn copy_a_code(world: &World, window: &Chromium, application: &Application) -> String {
    window.open(&Ask::of(application).path()).await;
    window.follow("#deny").await;
    assert_eq!(window.text("#error-code").await, "access_denied");

    window.open(&Ask::of(application).path()).await;
    window.follow("#authorize").await;
    let shown = window.element("#authorization-code").await;
    let code = shown.prop("textContent").await.unwrap().unwrap();
    assert!(
        code.starts_with("tgc_") && code.len() == 47,
        "the code and nothing else: {code:?}"
    );
    world.redeem(application, &code).await.tokens().access
}

async fn deny(world: &World, window: &Chromium, application: &Application, client: &mut Callback) {
    window.open(&Ask::of(application).path()).await;
    window.follow("#deny").await;
    assert_eq!(arrived(world, client, "error").await, "access_denied");
}

async fn withdraw(world: &World, window: &Chromium, name: &str, token: &str) {
    assert_eq!(world.memos(token).await.status, 200);
    window.open("/oauth/authorized_applications").await;
    let button = format!("button[aria-label='Withdraw access of {name}']");
    window.follow(&button).await;
    assert!(
        window
            .text(".notice")
            .await
            .contains("can no longer use your account")
    );
    assert!(!window.has(&button).await);
    assert_eq!(
        world.memos(token).await.status,
        401,
        "withdrawing kills the token"
    );
}

/// Gives the user with the new password.
async fn change_password(window: &Chromium, user: &User) -> User {
    let changed = User {
        password: "two herons on one leg each".to_owned(),
        ..user.clone()
    };
    window.open("/account").await;
    window.fill("#current_password", "not the current one").await;
    window.fill("#password", &changed.password).await;
    window.fill("#password_confirmation", &changed.password).await;
    window.follow("#change-password").await;
    window.element("#current_password-error").await;

    window.fill("#current_password", &user.password).await;
    window.fill("#password", &changed.password).await;
    window.fill("#password_confirmation", &changed.password).await;
    window.follow("#change-password").await;
    assert!(window.text(".notice").await.contains("Your password is changed"));
    changed
}

async fn sign_out_everywhere(world: &World, window: &Chromium, old: &User, user: &User) {
    let elsewhere = world.signed_in(user).await;
    assert_eq!(elsewhere.get("/account").await.status, 200);
    window.open("/account").await;
    window.follow("#sign-out-everywhere").await;
    window.element("#sign-in").await;
    assert_eq!(
        elsewhere.get("/account").await.status,
        303,
        "the other browser too"
    );

    window.try_to_sign_in(&old.username, &old.password).await;
    window.element("#sign-in-error").await;
    window.sign_in(user).await;
}

/// What a user does with what was allowed, and with the account.
async fn look_after_the_account(world: &World, window: &Chromium, user: &User, token: &str) {
    let native = world
        .application()
        .name("Terminal")
        .redirect_uri(OOB)
        .create()
        .await;
    let copied = copy_a_code(world, window, &native).await;
    withdraw(world, window, "Memo Bot", token).await;
    assert_eq!(
        world.memos(&copied).await.status,
        200,
        "withdrawing one leaves the other"
    );
    let changed = change_password(window, user).await;
    sign_out_everywhere(world, window, user, &changed).await;
}

/// Everything, in one window.
async fn walk(world: &World, scripts: Scripts) {
    let mut client = Callback::listen().await;
    let window = world.chromium(scripts).await;
    let application = set_up(world, &window, &client.uri()).await;
    let hanako = world.user("hanako").await;
    let token = allow(world, &window, &hanako, &application, &mut client).await;
    connect_a_device(world, &window).await;
    look_after_the_account(world, &window, &hanako, &token).await;
}

/// By the address with the code in it, then by the code as a person reads it off a screen.
async fn connect_a_device(world: &World, window: &Chromium) {
    let app = world
        .application()
        .name("Television")
        .public()
        .grant("device_code")
        .create()
        .await;
    let device = world.device(&app).await;
    let complete = device.json["verification_uri_complete"].as_str().unwrap();
    window.open(complete).await;
    assert_eq!(window.value("#user-code").await, device.user_code);
    window.follow("#continue").await;
    assert_eq!(window.text("#shown-code").await, device.user_code);
    window.follow("#deny").await;
    window.element("#device-denied").await;
    world.poll(&app, &device).await.refused(400, "access_denied");

    let device = world.device(&app).await;
    world
        .poll(&app, &device)
        .await
        .refused(400, "authorization_pending");
    window.open("/oauth/device").await;
    window
        .fill("#user-code", &device.user_code.replace('-', " ").to_lowercase())
        .await;
    window.follow("#continue").await;
    window.follow("#authorize").await;
    window.element("#device-authorized").await;
    let tokens = world.poll(&app, &device).await.tokens();
    assert_eq!(world.memos(&tokens.access).await.status, 200);
    withdraw(world, window, "Television", &tokens.access).await;
}

on_each_database! {

async fn from_the_set_up_link_to_the_last_sign_out(world: World) {
    walk(&world, Scripts::On).await;
}

async fn all_of_it_without_javascript(world: World) {
    walk(&world, Scripts::Off).await;
}

async fn a_native_application_listens_on_any_port(world: World) {
    let hanako = world.user("hanako").await;
    let mut client = Callback::listen().await;
    let registered = world.application().public().redirect_uri("http://127.0.0.1/callback").create().await;
    let app = Application::known(&registered.client_id, None, &client.uri());
    let window = world.chromium(Scripts::On).await;

    window.open("/login").await;
    window.sign_in(&hanako).await;
    deny(&world, &window, &app, &mut client).await;
    window.open(&Ask::of(&app).path()).await;
    window.follow("#authorize").await;
    let code = arrived(&world, &mut client, "code").await;
    world.redeem(&app, &code).await.tokens();
}

async fn all_of_it_under_a_path(world: World) {
    let world = world.under("/auth").await;
    walk(&world, Scripts::On).await;
}

// Signing in is a form, and Chromium applies the policy of its page to every redirect that follows.
async fn signing_in_leads_on_to_the_application_that_need_not_ask(world: World) {
    let hanako = world.user("hanako").await;
    let mut client = Callback::listen().await;
    let trusted = world.application().trusted().redirect_uri(&client.uri()).create().await;
    let remembered = world.application().redirect_uri(&client.uri()).create().await;
    let browser = world.signed_in(&hanako).await;
    browser.authorize(&Ask::of(&remembered)).await.code();
    for app in [&trusted, &remembered] {
        let window = world.chromium(Scripts::On).await;
        window.open(&Ask::of(app).path()).await;
        window.try_to_sign_in("hanako", "not the password").await;
        window.element("#sign-in-error").await;
        window.sign_in(&hanako).await;
        let code = arrived(&world, &mut client, "code").await;
        world.redeem(app, &code).await.tokens();
        let refused = window.complaints().await;
        assert!(!refused.iter().any(|entry| entry.message.contains("form-action")), "{refused:?}");
    }
}

async fn who_saves_what_somebody_else_saved_reads_of_it(world: World) {
    let (ichiro, hanako) = (world.administrator("ichiro").await, world.administrator("hanako").await);
    world.application().name("Memo Bot").create().await;
    let (his, hers) = (world.chromium(Scripts::On).await, world.chromium(Scripts::Off).await);
    for (window, user) in [(&his, &ichiro), (&hers, &hanako)] {
        window.open("/login").await;
        window.sign_in(user).await;
        window.follow("th a").await;
        window.follow("#edit").await;
        window.element("#save").await;
    }
    his.fill("#redirect_uris", "https://his.example/callback").await;
    his.follow("#save").await;
    assert!(his.text(".notice").await.contains("Saved"));

    hers.fill("#name", "Memo Bot of Hanako").await;
    hers.fill("#redirect_uris", "https://hers.example/callback").await;
    hers.follow("#save").await;
    let told = hers.text("[role=alert]").await;
    assert!(told.contains("Somebody else saved this application since you opened it."), "{told}");
    assert_eq!(hers.value("#name").await, "Memo Bot of Hanako");
    assert_eq!(hers.value("#redirect_uris").await, "https://hers.example/callback");
    his.open(his.url().await.as_str()).await;
    assert!(his.text("main").await.contains("https://his.example/callback"), "{}", his.describe().await);

    hers.follow("#save").await;
    assert!(hers.text("main").await.contains("https://hers.example/callback"), "{}", hers.describe().await);
}

// The consent page's policy lets its form lead to the application, and nowhere else.
async fn the_consent_form_leads_nowhere_else(world: World) {
    let hanako = world.user("hanako").await;
    let client = Callback::listen().await;
    let elsewhere = Callback::listen().await;
    let app = world.application().redirect_uri(&client.uri()).create().await;
    let window = world.chromium(Scripts::On).await;
    window.open(&Ask::of(&app).path()).await;
    window.sign_in(&hanako).await;
    assert!(window.complaints().await.is_empty());

    let consent = window.url().await;
    let turned = format!("document.querySelector('#authorize').form.action = '{}'", elsewhere.uri());
    window.run(&turned).await;
    window.click("#authorize").await;
    window.complains_of("form-action").await;
    assert_eq!(window.url().await, consent);
}

}
