//! Alive, and able to serve.

use crate::world::World;

on_each_database! {

async fn a_server_that_can_serve_says_so(world: World) {
    assert_eq!(world.get("/healthz").await.status, 200);
    assert_eq!(world.get("/readyz").await.status, 200);
    assert_eq!(world.get("/healthz/").await.status, 200);
}

async fn a_server_whose_store_has_another_version_is_not_ready(world: World) {
    let newest = "version = (SELECT max(version) FROM tegata_migrations)";
    for (change, back) in [
        (format!("version = -version WHERE {newest}"), "version = -version WHERE version < 0"),
        (format!("version = version + 1000000 WHERE {newest}"), "version = version - 1000000 WHERE version > 1000000"),
    ] {
        assert_eq!(world.change_rows(&format!("UPDATE tegata_migrations SET {change}")).await, 1);
        let answer = world.get("/readyz").await;
        assert_eq!(answer.status, 503, "{change}: {answer}");
        assert_eq!(answer.json(), serde_json::json!({"status": "not ready", "because": "store"}));
        assert_eq!(world.get("/healthz").await.status, 200, "to be killed for it would mend nothing");
        assert_eq!(world.change_rows(&format!("UPDATE tegata_migrations SET {back}")).await, 1);
        assert_eq!(world.get("/readyz").await.status, 200);
    }
}

async fn what_is_not_there_is_not_found(world: World) {
    for path in
        ["/nothing", "/oauth/nothing", "/oauth", "/api/nothing", "/.git/config", "/oauth/token/nothing"]
    {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
}

async fn a_path_in_disguise_opens_nothing(world: World) {
    for path in [
        "//oauth/applications",
        "/oauth/%2e%2e/oauth/applications",
        "/oauth/applications;x",
        "/oauth%2Fapplications",
        "/OAUTH/applications",
    ] {
        let answer = world.get(path).await;
        assert!(matches!(answer.status, 303 | 400 | 404), "{path}: {answer}");
        assert!(!answer.body.contains("client_id"), "{path}: {answer}");
    }
}

}
