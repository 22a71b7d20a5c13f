//! Whatever is sent, the answer is the sender's fault, never ours.

use serde_json::json;

use crate::world::{Answer, Ask, Browser, Request, World};

const FORM: &str = "application/x-www-form-urlencoded";
const LIMIT: usize = 64 * 1024;

/// Where a form is taken.
const FORMS: &[&str] = &[
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/introspect",
    "/oauth/device_authorization",
    "/oauth/authorize",
    "/oauth/device",
    "/login",
    "/logout",
    "/setup",
    "/account/password",
    "/account/sessions/delete",
    "/oauth/applications",
    "/oauth/applications/x",
    "/oauth/applications/x/delete",
    "/oauth/authorized_applications/x/delete",
];

/// Where a query is looked at.
const QUERIES: &[&str] = &[
    "/",
    "/oauth/authorize",
    "/oauth/authorize/native",
    "/oauth/device",
    "/oauth/token/info",
    "/login",
    "/setup",
    "/account",
    "/oauth/applications",
    "/oauth/authorized_applications",
    "/api/memos",
    "/api/memos/x",
    "/assets/x",
    "/healthz",
    "/readyz",
    "/.well-known/oauth-authorization-server",
];

/// Names that something is made of somewhere.
const NAMES: &[&str] = &[
    "grant_type",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "confirmation",
    "device_code",
    "user_code",
    "redirect_uri",
    "refresh_token",
    "scope",
    "token",
    "response_type",
    "state",
    "username",
    "password",
    "csrf_token",
    "continue",
    "next",
    "limit",
    "after",
];

fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let pairs = (0..10_000)
        .map(|number| format!("{number}="))
        .collect::<Vec<_>>()
        .join("&");
    let every = |value: &str| {
        NAMES
            .iter()
            .map(|name| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("&")
            .into()
    };
    vec![
        ("NUL", every("a%00b")),
        ("a bare NUL", every("a\0b")),
        ("invalid UTF-8", every("%ff%fe")),
        (
            "raw invalid UTF-8",
            [b"client_id=\xff\xfe&token=\xc3\x28".as_slice()].concat(),
        ),
        ("overlong", every("%c0%af")),
        ("a lone surrogate", every("%ed%a0%80")),
        ("UTF-16", b"\xff\xfeg\0r\0a\0n\0t\0".to_vec()),
        ("a cut escape", every("%")),
        ("a wrong escape", every("%zz%1")),
        ("line ends", every("a%0d%0aSet-Cookie:%20x=y")),
        ("escape sequences", every("%1b[2J%07%9b")),
        ("right to left", every("%E2%80%AE%EF%BB%BF")),
        ("10,000 pairs", pairs.into_bytes()),
        ("twice", [every("a"), b"&".to_vec(), every("a")].concat()),
        ("brackets", b"token[]=a&token[b]=c&client_id.x=1".to_vec()),
        ("nothing but separators", b"&&&===&=&;;".to_vec()),
        (
            "one long value",
            format!("token={}", "x".repeat(40_000)).into_bytes(),
        ),
    ]
}

#[track_caller]
fn is_the_senders_fault(what: &str, answer: &Answer) {
    assert!(answer.status < 500, "{what}: {answer}");
    assert!(
        answer
            .headers
            .get("set-cookie")
            .is_none_or(|cookie| !cookie.as_bytes().starts_with(b"x=y")),
        "{what}: {answer}"
    );
}

fn ask(world: &World, browser: &Browser, method: &str, path: &str) -> [Request; 2] {
    [world.request(method, path), browser.request(method, path)]
}

on_each_database! {

async fn a_hostile_form_is_refused_everywhere(world: World) {
    let alice = world.administrator("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for path in FORMS {
        for (what, body) in hostile() {
            for request in ask(&world, &browser, "POST", path) {
                let answer = request.body(FORM, body.clone()).await;
                is_the_senders_fault(&format!("{what} to {path}"), &answer);
                assert!(answer.status >= 300, "{what} to {path}: {answer}");
            }
        }
    }
    for path in &FORMS[..4] {
        for (what, body) in hostile() {
            let answer = world.request("POST", path).by(&app).body(FORM, body).await;
            is_the_senders_fault(&format!("{what} to {path}, authenticated"), &answer);
        }
    }
}

async fn a_hostile_query_is_refused_everywhere(world: World) {
    let alice = world.administrator("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let browser = world.signed_in(&alice).await;
    for path in QUERIES {
        for (what, query) in hostile() {
            // What is no text at all cannot stand in a request line.
            let Ok(query) = String::from_utf8(query) else { continue };
            if query.contains('\0') || query.len() > LIMIT / 2 {
                continue;
            }
            for request in ask(&world, &browser, "GET", &format!("{path}?{query}")) {
                let answer = request.bearer(&tokens.access).await;
                is_the_senders_fault(&format!("{what} to {path}"), &answer);
            }
        }
    }
    for (name, value) in [("client_id", "\0"), ("redirect_uri", "\0"), ("scope", "read\0"), ("state", "\0"), ("prompt", "\0")] {
        let answer = browser.get(&Ask::of(&app).with(name, value).path()).await;
        is_the_senders_fault(name, &answer);
    }
}

async fn a_hostile_sign_in_is_a_failed_sign_in(world: World) {
    let alice = world.user("alice").await;
    for (name, password) in [
        ("alice\0", alice.password.clone()),
        ("\0", alice.password.clone()),
        ("alice", format!("{}\0", alice.password)),
        ("alice", format!(" {}", alice.password)),
        ("alice", "x".repeat(20_000)),
        ("x".repeat(20_000).as_str(), alice.password.clone()),
        ("\u{202e}\u{feff}\u{0}\r\n", "\r\n".to_owned()),
    ] {
        let answer = world.browser().try_to_sign_in(name, &password).await;
        assert_eq!(answer.status, 422, "{answer}");
    }
    world.browser().sign_in(&alice).await;
}

async fn a_body_over_the_limit_is_refused_so_that_the_client_hears_it(world: World) {
    let alice = world.administrator("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let code = browser.authorize(&Ask::of(&app).with("scope", "read write")).await.code();
    let access = world.redeem(&app, &code).await.tokens().access;
    for size in [LIMIT + 1, LIMIT + 4096, 3 * 1024 * 1024] {
        let body = format!("x={}", "x".repeat(size - 2));
        for path in FORMS {
            for request in ask(&world, &browser, "POST", path) {
                let answer = request.body(FORM, body.clone()).await;
                assert_eq!(answer.status, 413, "{size} bytes to {path}: {answer}");
            }
        }
        let memo = json!({"message": "x".repeat(size - 14)}).to_string();
        let answer = world.request("POST", "/api/memos").bearer(&access).body("application/json", memo).await;
        answer.refused(413, "invalid_request");
    }
    let exactly = format!("grant_type=client_credentials&x={}", "x".repeat(LIMIT - 32));
    assert_eq!(exactly.len(), LIMIT);
    world.request("POST", "/oauth/token").by(&app).body(FORM, exactly).await.tokens();
}

async fn a_memo_of_any_shape_is_taken_or_refused(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.signed_in(&alice).await.authorize(&Ask::of(&app).with("scope", "read write")).await.code();
    let access = world.redeem(&app, &code).await.tokens().access;
    let deep = format!("{{\"message\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"{\"message\":null}".to_vec(),
        b"{\"message\":1}".to_vec(),
        b"{\"message\":\"\"}".to_vec(),
        b"{\"message\":\"\\ud800\"}".to_vec(),
        b"{\"message\":\"a\",\"message\":\"b\"}".to_vec(),
        b"{\"message\":\"\xff\"}".to_vec(),
        b"\xef\xbb\xbf{\"message\":\"a\"}".to_vec(),
        b"{\"message\":\"a\"} x".to_vec(),
        deep.into_bytes(),
        "[".repeat(LIMIT).into_bytes(),
        json!({"message": "x".repeat(10_001)}).to_string().into_bytes(),
        json!({"message": "a\0b"}).to_string().into_bytes(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body).chars().take(60).collect::<String>();
        let answer = world.request("POST", "/api/memos").bearer(&access).body("application/json", body).await;
        assert_eq!(answer.status, 400, "{shown}: {answer}");
        assert_eq!(answer.json()["error"], "invalid_request", "{shown}");
    }
    for id in ["%00", "%ff", "..%2f..", "x", "00000000-0000-0000-0000-000000000000", &"1".repeat(30_000)] {
        for method in ["GET", "PATCH", "DELETE"] {
            let request = world.request(method, &format!("/api/memos/{id}")).bearer(&access);
            let answer = request.json(&json!({"message": "a"})).await;
            assert!(matches!(answer.status, 400 | 404 | 414), "{method} {id}: {answer}");
        }
    }
    assert_eq!(world.memos(&access).await.json()["memos"], json!([]), "none of it was kept");
}

async fn credentials_that_are_no_text_are_refused(world: World) {
    let app = world.application().create().await;
    let request = || world.token(&[("grant_type", "client_credentials")]);
    for credentials in ["\0:\0", "a\0:b", ":", "", "no colon", "%zz:%zz", "%ff:%ff", "%00:%00"] {
        request().raw_basic(credentials).await.refused(401, "invalid_client");
    }
    let long = format!("{}:{}", app.client_id, "x".repeat(20_000));
    request().raw_basic(&long).await.refused(401, "invalid_client");
    for header in ["Basic", "Basic ", "Basic !!!", "Basic /w==", "Bearer x", "Basic a b", "x"] {
        let answer = request().header("Authorization", header).await;
        assert!(matches!(answer.status, 400 | 401), "{header}: {answer}");
    }
    for token in ["", "tga_", "\u{e9}", &"x".repeat(20_000), "tga_ tga_", "a,b", "%00"] {
        let answer = world.memos(token).await;
        assert!(matches!(answer.status, 400 | 401), "{token:?}: {answer}");
    }
}

async fn a_head_over_the_limit_is_refused(world: World) {
    // The limit is looked at between reads, so a little more may pass.
    let long = "x".repeat(4 * LIMIT);
    let headers = "X-Many: y\r\n".repeat(300);
    for (what, request) in [
        ("a long header", format!("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: {long}\r\n\r\n")),
        ("a long cookie", format!("GET /login HTTP/1.1\r\nHost: a\r\nCookie: {long}\r\n\r\n")),
        ("a long path", format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n")),
        ("many headers", format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{headers}\r\n")),
    ] {
        let answer = world.send_bytes(request.as_bytes()).await;
        let refused = ["400", "414", "431"].iter().any(|status| answer.starts_with(&format!("HTTP/1.1 {status}")));
        assert!(refused, "{what}: {answer:?}");
    }
    for request in [
        "GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\0b\r\nConnection: close\r\n\r\n",
        "GET /heal\0thz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        "POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    ] {
        let answer = world.send_bytes(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{request:?}: {answer:?}");
    }
    assert_eq!(world.get("/healthz").await.status, 200);
}

}
