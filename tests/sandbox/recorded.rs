//! The record: every request and its answer, why it was refused, and no secret.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tegata::sandbox::seeds;

use super::target::{Target, sent, with_a_target};

with_a_target! {
    async fn a_request_is_recorded_with_its_answer(target: &Target) {
        let answer = target.token().await.is(200);
        let record = target.record("").await;
        assert_eq!(record["next"], 1);
        let entry = &record["requests"][0];
        assert_eq!(entry["number"], 1);
        assert_eq!(entry["endpoint"], "token");
        assert_eq!((&entry["method"], &entry["path"]), (&json!("POST"), &json!("/oauth/token")));
        assert_eq!(entry["parameters"], json!({ "grant_type": "client_credentials", "scope": "read write" }));
        assert_eq!((&entry["status"], &entry["outcome"]), (&json!(200), &json!("answered")));
        assert_eq!(entry["answer"]["scope"], "read write");
        assert_eq!(entry["client_id"], seeds::CONFIDENTIAL);
        assert_eq!(entry["request_id"], answer.header("x-request-id"));
        assert_eq!(entry["scripted"], Value::Null);
        assert_eq!(entry.get("reason"), None);
    }

    async fn no_secret_is_recorded_and_equal_ones_can_be_told(target: &Target) {
        let redirect = target.authorize(&[]).await.is(302);
        let code = redirect.parameter("code").unwrap();
        let tokens = target.redeem(&code).await.is(200).json();
        let member = |name: &str| tokens[name].as_str().unwrap().to_owned();
        let (access, refresh) = (member("access_token"), member("refresh_token"));
        target.memos(&access).await.is(200);
        target.token().await.is(200);
        let wrong = [("grant_type", "password"), ("username", "alice"), ("password", "the-password-of-alice")];
        sent(target.post("/oauth/token").form(&wrong).header("cookie", "tegata=the-cookie")).await;
        let elsewhere = target.get(&format!("/?code={code}&scope={access}"));
        sent(elsewhere).await;

        let record = target.record("").await;
        let text = record.to_string();
        let secrets = [
            &code, &access, &refresh, seeds::SECRET, crate::world::VERIFIER, "the-password-of-alice", "the-cookie",
        ];
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in {record}");
        }
        let entries = record["requests"].as_array().unwrap();
        let [asked, redeemed, used, ..] = &entries[..] else { panic!("{record}") };
        let location = asked["answer_headers"]["location"].as_str().unwrap();
        let shown = redeemed["parameters"]["code"].as_str().unwrap();
        assert!(location.contains(shown) && shown.starts_with("tgc_…(sha256:"), "{location} {shown}");
        let shown = redeemed["answer"]["access_token"].as_str().unwrap();
        assert_eq!(used["headers"]["authorization"], format!("Bearer {shown}"));
    }

    async fn a_refusal_is_recorded_with_exactly_what_was_wrong(target: &Target) {
        let code = target.authorize(&[]).await.is(302).parameter("code").unwrap();
        target.redeem(&code).await.is(200);
        target.redeem(&code).await.is(400);
        let used = target.last().await;
        assert_eq!((&used["reason"], &used["section"]), (&json!("code_used"), &json!("RFC 6749 §4.1.2")));
        assert!(used["description"].as_str().unwrap().contains("redeemed before"));

        let asking = || target.post("/oauth/token").form(&[("grant_type", "client_credentials")]);
        sent(asking().basic_auth(seeds::CONFIDENTIAL, Some("wrong"))).await.is(401);
        assert_eq!(target.last().await["reason"], "secret_wrong");
        sent(asking().basic_auth("nobody", Some("wrong"))).await.is(401);
        let unknown = target.last().await;
        assert_eq!((&unknown["reason"], &unknown["client_id"]), (&json!("client_unknown"), &json!("nobody")));

        target.authorize(&[("redirect_uri", "https://elsewhere.example/")]).await.is(400);
        assert_eq!(target.last().await["reason"], "parameter_repeated");
        sent(target.get("/oauth/authorize?client_id=nobody&response_type=code")).await.is(400);
        assert_eq!(target.last().await["reason"], "client_unknown");
        sent(target.get("/oauth/authorize?client_id=public&redirect_uri=https%3A%2F%2Felsewhere.example")).await.is(400);
        assert_eq!(target.last().await["reason"], "redirect_uri_mismatch");
        let no_pkce = "/oauth/authorize?client_id=public&response_type=code&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback";
        sent(target.get(no_pkce)).await.is(302);
        assert_eq!(target.last().await["reason"], "pkce_missing");
    }

    async fn one_invalid_token_is_told_from_another(target: &Target) {
        let token = target.access_token().await;
        let narrow = sent(target.asking("read")).await.is(200).json();
        let memo = json!({ "message": "a" });
        let memo = target.post("/api/memos").json(&memo).bearer_auth(narrow["access_token"].as_str().unwrap());
        sent(memo).await.is(403);
        assert_eq!(target.last().await["reason"], "scope_insufficient");
        sent(target.get("/api/memos")).await.is(401);
        assert_eq!(target.last().await["reason"], "token_missing");
        target.memos("nonsense").await.is(401);
        assert_eq!(target.last().await["reason"], "token_unknown");
        target.advance(366 * 86_400).await;
        target.memos(&token).await.is(401);
        let expired = target.last().await;
        assert_eq!((&expired["reason"], &expired["client_id"]), (&json!("token_expired"), &json!("confidential")));

        let token = target.access_token().await;
        let revoke = target.post("/oauth/revoke").form(&[("token", &token)]);
        sent(revoke.basic_auth(seeds::CONFIDENTIAL, Some(seeds::SECRET))).await.is(200);
        sent(target.get("/oauth/token/info").bearer_auth(&token)).await.is(401);
        assert_eq!(target.last().await["reason"], "token_revoked");
    }

    async fn whoever_polls_and_is_told_to_wait_did_nothing_wrong(target: &Target) {
        let device = target.post("/oauth/device_authorization").form(&[("client_id", seeds::PUBLIC)]);
        let codes = sent(device).await.is(200).json();
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let device_code = codes["device_code"].as_str().unwrap();
        let poll = [("grant_type", grant), ("client_id", seeds::PUBLIC), ("device_code", device_code)];
        let pending = sent(target.post("/oauth/token").form(&poll)).await.is(400).json();
        assert_eq!(pending["error"], "authorization_pending");
        let entry = target.last().await;
        assert_eq!(entry["answer"]["error"], "authorization_pending");
        assert_eq!(entry.get("reason"), None);
    }

    async fn as_many_as_are_wanted_are_waited_for(target: &Target) {
        let waiting = target.clone();
        let waiting = tokio::spawn(async move { waiting.record("endpoint=token&count=2&wait=10").await });
        for _ in 0..2 {
            target.token().await.is(200);
            sent(target.get("/login")).await;
        }
        let record = waiting.await.unwrap();
        assert_eq!(record["requests"].as_array().unwrap().len(), 2);
        let too_few = target.record("endpoint=token&count=3&wait=0.05").await;
        assert_eq!(too_few["requests"].as_array().unwrap().len(), 2);
    }

    async fn the_record_is_read_by_endpoint_client_status_and_from_where_it_was_left(target: &Target) {
        target.token().await.is(200);
        target.redeem("none").await.is(400);
        sent(target.get("/login")).await;
        let numbers = async |query: &str| {
            let record = target.record(query).await;
            let requests = record["requests"].as_array().unwrap().clone();
            requests.iter().map(|entry| entry["number"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(numbers("").await, [1, 2, 3]);
        assert_eq!(numbers("endpoint=token").await, [1, 2]);
        assert_eq!(numbers("status=400").await, [2]);
        assert_eq!(numbers("client_id=confidential").await, [1]);
        assert_eq!(numbers("after=2").await, [3]);
        let next = target.record("endpoint=token").await["next"].clone();
        assert_eq!(next, 3);
        assert_eq!(numbers(&format!("after={next}")).await, [0_u64; 0]);
        let refused = target.control(Method::GET, "requests?endpiont=token", None).await.is(400);
        assert!(refused.json()["error_description"].as_str().unwrap().contains("endpiont"));
        target.control(Method::DELETE, "requests", None).await.is(204);
        target.token().await.is(200);
        assert_eq!(numbers("").await, [4]);
    }

    async fn a_client_that_goes_before_the_answer_is_recorded(target: &Target) {
        target.script(json!({ "endpoint": "metadata", "answer": { "delay": "5m" } })).await;
        let path = "/.well-known/oauth-authorization-server";
        let stream = target.connect(path).await;
        let id = 1;
        while target.told(id).await["hits"] == 0 {
            tokio::task::yield_now().await;
        }
        drop(stream);
        let record = target.record("endpoint=metadata&count=1&wait=10").await;
        let entry = &record["requests"][0];
        assert_eq!((&entry["outcome"], &entry["status"]), (&json!("hung_up"), &Value::Null));
    }

    async fn the_control_plane_is_neither_recorded_nor_scripted(target: &Target) {
        let everything = json!({ "endpoint": "any", "times": "every", "answer": { "status": 500 } });
        let id = target.script(everything).await;
        target.control(Method::GET, "clock", None).await.is(200);
        target.token().await.is(500);
        let record = target.record("").await;
        let entries = record["requests"].as_array().unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0]["scripted"], id);
        assert_eq!(entries[0].get("reason"), None);
    }

    async fn another_sandbox_has_a_record_of_its_own(target: &Target) {
        let other = target.another().await;
        other.token().await.is(200);
        assert_eq!(target.record("").await["requests"], json!([]));
        assert_eq!(other.record("").await["requests"][0]["path"], "/oauth/token");
    }

    async fn what_the_document_describes_is_there(target: &Target) {
        let document = target.control(Method::GET, "openapi.json", None).await.is(200).json();
        assert_eq!(document["servers"][0]["url"], target.issuer);
        for (path, operations) in document["paths"].as_object().unwrap() {
            let described: BTreeSet<String> = operations.as_object().unwrap().keys().cloned().collect();
            let url = format!("{}{}", target.issuer, path.replace(['{', '}'], ""));
            let refused = sent(target.http.request(Method::OPTIONS, url)).await;
            let allowed = refused.header("allow").to_ascii_lowercase();
            let mut allowed: BTreeSet<String> = allowed.split(',').map(str::to_owned).collect();
            allowed.remove("head");
            assert_eq!(described, allowed, "{path}");
        }
        resolve(&document, &document);
    }
}

/// Every reference leads somewhere.
fn resolve(document: &Value, part: &Value) {
    match part {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            members.values().for_each(|member| resolve(document, member));
        }
        Value::Array(elements) => elements.iter().for_each(|element| resolve(document, element)),
        _ => {}
    }
}
