//! An issuer with a path: everything lies under it, and everything leads there.

use std::collections::BTreeSet;

use serde_json::json;
use url::Position;

use crate::form::{Form, addresses};
use crate::world::{Answer, Application, Ask, Browser, World};

const METADATA: &str = "/.well-known/oauth-authorization-server";

/// Goes on from the start pages of the host `origin` until no new page is found. All that were seen.
async fn crawl(origin: &str, browser: &Browser, starts: &[&str]) -> Vec<Answer> {
    let mut to_see: Vec<String> = starts.iter().map(|path| (*path).to_owned()).collect();
    let (mut seen, mut pages) = (BTreeSet::new(), Vec::new());
    while let Some(path) = to_see.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = browser.get(&format!("{origin}{path}")).await;
        assert_ne!(answer.status, 404, "{path} leads nowhere: {answer}");
        to_see.extend(addresses(&answer.body));
        to_see.extend(
            answer
                .location()
                .map(|url| url[Position::BeforePath..].to_owned()),
        );
        pages.push(answer);
    }
    pages
}

on_each_database! {

async fn the_metadata_is_found_before_and_after_the_path(world: World) {
    let (root, world) = (world.clone(), world.under("/auth").await);
    let found = root.get(&format!("{METADATA}/auth")).await;
    assert_eq!(found.status, 200, "RFC 8414 section 3.1: {found}");
    let behind_a_proxy = world.get(METADATA).await;
    assert_eq!((behind_a_proxy.status, &behind_a_proxy.body), (200, &found.body));
    assert_eq!(root.get(METADATA).await.status, 404, "that is where another issuer's would be");

    let json = found.json();
    assert_eq!(json["issuer"], json!(world.base_url));
    assert!(world.base_url.ends_with("/auth"));
    let endpoints = json.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint"));
    for (name, url) in endpoints {
        let path = url.as_str().unwrap().strip_prefix(&world.base_url).expect("it lies under the issuer");
        assert!(matches!(world.post(path, &[]).await.status, 303 | 400 | 401), "{name} is not there");
    }
}

async fn every_page_leads_to_pages_under_the_path(world: World) {
    let (origin, world) = (world.base_url.clone(), world.under("/auth").await);
    let root = world.administrator("root").await;
    let app = world.application().create().await;
    for number in 0..30 {
        world.application().name(&format!("App {number}")).public().create().await;
    }
    let anonymous = crawl(&origin, &world.browser(), &["/auth", "/auth/", "/auth/account", "/auth/oauth/applications/new"]).await;
    assert!(anonymous.iter().any(|page| page.body.contains("id=\"sign-in\"")));

    let browser = world.signed_in(&root).await;
    browser.authorize(&Ask::of(&app)).await.code();
    let consent = browser.consent_page(&Ask::of(&app).with("prompt", "consent")).await.0;
    let mismatch = browser.get(&Ask::of(&app).with("redirect_uri", "https://else.example/").path()).await;
    let missing = browser.get("/nothing/here").await;
    assert_eq!((mismatch.status, missing.status), (400, 404));
    let mut pages = crawl(&origin, &browser, &["/auth/", "/auth/account", "/auth/oauth/authorized_applications"]).await;
    for kind in ["text/css", "image/svg+xml"] {
        assert!(pages.iter().any(|page| page.status == 200 && page.header("content-type").starts_with(kind)), "{kind}");
    }
    assert!(pages.iter().filter(|page| page.url.query().is_some_and(|query| query.contains("page="))).count() >= 2);
    pages.extend(anonymous);
    pages.extend([consent, mismatch, missing]);
    for page in &pages {
        let leads = addresses(&page.body).into_iter().chain(page.location().map(|url| url.path().to_owned()));
        for address in leads {
            assert!(address == "/auth" || address.starts_with("/auth/"), "{address} on {}", page.url);
        }
    }
}

async fn who_is_sent_to_sign_in_comes_back(world: World) {
    let world = world.under("/auth").await;
    let root = world.administrator("root").await;
    for path in ["/account", "/oauth/applications/new", "/oauth/authorized_applications"] {
        let browser = world.browser();
        let sent = browser.get(path).await;
        let login = sent.location().expect("to sign in");
        assert_eq!(login.path(), "/auth/login");
        let page = browser.get(login.as_str()).await;
        let form = crate::world::filled_in(&page, &root.username, &root.password);
        assert_eq!(form.action, "/auth/login");
        let answer = browser.submit(&page, &form).await;
        assert_eq!(answer.location().unwrap().path(), format!("/auth{path}"), "{answer}");
        for cookie in answer.headers.get_all("set-cookie") {
            assert!(cookie.to_str().unwrap().contains("Path=/;"), "as the __Host- prefix wants it: {cookie:?}");
        }
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{page}");
        let leave = Form::all(&page.body).into_iter().find(|form| form.action == "/auth/logout").unwrap();
        assert_eq!(browser.submit(&page, &leave).await.location().unwrap().path(), "/auth/login");
    }
}

async fn a_code_flow_runs_under_the_path(world: World) {
    let world = world.under("/auth").await;
    let (root, alice) = (world.administrator("root").await, world.user("alice").await);
    let browser = world.signed_in(&root).await;
    let page = browser.get("/oauth/applications/new").await;
    let mut form = Form::with_id(&page.body, "redirect_uris").unwrap();
    form.set("name", "Notes");
    form.set("redirect_uris", "https://app.example/callback");
    let made = browser.submit(&page, &form).await;
    assert_eq!(made.status, 201, "{made}");
    let client_id = crate::form::text_of(&made.body, "client-id").unwrap();
    let secret = made.body.split('"').find(|text| text.starts_with("tgs_")).expect("the secret");
    let app = Application::known(&client_id, Some(secret), "https://app.example/callback");

    let authorized = world.browser().authorize_as(&alice, &Ask::of(&app)).await;
    assert_eq!(authorized.get("iss"), Some(world.base_url.clone()));
    let tokens = world.redeem(&app, &authorized.code()).await.tokens();
    assert_eq!(world.memos(&tokens.access).await.status, 200);
    let tokens = world.refresh(&app, tokens.refresh()).await.tokens();
    assert_eq!(world.get("/oauth/token/info").bearer(&tokens.access).await.status, 200);
    let posted = world.post("/oauth/authorize", &[]).fields(Ask::of(&app).pairs()).await;
    assert_eq!(posted.location().unwrap().path(), "/auth/oauth/authorize");
    assert_eq!(world.revoke(tokens.refresh()).by(&app).await.status, 200);
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
}

async fn nothing_is_served_outside_the_path(world: World) {
    let (root, world) = (world.clone(), world.under("/auth").await);
    for path in ["/", "/login", "/oauth/authorize", "/api/memos", "/healthz", "/authlogin", "/auth//login"] {
        assert_eq!(root.get(path).await.status, 404, "{path}");
    }
    assert_eq!(world.get("/healthz").await.status, 200);
    assert_eq!(world.get("/readyz/").await.status, 200, "a trailing slash means the same here too");
    assert_eq!(world.get("/logout").await.status, 405);
    world.get("/oauth/token").await.refused(405, "invalid_request");
}

}
