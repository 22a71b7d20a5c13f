//! The bearer layer on a router of somebody else's (RFC 6750).

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::routing::get;
use tegata::http::bearer::RequireBearer;
use tower::ServiceExt;

use crate::world::World;

/// The status, and the challenge where there is one.
async fn ask(router: &Router, path: &str, token: &str) -> (u16, String) {
    let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
    let answer = router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let challenge = answer.headers().get(header::WWW_AUTHENTICATE);
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), challenge.unwrap_or_default())
}

on_each_database! {

with("scopes" = "read=Read,write=Write,admin=Everything")
async fn a_route_asks_for_all_of_its_scopes_or_for_any(world: World) {
    let app = world.app().await;
    let guarded = |layer| get(|| async { "in" }).layer(layer);
    let router = Router::new()
        .route("/all", guarded(RequireBearer::new(app.clone(), &["read", "write"])))
        .route("/any", guarded(RequireBearer::any(app.clone(), &["write", "admin"])))
        .route("/good", guarded(RequireBearer::new(app.clone(), &[])))
        .route("/none", guarded(RequireBearer::any(app.clone(), &[])))
        .route("/wrong", guarded(RequireBearer::new(app, &["not a scope"])));
    let client = world.application().create().await;
    let mut tokens = Vec::new();
    for scope in ["read", "write", "read write admin"] {
        tokens.push(world.client_credentials(&client).field("scope", scope).await.tokens().access);
    }
    for (path, statuses) in [
        ("/all", [403, 403, 200]),
        ("/any", [403, 200, 200]),
        ("/good", [200, 200, 200]),
        ("/none", [403, 403, 403]),
        ("/wrong", [403, 403, 403]),
    ] {
        for (token, status) in tokens.iter().zip(statuses) {
            assert_eq!(ask(&router, path, token).await.0, status, "{path}");
        }
        assert_eq!(ask(&router, path, "tga_unknown").await.0, 401, "{path}");
    }
    for (path, needed) in [("/all", "the scope read write"), ("/any", "one of the scopes admin write")] {
        let (_, challenge) = ask(&router, path, &tokens[0]).await;
        assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
        assert!(challenge.contains(needed), "{challenge}");
        let names = needed.rsplit("scope").next().unwrap().trim_start_matches('s').trim();
        assert!(challenge.contains(&format!(r#"scope="{names}""#)), "{challenge}");
    }
}

}
