//! When a refresh token is refused, and when it takes its family with it (RFC 9700 §4.14).

use crate::world::{Ask, World};

const DAY: i64 = 24 * 3600;

on_each_database! {

async fn a_used_refresh_token_kills_its_family(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    let third = world.refresh(&app, second.refresh()).await.tokens();
    world.clock.advance(11);
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    for token in [&first.access, &second.access, &third.access, third.refresh()] {
        assert!(!world.is_active(&app, token).await);
    }
    world.refresh(&app, third.refresh()).await.refused(400, "invalid_grant");
    world.memos(&third.access).await.challenged(401, "invalid_token");
}

async fn an_older_ancestor_is_a_replay_even_within_the_window(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    let third = world.refresh(&app, second.refresh()).await.tokens();
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    assert!(!world.is_active(&app, &third.access).await, "the answer of the first refresh was not lost");
}

async fn after_the_window_a_repeated_refresh_is_a_replay(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    world.clock.advance(11);
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    assert!(!world.is_active(&app, &second.access).await);
}

with("refresh_token_retry_window" = "0s")
async fn without_a_window_nothing_is_given_again(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    assert!(!world.is_active(&app, &second.access).await);
}

async fn a_lost_answer_is_not_given_again_for_ever(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    let mut given = 0;
    while world.refresh(&app, first.refresh()).await.status == 200 {
        given += 1;
        assert!(given < 100, "a client that lost its answer a hundred times is a thief");
    }
    assert!(given > 0);
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    assert!(!world.is_active(&app, &second.access).await);
}

async fn a_lost_answer_is_not_given_to_another_application(world: World) {
    let alice = world.user("alice").await;
    let (app, other) = (world.application().create().await, world.application().create().await);
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    world.refresh(&other, first.refresh()).await.refused(400, "invalid_grant");
    assert!(world.is_active(&app, &second.access).await, "a stranger cannot kill the family");
}

async fn a_refresh_token_of_one_application_is_refused_to_another(world: World) {
    let alice = world.user("alice").await;
    let owner = world.application().create().await;
    let tokens = world.tokens(&alice, &owner).await;
    for other in [world.application().create().await, world.application().public().create().await] {
        world.refresh(&other, tokens.refresh()).await.refused(400, "invalid_grant");
    }
    assert!(world.is_active(&owner, &tokens.access).await);
    world.refresh(&owner, tokens.refresh()).await.tokens();
}

async fn a_confidential_application_must_prove_itself(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
    world.token(&fields).field("client_id", &app.client_id).await.refused(401, "invalid_client");
    world.token(&fields).basic(&app.client_id, "tgs_wrong").await.refused(401, "invalid_client");
    world.token(&fields).await.refused(401, "invalid_client");
    world.refresh(&app, tokens.refresh()).await.tokens();
}

async fn a_refresh_never_widens(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let tokens = world.tokens(&alice, &app).await;
    for scope in ["write", "read write", "unknown"] {
        world.refresh(&app, tokens.refresh()).field("scope", scope).await.refused(400, "invalid_scope");
    }
    world.refresh(&app, tokens.refresh()).await.tokens();
}

async fn a_second_consent_does_not_widen_an_older_grant(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let older = world.tokens(&alice, &app).await;
    let wider = Ask::of(&app).with("scope", "read write");
    world.signed_in(&alice).await.authorize(&wider).await.code();
    world.refresh(&app, older.refresh()).field("scope", "read write").await.refused(400, "invalid_scope");
    assert_eq!(world.refresh(&app, older.refresh()).await.tokens().json["scope"], "read");
}

async fn an_idle_refresh_token_expires(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    world.clock.advance(30 * DAY);
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
}

async fn no_use_keeps_a_grant_alive_beyond_its_end(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let mut tokens = world.tokens(&alice, &app).await;
    for _ in 0..14 {
        world.clock.advance(26 * DAY);
        tokens = world.refresh(&app, tokens.refresh()).await.tokens();
    }
    world.clock.advance(DAY);
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
}

async fn an_access_token_dies_with_its_grant(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let mut tokens = world.tokens(&alice, &app).await;
    for _ in 0..14 {
        world.clock.advance(26 * DAY);
        tokens = world.refresh(&app, tokens.refresh()).await.tokens();
    }
    world.clock.advance(DAY - 60);
    tokens = world.refresh(&app, tokens.refresh()).await.tokens();
    world.clock.advance(60);
    assert!(
        !world.is_active(&app, &tokens.access).await,
        "the absolute end holds for what came of the grant"
    );
}

async fn a_disabled_user_gets_no_new_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    assert_eq!(world.command(&["user", "disable", "alice"], "").await.exit, 0);
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
}

async fn a_deleted_user_gets_no_new_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    assert_eq!(world.command(&["user", "delete", "alice"], "").await.exit, 0);
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
}

async fn a_changed_password_ends_what_the_old_one_allowed(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let changed =
        world.command(&["user", "password", "alice", "--password-stdin"], "a new long password\n").await;
    assert_eq!(changed.exit, 0, "{changed:?}");
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
}

async fn a_revoked_token_is_not_a_lost_answer(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    assert_eq!(world.revoke(second.refresh()).by(&app).await.status, 200);
    world.refresh(&app, second.refresh()).await.refused(400, "invalid_grant");
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
}

async fn no_other_value_passes_for_a_refresh_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let code = world.code(&alice, &app).await;
    let secret = tokens.refresh();
    let flipped = secret.to_uppercase();
    let longer = format!("{secret}A");
    let bare = &secret[4..];
    for value in [&tokens.access, &code, &flipped, &longer, &secret[..46], bare, app.secret(), "x"] {
        world.refresh(&app, value).await.refused(400, "invalid_grant");
    }
    world.redeem(&app, secret).await.refused(400, "invalid_grant");
    world.redeem(&app, &tokens.access).await.refused(400, "invalid_grant");
    world.refresh(&app, secret).await.tokens();
}

async fn a_refresh_token_is_a_required_parameter(world: World) {
    let app = world.application().create().await;
    world.token(&[("grant_type", "refresh_token")]).by(&app).await.refused(400, "invalid_request");
    world.refresh(&app, "").await.refused(400, "invalid_request");
}

async fn an_application_without_the_grant_gets_no_refresh_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("authorization_code").create().await;
    assert!(!world.tokens(&alice, &app).await.has_refresh());
    world.refresh(&app, "tgr_x").await.refused(400, "unauthorized_client");
}

async fn a_rotated_token_stays_dead_after_a_restart(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    world.clock.advance(11);
    world.restart().await;
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    assert!(!world.is_active(&app, &second.access).await);
}

async fn a_lost_answer_whose_token_is_gone_is_no_fault_of_ours(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    assert_eq!(world.change_rows("DELETE FROM refresh_tokens WHERE used_at IS NULL").await, 1);
    let again = world.refresh(&app, first.refresh()).await.tokens();
    assert_eq!(again.refresh(), second.refresh(), "the one answer there was, and no other");
    world.refresh(&app, again.refresh()).await.refused(400, "invalid_grant");

    assert_eq!(world.change_rows("DELETE FROM refresh_tokens").await, 1);
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    assert!(world.is_active(&app, &second.access).await, "a token of which nothing is known is no replay");
}

async fn a_lost_answer_is_not_given_again_when_its_grant_is_gone(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    assert_eq!(world.change_rows("DELETE FROM grants").await, 1);
    for token in [first.refresh(), second.refresh()] {
        world.refresh(&app, token).await.refused(400, "invalid_grant");
    }
    assert!(!world.is_active(&app, &second.access).await);
}

}
