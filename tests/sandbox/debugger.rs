//! A flow walked by hand.

use crate::form::Form;
use crate::world::{Answer, Browser, Sandbox};

/// Presses a button of the walk, and goes on to the page that follows.
async fn press(browser: &Browser, page: &Answer, id: &str) -> Answer {
    let mut form = Form::all(&page.body).pop().expect("a form");
    form.press(id);
    followed(browser, browser.submit(page, &form).await).await
}

async fn followed(browser: &Browser, answer: Answer) -> Answer {
    assert_eq!(answer.status, 303, "{answer}");
    browser.get(answer.location().unwrap().as_str()).await
}

/// The page of a walk that begins with `flow`, as the application `client_id`.
async fn begin(browser: &Browser, flow: &str, client_id: &str, client_secret: &str) -> Answer {
    let page = browser.get("/sandbox/debugger").await;
    let mut form = Form::all(&page.body).pop().expect("a form");
    for (name, value) in [
        ("flow", flow),
        ("client_id", client_id),
        ("client_secret", client_secret),
    ] {
        form.set(name, value);
    }
    followed(browser, browser.submit(&page, &form).await).await
}

fn visit(page: &Answer) -> String {
    let (_, after) = page
        .body
        .split_once("id=\"visit\" href=\"")
        .expect("a page to go to");
    after
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}

in_a_sandbox! {

async fn a_code_flow_is_walked_from_the_request_to_the_revocation(sandbox: Sandbox) {
    let other = sandbox.another().await;
    for (world, client_id, secret) in [
        (&sandbox, "confidential", "confidential-secret-of-the-sandbox"),
        (&other, "public", ""),
    ] {
        let browser = world.browser();
        let page = begin(&browser, "code", client_id, secret).await;
        assert!(page.body.contains("code_challenge_method=S256"), "{page}");
        let asked = browser.get(&visit(&page)).await;
        let back = browser.walk(asked, Some(&Sandbox::alice()), Some("authorize")).await.answer;
        assert!(back.body.contains("The browser comes back"), "{back}");
        let tokens = press(&browser, &back, "exchange").await;
        assert!(tokens.body.contains("access_token&#34;: &#34;tga_"), "{tokens}");
        let memos = press(&browser, &tokens, "memos").await;
        assert!(memos.body.contains("&#34;memos&#34;: []"), "{memos}");
        let fresh = press(&browser, &memos, "refresh").await;
        let revoked = press(&browser, &fresh, "revoke").await;
        let dead = press(&browser, &revoked, "memos").await;
        assert!(dead.body.contains("invalid_token"), "{dead}");
    }
}

async fn a_device_flow_is_walked_until_the_person_has_decided(sandbox: Sandbox) {
    let browser = sandbox.browser();
    let page = begin(&browser, "device", "confidential", "confidential-secret-of-the-sandbox").await;
    assert!(page.body.contains("user_code") && visit(&page).contains("/oauth/device"), "{page}");
    let pending = press(&browser, &page, "poll").await;
    assert!(pending.body.contains("authorization_pending"), "{pending}");
}

async fn a_page_of_another_origin_cannot_walk(sandbox: Sandbox) {
    let asked = sandbox.request("POST", "/sandbox/debugger").field("flow", "code").header("Origin", "https://evil.test");
    asked.await.refused(403, "forbidden");
    let unmarked = sandbox.request("POST", "/sandbox/debugger").field("flow", "code");
    unmarked.await.refused(403, "forbidden");
    let unknown = sandbox.get("/sandbox/debugger/callback?code=x&state=y").await;
    unknown.refused(404, "not_found");
}

}
