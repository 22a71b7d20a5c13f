//! How long an access token lives: by its application and by the grant that it came of.

use crate::world::{Application, User, World};

async fn lives(world: &World, user: &User, app: &Application) -> [i64; 3] {
    let seconds = |tokens: &crate::world::Tokens| tokens.json["expires_in"].as_i64().unwrap();
    let own = world.client_credentials(app).await.tokens();
    let by_code = world.tokens(user, app).await;
    let refreshed = world.refresh(app, by_code.refresh()).await.tokens();
    [seconds(&own), seconds(&by_code), seconds(&refreshed)]
}

on_each_database! {

with("access_token_ttl" = "1h", "access_token_ttl_by_grant" = "client_credentials=15m,authorization_code=30m")
async fn what_is_said_of_the_application_and_the_grant_comes_first(world: World) {
    let alice = world.user("alice").await;
    let usual = world.application().create().await;
    assert_eq!(lives(&world, &alice, &usual).await, [900, 1800, 1800], "the server's, by grant");
    let own = world.application().access_token_ttl("10m").create().await;
    assert_eq!(lives(&world, &alice, &own).await, [600, 600, 600], "the application's");
    let by_grant = world.application().access_token_ttl("10m").access_token_ttl_for("authorization_code=5m").create().await;
    assert_eq!(lives(&world, &alice, &by_grant).await, [600, 300, 300], "the application's, by grant");
}

with("access_token_ttl" = "1h", "access_token_ttl_by_grant" = "client_credentials=15m")
async fn a_grant_that_is_not_named_has_the_lifetime_of_all(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().access_token_ttl_for("client_credentials=1m").create().await;
    assert_eq!(lives(&world, &alice, &app).await, [60, 3600, 3600]);
    let tokens = world.client_credentials(&app).await.tokens();
    world.clock.advance(60);
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
}

}
