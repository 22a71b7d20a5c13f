//! A web page on the tester's machine must not be able to drive a sandbox.

use serde_json::json;

use crate::world::Sandbox;

in_a_sandbox! {

async fn a_page_of_another_origin_is_refused(sandbox: Sandbox) {
    for (name, value) in [
        ("Origin", "https://evil.test"),
        ("Origin", "null"),
        ("Origin", "http://127.0.0.1:1"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let asked = sandbox.control(method, "").json(&json!({})).header(name, value);
            asked.await.refused(403, "forbidden");
        }
    }
    let own = sandbox.control("GET", "").header("Origin", &sandbox.issuer).header("Sec-Fetch-Site", "same-origin");
    assert_eq!(own.await.status, 200);
}

async fn a_name_that_another_site_lets_point_here_is_refused(sandbox: Sandbox) {
    for host in ["evil.test", "evil.test:80", "127.0.0.1.evil.test", "localhost.evil.test:1"] {
        sandbox.control("GET", "").header("Host", host).await.refused(403, "forbidden");
    }
    for host in ["localhost", "localhost:1", "[::1]:3801", "127.0.0.1"] {
        assert_eq!(sandbox.control("GET", "").header("Host", host).await.status, 200, "{host}");
    }
}

async fn a_form_of_another_site_has_the_wrong_type(sandbox: Sandbox) {
    for kind in ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"] {
        let asked = sandbox.control("PATCH", "/clock").body(kind, r#"{"advance":1}"#);
        asked.await.refused(400, "invalid_request");
    }
}

async fn no_world_takes_what_another_would_refuse(sandbox: Sandbox) {
    let other = sandbox.another().await;
    other.control("DELETE", "").header("Origin", "https://evil.test").await.refused(403, "forbidden");
    assert_eq!(other.control("GET", "").await.status, 200);
}

}
