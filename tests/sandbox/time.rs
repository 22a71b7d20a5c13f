//! The clock of a world, which everything in it goes by.

use serde_json::json;

use crate::world::Sandbox;

const YEAR: i64 = 365 * 86_400;

in_a_sandbox! {

async fn tokens_expire_when_the_clock_is_moved_and_in_that_world_alone(sandbox: Sandbox) {
    let other = sandbox.another().await;
    let (here, there) = (
        sandbox.token("client_credentials").await.tokens().access,
        other.token("client_credentials").await.tokens().access,
    );
    let told = sandbox.steer("PATCH", "/clock", &json!({"advance": "1h"})).await;
    assert_eq!((told.status, &told.json()["frozen"]), (200, &json!(false)));
    sandbox.get("/api/memos").bearer(&here).await.challenged(401, "invalid_token");
    assert_eq!(other.get("/api/memos").bearer(&there).await.status, 200);
}

async fn a_frozen_clock_stands_and_can_be_set_and_moved_over_years(sandbox: Sandbox) {
    let told = sandbox
        .steer("PATCH", "/clock", &json!({"frozen": true, "now": "2030-01-02T03:04:05Z"}))
        .await;
    assert_eq!(told.json(), json!({"now": "2030-01-02T03:04:05Z", "unix": 1_893_553_445, "frozen": true}));
    let tokens = sandbox.token("client_credentials").await;
    assert_eq!(tokens.json()["created_at"], 1_893_553_445);
    let told = sandbox.steer("PATCH", "/clock", &json!({"advance": YEAR})).await;
    assert_eq!(told.json()["unix"], 1_893_553_445 + YEAR);
    assert_eq!(sandbox.control("GET", "/clock").await.json(), told.json());
    sandbox.get("/api/memos").bearer(&tokens.tokens().access).await.challenged(401, "invalid_token");
    let fresh = sandbox.token("client_credentials").await;
    assert_eq!(fresh.json()["created_at"], 1_893_553_445 + YEAR);
    let told = sandbox.steer("PATCH", "/clock", &json!({"advance": "-1d"})).await;
    assert_eq!(told.json()["unix"], 1_893_553_445 + YEAR - 86_400);
}

async fn a_clock_that_stood_runs_on_from_where_it_is(sandbox: Sandbox) {
    sandbox.steer("PATCH", "/clock", &json!({"frozen": true, "now": 1_893_553_445})).await;
    let told = sandbox.steer("PATCH", "/clock", &json!({"frozen": false})).await.json();
    assert_eq!(told["frozen"], false);
    let unix = told["unix"].as_i64().unwrap();
    assert!((1_893_553_445..1_893_553_445 + 60).contains(&unix), "{told}");
}

async fn a_session_ends_with_the_clock(sandbox: Sandbox) {
    let browser = sandbox.browser();
    browser.sign_in(&Sandbox::alice()).await;
    assert_eq!(browser.get("/account").await.status, 200);
    sandbox.steer("PATCH", "/clock", &json!({"advance": "40d"})).await;
    assert_eq!(browser.get("/account").await.status, 303);
}

async fn a_wrong_time_changes_nothing(sandbox: Sandbox) {
    sandbox.steer("PATCH", "/clock", &json!({"frozen": true})).await;
    let before = sandbox.control("GET", "/clock").await.json();
    for wrong in [
        json!({"now": "yesterday"}),
        json!({"frozen": false, "advance": "a while"}),
        json!({"advance": {}}),
        json!({"forward": 1}),
        json!([]),
    ] {
        sandbox.steer("PATCH", "/clock", &wrong).await.refused(400, "invalid_request");
        assert_eq!(sandbox.control("GET", "/clock").await.json(), before, "{wrong}");
    }
    sandbox.steer("POST", "", &json!({"now": "yesterday"})).await.refused(400, "invalid_request");
}

}
