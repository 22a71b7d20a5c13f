//! Who gets no tokens for a code (RFC 6749 §4.1.2.1, §5.2; RFC 9700 §4.5).

use crate::world::{Ask, World};

on_each_database! {

async fn a_code_of_one_application_is_refused_to_another(world: World) {
    let alice = world.user("alice").await;
    let owner = world.application().create().await;
    let other = world.application().create().await;
    let public = world.application().public().create().await;
    let code = world.code(&alice, &owner).await;
    world.redeem(&other, &code).await.refused(400, "invalid_grant");
    world.redeem(&public, &code).await.refused(400, "invalid_grant");
    let tokens = world.redeem(&owner, &code).await.tokens();
    assert_eq!(world.memos(&tokens.access).await.status, 200, "the attempt cost its owner nothing");
}

async fn a_code_of_one_public_application_is_refused_to_another(world: World) {
    let alice = world.user("alice").await;
    let owner = world.application().public().create().await;
    let other = world.application().public().create().await;
    let code = world.code(&alice, &owner).await;
    world.redeem(&other, &code).await.refused(400, "invalid_grant");
    world.redeem(&owner, &code).await.tokens();
}

async fn an_expired_code_is_refused(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    world.clock.advance(61);
    world.redeem(&app, &code).await.refused(400, "invalid_grant");
}

async fn a_code_redeemed_twice_kills_what_came_of_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    for pause in [0, 1, 30] {
        let code = world.code(&alice, &app).await;
        let first = world.redeem(&app, &code).await.tokens();
        let renewed = world.refresh(&app, first.refresh()).await.tokens();
        world.clock.advance(pause);
        world.redeem(&app, &code).await.refused(400, "invalid_grant");
        for token in [&first.access, first.refresh(), &renewed.access, renewed.refresh()] {
            assert!(!world.is_active(&app, token).await, "after {pause} s");
        }
        world.refresh(&app, renewed.refresh()).await.refused(400, "invalid_grant");
    }
}

async fn a_replay_leaves_another_grant_alone(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let other = world.tokens(&alice, &app).await;
    let code = world.code(&alice, &app).await;
    world.redeem(&app, &code).await.tokens();
    world.redeem(&app, &code).await.refused(400, "invalid_grant");
    assert!(world.is_active(&app, &other.access).await, "another grant of the same user and application");
}

async fn a_replay_without_proof_does_no_harm(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let other = world.application().create().await;
    let code = world.browser().authorize_as(&alice, &Ask::of(&app).pkce()).await.code();
    let verified = |verifier: &str| world.redeem(&app, &code).field("code_verifier", verifier);
    let tokens = verified(crate::world::VERIFIER).await.tokens();

    verified(&"x".repeat(43)).await.refused(400, "invalid_grant");
    world.redeem(&app, &code).await.refused(400, "invalid_grant");
    world.redeem(&other, &code).await.refused(400, "invalid_grant");
    let fields = [("grant_type", "authorization_code"), ("code", &code)];
    world.token(&fields).basic(&app.client_id, "tgs_wrong").await.refused(401, "invalid_client");
    assert!(
        world.is_active(&app, &tokens.access).await,
        "whoever has only the code must not be able to revoke"
    );
}

async fn every_wrong_proof_alone_is_enough_to_refuse(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for row in 0..32_u8 {
        let [client, expired, used, verifier, redirect] = [1, 2, 4, 8, 16].map(|bit| row & bit != 0);
        let code = browser.authorize(&Ask::of(&app).pkce()).await.code();
        let right = || world.token(&[("grant_type", "authorization_code"), ("code", &code)]);
        if used {
            let first = right().by(&app).field("redirect_uri", app.redirect_uri());
            first.field("code_verifier", crate::world::VERIFIER).await.tokens();
        }
        world.clock.advance(if expired { 61 } else { 0 });
        let wrong = "wrong".repeat(10);
        let request = right()
            .basic(&app.client_id, if client { "tgs_wrong" } else { app.secret() })
            .field("code_verifier", if verifier { &wrong } else { crate::world::VERIFIER })
            .field("redirect_uri", if redirect { "https://app.example/other" } else { app.redirect_uri() });
        let answer = request.await;
        match (row, client) {
            (0, _) => drop(answer.tokens()),
            (_, true) => answer.refused(401, "invalid_client"),
            (_, false) => answer.refused(400, "invalid_grant"),
        }
    }
}

async fn a_redirect_uri_that_was_sent_must_come_again(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    world.redeem(&app, &code).without("redirect_uri").await.refused(400, "invalid_grant");
    let other = "https://app.example/callback/";
    let request = world.redeem(&app, &code).without("redirect_uri").field("redirect_uri", other);
    request.await.refused(400, "invalid_grant");
}

async fn bad_codes_are_not_told_apart(world: World) {
    let alice = world.user("alice").await;
    let (app, other) = (world.application().create().await, world.application().create().await);
    let foreign = world.code(&alice, &other).await;
    let expired = world.code(&alice, &app).await;
    world.clock.advance(61);
    let unknown = format!("tgc_{}", "A".repeat(43));
    let mut said = Vec::new();
    for code in [&unknown, &expired, &foreign, "x", "tga_x", "%00"] {
        let answer = world.redeem(&app, code).await;
        answer.refused(400, "invalid_grant");
        said.push(answer.body);
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}

async fn a_user_who_was_disabled_meanwhile_gets_no_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    assert_eq!(world.command(&["user", "disable", "alice"], "").await.exit, 0);
    world.redeem(&app, &code).await.refused(400, "invalid_grant");
}

async fn a_user_who_was_deleted_meanwhile_gets_no_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    assert_eq!(world.command(&["user", "delete", "alice"], "").await.exit, 0);
    world.redeem(&app, &code).await.refused(400, "invalid_grant");
}

async fn a_code_of_a_deleted_application_is_refused(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    assert_eq!(world.command(&["application", "delete", &app.client_id], "").await.exit, 0);
    world.soon(401, || world.client_credentials(&app)).await.refused(401, "invalid_client");
    world.redeem(&app, &code).await.refused(401, "invalid_client");
}

async fn an_unproven_redirect_uri_is_never_followed(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let registered = "https://app.example/callback";
    let wrong = [
        "https://evil.example/callback".to_owned(),
        format!("{registered}/"),
        format!("{registered}?x=1"),
        format!("{registered}#f"),
        format!("{registered};p=1"),
        format!("{registered}/../other"),
        format!("{registered}%2F..%2Fother"),
        format!("{registered}\u{0}"),
        "https://APP.example/callback".to_owned(),
        "https://app.example:443/callback".to_owned(),
        "https://app.example@evil.example/callback".to_owned(),
        "https://app.example.evil.example/callback".to_owned(),
        "https://app.example\\@evil.example/callback".to_owned(),
        "//app.example/callback".to_owned(),
        "http://app.example/callback".to_owned(),
        "javascript:alert(1)//https://app.example/callback".to_owned(),
    ];
    for uri in &wrong {
        for (name, value) in
            [("state", "s"), ("scope", "unknown"), ("response_type", "junk"), ("prompt", "none")]
        {
            let ask = Ask::of(&app).with("redirect_uri", uri).with(name, value);
            browser.authorize(&ask).await.is_page(400);
            world.browser().authorize(&ask).await.is_page(400);
        }
    }
}

async fn an_unknown_application_gets_a_page(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for id in ["unknown", "", "a\u{0}b", &"x".repeat(5000), "' OR 1=1 --"] {
        browser.authorize(&Ask::of(&app).with("client_id", id)).await.is_page(400);
    }
    browser.authorize(&Ask::of(&app).without("client_id")).await.is_page(400);
}

async fn a_redirect_uri_may_not_be_left_out_where_two_are_registered(world: World) {
    let alice = world.user("alice").await;
    let app = world
        .application()
        .redirect_uri("https://a.example/")
        .redirect_uri("https://b.example/")
        .create()
        .await;
    world.signed_in(&alice).await.authorize(&Ask::of(&app).without("redirect_uri")).await.is_page(400);
}

async fn a_repeated_parameter_is_refused(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for name in ["client_id", "redirect_uri"] {
        let value = Ask::of(&app).pairs().iter().find(|(known, _)| known == name).unwrap().1.clone();
        browser.authorize(&Ask::of(&app).twice(name, &value)).await.is_page(400);
        browser.authorize(&Ask::of(&app).twice(name, "other")).await.is_page(400);
    }
    for name in ["response_type", "scope", "state", "code_challenge", "code_challenge_method"] {
        let ask = Ask::of(&app).pkce().twice(name, "other");
        assert_eq!(browser.authorize(&ask).await.error(), "invalid_request", "{name}");
    }
}

async fn an_unknown_response_type_is_refused_by_redirect(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for kind in ["token", "id_token", "code token", "code id_token", "CODE", "code code", "codex"] {
        let error = browser.authorize(&Ask::of(&app).with("response_type", kind)).await.error();
        assert!(["unsupported_response_type", "invalid_request"].contains(&&*error), "{kind}: {error}");
    }
    assert_eq!(browser.authorize(&Ask::of(&app).without("response_type")).await.error(), "invalid_request");
}

async fn a_scope_that_is_unknown_or_not_allowed_is_refused(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read").create().await;
    let browser = world.signed_in(&alice).await;
    for scope in ["write", "read write", "unknown", "READ", "re\"ad", "re\\ad", "ふじ"] {
        let error = browser.authorize(&Ask::of(&app).with("scope", scope)).await.error();
        assert!(["invalid_scope", "invalid_request"].contains(&&*error), "{scope:?}: {error}");
    }
}

async fn a_control_character_is_refused_by_the_parameter_it_is_in(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for (name, value, error) in [
        ("scope", "read\twrite", "invalid_scope"),
        ("scope", "read\nwrite", "invalid_scope"),
        ("code_challenge_method", "S256\n", "invalid_request"),
        ("code_challenge", "\u{0}", "invalid_request"),
    ] {
        let answer = browser.authorize(&Ask::of(&app).with(name, value)).await;
        assert_eq!(answer.error(), error, "{name}={value:?}");
    }
    for (name, value) in [("client_id", "\u{0}"), ("redirect_uri", "https://app.example/callback\r\n")] {
        browser.authorize(&Ask::of(&app).with(name, value)).await.is_page(400);
    }
}

async fn a_state_comes_back_whatever_it_holds(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().trusted().create().await;
    let browser = world.signed_in(&alice).await;
    for state in ["a\r\nSet-Cookie: x=1", "\u{0}", "+ %2B&=ふじ"] {
        let answer = browser.authorize(&Ask::of(&app).with("state", state)).await;
        assert_eq!(answer.get("state").as_deref(), Some(state));
    }
}

async fn an_application_without_the_grant_cannot_ask(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("client_credentials").create().await;
    let answer = world.signed_in(&alice).await.authorize(&Ask::of(&app)).await;
    assert_eq!(answer.error(), "unauthorized_client");
}

async fn only_get_and_post_ask(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().trusted().create().await;
    let browser = world.signed_in(&alice).await;
    let path = Ask::of(&app).path();
    for method in ["PUT", "PATCH", "TRACE", "OPTIONS"] {
        let answer = browser.request(method, &path).await;
        assert_eq!((answer.status, answer.header("allow").is_empty()), (405, false), "{answer}");
        assert!(answer.location().is_none(), "{answer}");
    }
    let head = browser.request("HEAD", &path).await;
    let leads_to = head.location().map(|url| url.to_string()).unwrap_or_default();
    assert!(!leads_to.contains("code="), "HEAD is not consent: {head}");
}

}
