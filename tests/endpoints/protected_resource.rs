//! The memos describe themselves (RFC 9728).

use serde_json::json;

use crate::world::World;

const PATH: &str = "/.well-known/oauth-protected-resource/api/memos";

on_each_database! {

async fn the_document_leads_from_the_resource_to_its_authorization_server(world: World) {
    let answer = world.get(PATH).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{answer}");
    let resource = format!("{}/api/memos", world.base_url);
    let expected = json!({
        "resource": resource,
        "authorization_servers": [world.base_url],
        "scopes_supported": ["read", "write"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Memos",
    });
    assert_eq!(answer.json(), expected);
    let server = world.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(server["protected_resources"], json!([resource]));
    assert_eq!(world.get("/.well-known/oauth-protected-resource").await.status, 404);
}

with("scopes" = "write=Write,admin=Administer", "default_scopes" = "write", "resources" = "https://b.example,https://a.example/")
async fn the_documents_name_what_is_configured(world: World) {
    assert_eq!(world.get(PATH).await.json()["scopes_supported"], json!(["write"]));
    let server = world.get("/.well-known/oauth-authorization-server").await.json();
    let own = format!("{}/api/memos", world.base_url);
    assert_eq!(server["protected_resources"], json!([own, "https://a.example/", "https://b.example"]));
}

async fn every_challenge_leads_to_the_document(world: World) {
    let app = world.application().create().await;
    let reader = world.client_credentials(&app).await.tokens().access;
    let parameter = format!("resource_metadata=\"{}{PATH}\"", world.base_url);
    for (status, token) in [(401, ""), (401, "tga_unknown"), (403, &*reader)] {
        let request = world.request("POST", "/api/memos");
        let answer = if token.is_empty() { request.await } else { request.bearer(token).await };
        assert_eq!(answer.status, status, "{answer}");
        assert!(answer.header("www-authenticate").contains(&parameter), "{answer}");
    }
    let elsewhere = world.get("/oauth/token/info").await;
    assert!(!elsewhere.header("www-authenticate").contains("resource_metadata"), "{elsewhere}");
}

async fn the_well_known_name_goes_before_the_issuers_path(world: World) {
    let path = "/.well-known/oauth-protected-resource/auth/api/memos";
    let below = world.second_node_with(&[("public_url", "https://id.example/auth")]).await;
    let document = below.get(path).await.json();
    assert_eq!(document["resource"], "https://id.example/auth/api/memos");
    assert_eq!(document["authorization_servers"], json!(["https://id.example/auth"]));
    let within = below.get("/auth/.well-known/oauth-protected-resource/api/memos").await;
    assert_eq!(within.json(), document, "where a proxy passes on the issuer's path alone");
    let answer = below.get("/auth/api/memos").await;
    let parameter = format!("resource_metadata=\"https://id.example{path}\"");
    assert!(answer.header("www-authenticate").contains(&parameter), "{answer}");
}

}
