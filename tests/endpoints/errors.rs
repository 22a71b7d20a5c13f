//! `error_uri` and the pages behind it (RFC 6749 §4.1.2.1, §5.2).

use tegata::protocol::bearer::BearerErrorCode;
use tegata::protocol::error::ErrorCode;

use crate::world::{Ask, World};

on_each_database! {

async fn every_error_code_has_a_page_that_any_cache_may_keep(world: World) {
    let codes = ErrorCode::ALL.iter().map(|code| code.as_str());
    let bearer = [BearerErrorCode::InvalidToken, BearerErrorCode::InsufficientScope].map(BearerErrorCode::as_str);
    let list = world.get("/oauth/errors").await;
    assert_eq!(list.status, 200, "{list}");
    for code in codes.chain(bearer) {
        let path = format!("/oauth/errors/{code}");
        let page = world.get(&path).await;
        assert_eq!(page.status, 200, "{code}: {page}");
        assert!(page.body.contains(&format!("<h1><code>{code}</code></h1>")), "{page}");
        assert_eq!(page.header("cache-control"), "public, max-age=300");
        assert!(!page.headers.contains_key("set-cookie"), "{page}");
        assert!(list.body.contains(&format!("\"{path}\"")), "{code} is in the list");
    }
}

async fn a_page_says_nothing_of_the_request(world: World) {
    let page = world.get("/oauth/errors/invalid_grant?error_description=marker&code=marker").await;
    assert_eq!(page.body, world.get("/oauth/errors/invalid_grant").await.body);
    for code in ["unheard_of", "%3Cscript%3Emarker", "invalid_grant/more", "INVALID_GRANT"] {
        let answer = world.get(&format!("/oauth/errors/{code}")).await;
        assert_eq!((answer.status, answer.body.contains("marker")), (404, false), "{answer}");
        assert_eq!(answer.header("cache-control"), "no-store", "{answer}");
    }
}

async fn every_error_leads_to_its_page(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read").create().await;
    let page = |code: &str| format!("{}/oauth/errors/{code}", world.base_url);
    let answers = [
        (world.token(&[("grant_type", "no_such")]).by(&app).await, "unsupported_grant_type"),
        (world.revoke("x").await, "invalid_client"),
        (world.introspect("").by(&app).await, "invalid_request"),
        (world.get("/oauth/token").await, "invalid_request"),
        (world.post("/oauth/token", &[]).body("application/json", "{}").await, "invalid_request"),
        (world.memos("tga_unknown").await, "invalid_token"),
    ];
    for (answer, code) in answers {
        assert_eq!(answer.json()["error_uri"], page(code), "{answer}");
    }
    assert_eq!(world.get("/api/memos").await.json().get("error_uri"), None, "no error was told, none is explained");
    let browser = world.signed_in(&alice).await;
    let refused = browser.authorize(&Ask::of(&app).with("scope", "write")).await;
    assert_eq!(refused.error(), "invalid_scope");
    assert_eq!(refused.get("error_uri"), Some(page("invalid_scope")));
    let order: Vec<_> = refused.redirect().query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(order, ["error", "error_description", "error_uri", "state", "iss"]);
}

}
