//! No secret reaches the log, however much is logged (RFC 6819 §5.1.4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::process::Process;
use crate::form::Form;
use crate::world::{Answer, Application, Ask, Browser, CHALLENGE, User, VERIFIER, World, filled_in};

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

const GRANTS: &str = "authorization_code,refresh_token,client_credentials,password,implicit";

on_each_database! {

with("grants" = GRANTS)
async fn a_whole_flow_at_the_finest_level_tells_no_secret(world: World) {
    world.stop().await;
    tell_no_secret(&world, "json", true).await;
    tell_no_secret(&world, "pretty", false).await;
}

}

async fn tell_no_secret(world: &World, format: &str, first: bool) {
    let arguments = ["--log", "trace", "--log-format", format, "--grants", GRANTS];
    let process = Process::start(world, &arguments).await;
    let seen = process.world.clone();
    let link = if first {
        Some(open_the_link(&process).await)
    } else {
        None
    };
    let mut secrets = Vec::new();
    let alice = world.user(&format!("alice-{format}")).await;
    let browser = sign_in(&seen, &alice, &mut secrets).await;
    let app = world.application().create().await;
    get_tokens(&seen, &browser, &app, &mut secrets).await;
    guess_secrets(&seen, &app, &mut secrets).await;
    exchange_passwords(&seen, &alice, &mut secrets).await;
    get_a_token_by_the_browser(&seen, &browser, &mut secrets).await;

    process.signal("TERM");
    let (_, log) = process.ended().await;
    assert!(
        ["signed_in", "/oauth/token", "password_exchanged"]
            .iter()
            .all(|deed| log.contains(deed)),
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
    assert!(!log.contains('\u{1b}'), "no colours where nobody looks on");
}

/// Opens the set-up link, which is shown on purpose, in a line of its own; gives its token.
async fn open_the_link(process: &Process) -> String {
    let told = process.says("/setup?token=").await;
    let token = told
        .lines()
        .find_map(|line| Some(line.split_once("/setup?token=")?.1.trim()))
        .unwrap();
    assert_eq!(
        process.world.get(&format!("/setup?token={token}")).await.status,
        200
    );
    token.to_owned()
}

async fn sign_in(seen: &World, alice: &User, secrets: &mut Vec<String>) -> Browser {
    let browser = seen.browser();
    let page = browser.get("/login").await;
    secrets.extend(handed_out(&page));
    let wrong = "a wrong password typed by mistake";
    assert_eq!(browser.try_to_sign_in(&alice.username, wrong).await.status, 422);
    let page = browser.get("/login").await;
    let answer = browser
        .submit(&page, &filled_in(&page, &alice.username, &alice.password))
        .await;
    assert_eq!(answer.status, 303, "{answer}");
    secrets.extend(handed_out(&answer));
    secrets.extend(handed_out(&browser.get("/account").await));
    secrets.extend([alice.password.clone(), wrong.to_owned()]);
    browser
}

/// A code, its tokens, their use and their end.
async fn get_tokens(seen: &World, browser: &Browser, app: &Application, secrets: &mut Vec<String>) {
    let ask = Ask::of(app).pkce().with("scope", "read write");
    let (consent, _) = browser.consent_page(&ask).await;
    secrets.extend(handed_out(&consent));
    let code = browser.authorize(&ask).await.code();
    let redeem = |verifier| seen.redeem(app, &code).field("code_verifier", verifier);
    let wrong = "a-wrong-verifier-of-43-characters-at-least-xx";
    redeem(wrong).await.refused(400, "invalid_grant");
    let first = redeem(VERIFIER).await.tokens();
    let second = seen.refresh(app, first.refresh()).await.tokens();
    seen.refresh(app, first.refresh()).await.tokens();
    assert_eq!(seen.memos(&second.access).await.status, 200);
    let message = "a memo for my eyes only";
    let memo = json!({"message": message});
    seen.request("POST", "/api/memos")
        .bearer(&second.access)
        .json(&memo)
        .await;
    seen.get(&format!("/api/memos?access_token={}", second.access))
        .await;
    seen.get(&format!("/oauth/authorize/native?code={code}")).await;
    assert!(seen.is_active(app, &second.access).await);
    assert_eq!(seen.revoke(second.refresh()).by(app).await.status, 200);
    redeem(VERIFIER).await.refused(400, "invalid_grant");
    seen.refresh(app, second.refresh())
        .await
        .refused(400, "invalid_grant");
    let tokens = [&first.access, first.refresh(), &second.access, second.refresh()];
    secrets.extend([VERIFIER, CHALLENGE, wrong, message, &code].map(str::to_owned));
    secrets.extend(tokens.map(str::to_owned));
}

/// The right password and a wrong one, of somebody and of nobody.
async fn exchange_passwords(seen: &World, alice: &User, secrets: &mut Vec<String>) {
    let app = legacy(seen, "password").await;
    let exchange = |username: &str, password: &str| {
        let fields = [
            ("grant_type", "password"),
            ("username", username),
            ("password", password),
        ];
        seen.token(&fields).by(&app)
    };
    let tokens = exchange(&alice.username, &alice.password).await.tokens();
    // People type it into the wrong field.
    let typed = "a password typed as a name";
    let wrong = "a-wrong-password-sent-for-tokens";
    for (username, password) in [
        (&*alice.username, wrong),
        ("nobody", "a password of nobody at all"),
        (typed, "a password beside the name"),
    ] {
        exchange(username, password).await.refused(400, "invalid_grant");
        exchange(username, password)
            .field("password", "again")
            .await
            .refused(400, "invalid_request");
        secrets.push(password.to_owned());
    }
    seen.post(&format!("/oauth/token?password={wrong}"), &[]).await;
    secrets.extend([typed.to_owned(), tokens.access]);
}

async fn get_a_token_by_the_browser(seen: &World, browser: &Browser, secrets: &mut Vec<String>) {
    let app = legacy(seen, "implicit").await;
    for mode in ["fragment", "form_post"] {
        let ask = Ask::of(&app)
            .with("response_type", "token")
            .with("response_mode", mode);
        let answer = browser.authorize(&ask).await;
        let posted = Form::all(&answer.answer.body)
            .into_iter()
            .flat_map(|form| form.fields);
        let posted = posted
            .filter(|(name, _)| name == "access_token")
            .map(|(_, value)| value);
        let token = answer.get("access_token").into_iter().chain(posted).next();
        let token = token.unwrap_or_else(|| panic!("no token: {}", answer.answer));
        assert_eq!(seen.memos(&token).await.status, 200);
        secrets.push(token);
    }
}

async fn legacy(seen: &World, grant: &str) -> Application {
    seen.application().grant(grant).create().await
}

/// Right and wrong credentials, in every place that they may stand, and in some that they may not.
async fn guess_secrets(seen: &World, app: &Application, secrets: &mut Vec<String>) {
    let by_hand = seen
        .application()
        .chosen_secret("a secret that a person made up one day")
        .create()
        .await;
    let own = seen.client_credentials(&by_hand).await.tokens();
    let wrong = "a-wrong-client-secret";
    for (id, secret) in [
        (&app.client_id, wrong),
        (&app.client_id, by_hand.secret()),
        (&by_hand.client_id, app.secret()),
    ] {
        let ask = || seen.token(&[("grant_type", "client_credentials")]);
        ask().basic(id, secret).await.refused(401, "invalid_client");
        ask()
            .secret_in_body(id, secret)
            .await
            .refused(401, "invalid_client");
    }
    let unknown = "tga_a-token-that-nobody-ever-made-of-43-chars";
    seen.memos(unknown).await.challenged(401, "invalid_token");
    seen.post(&format!("/oauth/token?client_secret={}", app.secret()), &[])
        .await;
    secrets.extend([wrong, unknown, &own.access, app.secret(), by_hand.secret()].map(str::to_owned));
}
