//! What administrators see.

use super::Survey;
use crate::world::{Ask, World};

on_each_database! {

async fn an_application_from_first_to_last(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let ichiro = world.administrator("ichiro").await;
    window.open("/login").await;
    window.sign_in(&ichiro).await;
    survey.open("/oauth/applications", "applications-none").await;
    window.follow("#new-application").await;
    window.element("#save").await;
    survey.look("application-new").await;
    window.fill("#name", "Memo Bot").await;
    window.fill("#redirect_uris", "http://app.example/callback").await;
    window.fill("#access_token_ttl", "soon").await;
    window.follow("#save").await;
    window.element("#redirect_uris-error").await;
    window.element("#access_token_ttl-error").await;
    survey.look("application-new-errors").await;
    window.fill("#redirect_uris", "https://memo.example/callback\nhttp://localhost:8080/callback").await;
    window.fill("#access_token_ttl", "").await;
    window.follow("#save").await;
    window.element("#client-secret").await;
    survey.look("application-registered").await;

    window.follow("#rotate-secret").await;
    window.element("button[aria-label^='Retire secret']").await;
    survey.look("application-two-secrets").await;
    window.follow("#edit").await;
    window.element("#save").await;
    survey.look("application-edit").await;
    window.follow("main a[href^='/oauth/applications/']").await;
    window.follow("#disable-application").await;
    window.element("h1").await;
    survey.look("application-disable").await;
    window.follow("#disable-application").await;
    window.element("#enable-application").await;
    survey.look("application-disabled").await;
    window.follow("#delete-application").await;
    window.element("h1").await;
    survey.look("application-delete").await;
}

async fn users_from_first_to_last(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let ichiro = world.administrator("ichiro").await;
    let hanako = world.user("hanako").await;
    let app = world.application().name("Memo Bot").create().await;
    world.tokens(&hanako, &app).await;
    window.open("/login").await;
    window.sign_in(&ichiro).await;
    survey.open("/users", "users").await;
    survey.open("/users?q=nobody+like+that", "users-no-match").await;
    survey.open(&format!("/users/{}", hanako.id), "user").await;
    window.follow("#disable-user").await;
    window.element("h1").await;
    survey.look("user-disable").await;
    window.follow("#disable-user").await;
    window.element("#enable-user").await;
    survey.look("user-disabled").await;
    window.open("/users/new").await;
    window.element("#create-user").await;
    survey.look("user-new").await;
    window.fill("#username", "jiro san").await;
    window.follow("#create-user").await;
    window.element("#username-error").await;
    survey.look("user-new-errors").await;
    window.fill("#username", "jiro").await;
    window.follow("#create-user").await;
    window.element("#new-password").await;
    survey.look("user-created").await;
    survey.open(&format!("/users/{}", ichiro.id), "user-oneself").await;
}

with("user_applications" = "true")
async fn applications_of_ones_own(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let hanako = world.user("hanako").await;
    world.application().name("Of the administrators").create().await;
    window.open("/login").await;
    window.sign_in(&hanako).await;
    survey.open("/oauth/applications", "applications-owned-none").await;
    window.follow("#new-application").await;
    window.element("#save").await;
    survey.look("application-new-owned").await;
    assert!(!window.has("#trusted").await && !window.has("#owner").await);
    window.fill("#name", "Hanako's Memo Bot").await;
    window.fill("#redirect_uris", "https://memo.example/callback").await;
    window.run("const extra = document.createElement('input'); extra.name = 'trusted'; extra.value = 'true';
        document.querySelector('form.form').append(extra); return null;").await;
    window.follow("#save").await;
    window.element("#trusted-error").await;
    survey.look("application-new-owned-errors").await;
    window.click("#trusted").await;
    window.follow("#save").await;
    window.element("#client-secret").await;
    survey.look("application-owned-registered").await;
    assert!(!window.has("#disable-application").await);
    survey.open("/oauth/applications", "applications-owned").await;
    let ichiro = world.administrator("ichiro").await;
    let other = Survey::start(&world).await;
    other.window.open("/login").await;
    other.window.sign_in(&ichiro).await;
    other.open("/oauth/applications", "applications-with-owners").await;
    other.open(&format!("/users/{}", hanako.id), "user-with-applications").await;
}

async fn the_audit_log(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let ichiro = world.administrator("ichiro").await;
    let hanako = world.user("hanako").await;
    let app = world.application().name("Memo Bot").create().await;
    world.tokens(&hanako, &app).await;
    for _ in 0..3 {
        world.browser().try_to_sign_in("hanako", "not her password").await;
    }
    world.application().name("Importer").create().await;
    window.open("/login").await;
    window.sign_in(&ichiro).await;
    window.follow("nav a[href='/audit']").await;
    window.element("#export").await;
    survey.look("audit").await;
    window.fill("#user", "hanako").await;
    window.follow("#search").await;
    assert_eq!(window.value("#user").await, "hanako");
    survey.look("audit-of-a-user").await;
    window.fill("#address", "somewhere").await;
    window.follow("#search").await;
    window.element("#address-error").await;
    survey.look("audit-errors").await;
    survey.open("/audit?event=user_deleted", "audit-no-match").await;
}

async fn who_may_use_an_application(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let (ichiro, hanako) = (world.administrator("ichiro").await, world.user("hanako").await);
    let app = world.application().name("Memo Bot").redirect_uri("urn:ietf:wg:oauth:2.0:oob").create().await;
    world.tokens(&hanako, &app).await;
    window.open("/login").await;
    window.sign_in(&ichiro).await;
    window.open("/oauth/applications").await;
    window.follow("main th a").await;
    window.follow("#edit").await;
    window.click("#restricted-yes").await;
    window.fill("#users", "ichiro\nnobody").await;
    window.fill("#groups", "of the house").await;
    window.follow("#save").await;
    window.element("#users-error").await;
    window.element("#groups-error").await;
    survey.look("application-access-errors").await;
    window.fill("#users", "ichiro").await;
    window.fill("#groups", "staff").await;
    window.follow("#save").await;
    window.element("#who").await;
    survey.look("application-restricted").await;
    survey.open("/oauth/applications", "applications-restricted").await;

    window.open(&format!("/users/{}", hanako.id)).await;
    window.fill("#groups", "of the house").await;
    window.follow("#save-groups").await;
    window.element("#groups-error").await;
    survey.look("user-groups-errors").await;
    window.fill("#groups", "dev\nguests").await;
    window.follow("#save-groups").await;
    window.element("#save-groups").await;
    survey.look("user-groups").await;

    let hers = Survey::start(&world).await;
    hers.window.open(&Ask::of(&app).path()).await;
    hers.window.sign_in(&hanako).await;
    hers.window.element("#error-code").await;
    hers.look("not-allowed").await;
}

async fn many_applications(world: World) {
    let survey = Survey::start(&world).await;
    let window = &survey.window;
    let ichiro = world.administrator("ichiro").await;
    let app = world.application().name("Memo Bot").create().await;
    let tokens = world.tokens(&ichiro, &app).await;
    let renewed = world.refresh(&app, tokens.refresh()).await.tokens();
    world.refresh(&app, renewed.refresh()).await.tokens();
    for name in ["Memo Bot for the terminal", "Importer"] {
        world.application().name(name).public().create().await;
    }
    window.open("/login").await;
    window.sign_in(&ichiro).await;
    survey.open("/oauth/applications", "applications").await;
    survey.open("/oauth/applications?q=nothing+like+it", "applications-no-match").await;
    world.client_credentials(&app).await.tokens();
    window.open("/oauth/applications?q=Memo+Bot").await;
    window.follow("tbody tr:first-child a").await;
    window.follow("#grants").await;
    window.element("#own-tokens").await;
    survey.look("grants").await;
    window.follow("tbody tr:first-child a").await;
    window.element("#revoke-grant").await;
    survey.look("grant").await;
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
    survey.open(window.url().await.path(), "grant-revoked").await;
    assert!(window.text("#why-not").await.contains("came again"), "it says why");
    world.tokens(&ichiro, &app).await;
    window.follow("p.small a:last-child").await;
    window.follow("#revoke-all").await;
    window.element("button#revoke-all").await;
    survey.look("grants-revoke").await;
    survey.open(&Ask::of(&app).with("redirect_uri", "https://else.example/").path(), "mismatch-for-administrators").await;
}

}
