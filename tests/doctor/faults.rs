//! One fault, one finding: no other rule is broken by it, and the right side is told to mend it.

use serde_json::{Value, json};
use tegata::protocol::doctor::{Outcome, Side};

use super::stranger::{Asked, BACK, Fault, Reply, SECRET, Stranger, metadata};

const SERVER: &str = "/.well-known/oauth-authorization-server";
const RESOURCE: &str = "/.well-known/oauth-protected-resource/api";

/// Asserts that `fault` breaks `rule` alone.
async fn finds(rule: &str, outcome: Outcome, side: Side, fault: Fault) {
    let found = Stranger::wrong(fault).await.examined("").await;
    let (failed, warned) = found.broken();
    let expected = match outcome {
        Outcome::Fail => (vec![rule], vec![]),
        _ => (vec![], vec![rule]),
    };
    assert_eq!((failed, warned), expected, "{found:#?}");
    let check = found
        .checks()
        .find(|check| check.rule == rule && check.outcome == outcome)
        .unwrap();
    assert_eq!(check.side, Some(side), "{check:?}");
    assert!(check.saw.is_some() && check.mend.is_some(), "{check:?}");
}

#[tokio::test]
async fn a_sound_server_keeps_every_rule() {
    let stranger = Stranger::sound().await;
    let found = stranger
        .examined_as("", Some("web"), Some(BACK), Some(SECRET))
        .await;
    assert_eq!(found.broken(), (vec![], vec![]), "{found:#?}");
    assert_eq!(found.rules(Outcome::NotTried), Vec::<&str>::new(), "{found:#?}");
    for rule in [
        "issuer_is_the_one_asked",
        "basic_is_answered_401",
        "unregistered_redirect_uri",
        "state_comes_back",
        "token_no_store",
        "device_poll_is_pending",
        "resource_is_the_one_asked",
        "server_and_resource_know_each_other",
    ] {
        assert!(found.rules(Outcome::Pass).contains(&rule), "{rule}: {found:#?}");
    }
    let told = serde_json::to_string(&found.0).unwrap();
    assert!(!told.contains(SECRET) && !told.contains("tga_token"), "{told}");
}

#[tokio::test]
async fn from_a_resource_the_walk_leads_to_its_server() {
    let stranger = Stranger::sound().await;
    let found = stranger.examined("/api").await;
    assert_eq!(found.broken(), (vec![], vec![]), "{found:#?}");
    for rule in [
        "challenge_leads_to_metadata",
        "issuer_is_the_one_asked",
        "unregistered_redirect_uri",
    ] {
        assert!(found.rules(Outcome::Pass).contains(&rule), "{rule}: {found:#?}");
    }
}

#[tokio::test]
async fn without_a_client_nothing_is_told_of_what_was_not_tried() {
    let found = Stranger::sound().await.examined_as("", None, None, None).await;
    assert_eq!(found.broken(), (vec![], vec![]), "{found:#?}");
    let not_tried = found.rules(Outcome::NotTried);
    assert!(
        not_tried.contains(&"plain_challenge_refused") && not_tried.contains(&"state_comes_back"),
        "{found:#?}"
    );
    assert!(!found.rules(Outcome::Pass).contains(&"plain_challenge_refused"));
}

/// A resource may name any server it likes: what the operator trusted its own server with is not for that.
#[tokio::test]
async fn a_server_that_a_resource_names_is_not_shown_the_secret() {
    let stranger = Stranger::wrong(|asked, _| {
        assert!(!asked.has_secret(), "{}", asked.path);
    })
    .await;
    let found = stranger
        .examined_as("/api", Some("web"), Some(BACK), Some(SECRET))
        .await;
    assert_eq!(found.broken(), (vec![], vec![]), "{found:#?}");
    assert!(!found.rules(Outcome::Pass).contains(&"token_issued"));
}

#[tokio::test]
async fn a_server_that_knows_nothing_of_its_resource_is_told_from_there() {
    let stranger = Stranger::wrong(|asked, reply| {
        if asked.is(SERVER) {
            reply.json["protected_resources"] = json!([format!("{}/other", asked.base)]);
        }
    })
    .await;
    let found = stranger.examined("/api").await;
    assert_eq!(
        found.broken(),
        (vec!["server_and_resource_know_each_other"], vec![]),
        "{found:#?}"
    );
}

/// What takes the secret of the client: its own token.
#[tokio::test]
async fn a_token_of_the_clients_own_is_looked_at() {
    let cases: [(&str, Outcome, Fault); 5] = [
        ("token_issued", Outcome::Fail, |asked, reply| {
            if asked.parameter("grant_type") == "client_credentials" {
                *reply = Reply::error(400, "invalid_scope");
            }
        }),
        ("expires_in_is_told", Outcome::Warn, |_, reply| {
            without(reply, "expires_in");
        }),
        ("expires_in_is_a_number", Outcome::Fail, |_, reply| {
            if reply.json.get("access_token").is_some() {
                reply.json["expires_in"] = json!("3600");
            }
        }),
        ("scope_is_a_text", Outcome::Fail, |_, reply| {
            if reply.json.get("access_token").is_some() {
                reply.json["scope"] = json!(["read"]);
            }
        }),
        ("no_refresh_token_without_user", Outcome::Warn, |_, reply| {
            if reply.json.get("access_token").is_some() {
                reply.json["refresh_token"] = json!("tgr_one");
            }
        }),
    ];
    for (rule, outcome, fault) in cases {
        let stranger = Stranger::wrong(fault).await;
        let found = stranger
            .examined_as("", Some("web"), Some(BACK), Some(SECRET))
            .await;
        assert_eq!(found.rules(outcome), [rule], "{found:#?}");
    }
}

#[tokio::test]
async fn a_client_that_may_not_ask_for_itself_is_no_fault() {
    let stranger = Stranger::wrong(|asked, reply| {
        if asked.parameter("grant_type") == "client_credentials" {
            *reply = Reply::error(400, "unauthorized_client");
        }
    })
    .await;
    let found = stranger
        .examined_as("", Some("web"), Some(BACK), Some(SECRET))
        .await;
    assert_eq!(found.broken(), (vec![], vec![]), "{found:#?}");
    assert_eq!(found.rules(Outcome::NotTried), ["token_issued"], "{found:#?}");
}

#[tokio::test]
async fn the_secret_is_sent_as_the_server_takes_it() {
    let stranger = Stranger::wrong(|asked, reply| {
        if asked.is(SERVER) {
            reply.json["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
        }
        if asked.parameter("grant_type") == "client_credentials" {
            assert_eq!(
                (asked.parameter("client_secret"), asked.has_secret()),
                (SECRET, false)
            );
            *reply = Reply::json(
                200,
                json!({"access_token": "tga_one", "token_type": "Bearer", "expires_in": 60}),
            );
        }
    })
    .await;
    let found = stranger
        .examined_as("", Some("web"), Some(BACK), Some(SECRET))
        .await;
    assert!(found.rules(Outcome::Pass).contains(&"token_issued"), "{found:#?}");
}

#[tokio::test]
async fn what_is_not_there_keeps_no_rule() {
    let stranger = Stranger::wrong(|asked, reply| {
        if asked.is("/introspect") || asked.is("/authorize") {
            reply.status = 404;
            reply.header("location", "");
        }
    })
    .await;
    let found = stranger.examined("").await;
    for rule in [
        "introspection_is_guarded",
        "unregistered_redirect_uri",
        "missing_challenge_refused",
    ] {
        assert!(!found.rules(Outcome::Pass).contains(&rule), "{rule}: {found:#?}");
        assert!(!found.rules(Outcome::Warn).contains(&rule), "{rule}: {found:#?}");
    }
}

/// Takes a member out of an answer with a token.
fn without(reply: &mut Reply, member: &str) {
    if reply.json.get("access_token").is_some() {
        reply.json.as_object_mut().unwrap().remove(member);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_and_looked_at_no_further() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let found = Stranger { base }.examined("").await;
    assert_eq!(found.broken(), (vec!["answers"], vec![]), "{found:#?}");
    assert_eq!(found.0.steps.len(), 1, "{found:#?}");
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let fault = |asked: &Asked, reply: &mut Reply| {
        if asked.is(SERVER) {
            reply.text = Some(" ".repeat(600_000));
        }
    };
    let found = Stranger::wrong(fault).await.examined("").await;
    assert_eq!(found.broken(), (vec!["answers"], vec![]), "{found:#?}");
    let check = found.checks().next().unwrap();
    assert!(check.saw.as_ref().unwrap().contains("longer"), "{check:?}");
}

#[tokio::test]
async fn a_server_that_is_tired_of_us_is_not_judged() {
    let fault = |asked: &Asked, reply: &mut Reply| {
        if asked.is("/token") {
            reply.status = 429;
        }
    };
    let found = Stranger::wrong(fault).await.examined("").await;
    assert_eq!(found.broken(), (vec![], vec![]), "{found:#?}");
    assert!(found.rules(Outcome::NotTried).contains(&"answers"), "{found:#?}");
}

#[tokio::test]
async fn a_strangers_words_cannot_drive_the_terminal() {
    let fault = |asked: &Asked, reply: &mut Reply| {
        if asked.is(SERVER) {
            reply.json["issuer"] = json!("http://\u{1b}[2J");
        }
    };
    let found = Stranger::wrong(fault).await.examined("").await;
    let told = format!(
        "{:?}",
        found
            .checks()
            .filter_map(|check| check.saw.clone())
            .collect::<Vec<_>>()
            .concat()
    );
    assert!(told.contains("[2J"), "{told}");
    assert!(
        found
            .checks()
            .filter_map(|check| check.saw.as_ref())
            .all(|saw| !saw.contains('\u{1b}'))
    );
}

macro_rules! one_fault_each {
    ($($name:ident: $outcome:ident $side:ident $rule:literal $fault:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            finds($rule, Outcome::$outcome, Side::$side, $fault).await;
        }
    )+};
}

one_fault_each! {
    an_issuer_that_is_another: Fail AuthorizationServer "issuer_is_the_one_asked" |asked, reply| {
        if asked.is(SERVER) {
            reply.json["issuer"] = json!("https://other.example");
            reply.json.as_object_mut().unwrap().remove("protected_resources");
        }
        with_iss(reply, "https://other.example");
    };
    a_slash_at_the_end_of_the_issuer: Fail Client "issuer_is_the_one_asked" |asked, reply| {
        if asked.is(SERVER) {
            reply.json["issuer"] = json!(format!("{}/", asked.base));
            reply.json.as_object_mut().unwrap().remove("protected_resources");
        }
        with_iss(reply, &format!("{}/", asked.base));
    };
    metadata_behind_a_redirect: Fail AuthorizationServer "metadata_no_redirect" |asked, reply| {
        if asked.is(SERVER) {
            *reply = Reply::to(&format!("{}/elsewhere", asked.base), &[]);
        }
    };
    metadata_that_are_not_there: Fail AuthorizationServer "metadata_found" |asked, reply| {
        if asked.is(SERVER) {
            reply.status = 404;
        }
    };
    metadata_as_html: Fail AuthorizationServer "metadata_media_type" |asked, reply| {
        if asked.is(SERVER) {
            reply.header("content-type", "text/html");
        }
    };
    a_null_among_the_metadata: Fail AuthorizationServer "metadata_no_null" |asked, reply| {
        if asked.is(SERVER) {
            reply.json["registration_endpoint"] = Value::Null;
        }
    };
    no_s256: Fail AuthorizationServer "pkce_s256" |asked, reply| {
        if asked.is(SERVER) {
            reply.json.as_object_mut().unwrap().remove("code_challenge_methods_supported");
        }
    };
    plain_pkce_is_offered: Warn AuthorizationServer "pkce_not_plain" |asked, reply| {
        if asked.is(SERVER) {
            reply.json["code_challenge_methods_supported"] = json!(["S256", "plain"]);
        }
    };
    plain_pkce_is_taken: Fail AuthorizationServer "plain_challenge_refused" |asked, reply| {
        if asked.is("/authorize") && asked.parameter("code_challenge_method") == "plain" {
            *reply = Reply::to(BACK, &[("code", "c"), ("state", asked.parameter("state"))]);
        }
    };
    no_pkce_is_taken: Warn AuthorizationServer "missing_challenge_refused" |asked, reply| {
        if asked.is("/authorize") && asked.parameter("response_type") == "code" && asked.parameter("code_challenge").is_empty() {
            *reply = Reply::to(&format!("{}/sign-in", asked.base), &[]);
        }
    };
    an_unregistered_redirect_uri_is_taken: Fail AuthorizationServer "unregistered_redirect_uri" |asked, reply| {
        if asked.is("/authorize") && asked.parameter("redirect_uri").starts_with("https://app.example/callback/") {
            *reply = Reply::to(asked.parameter("redirect_uri"), &[("code", "c")]);
        }
    };
    an_error_goes_to_an_unregistered_redirect_uri: Fail AuthorizationServer "unregistered_redirect_uri" |asked, reply| {
        if asked.is("/authorize") && reply.status == 400 {
            *reply = Reply::to(asked.parameter("redirect_uri"), &[("error", "invalid_request")]);
        }
    };
    a_response_type_that_is_refused_as_something_else: Fail AuthorizationServer "error_comes_by_redirect" |asked, reply| {
        if asked.is("/authorize") && asked.parameter("response_type") != "code" {
            let state = asked.parameter("state");
            *reply = Reply::to(BACK, &[("error", "invalid_request"), ("state", state), ("iss", &asked.base)]);
        }
    };
    a_grant_type_that_does_not_exist_is_not_known_as_such: Fail AuthorizationServer "unknown_grant_is_refused" |asked, reply| {
        if asked.is("/token") && reply.json["error"] == "unsupported_grant_type" {
            reply.json["error"] = json!("invalid_grant");
        }
    };
    metadata_of_openid_alone: Warn AuthorizationServer "metadata_of_oauth" |asked, reply| {
        if asked.is(SERVER) {
            reply.status = 404;
        } else if asked.is("/.well-known/openid-configuration") {
            *reply = Reply::json(200, metadata(&asked.base));
        }
    };
    a_state_that_is_changed_on_its_way: Fail AuthorizationServer "state_comes_back" |asked, reply| {
        if asked.is("/authorize") && asked.parameter("response_type") != "code" {
            let state = asked.parameter("state").replace('+', " ");
            *reply = Reply::to(BACK, &[("error", "unsupported_response_type"), ("state", &state), ("iss", &asked.base)]);
        }
    };
    errors_without_the_promised_iss: Fail AuthorizationServer "iss_in_errors" |_, reply| with_iss(reply, "");
    an_error_without_json: Fail AuthorizationServer "error_json" |asked, reply| {
        if asked.is("/token") && asked.parameter("grant_type") == "refresh_token" {
            reply.text = Some("<p>Bad request</p>".to_owned());
        }
    };
    a_400_with_a_challenge: Warn AuthorizationServer "no_challenge_on_400" |asked, reply| {
        if asked.is("/token") && reply.status == 400 {
            reply.header("www-authenticate", "Bearer");
        }
    };
    errors_that_may_be_cached: Warn AuthorizationServer "error_no_store" |asked, reply| {
        if asked.is("/token") {
            reply.header("cache-control", "");
        }
    };
    device_codes_that_may_be_cached: Fail AuthorizationServer "token_no_store" |asked, reply| {
        if asked.is("/device") {
            reply.header("cache-control", "public");
        }
    };
    a_null_in_an_error: Fail AuthorizationServer "answer_no_null" |asked, reply| {
        if asked.is("/token") {
            reply.json["error_uri"] = Value::Null;
        }
    };
    an_error_with_status_500: Fail AuthorizationServer "error_status" |asked, reply| {
        if asked.is("/token") && asked.parameter("grant_type") == "refresh_token" {
            reply.status = 500;
        }
    };
    basic_without_a_challenge: Fail AuthorizationServer "basic_is_answered_401" |asked, reply| {
        if asked.is("/token") {
            reply.header("www-authenticate", "");
        }
    };
    a_polling_device_is_told_to_give_up: Fail AuthorizationServer "device_poll_is_pending" |asked, reply| {
        if asked.is("/token") && reply.json["error"] == "authorization_pending" {
            reply.json["error"] = json!("invalid_grant");
        }
    };
    an_interval_that_is_a_text: Fail AuthorizationServer "device_codes" |asked, reply| {
        if asked.is("/device") {
            reply.json["interval"] = json!("5");
        }
    };
    an_introspection_for_anybody: Fail AuthorizationServer "introspection_is_guarded" |asked, reply| {
        if asked.is("/introspect") {
            reply.status = 200;
            reply.json = json!({"active": false});
        }
    };
    a_revocation_that_fails_for_the_unknown: Fail AuthorizationServer "revocation_of_the_unknown" |asked, reply| {
        if asked.is("/revoke") {
            reply.status = 400;
            reply.json = json!({"error": "invalid_token"});
        }
    };
    a_challenge_that_leads_nowhere: Warn Resource "challenge_leads_to_metadata" |asked, reply| {
        if asked.is("/api") && asked.authorization.is_none() {
            reply.header("www-authenticate", "Bearer realm=\"api\"");
        }
    };
    a_resource_without_challenge: Fail Resource "challenge_bearer" |asked, reply| {
        if asked.is("/api") && asked.authorization.is_none() {
            reply.header("www-authenticate", "");
        }
    };
    a_resource_that_takes_any_token: Fail Resource "invalid_token_refused" |asked, reply| {
        if asked.is("/api") && asked.authorization.is_some() {
            reply.status = 200;
        }
    };
    metadata_of_another_resource: Fail Resource "resource_is_the_one_asked" |asked, reply| {
        if asked.is(RESOURCE) {
            reply.json["resource"] = json!("https://api.example/other");
        }
    };
    a_slash_at_the_end_of_the_resource: Fail AuthorizationServer "resource_is_the_one_asked" |asked, reply| {
        if asked.is(RESOURCE) {
            reply.json["resource"] = json!(format!("{}/api/", asked.base));
        }
    };
    a_resource_that_names_another_server: Fail Resource "server_and_resource_know_each_other" |asked, reply| {
        if asked.is(RESOURCE) {
            reply.json["authorization_servers"] = json!(["https://other.example"]);
        }
    };
    resource_metadata_behind_a_redirect: Fail Resource "metadata_no_redirect" |asked, reply| {
        if asked.is(RESOURCE) {
            *reply = Reply::to(&format!("{}/elsewhere", asked.base), &[]);
        }
    };
}

/// Puts another `iss` into an answer that has one; an empty one takes it away.
fn with_iss(reply: &mut Reply, iss: &str) {
    let Some((_, location)) = reply.headers.iter().find(|(name, _)| name == "location").cloned() else {
        return;
    };
    let mut url = url::Url::parse(&location).unwrap();
    if !url.query_pairs().any(|(name, _)| name == "iss") {
        return;
    }
    let others: Vec<(String, String)> = url
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| name != "iss")
        .collect();
    url.query_pairs_mut().clear().extend_pairs(others);
    if !iss.is_empty() {
        url.query_pairs_mut().append_pair("iss", iss);
    }
    reply.header("location", url.as_str());
}
