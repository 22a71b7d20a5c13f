//! The layers around the routes, with routes that go wrong.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::base::clock::Clock;
use crate::base::config::{Config, Sources};
use crate::base::entropy::Entropy;

const SAID: &str = "the password is hunter2";

async fn app() -> App {
    let flags = vec![("database_url".to_owned(), "sqlite::memory:".to_owned())];
    let config = Config::load(Sources {
        flags,
        ..Sources::default()
    })
    .unwrap();
    let issuer = config.issuer(3801);
    App::open(config, Clock::System, Entropy::System, issuer)
        .await
        .unwrap()
}

async fn panics() {
    panic!("{SAID}");
}

async fn faulty() -> Router {
    let routes = Router::new()
        .route("/oauth/token", post(panics))
        .route("/page", get(panics))
        .route("/fine", get(async || "fine"));
    layered(app().await, routes)
}

async fn ask(router: &Router, method: &str, path: &str, accept: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::ACCEPT, accept)
        .body(Body::empty())
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (
        parts.status,
        parts.headers,
        String::from_utf8(bytes.to_vec()).unwrap(),
    )
}

fn request_id(headers: &HeaderMap) -> &str {
    let id = headers.get("x-request-id").unwrap().to_str().unwrap();
    assert_eq!(id.len(), 32, "{id}");
    id
}

#[tokio::test]
async fn a_program_is_told_of_a_panic_in_json_and_nothing_of_what_it_said() {
    let router = faulty().await;
    let (status, headers, body) = ask(&router, "POST", "/oauth/token", "*/*").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    request_id(&headers);
    let json: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(json["error"], "server_error");
    assert!(!body.contains("hunter2"), "{body}");
}

#[tokio::test]
async fn a_person_is_told_of_a_panic_on_a_page_with_the_request_id() {
    let router = faulty().await;
    let (status, headers, body) = ask(&router, "GET", "/page", "text/html,*/*;q=0.8").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY));
    assert!(body.contains(request_id(&headers)), "{body}");
    assert!(!body.contains("hunter2"), "{body}");
}

#[tokio::test]
async fn a_panic_ends_its_own_request_alone() {
    let router = faulty().await;
    for _ in 0..50 {
        let (broken, fine) = tokio::join!(
            ask(&router, "GET", "/page", "*/*"),
            ask(&router, "GET", "/fine", "*/*")
        );
        assert_eq!(broken.0, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!((fine.0, fine.2.as_str()), (StatusCode::OK, "fine"));
    }
}
