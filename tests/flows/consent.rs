//! Sign-in and consent: what a person is asked, and what nobody may answer for them.

use crate::form::Form;
use crate::world::{Answer, Ask, Browser, World, filled_in};

/// The code of a redirect, if it carries one.
fn code_in(answer: &Answer) -> Option<String> {
    let location = answer.location()?;
    location
        .query_pairs()
        .find(|(name, _)| name == "code")
        .map(|(_, code)| code.into_owned())
}

async fn press(browser: &Browser, page: &Answer, form: &Form, button: &str) -> Answer {
    let mut form = form.clone();
    form.press(button);
    browser.submit(page, &form).await
}

on_each_database! {

async fn denying_says_so_to_the_application(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let denied = world.signed_in(&alice).await.deny(&Ask::of(&app)).await;
    assert_eq!((denied.error().as_str(), denied.answer.status), ("access_denied", 303));
    assert_eq!(denied.get("state").as_deref(), Some("xyz-123"));
    assert_eq!(denied.get("iss"), Some(world.base_url.clone()));
}

with("scopes" = "read=Read your memos,write=Write memos")
async fn the_page_says_who_asks_and_for_what(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let (page, _) = world.signed_in(&alice).await.consent_page(&Ask::of(&app)).await;
    for word in ["Notes", "app.example", "alice", "Read your memos"] {
        assert!(page.body.contains(word), "{word} is missing: {page}");
    }
}

async fn the_page_lets_its_form_redirect_to_the_application_alone(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let (page, _) = world.signed_in(&alice).await.consent_page(&Ask::of(&app)).await;
    assert_eq!(form_action(&page), "form-action 'self' https://app.example");
    assert_ne!(page.header("referrer-policy"), "no-referrer", "it would make the form's Origin null");
    assert_eq!(page.header("cache-control"), "no-store");
}

async fn the_sign_in_page_lets_its_form_redirect_to_the_application_that_waits_alone(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().trusted().create().await;
    let browser = world.browser();
    let waiting = browser.walk(browser.get(&Ask::of(&app).path()).await, None, None).await.answer;
    let on_to_it = "form-action 'self' https://app.example";
    assert_eq!(form_action(&waiting), on_to_it);
    let wrong = browser.submit(&waiting, &filled_in(&waiting, "alice", "wrong")).await;
    assert_eq!((wrong.status, form_action(&wrong)), (422, on_to_it));
    let right = browser.submit(&wrong, &filled_in(&wrong, "alice", &alice.password)).await;
    assert!(browser.walk(right, None, None).await.get("code").is_some());

    let handle = waiting.url.query_pairs().next().unwrap().1.into_owned();
    world.clock.advance(3600);
    for path in ["/login", "/login?next=/account", "/login?continue=unknown", &format!("/login?continue={handle}")] {
        assert_eq!(form_action(&world.get(path).await), "form-action 'self'", "{path}");
    }
}

async fn what_was_allowed_is_remembered(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let browser = world.signed_in(&alice).await;
    browser.authorize(&Ask::of(&app)).await.code();
    let again = browser.get(&Ask::of(&app).path()).await;
    assert!(browser.walk(again, None, None).await.get("code").is_some(), "no question the second time");
    let wider = browser.get(&Ask::of(&app).with("scope", "read write").path()).await;
    let asked = browser.walk(wider, None, None).await;
    assert!(
        Form::with_id(&asked.answer.body, "authorize").is_some(),
        "a new scope is asked for: {}",
        asked.answer
    );
}

async fn a_public_application_is_asked_about_every_time(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().create().await;
    let browser = world.signed_in(&alice).await;
    browser.authorize(&Ask::of(&app)).await.code();
    let (page, _) = browser.consent_page(&Ask::of(&app)).await;
    assert!(code_in(&page).is_none(), "anybody can pretend to be it (RFC 8252 section 8.6)");
}

async fn a_trusted_application_is_not_asked_about(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().trusted().create().await;
    let browser = world.signed_in(&alice).await;
    let answer = browser.get(&Ask::of(&app).path()).await;
    assert!(browser.walk(answer, None, None).await.get("code").is_some());
}

async fn a_public_application_cannot_be_trusted(world: World) {
    let printed = world
        .command(
            &[
                "application",
                "create",
                "--name",
                "N",
                "--public",
                "--trusted",
                "--redirect-uri",
                "https://a.example/",
                "--json",
            ],
            "",
        )
        .await;
    assert_eq!((printed.exit, printed.stdout.as_str()), (1, ""), "{printed:?}");
    assert_eq!(printed.stderr.trim().lines().count(), 1, "one line that says what to do: {printed:?}");
}

async fn no_code_without_signing_in(world: World) {
    world.user("alice").await;
    let app = world.application().trusted().create().await;
    let browser = world.browser();
    let answer = browser.get(&Ask::of(&app).path()).await;
    let stopped = browser.walk(answer, None, Some("authorize")).await;
    assert!(Form::with_id(&stopped.answer.body, "sign-in").is_some(), "{}", stopped.answer);
}

async fn a_form_without_its_token_approves_nothing(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let (page, form) = browser.consent_page(&Ask::of(&app)).await;
    let hidden: Vec<_> = form.fields.iter().map(|(name, _)| name.clone()).collect();
    assert!(!hidden.is_empty(), "the form carries a token: {page}");
    for name in &hidden {
        for value in [None, Some("forged")] {
            let mut forged = form.clone();
            forged.press("authorize");
            forged.fields.retain(|(known, _)| known != name);
            forged.fields.extend(value.map(|value| (name.clone(), value.to_owned())));
            let answer = browser.submit(&page, &forged).await;
            assert_eq!(code_in(&answer), None, "{name}={value:?}: {answer}");
        }
    }
    assert!(
        code_in(&press(&browser, &page, &form, "authorize").await).is_some(),
        "the form itself still works"
    );
}

async fn a_form_from_another_site_approves_nothing(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let (page, mut form) = browser.consent_page(&Ask::of(&app)).await;
    form.press("authorize");
    for (name, value) in
        [("Origin", "https://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")]
    {
        let path = page.url.join(&form.action).unwrap();
        let answer = browser.request("POST", path.as_str()).fields(&form.fields).header(name, value).await;
        assert_eq!((code_in(&answer), answer.status), (None, 403), "{name}: {value}: {answer}");
    }
}

async fn the_form_of_one_person_is_worth_nothing_to_another(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = world.application().create().await;
    let (hers, his) = (world.signed_in(&alice).await, world.signed_in(&bob).await);
    let (page, form) = hers.consent_page(&Ask::of(&app)).await;
    let stolen = press(&his, &page, &form, "authorize").await;
    assert_eq!(code_in(&stolen), None, "{stolen}");
    let anonymous = press(&world.browser(), &page, &form, "authorize").await;
    assert_eq!(code_in(&anonymous), None, "{anonymous}");
}

async fn what_is_decided_was_kept_by_the_server(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let other = world.application().redirect_uri("https://evil.example/").create().await;
    let browser = world.signed_in(&alice).await;
    let (page, form) = browser.consent_page(&Ask::of(&app)).await;
    let mut tampered = form.clone();
    for (name, value) in [
        ("client_id", other.client_id.as_str()),
        ("redirect_uri", "https://evil.example/"),
        ("scope", "read write"),
        ("response_type", "token"),
        ("state", "other"),
    ] {
        tampered.set(name, value);
    }
    let answer = press(&browser, &page, &tampered, "authorize").await;
    let Some(code) = code_in(&answer) else {
        assert!(answer.location().is_none_or(|url| url.host_str() != Some("evil.example")), "{answer}");
        return;
    };
    let location = answer.location().unwrap();
    assert!(location.as_str().starts_with("https://app.example/callback?"), "{location}");
    assert!(location.as_str().contains("state=xyz-123"), "{location}");
    assert_eq!(world.redeem(&app, &code).await.tokens().json["scope"], "read");
}

async fn a_request_sent_by_post_asks_and_never_approves(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let ask = Ask::of(&app).with("decision", "authorize");
    let browser = world.signed_in(&alice).await;
    let from_afar = browser.request("POST", "/oauth/authorize").header("Sec-Fetch-Site", "cross-site");
    let answer = from_afar.header("Origin", "https://app.example").fields(ask.pairs()).await;
    assert_eq!(answer.status, 303, "kept, and answered with a redirect: {answer}");
    assert_eq!(code_in(&answer), None);
    let asked = browser.walk(answer, None, None).await;
    assert!(Form::with_id(&asked.answer.body, "authorize").is_some(), "{}", asked.answer);
    let allowed = browser.walk(asked.answer, None, Some("authorize")).await;
    world.redeem(&app, &allowed.code()).await.tokens();
}

async fn a_post_without_cookies_survives_the_sign_in(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.browser();
    let answer = browser.request("POST", "/oauth/authorize").fields(Ask::of(&app).pairs()).await;
    assert_eq!(answer.status, 303, "{answer}");
    let allowed = browser.walk(answer, Some(&alice), Some("authorize")).await;
    assert_eq!(allowed.get("state").as_deref(), Some("xyz-123"));
    world.redeem(&app, &allowed.code()).await.tokens();
}

async fn who_is_to_sign_in_again_does_so_however_the_request_came(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().trusted().create().await;
    let ask = Ask::of(&app).with("prompt", "login");
    let browser = world.signed_in(&alice).await;
    let from_afar = || world.request("POST", "/oauth/authorize").header("Sec-Fetch-Site", "cross-site").fields(ask.pairs());
    let requests = [
        ("a link", browser.get(&ask.path())),
        ("a form of our own origin", browser.request("POST", "/oauth/authorize").fields(ask.pairs())),
        ("a form from another site, which comes without the cookie", from_afar()),
    ];
    for (how, request) in requests {
        let kept = request.await;
        let next = kept.location().unwrap_or_else(|| panic!("{how}: {kept}"));
        for _ in 0..2 {
            let stopped = browser.walk(browser.get(next.as_str()).await, None, None).await;
            assert!(Form::with_id(&stopped.answer.body, "sign-in").is_some(), "{how}: {}", stopped.answer);
        }
        let stopped = browser.walk(kept, None, None).await.answer;
        let form = filled_in(&stopped, &alice.username, &alice.password);
        let signed_in = browser.submit(&stopped, &form).await;
        assert!(browser.walk(signed_in, None, None).await.get("code").is_some(), "{how}: once is enough");
    }
    let without = Ask::of(&app);
    let answer = browser.get(&without.path()).await;
    assert!(browser.walk(answer, None, None).await.get("code").is_some(), "who does not ask for it gets none");
}

async fn consent_given_twice_gives_one_code(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let (page, form) = browser.consent_page(&Ask::of(&app)).await;
    let first = code_in(&press(&browser, &page, &form, "authorize").await).expect("a code");
    let second = code_in(&press(&browser, &page, &form, "authorize").await);
    assert!(second.is_none_or(|code| code == first));
    let third = press(&browser, &page, &form, "deny").await;
    assert_eq!(code_in(&third), None);
    world.redeem(&app, &first).await.tokens();
}

async fn a_denied_request_cannot_be_approved_afterwards(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let (page, form) = browser.consent_page(&Ask::of(&app)).await;
    press(&browser, &page, &form, "deny").await;
    assert_eq!(code_in(&press(&browser, &page, &form, "authorize").await), None);
}

async fn delete_denies(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let (page, form) = browser.consent_page(&Ask::of(&app)).await;
    let bare = browser.request("DELETE", "/oauth/authorize").await;
    assert_eq!(
        (code_in(&bare), bare.status >= 400),
        (None, true),
        "nothing is denied without the form's token: {bare}"
    );
    let origin = page.url.origin().ascii_serialization();
    let request =
        browser.request("DELETE", "/oauth/authorize").header("Origin", &origin).fields(&form.fields);
    let denied = request.await;
    assert!(denied.header("location").contains("error=access_denied"), "{denied}");
    assert_eq!(code_in(&press(&browser, &page, &form, "authorize").await), None);
}

async fn the_page_that_shows_a_code_shows_only_ones_own(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = world.application().redirect_uri("urn:ietf:wg:oauth:2.0:oob").create().await;
    let (hers, his) = (world.signed_in(&alice).await, world.signed_in(&bob).await);
    let code = hers.authorize(&Ask::of(&app)).await.code();
    let path = format!("/oauth/authorize/native?code={code}");
    assert!(hers.get(&path).await.body.contains(&code));
    assert!(!his.get(&path).await.body.contains(&code), "somebody else's code is not echoed");
    assert!(!world.get(&path).await.body.contains(&code), "nor to nobody");
    let injected = "/oauth/authorize/native?code=tgc_not-a-code-%3Cb%3E";
    assert!(!hers.get(injected).await.body.contains("tgc_not-a-code"), "nor one that does not live");
    world.redeem(&app, &code).await.tokens();
    assert!(!hers.get(&path).await.body.contains(&code), "nor one that was used");
}

async fn a_denied_out_of_band_request_is_shown_on_a_page(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().redirect_uri("urn:ietf:wg:oauth:2.0:oob").create().await;
    let denied = world.signed_in(&alice).await.deny(&Ask::of(&app)).await;
    assert!(denied.answer.header("content-type").starts_with("text/html"), "{}", denied.answer);
    assert!(denied.answer.body.contains("access_denied"), "{}", denied.answer);
}

async fn a_wrong_password_signs_nobody_in(world: World) {
    let alice = world.user("alice").await;
    let browser = world.browser();
    for (name, password) in
        [("alice", "wrong"), ("nobody", &*alice.password), ("alice", ""), ("", ""), ("al\u{0}ice", "x")]
    {
        let answer = browser.try_to_sign_in(name, password).await;
        assert_ne!(answer.status, 303, "{name:?}: {answer}");
    }
    let wrong = browser.try_to_sign_in("alice", "wrong").await;
    let unknown = browser.try_to_sign_in("nobody", "wrong").await;
    assert_eq!(wrong.status, unknown.status, "who exists is not told");
    browser.sign_in(&alice).await;
}

async fn a_disabled_user_cannot_sign_in_nor_stay(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().trusted().create().await;
    let browser = world.signed_in(&alice).await;
    assert_eq!(world.command(&["user", "disable", "alice"], "").await.exit, 0);
    assert_ne!(world.browser().try_to_sign_in("alice", &alice.password).await.status, 303);
    let answer = browser.get(&Ask::of(&app).path()).await;
    let stopped = browser.walk(answer, None, Some("authorize")).await;
    assert_eq!(stopped.get("code"), None, "{}", stopped.answer);
    assert_eq!(world.command(&["user", "enable", "alice"], "").await.exit, 0);
    world.browser().sign_in(&alice).await;
}

async fn a_session_changes_its_name_at_sign_in(world: World) {
    let alice = world.user("alice").await;
    let browser = world.browser();
    let before = browser.get("/login").await;
    let planted: Vec<String> = cookies(&before);
    let after = browser.try_to_sign_in("alice", &alice.password).await;
    let given = cookies(&after);
    assert!(!given.is_empty(), "signing in gives a new session: {after}");
    assert!(
        given.iter().all(|cookie| !planted.contains(cookie)),
        "a session known before would let its planter in"
    );
}

async fn a_session_ends(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().trusted().create().await;
    let browser = world.signed_in(&alice).await;
    browser.authorize(&Ask::of(&app)).await.code();
    world.clock.advance(12 * 3600);
    let stopped = browser.authorize(&Ask::of(&app)).await;
    assert!(
        Form::with_id(&stopped.answer.body, "sign-in").is_some(),
        "idle for twelve hours: {}",
        stopped.answer
    );
}

async fn signing_in_leads_nowhere_else(world: World) {
    let alice = world.user("alice").await;
    for target in ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"] {
        for name in ["continue", "return_to", "next", "redirect_uri", "back"] {
            let browser = world.browser();
            let page = browser.get(&format!("/login?{name}={target}")).await;
            let mut form = crate::world::filled_in(&page, &alice.username, &alice.password);
            form.set(name, target);
            let answer = browser.submit(&page, &form).await;
            if let Some(location) = answer.location() {
                assert_eq!(location.origin(), page.url.origin(), "{name}={target}: {location}");
            }
        }
    }
}

async fn withdrawing_consent_kills_what_came_of_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let code = browser.authorize(&Ask::of(&app)).await.code();
    let tokens = world.redeem(&app, &code).await.tokens();
    let pending = browser.authorize(&Ask::of(&app)).await.code();

    let page = browser.get("/oauth/authorized_applications").await;
    assert!(page.body.contains("Notes"), "{page}");
    let withdraw = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/delete"));
    let answer = browser.submit(&page, &withdraw.expect("a form that withdraws")).await;
    assert_eq!(answer.status, 303, "{answer}");

    world.memos(&tokens.access).await.challenged(401, "invalid_token");
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
    world.redeem(&app, &pending).await.refused(400, "invalid_grant");
    let (asked, _) = browser.consent_page(&Ask::of(&app)).await;
    assert_eq!(asked.status, 200, "the application has to ask again");
}

}

/// Where the policy of a page lets its forms lead.
fn form_action(page: &Answer) -> &str {
    let policy = page.header("content-security-policy");
    let rule = policy
        .split(';')
        .map(str::trim)
        .find(|rule| rule.starts_with("form-action"));
    rule.unwrap_or_else(|| panic!("the policy is {policy:?}"))
}

/// The names and values of the cookies an answer sets.
fn cookies(answer: &Answer) -> Vec<String> {
    let set = answer.headers.get_all("set-cookie").iter();
    set.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned())
        .collect()
}
