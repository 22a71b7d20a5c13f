//! Alive, and able to serve.

use crate::world::World;

on_each_database! {

async fn a_server_that_can_serve_says_so(world: World) {
    assert_eq!(world.get("/healthz").await.status, 200);
    assert_eq!(world.get("/readyz").await.status, 200);
    assert_eq!(world.get("/healthz/").await.status, 200);
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
