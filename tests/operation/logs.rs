//! No secret reaches the log, however much is logged (RFC 6819 §5.1.4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::process::Process;
use crate::form::Form;
use crate::world::{Answer, Ask, VERIFIER, World};

/// The values of all cookies and of all tokens against CSRF that an answer carries.
fn handed_out(answer: &Answer) -> Vec<String> {
    let cookies = answer.headers.get_all("set-cookie").iter().filter_map(|value| {
        let (_, value) = value.to_str().ok()?.split(';').next()?.split_once('=')?;
        Some(value.to_owned())
    });
    let forms = Form::all(&answer.body);
    let tokens = forms.iter().flat_map(|form| &form.fields);
    let tokens = tokens.filter(|(name, _)| name == "csrf_token" || name == "authorization");
    cookies
        .chain(tokens.map(|(_, value)| value.clone()))
        .filter(|value| value.len() > 10)
        .collect()
}

/// Where `secret` can be read in `log`, in any of its usual spellings.
fn leak<'l>(log: &'l str, secret: &str) -> Option<&'l str> {
    let encoded = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
    let base64 = STANDARD.encode(secret);
    let spellings = [
        secret,
        secret.get(4..).unwrap_or(secret),
        &encoded,
        base64.trim_end_matches('='),
    ];
    log.lines()
        .find(|line| spellings.iter().any(|spelling| line.contains(spelling)))
}

on_each_database! {

async fn a_whole_flow_at_the_finest_level_tells_no_secret(world: World) {
    world.stop().await;
    for format in ["json", "pretty"] {
        tell_no_secret(&world, format).await;
    }
}

}

async fn tell_no_secret(world: &World, format: &str) {
    let process = Process::start(world, &["--log", "trace", "--log-format", format]).await;
    let seen = process.world.clone();
    let mut secrets = vec![VERIFIER.to_owned(), crate::world::CHALLENGE.to_owned()];
    // The set-up link itself is shown once, on purpose, in a line of its own.
    let told = process.told();
    let link = told.lines().find_map(|line| {
        line.split_once("/setup?token=")
            .map(|(_, token)| token.trim().to_owned())
    });
    if let Some(token) = &link {
        seen.get(&format!("/setup?token={token}")).await;
    }

    let name = format!("alice-{format}");
    let alice = world.user(&name).await;
    let app = world.application().create().await;
    let chosen = "a secret that a person made up one day";
    let by_hand = world.application().chosen_secret(chosen).create().await;
    secrets.extend([alice.password.clone(), app.secret().to_owned(), chosen.to_owned()]);

    let browser = seen.browser();
    let page = browser.get("/login").await;
    secrets.extend(handed_out(&page));
    let wrong = "a wrong password typed by mistake";
    secrets.push(wrong.to_owned());
    assert_eq!(browser.try_to_sign_in(&name, wrong).await.status, 422);
    let page = browser.get("/login").await;
    let answer = browser
        .submit(&page, &crate::world::filled_in(&page, &name, &alice.password))
        .await;
    assert_eq!(answer.status, 303, "{answer}");
    secrets.extend(handed_out(&answer));
    secrets.extend(handed_out(&browser.get("/account").await));

    let ask = Ask::of(&app).pkce().with("scope", "read write");
    let (consent, _) = browser.consent_page(&ask).await;
    secrets.extend(handed_out(&consent));
    let code = browser.authorize(&ask).await.code();
    seen.redeem(&app, &code)
        .field("code_verifier", "a-wrong-verifier-of-43-characters-at-least-xx")
        .await;
    let first = seen
        .redeem(&app, &code)
        .field("code_verifier", VERIFIER)
        .await
        .tokens();
    let second = seen.refresh(&app, first.refresh()).await.tokens();
    let again = seen.refresh(&app, first.refresh()).await;
    let own = seen.client_credentials(&by_hand).await.tokens();
    secrets.extend([
        code.clone(),
        "a-wrong-verifier-of-43-characters-at-least-xx".to_owned(),
        first.refresh().to_owned(),
        second.refresh().to_owned(),
        first.access.clone(),
        second.access.clone(),
        own.access.clone(),
    ]);
    assert_eq!(again.status, 200, "{again}");

    for (id, secret) in [
        (&app.client_id, "a-wrong-client-secret"),
        (&app.client_id, chosen),
        (&by_hand.client_id, app.secret()),
    ] {
        seen.token(&[("grant_type", "client_credentials")])
            .basic(id, secret)
            .await
            .refused(401, "invalid_client");
        seen.token(&[("grant_type", "client_credentials")])
            .secret_in_body(id, secret)
            .await
            .refused(401, "invalid_client");
    }
    secrets.push("a-wrong-client-secret".to_owned());
    seen.memos(&second.access).await;
    seen.memos("tga_a-token-that-nobody-ever-made-of-43-chars").await;
    secrets.push("tga_a-token-that-nobody-ever-made-of-43-chars".to_owned());
    let memo = json!({"message": "a memo for my eyes only"});
    seen.request("POST", "/api/memos")
        .bearer(&second.access)
        .json(&memo)
        .await;
    secrets.push("a memo for my eyes only".to_owned());
    seen.get(&format!("/api/memos?access_token={}", second.access))
        .await;
    seen.get(&format!("/oauth/authorize/native?code={code}")).await;
    seen.post(
        &format!("/oauth/token?client_secret={}&code={code}", app.secret()),
        &[],
    )
    .await;
    assert!(seen.is_active(&app, &second.access).await);
    assert_eq!(seen.revoke(second.refresh()).by(&app).await.status, 200);
    seen.redeem(&app, &code)
        .field("code_verifier", VERIFIER)
        .await
        .refused(400, "invalid_grant");
    seen.refresh(&app, second.refresh())
        .await
        .refused(400, "invalid_grant");

    process.signal("TERM");
    let (_, log) = process.ended().await;
    assert!(
        log.contains("signed_in") && log.contains("/oauth/token"),
        "the log holds what was done: {log}"
    );
    for secret in &secrets {
        assert_eq!(
            leak(&log, secret),
            None,
            "{secret} can be read in the log ({format})"
        );
    }
    if let Some(token) = link {
        let lines = log.lines().filter(|line| line.contains(&token)).count();
        assert_eq!(lines, 1, "the set-up link is shown once ({format})");
    }
    assert!(
        !log.contains('\u{1b}') || format == "pretty",
        "no colours where a machine reads"
    );
}
