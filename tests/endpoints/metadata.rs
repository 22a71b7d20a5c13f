//! The server describes itself (RFC 8414).

use serde_json::{Value, json};
use tegata::flow::sweep;

use super::applications::Script;
use crate::world::{Ask, World};

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

async fn where_no_certificate_is_seen_the_metadata_promises_nothing_of_them(world: World) {
    let json = world.get(PATH).await.json();
    for member in ["mtls_endpoint_aliases", "tls_client_certificate_bound_access_tokens"] {
        assert_eq!(json.get(member), None, "{json}");
    }
    assert!(!json.to_string().contains("tls_client_auth"), "{json}");
    let memos = world.get("/.well-known/oauth-protected-resource/api/memos").await.json();
    assert_eq!(memos.get("tls_client_certificate_bound_access_tokens"), None, "{memos}");
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn where_certificates_are_seen_the_metadata_says_where_and_how(world: World) {
    let methods = |json: &Value| list(json, "token_endpoint_auth_methods_supported");
    let json = world.get(PATH).await.json();
    assert!(methods(&json).contains(&"self_signed_tls_client_auth".to_owned()), "{json}");
    assert!(!methods(&json).contains(&"tls_client_auth".to_owned()), "it trusts no authority: {json}");
    assert_eq!(json["tls_client_certificate_bound_access_tokens"], true);
    assert_eq!(json["mtls_endpoint_aliases"]["token_endpoint"], json["token_endpoint"]);
    let memos = world.get("/.well-known/oauth-protected-resource/api/memos").await.json();
    assert_eq!(memos["tls_client_certificate_bound_access_tokens"], true);

    let file = world.folder().join("clients.pem");
    std::fs::write(&file, crate::world::Authority::new("Authority").pem()).unwrap();
    let own = [("tls_client_ca", file.to_str().unwrap()), ("mtls_public_url", "https://mtls.example/id")];
    world.restart_with(&own).await;
    let json = world.get(PATH).await.json();
    assert!(methods(&json).contains(&"tls_client_auth".to_owned()), "{json}");
    let aliases = json["mtls_endpoint_aliases"].as_object().unwrap();
    for (member, path) in [
        ("token_endpoint", "/oauth/token"),
        ("revocation_endpoint", "/oauth/revoke"),
        ("introspection_endpoint", "/oauth/introspect"),
        ("device_authorization_endpoint", "/oauth/device_authorization"),
    ] {
        assert_eq!(aliases[member], json!(format!("https://mtls.example/id{path}")));
    }
    assert_eq!(json["issuer"], json!(world.base_url), "the issuer is the same everywhere");
}

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
        ("device_authorization_endpoint", "/oauth/device_authorization"),
    ] {
        assert_eq!(json[member], json!(format!("{}{path}", world.base_url)));
    }
    assert_eq!(list(&json, "response_types_supported"), ["code"]);
    assert_eq!(list(&json, "response_modes_supported"), ["query", "fragment", "form_post"]);
    assert_eq!(list(&json, "code_challenge_methods_supported"), ["S256"]);
    assert_eq!(list(&json, "scopes_supported"), ["read", "write"]);
    let grants = list(&json, "grant_types_supported");
    for grant in [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
    ] {
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

async fn iss_is_promised_while_every_application_is_sent_it(world: World) {
    let root = world.administrator("root").await;
    let node = world.second_node().await;
    let script = Script::signed_in(&node, &root).await;
    let promises = async |world: &World| world.get(PATH).await.json()["authorization_response_iss_parameter_supported"].clone();
    let mut paths = Vec::new();
    for name in ["Quiet", "Quieter", "Usual"] {
        let made = script.create(&json!({"name": name, "redirect_uris": ["https://app.example/cb"]})).await;
        paths.push(format!("/oauth/applications/{}", made.json()["id"].as_str().unwrap()));
    }
    let send_iss = async |path: &str, on: bool| {
        let answer = script.request("PATCH", path).json(&json!({"send_iss": on})).await;
        assert_eq!(answer.status, 200, "{answer}");
    };
    let seen_everywhere = async |promised: bool| {
        assert_eq!(promises(&node).await, promised, "at once where it was changed");
        sweep::round(&world.app().await).await.unwrap();
        assert_eq!(promises(&world).await, promised, "elsewhere with the next round of housekeeping");
    };
    seen_everywhere(true).await;
    send_iss(&paths[0], false).await;
    seen_everywhere(false).await;
    send_iss(&paths[1], false).await;
    send_iss(&paths[0], true).await;
    seen_everywhere(false).await;
    world.restart().await;
    assert_eq!(promises(&world).await, false, "known from the start");
    let node = world.second_node().await;
    let script = Script::signed_in(&node, &root).await;
    assert_eq!(script.request("DELETE", &paths[1]).await.status, 204);
    assert_eq!(promises(&node).await, true);
    sweep::round(&world.app().await).await.unwrap();
    assert_eq!(promises(&world).await, true);
}

async fn what_the_metadata_promises_of_iss_is_true(world: World) {
    let (root, alice) = (world.administrator("root").await, world.user("alice").await);
    let (usual, quiet) = (world.application().create().await, world.application().create().await);
    let script = Script::signed_in(&world, &root).await;
    let listed = script.request("GET", "/oauth/applications").await.json();
    let found = listed.as_array().unwrap().iter().find(|row| row["client_id"] == quiet.client_id.as_str()).unwrap();
    let path = format!("/oauth/applications/{}", found["id"].as_str().unwrap());
    assert_eq!(script.request("PATCH", &path).json(&json!({"send_iss": false})).await.status, 200);
    let browser = world.signed_in(&alice).await;
    assert_eq!(browser.authorize(&Ask::of(&quiet)).await.get("iss"), None);
    assert_eq!(browser.authorize(&Ask::of(&usual)).await.get("iss"), Some(world.base_url.clone()));
    assert_eq!(world.get(PATH).await.json()["authorization_response_iss_parameter_supported"], json!(false));
}

async fn a_trailing_slash_is_no_redirect(world: World) {
    let answer = world.get(&format!("{PATH}/")).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.json()["issuer"], json!(world.base_url));
}

async fn what_is_not_built_is_not_there(world: World) {
    let json = world.get(PATH).await.json();
    for member in ["registration_endpoint", "jwks_uri", "userinfo_endpoint"] {
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
