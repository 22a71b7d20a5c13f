//! The server describes itself (RFC 8414).

use serde_json::{Value, json};

use crate::world::World;

const PATH: &str = "/.well-known/oauth-authorization-server";

fn list(json: &Value, member: &str) -> Vec<String> {
    let items = json[member]
        .as_array()
        .unwrap_or_else(|| panic!("{member} is a list: {json}"));
    items
        .iter()
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

on_each_database! {

async fn the_metadata_names_everything_that_is_built(world: World) {
    let answer = world.get(PATH).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{answer}");
    let json = answer.json();
    assert_eq!(json["issuer"], json!(world.base_url));
    for (member, path) in [
        ("authorization_endpoint", "/oauth/authorize"),
        ("token_endpoint", "/oauth/token"),
        ("revocation_endpoint", "/oauth/revoke"),
        ("introspection_endpoint", "/oauth/introspect"),
    ] {
        assert_eq!(json[member], json!(format!("{}{path}", world.base_url)));
    }
    assert_eq!(list(&json, "response_types_supported"), ["code"]);
    assert_eq!(list(&json, "code_challenge_methods_supported"), ["S256"]);
    assert_eq!(list(&json, "scopes_supported"), ["read", "write"]);
    let grants = list(&json, "grant_types_supported");
    for grant in ["authorization_code", "refresh_token", "client_credentials"] {
        assert!(grants.contains(&grant.to_owned()), "{grants:?}");
    }
    for grant in ["password", "implicit"] {
        assert!(!grants.contains(&grant.to_owned()), "{grants:?}");
    }
    let methods = list(&json, "token_endpoint_auth_methods_supported");
    for method in ["client_secret_basic", "client_secret_post", "none"] {
        assert!(methods.contains(&method.to_owned()), "{methods:?}");
    }
    assert_eq!(json["authorization_response_iss_parameter_supported"], json!(true));
    assert!(!answer.body.contains("null"), "a member without a value is left out: {answer}");
}

async fn a_trailing_slash_is_no_redirect(world: World) {
    let answer = world.get(&format!("{PATH}/")).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.json()["issuer"], json!(world.base_url));
}

async fn what_is_not_built_is_not_there(world: World) {
    let json = world.get(PATH).await.json();
    for member in ["registration_endpoint", "jwks_uri", "userinfo_endpoint", "device_authorization_endpoint"]
    {
        if let Some(url) = json.get(member) {
            let path = url.as_str().unwrap().strip_prefix(&world.base_url).unwrap().to_owned();
            assert_ne!(world.get(&path).await.status, 404, "{member} is advertised and not built");
        }
    }
    assert_eq!(world.get("/.well-known/openid-configuration").await.status, 404);
}

async fn a_forged_host_changes_nothing(world: World) {
    let request =
        world.get(PATH).header("X-Forwarded-Host", "evil.example").header("X-Forwarded-Proto", "https");
    let answer = request.header("Forwarded", "host=evil.example;proto=https").await;
    assert!(!answer.body.contains("evil.example"), "{answer}");
    assert_eq!(answer.json()["issuer"], json!(world.base_url));
}

}
