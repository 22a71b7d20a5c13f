//! An application that is nothing but a page of another origin: Chromium decides what it may read.

use serde_json::{Value, json};

use crate::world::{Ask, Callback, Chromium, Scripts, VERIFIER, World};

/// Runs `body`, the inside of an async function of the page that is open, and gives what it returned, or
/// `{"error": …}`.
async fn in_page(window: &Chromium, body: &str) -> Value {
    let script = format!(
        "const done = arguments[arguments.length - 1];
         (async () => {{ {body} }})().then(done, error => done({{error: String(error)}}));"
    );
    window.run_async(&script).await
}

/// Sends a form as a page does, and reads status and JSON.
fn post(world: &World, path: &str, fields: &Value) -> String {
    format!(
        "const answer = await fetch('{}{path}', {{method: 'POST', body: new URLSearchParams({fields})}});
         return {{status: answer.status, json: await answer.json()}};",
        world.base_url
    )
}

/// Calls the memos with a token; what must be asked first, Chromium asks.
fn memos(world: &World, method: &str, token: &str, body: &Value) -> String {
    let body = if method == "GET" {
        "undefined".to_owned()
    } else {
        format!("JSON.stringify({body})")
    };
    format!(
        "const headers = {{'Authorization': 'Bearer {token}', 'Content-Type': 'application/json'}};
         const answer = await fetch('{}/api/memos', {{method: '{method}', headers, body: {body}}});
         const challenge = answer.headers.get('WWW-Authenticate');
         return {{status: answer.status, challenge, json: await answer.json()}};",
        world.base_url
    )
}

on_each_database! {

async fn a_page_of_an_allowed_origin_gets_and_uses_a_token(world: World) {
    let hanako = world.user("hanako").await;
    let mut page = Callback::listen().await;
    let origin = page.uri().replace("/callback", "");
    let app = world.application().public().redirect_uri(&page.uri()).allowed_origin(&origin).create().await;
    let window = world.chromium(Scripts::On).await;
    window.open(&Ask::of(&app).with("scope", "read write").path()).await;
    window.sign_in(&hanako).await;
    window.follow("#authorize").await;
    let arrived = page.arrival().await;
    window.element("#arrived").await;
    let (_, code) = arrived.query_pairs().find(|(name, _)| name == "code").unwrap();

    let wrong = json!({"grant_type": "authorization_code", "client_id": app.client_id, "code": "tgc_x"});
    let refused = in_page(&window, &post(&world, "/oauth/token", &wrong)).await;
    assert_eq!((&refused["status"], &refused["json"]["error"]), (&json!(400), &json!("invalid_grant")));

    let fields = json!({
        "grant_type": "authorization_code", "client_id": app.client_id, "code": code,
        "redirect_uri": page.uri(), "code_verifier": VERIFIER,
    });
    let answer = in_page(&window, &post(&world, "/oauth/token", &fields)).await;
    assert_eq!(answer["status"], 200, "{answer}");
    let token = answer["json"]["access_token"].as_str().unwrap();

    let written = in_page(&window, &memos(&world, "POST", token, &json!({"message": "ふじ"}))).await;
    assert_eq!(written["status"], 201, "{written}");
    let read = in_page(&window, &memos(&world, "GET", token, &Value::Null)).await;
    assert_eq!(read["json"]["memos"][0]["message"], "ふじ", "{read}");
    let challenged = in_page(&window, &memos(&world, "GET", "tga_x", &Value::Null)).await;
    let challenge = challenged["challenge"].as_str().unwrap();
    assert!(challenge.contains("resource_metadata="), "{challenged}");

    let revoked = json!({"token": token, "client_id": app.client_id});
    assert_eq!(in_page(&window, &post(&world, "/oauth/revoke", &revoked)).await["status"], 200);
    assert_eq!(world.memos(token).await.status, 401);
}

async fn a_page_of_another_origin_reads_nothing_but_the_public_documents(world: World) {
    let (page, elsewhere) = (Callback::listen().await, Callback::listen().await);
    let origin = page.uri().replace("/callback", "");
    let app = world.application().public().redirect_uri(&page.uri()).allowed_origin(&origin).create().await;
    let confidential = world.application().create().await;
    let token = world.client_credentials(&confidential).await.tokens().access;
    let window = world.chromium(Scripts::On).await;
    window.open(&elsewhere.uri()).await;
    window.element("#arrived").await;

    let fields = json!({"grant_type": "refresh_token", "client_id": app.client_id, "refresh_token": "x"});
    for call in [
        post(&world, "/oauth/token", &fields),
        post(&world, "/oauth/introspect", &fields),
        memos(&world, "GET", &token, &Value::Null),
    ] {
        let answer = in_page(&window, &call).await;
        assert_eq!(answer, json!({"error": "TypeError: Failed to fetch"}), "{call}");
    }
    let document = format!(
        "return (await fetch('{}/.well-known/oauth-protected-resource/api/memos')).json();",
        world.base_url
    );
    assert_eq!(in_page(&window, &document).await["resource_name"], "Memos");
}

}
