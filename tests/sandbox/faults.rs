//! Scripts: answers as a server in trouble, a careless one or a hostile one gives them.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tegata::sandbox::seeds;

use super::target::{Target, all_of, sent, with_a_target};

const METADATA: &str = "/.well-known/oauth-authorization-server";

with_a_target! {
    async fn the_next_answers_fail_and_then_the_server_works(target: &Target) {
        let failing = json!({ "status": 503, "retry_after": 2 });
        let id = target.script(json!({ "endpoint": "token", "times": 2, "answer": failing })).await;
        for _ in 0..2 {
            let failed = target.token().await.is(503);
            assert_eq!(failed.header("retry-after"), "2");
            assert_eq!(failed.header("cache-control"), "no-store");
            assert_eq!(failed.json()["error"], "temporarily_unavailable");
        }
        target.token().await.is(200);
        let told = target.told(id).await;
        assert_eq!((&told["remaining"], &told["hits"]), (&json!(0), &json!(2)));
    }

    async fn every_answer_fails_until_the_script_is_removed(target: &Target) {
        let id = target.script(json!({ "endpoint": "token", "times": "every", "answer": { "status": 502 } })).await;
        for _ in 0..3 {
            target.token().await.is(502);
        }
        assert_eq!(target.told(id).await["remaining"], Value::Null);
        target.control(Method::DELETE, &format!("scripts/{id}"), None).await.is(204);
        target.token().await.is(200);
        target.control(Method::DELETE, &format!("scripts/{id}"), None).await.is(404);
        target.control(Method::DELETE, "scripts/none", None).await.is(404);
    }

    async fn some_pass_before_a_script_acts_and_the_first_one_that_fits_acts(target: &Target) {
        target.script(json!({ "endpoint": "token", "after": 1, "answer": { "status": 500 } })).await;
        target.script(json!({ "endpoint": "any", "answer": { "status": 501 } })).await;
        target.token().await.is(501);
        target.token().await.is(500);
        target.token().await.is(200);
    }

    async fn a_script_is_for_its_grant_its_client_and_its_method_alone(target: &Target) {
        let scripts = [
            json!({ "endpoint": "token", "grant": "refresh_token", "answer": { "status": 501 } }),
            json!({ "endpoint": "token", "client_id": "public", "answer": { "status": 502 } }),
            json!({ "endpoint": "memos", "method": "POST", "answer": { "status": 503 } }),
        ];
        for script in scripts {
            target.script(script).await;
        }
        let token = target.access_token().await;
        target.memos(&token).await.is(200);
        let memo = target.post("/api/memos").bearer_auth(&token).json(&json!({ "message": "a" }));
        sent(memo).await.is(503);
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", "none")];
        let refresh = target.post("/oauth/token").form(&refresh);
        sent(refresh.basic_auth(seeds::CONFIDENTIAL, Some(seeds::SECRET))).await.is(501);
        target.redeem("none").await.is(502);
    }

    async fn a_script_for_a_client_knows_it_by_its_token(target: &Target) {
        let token = target.access_token().await;
        let script = |client_id| json!({ "endpoint": "memos", "client_id": client_id, "answer": { "status": 429 } });
        target.script(script(seeds::PUBLIC)).await;
        target.memos(&token).await.is(200);
        target.script(script(seeds::CONFIDENTIAL)).await;
        target.memos(&token).await.is(429);
    }

    async fn another_sandbox_has_other_scripts(target: &Target) {
        let other = target.another().await;
        target.script(json!({ "endpoint": "any", "times": "every", "answer": { "status": 500 } })).await;
        other.token().await.is(200);
        target.token().await.is(500);
        let listed = other.control(Method::GET, "scripts", None).await.is(200).json();
        assert_eq!(listed, json!({ "scripts": [] }));
    }

    async fn the_metadata_of_a_made_sandbox_are_scripted_at_both_places(target: &Target) {
        let other = target.another().await;
        let answer = json!({ "set": { "issuer": "https://evil.example" } });
        other.script(json!({ "endpoint": "metadata", "times": 2, "answer": answer })).await;
        let path = other.issuer.strip_prefix(&target.issuer).unwrap();
        for place in [format!("{METADATA}{path}"), format!("{path}{METADATA}")] {
            let metadata = sent(target.get(&place)).await.is(200).json();
            assert_eq!(metadata["issuer"], "https://evil.example", "{place}");
            assert_eq!(metadata["token_endpoint"], format!("{}/oauth/token", other.issuer));
        }
    }

    async fn an_error_has_the_shape_of_its_endpoint(target: &Target) {
        let token = target.access_token().await;
        let error = |endpoint: &str, error: &str| json!({ "endpoint": endpoint, "answer": { "error": error } });
        target.script(error("token", "invalid_grant")).await;
        let refused = target.token().await.is(400);
        assert_eq!(refused.json()["error"], "invalid_grant");
        assert_eq!(refused.header("cache-control"), "no-store");
        assert!(refused.json()["error_uri"].as_str().unwrap().ends_with("/oauth/errors/invalid_grant"));

        target.script(error("token", "invalid_client")).await;
        let refused = target.token().await.is(401);
        assert!(refused.header("www-authenticate").starts_with("Basic "));

        target.script(error("memos", "invalid_token")).await;
        let refused = target.memos(&token).await.is(401);
        assert!(refused.header("www-authenticate").starts_with("Bearer "));
        assert!(refused.header("www-authenticate").contains("resource_metadata="));
        assert_eq!(refused.json()["error"], "invalid_token");

        target.script(error("memos", "insufficient_scope")).await;
        target.memos(&token).await.is(403);

        let odd = json!({ "error": "made_up", "error_description": "Words", "status": 418 });
        target.script(json!({ "endpoint": "token", "answer": odd })).await;
        let refused = target.token().await.is(418).json();
        assert_eq!(refused, json!({ "error": "made_up", "error_description": "Words" }));
    }

    async fn an_error_of_authorization_goes_to_the_client_with_its_state(target: &Target) {
        let answer = json!({ "error": "temporarily_unavailable", "error_description": "Later" });
        let script = json!({ "endpoint": "authorize", "answer": answer });
        let id = target.script(script).await;
        let page = target.authorize(&[("client_id", "nobody")]).await;
        assert_eq!(page.status, 400, "no redirect to whom nobody knows");
        assert_eq!(target.told(id).await["hits"], 0);

        let redirect = target.authorize(&[]).await.is(302);
        assert!(redirect.header("location").starts_with("http://127.0.0.1:5000/cb?"));
        let parameters = ["error", "error_description", "state", "iss", "code"].map(|name| redirect.parameter(name));
        let [error, description, state, iss, code] = parameters.map(Option::unwrap_or_default);
        assert_eq!((&*error, &*description, &*state), ("temporarily_unavailable", "Later", "kept"));
        assert_eq!((&*iss, &*code), (&*target.issuer, ""));
        assert_eq!(target.told(id).await["hits"], 1);
    }

    async fn what_a_redirect_brings_to_the_client_is_left_out_and_set(target: &Target) {
        let hostile = json!({ "omit": ["iss"], "set": { "state": "forged", "error": "access_denied" } });
        target.script(json!({ "endpoint": "authorize", "answer": hostile })).await;
        let redirect = target.authorize(&[]).await.is(302);
        assert_eq!(redirect.parameter("state").unwrap(), "forged");
        assert_eq!(redirect.parameter("error").unwrap(), "access_denied");
        assert_eq!(redirect.parameter("iss"), None);
        target.redeem(&redirect.parameter("code").unwrap()).await.is(200);
    }

    async fn a_redirect_to_our_own_pages_is_not_changed_and_not_counted(target: &Target) {
        let script = json!({ "endpoint": "authorize", "answer": { "set": { "state": "forged" } } });
        let id = target.script(script).await;
        let login = target.ask(&[]).await;
        assert!(login.header("location").starts_with("/login"), "{login:?}");
        assert_eq!(target.told(id).await["hits"], 0);
        let redirect = target.authorize(&[]).await.is(302);
        assert_eq!(redirect.parameter("state").unwrap(), "forged");
    }

    async fn nothing_is_used_up_by_an_answer_that_the_server_did_not_give(target: &Target) {
        let code = target.authorize(&[]).await.is(302).parameter("code").unwrap();
        target.script(json!({ "endpoint": "token", "answer": { "status": 503 } })).await;
        target.redeem(&code).await.is(503);
        target.redeem(&code).await.is(200);
        target.redeem(&code).await.is(400);
    }

    async fn members_of_a_token_answer_are_left_out_and_set(target: &Target) {
        let careless = json!({ "omit": ["token_type"], "set": { "expires_in": "soon" } });
        target.script(json!({ "endpoint": "token", "answer": careless })).await;
        let answer = target.token().await.is(200);
        let body = answer.json();
        assert_eq!(body["expires_in"], "soon");
        assert_eq!(body.get("token_type"), None);
        let token = body["access_token"].as_str().unwrap();
        target.memos(token).await.is(200);
    }

    async fn the_real_answer_keeps_its_body_where_only_its_headers_are_changed(target: &Target) {
        let wrong = json!({ "content_type": "text/plain", "headers": { "X-Odd": "1" } });
        target.script(json!({ "endpoint": "token", "answer": wrong })).await;
        let answer = target.token().await.is(200);
        assert_eq!(answer.header("content-type"), "text/plain");
        assert_eq!(answer.header("x-odd"), "1");
        assert!(answer.json()["access_token"].is_string());
    }

    async fn careless_answers_have_templates_and_any_body_can_be_given(target: &Target) {
        let answers = [
            json!({ "template": "malformed_json" }),
            json!({ "template": "wrong_content_type" }),
            json!({ "template": "empty" }),
            json!({ "body": "<html>Bad gateway", "content_type": "text/html", "status": 502 }),
            json!({ "body": { "access_token": 7 } }),
        ];
        for answer in answers {
            target.script(json!({ "endpoint": "token", "answer": answer })).await;
        }
        let malformed = target.token().await.is(200);
        assert!(serde_json::from_str::<Value>(&malformed.text).is_err());
        assert!(malformed.header("content-type").starts_with("application/json"));
        let wrong = target.token().await.is(200);
        assert!(wrong.header("content-type").starts_with("text/html"));
        assert!(wrong.json()["access_token"].is_string());
        assert_eq!(target.token().await.is(200).text, "");
        let page = target.token().await.is(502);
        assert_eq!((page.text.as_str(), page.header("content-type")), ("<html>Bad gateway", "text/html"));
        assert_eq!(target.token().await.is(200).json(), json!({ "access_token": 7 }));
    }

    async fn a_dropped_connection_closes_without_a_byte(target: &Target) {
        target.script(json!({ "endpoint": "metadata", "answer": { "drop": true } })).await;
        assert_eq!(target.until_closed(METADATA).await, "");
    }

    async fn a_truncated_answer_announces_more_than_comes(target: &Target) {
        target.script(json!({ "endpoint": "metadata", "answer": { "truncate": true } })).await;
        let came = target.until_closed(METADATA).await;
        let (head, body) = came.split_once("\r\n\r\n").unwrap();
        let announced = head
            .to_ascii_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())
            .unwrap();
        assert!(head.starts_with("HTTP/1.1 200"));
        assert_eq!(body.len(), announced / 2);
        assert!(body.starts_with(&format!("{{\"issuer\":\"{}\"", target.issuer)));
    }

    async fn a_lost_answer_is_of_something_that_was_done(target: &Target) {
        let token = target.access_token().await;
        target.script(json!({ "endpoint": "memos", "answer": { "drop": "answer" } })).await;
        let memo = target.post("/api/memos").bearer_auth(&token).json(&json!({ "message": "kept" }));
        assert!(memo.send().await.is_err());
        let memos = target.memos(&token).await.is(200).json();
        assert_eq!(memos["memos"][0]["message"], "kept");
        let lost = target.record("endpoint=memos").await["requests"][0].clone();
        assert_eq!((&lost["outcome"], &lost["status"]), (&json!("lost"), &json!(201)));
    }

    async fn a_stalled_request_holds_up_nobody_and_is_let_go_with_its_script(target: &Target) {
        let other = target.another().await;
        let stalling = json!({ "endpoint": "metadata", "answer": { "stall": true } });
        target.script(stalling).await;
        let stalled = target.connect(METADATA).await;
        let seen = target.record("endpoint=metadata&count=1&wait=10").await;
        assert_eq!(seen["requests"][0]["outcome"], "stalled");
        assert_eq!(seen["requests"][0]["status"], Value::Null);
        other.token().await.is(200);
        target.token().await.is(200);
        target.control(Method::DELETE, "scripts", None).await.is(204);
        assert_eq!(all_of(stalled).await, "");
    }

    async fn a_sandbox_that_is_dropped_lets_its_stalled_requests_go(target: &Target) {
        let other = target.another().await;
        other.script(json!({ "endpoint": "metadata", "answer": { "stall": true } })).await;
        let stalled = other.connect(METADATA).await;
        other.record("count=1&wait=10").await;
        sent(other.http.delete(format!("{}/sandbox", other.issuer))).await.is(204);
        assert_eq!(all_of(stalled).await, "");
    }

    async fn a_delayed_answer_comes_late_and_whole(target: &Target) {
        target.script(json!({ "endpoint": "token", "answer": { "delay": "150ms" } })).await;
        let asked = Instant::now();
        target.token().await.is(200);
        assert!(asked.elapsed() >= Duration::from_millis(150));
    }

    async fn a_delayed_answer_is_let_go_with_its_script(target: &Target) {
        let id = target.script(json!({ "endpoint": "token", "answer": { "delay": "10m" } })).await;
        let delayed = tokio::spawn({
            let target = target.clone();
            async move { target.token().await }
        });
        while target.told(id).await["hits"] == 0 {
            tokio::task::yield_now().await;
        }
        target.control(Method::DELETE, "scripts", None).await.is(204);
        delayed.await.unwrap().is(200);
    }

    async fn what_a_browser_asks_first_is_no_request_of_the_client(target: &Target) {
        let script = json!({ "endpoint": "token", "answer": { "status": 503 } });
        let id = target.script(script).await;
        let preflight = target.http.request(Method::OPTIONS, format!("{}/oauth/token", target.issuer));
        sent(preflight.header("access-control-request-method", "POST")).await;
        assert_eq!(target.told(id).await["hits"], 0);
        target.token().await.is(503);
    }

    async fn a_script_that_cannot_be_meant_is_refused_in_words(target: &Target) {
        let refused = [
            (json!({ "endpoint": "token" }), "answer"),
            (json!({ "endpoint": "token", "answer": {} }), "say what becomes of the answer"),
            (json!({ "endpoint": "token", "answer": { "stauts": 503 } }), "stauts"),
            (json!({ "endpoint": "nowhere", "answer": { "status": 503 } }), "nowhere"),
            (json!({ "endpoint": "token", "times": "often", "answer": { "status": 503 } }), "times"),
            (json!({ "endpoint": "token", "answer": { "delay": "soon" } }), "200ms"),
        ];
        for (script, said) in refused {
            let answer = target.control(Method::POST, "scripts", Some(script)).await.is(400).json();
            assert_eq!(answer["error"], "invalid_request");
            let description = answer["error_description"].as_str().unwrap();
            assert!(description.contains(said), "{description}");
        }
    }
}
