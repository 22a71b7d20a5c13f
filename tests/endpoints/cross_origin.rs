//! Which pages of other origins may read what the server answers (CORS), and which may not.

use serde_json::json;

use crate::world::{Answer, Application, Request, World};

const OURS: &str = "https://spa.example";
const THEIRS: &str = "https://other-spa.example";
const ALLOW: &str = "access-control-allow-origin";

/// A browser application of [`OURS`], beside another one of [`THEIRS`].
async fn applications(world: &World) -> (Application, Application) {
    let made = |origin| world.application().public().allowed_origin(origin).create();
    let both = (made(OURS).await, made(THEIRS).await);
    // Registered by another process: seen within a second.
    world.soon(204, || preflight(world, "/oauth/token", THEIRS)).await;
    both
}

fn preflight(world: &World, path: &str, origin: &str) -> Request {
    world
        .request("OPTIONS", path)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization,content-type")
}

/// No page may ever read it with the person's cookies.
fn credentials_stay_out(answer: &Answer) {
    assert!(
        !answer.headers.contains_key("access-control-allow-credentials"),
        "{answer}"
    );
}

fn is_readable_from(answer: &Answer, origin: &str) {
    let allowed: Vec<_> = answer.headers.get_all(ALLOW).iter().collect();
    assert_eq!(allowed, [origin], "{answer}");
    assert!(varies_by_origin(answer), "{answer}");
    credentials_stay_out(answer);
}

fn varies_by_origin(answer: &Answer) -> bool {
    let mut vary = answer.headers.get_all("vary").iter();
    vary.any(|value| value.to_str().unwrap().eq_ignore_ascii_case("origin"))
}

fn is_closed(answer: &Answer) {
    let headers = answer.headers.keys();
    let opened: Vec<_> = headers
        .filter(|name| name.as_str().starts_with("access-control-"))
        .collect();
    assert!(opened.is_empty(), "{answer}");
}

on_each_database! {

async fn an_application_reads_its_answers_from_its_own_origin_alone(world: World) {
    let (ours, theirs) = applications(&world).await;
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/device_authorization"] {
        let ask = |app: &Application, origin: &str| {
            world.post(path, &[("grant_type", "refresh_token"), ("refresh_token", "x"), ("token", "x")])
                .by(app)
                .header("Origin", origin)
        };
        is_readable_from(&ask(&ours, OURS).await, OURS);
        is_readable_from(&ask(&theirs, THEIRS).await, THEIRS);
        for origin in [THEIRS, "https://evil.example", "null", "https://SPA.example", "https://spa.example/",
            "http://spa.example", "https://spa.example:443", "https://spa.example.evil.example", "*", ""]
        {
            is_closed(&ask(&ours, origin).await);
        }
        is_closed(&ask(&ours, OURS).header("Origin", THEIRS).await);
        let without = world.post(path, &[("token", "x")]).by(&ours).await;
        is_closed(&without);
        assert!(varies_by_origin(&without), "{without}");
    }
}

async fn a_refusal_can_be_read_too(world: World) {
    let (ours, _) = applications(&world).await;
    let from_ours = |fields: &[(&str, &str)]| world.token(fields).header("Origin", OURS);
    let id = ("client_id", &*ours.client_id);
    let code = ("grant_type", "authorization_code");
    for (fields, status) in [
        (vec![id], 400),
        (vec![id, ("grant_type", "magic")], 400),
        (vec![id, code, ("code", "tgc_x")], 400),
        (vec![id, code, ("client_secret", "wrong")], 401),
    ] {
        let answer = from_ours(&fields).await;
        assert_eq!(answer.status, status, "{answer}");
        is_readable_from(&answer, OURS);
    }
    is_closed(&from_ours(&[code]).await);
    is_closed(&from_ours(&[code, ("client_id", "unknown")]).await);
}

async fn a_refusal_of_what_could_not_be_read_can_be_read_from_the_origin_of_any_application(world: World) {
    let (ours, _) = applications(&world).await;
    let open = ["/oauth/token", "/oauth/revoke", "/oauth/device_authorization"];
    for path in open.into_iter().chain(["/oauth/introspect"]) {
        let post = || world.post(path, &[]).by(&ours);
        let unread = || [
            (post().json(&json!({"grant_type": "refresh_token"})), 415),
            (post().field("padding", &"x".repeat(100_000)), 413),
            (post().field("scope", "read").field("scope", "write"), 400),
            (world.post(&format!("{path}?client_secret=x"), &[]).by(&ours), 400),
        ];
        for (request, status) in unread() {
            let answer = request.header("Origin", OURS).await;
            assert_eq!(answer.status, status, "{answer}");
            if open.contains(&path) {
                is_readable_from(&answer, OURS);
            } else {
                is_closed(&answer);
            }
        }
        for (request, _) in unread() {
            is_closed(&request.header("Origin", "https://evil.example").await);
        }
    }
}

async fn a_confidential_application_is_known_by_its_header(world: World) {
    let app = world.application().allowed_origin(OURS).create().await;
    let answer = world.client_credentials(&app).header("Origin", OURS).await;
    answer.tokens();
    is_readable_from(&answer, OURS);
}

async fn a_browser_may_ask_first_from_the_origin_of_any_application(world: World) {
    applications(&world).await;
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/device_authorization", "/oauth/token/", "/api/memos",
        "/api/memos/x"]
    {
        let answer = preflight(&world, path, OURS).await;
        assert_eq!((answer.status, &*answer.body), (204, ""), "{answer}");
        is_readable_from(&answer, OURS);
        let methods = if path.starts_with("/api") { "GET, POST, PATCH, DELETE" } else { "POST" };
        assert_eq!(answer.header("access-control-allow-methods"), methods, "{answer}");
        assert_eq!(answer.header("access-control-allow-headers"), "authorization, content-type", "{answer}");
        assert_eq!(answer.header("access-control-max-age"), "600", "{answer}");
        for origin in ["https://evil.example", "null", "https://spa.example.evil.example", "*", ""] {
            let answer = preflight(&world, path, origin).await;
            assert_eq!(answer.status, 405, "{answer}");
            is_closed(&answer);
        }
        let plain = world.request("OPTIONS", path).header("Origin", OURS).await;
        assert_eq!(plain.status, 405, "no question of a browser: {plain}");
    }
}

async fn an_origin_counts_as_long_as_an_application_has_it(world: World) {
    let (ours, theirs) = applications(&world).await;
    assert_eq!(preflight(&world, "/oauth/token", OURS).await.status, 204);
    assert_eq!(world.command(&["application", "delete", &ours.client_id], "").await.exit, 0);
    world.soon(405, || preflight(&world, "/oauth/token", OURS)).await;
    assert_eq!(preflight(&world, "/oauth/token", THEIRS).await.status, 204);
    let answer = world.token(&[("grant_type", "refresh_token")]).by(&theirs).header("Origin", THEIRS).await;
    is_readable_from(&answer, THEIRS);
}

async fn a_change_on_this_server_counts_at_once(world: World) {
    applications(&world).await;
    let admin = world.administrator("ichiro").await;
    let manager = world.application().scope("applications").create().await;
    let browser = world.signed_in(&admin).await;
    let ask = crate::world::Ask::of(&manager).with("scope", "applications");
    let code = browser.authorize(&ask).await.code();
    let token = world.redeem(&manager, &code).await.tokens().access;
    let new = "https://new-spa.example";
    let body = json!({
        "name": "New", "confidential": false, "redirect_uris": ["https://new-spa.example/"],
        "allowed_origins": [new],
    });
    assert_eq!(preflight(&world, "/oauth/token", new).await.status, 405);
    let made = world.request("POST", "/oauth/applications").bearer(&token)
        .header("Accept", "application/json").json(&body).await;
    assert_eq!(made.status, 201, "{made}");
    assert_eq!(preflight(&world, "/oauth/token", new).await.status, 204);
}

async fn the_memos_can_be_read_from_the_origin_of_any_application(world: World) {
    applications(&world).await;
    let app = world.application().create().await;
    let token = world.client_credentials(&app).await.tokens().access;
    let ours = world.memos(&token).header("Origin", OURS).await;
    assert_eq!(ours.status, 200);
    is_readable_from(&ours, OURS);
    let refused = world.get("/api/memos").header("Origin", THEIRS).await;
    assert_eq!(refused.status, 401);
    is_readable_from(&refused, THEIRS);
    assert_eq!(refused.header("access-control-expose-headers"), "WWW-Authenticate");
    for origin in ["https://evil.example", "null", ""] {
        is_closed(&world.memos(&token).header("Origin", origin).await);
    }
    assert!(varies_by_origin(&world.memos(&token).await));
}

async fn the_public_documents_can_be_read_from_anywhere(world: World) {
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/api/memos"] {
        for origin in ["https://anybody.example", "null"] {
            let answer = world.get(path).header("Origin", origin).await;
            assert_eq!((answer.status, answer.header(ALLOW)), (200, "*"), "{answer}");
            credentials_stay_out(&answer);
        }
        let asked = preflight(&world, path, "https://anybody.example")
            .header("Access-Control-Request-Headers", "mcp-protocol-version").await;
        assert_eq!((asked.status, &*asked.body), (204, ""), "{asked}");
        for (name, value) in [(ALLOW, "*"), ("access-control-allow-methods", "GET"), ("access-control-allow-headers", "*")] {
            assert_eq!(asked.header(name), value, "{asked}");
        }
        credentials_stay_out(&asked);
    }
}

async fn pages_and_what_servers_call_stay_closed(world: World) {
    let (ours, _) = applications(&world).await;
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    for path in ["/", "/login", "/oauth/authorize", "/account", "/oauth/applications",
        "/oauth/authorized_applications", "/oauth/introspect", "/oauth/token/info", "/healthz"]
    {
        for method in ["GET", "POST", "DELETE"] {
            is_closed(&browser.request(method, path).header("Origin", OURS).await);
        }
        let asked = preflight(&world, path, OURS).await;
        assert_eq!(asked.status, 405, "{asked}");
        is_closed(&asked);
    }
    is_closed(&browser.get(&crate::world::Ask::of(&ours).path()).header("Origin", OURS).await);
}

}
