//! An application may be for some users and groups alone. Whoever is not among them is refused on every way
//! in; whoever is taken out loses at once what they granted.

use std::sync::{Arc, Mutex};

use tegata::flow::access;
use tegata::flow::applications::{self, Manager, Wanted};
use tegata::flow::sweep;
use tegata::model::access::Allowed;
use tegata::model::caller::Caller;

use crate::form::Form;
use crate::world::{Answer, Application, Ask, Authorized, Browser, Tokens, User, World, at_once, meanwhile};

const ROUNDS: usize = 3;
const OTHERS: usize = 4;
const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

/// Names who alone may use `app`, as an administrator's form does. How many grants ended.
async fn restrict(world: &World, app: &Application, users: &[&str], groups: &[&str]) -> u64 {
    save(world, app, |wanted| {
        wanted.restricted = true;
        wanted.users = owned(users);
        wanted.groups = owned(groups);
    })
    .await
}

async fn open(world: &World, app: &Application) {
    assert_eq!(save(world, app, |wanted| wanted.restricted = false).await, 0);
}

async fn save(world: &World, app: &Application, edit: impl FnOnce(&mut Wanted)) -> u64 {
    let server = world.app().await;
    let found = Box::pin(applications::find_by_client_id(&server, &app.client_id)).await;
    let application = found.unwrap().unwrap().application;
    let mut wanted = Wanted::of(&application.settings, &Allowed::default());
    edit(&mut wanted);
    Box::pin(applications::change(
        &server,
        Manager::Administrator,
        &Caller::OPERATOR,
        application.id,
        &wanted,
        application.version,
    ))
    .await
    .unwrap()
    .withdrawn
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Replaces the groups of `user` through the command. How many grants ended.
async fn groups(world: &World, user: &User, groups: &[&str]) -> u64 {
    let mut arguments = vec!["user", "groups", &user.username, "--json"];
    if groups.is_empty() {
        arguments.push("--none");
    }
    arguments.extend(groups);
    world.command(&arguments, "").await.json()["revoked"]
        .as_u64()
        .unwrap()
}

#[track_caller]
fn is_denied(answer: &Authorized) {
    assert_eq!(answer.error(), "access_denied");
    let why = answer.get("error_description").unwrap();
    assert!(why.contains("may not use the application"), "{why}");
}

async fn are_dead(places: &[World], app: &Application, tokens: &Tokens) {
    for place in places {
        place.memos(&tokens.access).await.challenged(401, "invalid_token");
        place
            .get("/oauth/token/info")
            .bearer(&tokens.access)
            .await
            .challenged(401, "invalid_token");
        assert!(!place.is_active(app, &tokens.access).await);
        assert!(!place.is_active(app, tokens.refresh()).await);
        place
            .refresh(app, tokens.refresh())
            .await
            .refused(400, "invalid_grant");
    }
}

async fn are_alive(world: &World, app: &Application, tokens: &Tokens) {
    assert_eq!(world.memos(&tokens.access).await.status, 200);
    assert!(world.is_active(app, &tokens.access).await);
    assert!(world.is_active(app, tokens.refresh()).await);
}

fn with_devices(world: &World) -> crate::world::Wanted {
    ["authorization_code", "refresh_token", "device_code"]
        .iter()
        .fold(world.application(), |wanted, grant| wanted.grant(grant))
}

async fn id_of(world: &World, app: &Application) -> String {
    let shown = world
        .command(&["application", "show", &app.client_id, "--json"], "")
        .await
        .json();
    shown["id"].as_str().unwrap().to_owned()
}

/// Whether the device's page asks whether to authorize.
fn asks(page: &Answer) -> bool {
    Form::with_id(&page.body, "authorize").is_some()
}

async fn device_in(
    browser: &Browser,
    world: &World,
    app: &Application,
) -> (crate::world::Codes, Answer, Form) {
    let device = world.device(app).await;
    let (page, mut form) = browser.asked(&device.user_code).await;
    form.press("authorize");
    (device, page, form)
}

on_each_database! {

async fn who_is_named_or_in_a_group_that_is_named_authorizes_and_nobody_else(world: World) {
    let (alice, bob, eve) = (world.user("alice").await, world.user("bob").await, world.user("eve").await);
    groups(&world, &bob, &["staff", "dev"]).await;
    groups(&world, &eve, &["Staff", "guests"]).await;
    let app = world.application().allow_user("ALICE").allow_group("dev").allow_group("staff").create().await;
    for user in [&alice, &bob] {
        let tokens = world.tokens(user, &app).await;
        are_alive(&world, &app, &tokens).await;
    }
    let hers = world.signed_in(&eve).await;
    let refused = hers.authorize(&Ask::of(&app)).await;
    is_denied(&refused);
    assert_eq!(refused.get("state").as_deref(), Some("xyz-123"));
    let asked = hers.get(&Ask::of(&app).path()).await;
    assert!(asked.location().is_some() && asked.status == 302, "she is not asked for consent: {asked}");
    is_denied(&world.browser().authorize_as(&eve, &Ask::of(&app)).await);
    is_denied(&hers.authorize(&Ask::of(&app).with("prompt", "none")).await);
    assert_eq!(world.browser().authorize(&Ask::of(&app).with("prompt", "none")).await.error(), "login_required");
    let shown = hers.get("/oauth/authorized_applications").await;
    assert!(!shown.body.contains("Notes"), "{shown}");
}

async fn trusted_and_remembered_applications_ask_who_it_is_too(world: World) {
    let (alice, eve) = (world.user("alice").await, world.user("eve").await);
    let trusted = world.application().trusted().allow_user("alice").create().await;
    let remembered = world.application().create().await;
    let hers = world.signed_in(&eve).await;
    is_denied(&hers.authorize(&Ask::of(&trusted)).await);
    world.tokens(&alice, &trusted).await;
    hers.authorize(&Ask::of(&remembered)).await.code();
    let known = hers.get(&Ask::of(&remembered).path()).await;
    assert!(known.location().unwrap().as_str().contains("code="), "what she allowed is remembered: {known}");
    restrict(&world, &remembered, &["alice"], &[]).await;
    for ask in [Ask::of(&remembered), Ask::of(&remembered).with("prompt", "none")] {
        is_denied(&hers.authorize(&ask).await);
    }
    open(&world, &remembered).await;
    assert_eq!(hers.authorize(&Ask::of(&remembered).with("prompt", "none")).await.error(), "consent_required",
        "with the access what was remembered went");
}

with("grants" = "authorization_code,refresh_token,implicit,password")
async fn the_implicit_and_the_password_grant_ask_who_it_is_too(world: World) {
    let (alice, eve) = (world.user("alice").await, world.user("eve").await);
    let wanted = ["implicit", "password", "refresh_token"].iter().fold(world.application(), |wanted, grant| wanted.grant(grant));
    let app = wanted.allow_user("alice").create().await;
    let exchange = |name: &str, password: &str| {
        world.token(&[("grant_type", "password"), ("username", name), ("password", password)]).by(&app)
    };
    let tokens = exchange("alice", &alice.password).await.tokens();
    let refused = exchange("eve", &eve.password).await;
    refused.refused(400, "invalid_grant");
    assert_eq!(refused.json()["error_description"], "This user may not use the application");
    let unproven = exchange("eve", "a guess of somebody").await;
    unproven.refused(400, "invalid_grant");
    assert!(!unproven.body.contains("may not use"), "told to the user alone: {unproven}");
    is_denied(&world.browser().authorize_as(&eve, &Ask::of(&app).with("response_type", "token")).await);
    let hers = world.browser().authorize_as(&alice, &Ask::of(&app).with("response_type", "token")).await;
    let token = hers.get("access_token").unwrap();
    assert_eq!(world.memos(&token).await.status, 200);
    assert_eq!(restrict(&world, &app, &["eve"], &[]).await, 2);
    world.memos(&token).await.challenged(401, "invalid_token");
    are_dead(std::slice::from_ref(&world), &app, &tokens).await;
}

async fn restricting_an_application_ends_at_once_what_others_granted(world: World) {
    let (alice, eve) = (world.user("alice").await, world.user("eve").await);
    let app = with_devices(&world).create().await;
    let places = [world.clone(), world.second_node().await];
    let hers = world.signed_in(&eve).await;
    let (named, others) = (world.tokens(&alice, &app).await, world.tokens(&eve, &app).await);
    let (named_code, others_code) = (world.code(&alice, &app).await, world.code(&eve, &app).await);
    let (device, page, form) = device_in(&hers, &world, &app).await;
    hers.submit(&page, &form).await;
    for place in &places {
        are_alive(place, &app, &others).await;
    }
    assert_eq!(restrict(&world, &app, &["alice"], &[]).await, 3, "tokens, a code, a device");
    are_dead(&places, &app, &others).await;
    places[1].redeem(&app, &others_code).await.refused(400, "invalid_grant");
    world.poll(&app, &device).await.refused(400, "invalid_grant");
    let shown = hers.get("/oauth/authorized_applications").await;
    assert!(!shown.body.contains("Notes"), "{shown}");

    are_alive(&world, &app, &named).await;
    world.redeem(&app, &named_code).await.tokens();
    let next = places[1].refresh(&app, named.refresh()).await.tokens();
    are_alive(&world, &app, &next).await;
    let ended = "SELECT count(*) FROM grants WHERE revoked_reason = 'access_withdrawn'";
    assert_eq!(world.number(ended).await, 3);

    open(&world, &app).await;
    are_dead(&places, &app, &others).await;
    let again = world.tokens(&eve, &app).await;
    are_alive(&world, &app, &again).await;
}

async fn a_user_who_is_taken_from_the_list_or_the_group_is_out_at_once(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    groups(&world, &bob, &["staff", "dev"]).await;
    let app = world.application().allow_user("alice").allow_user("bob").allow_group("dev").create().await;
    let places = [world.clone(), world.second_node().await];
    let (hers, his) = (world.tokens(&alice, &app).await, world.tokens(&bob, &app).await);
    assert_eq!(restrict(&world, &app, &["alice"], &["dev", "staff"]).await, 0, "a group of his is left");
    assert_eq!(groups(&world, &bob, &["staff"]).await, 0, "another one is left");
    are_alive(&places[1], &app, &his).await;
    assert_eq!(groups(&world, &bob, &["guests"]).await, 1);
    are_dead(&places, &app, &his).await;
    are_alive(&places[1], &app, &hers).await;
    is_denied(&world.signed_in(&bob).await.authorize(&Ask::of(&app)).await);

    groups(&world, &bob, &["dev"]).await;
    are_dead(&places, &app, &his).await;
    let his = world.tokens(&bob, &app).await;
    assert_eq!(restrict(&world, &app, &["alice"], &[]).await, 1);
    are_dead(&places, &app, &his).await;
    assert_eq!(groups(&world, &alice, &[]).await, 0);
    are_alive(&world, &app, &hers).await;
}

async fn a_consent_form_from_before_authorizes_nothing(world: World) {
    let eve = world.user("eve").await;
    world.user("alice").await;
    let app = world.application().create().await;
    let hers = world.signed_in(&eve).await;
    let (page, mut form) = hers.consent_page(&Ask::of(&app)).await;
    form.press("authorize");
    restrict(&world, &app, &["alice"], &[]).await;
    let decided = hers.submit(&page, &form).await;
    is_denied(&hers.walk(decided, None, None).await);
    let again = hers.submit(&page, &form).await;
    is_denied(&hers.walk(again, None, None).await);
    assert_eq!((world.count("grants").await, world.count("consents").await), (0, 0));
}

async fn a_device_is_for_somebody_who_may_use_its_application(world: World) {
    let (alice, eve) = (world.user("alice").await, world.user("eve").await);
    let app = with_devices(&world).name("Television").allow_user("alice").create().await;
    let (hers, evil) = (world.signed_in(&alice).await, world.signed_in(&eve).await);
    let device = world.device(&app).await;
    let told = evil.type_code(&device.user_code).await;
    assert!(told.status == 403 && !asks(&told), "{told}");
    assert!(told.body.contains("Your account may not use Television"), "{told}");
    world.poll(&app, &device).await.refused(400, "authorization_pending");
    hers.authorize_device(&device).await;
    world.clock.advance(5);
    let tokens = world.poll(&app, &device).await.tokens();
    are_alive(&world, &app, &tokens).await;

    open(&world, &app).await;
    let (device, page, form) = device_in(&evil, &world, &app).await;
    restrict(&world, &app, &["alice"], &[]).await;
    let told = evil.submit(&page, &form).await;
    assert!(told.status == 403 && told.body.contains("Your account may not use Television"), "{told}");
    world.poll(&app, &device).await.refused(400, "authorization_pending");
    hers.authorize_device(&device).await;
    world.clock.advance(5);
    world.poll(&app, &device).await.tokens();
}

async fn a_person_at_a_native_application_is_told_in_words(world: World) {
    let eve = world.user("eve").await;
    world.user("alice").await;
    let app = world.application().redirect_uri(OOB).allow_user("alice").create().await;
    let told = world.browser().authorize_as(&eve, &Ask::of(&app)).await;
    told.is_page(200);
    assert!(told.answer.body.contains("Your account may not use it"), "{}", told.answer);
    assert!(!told.answer.body.contains("You denied it"), "{}", told.answer);
}

async fn a_deleted_user_is_named_nowhere_and_the_next_of_the_name_is_another(world: World) {
    let alice = world.user("alice").await;
    world.user("bob").await;
    groups(&world, &alice, &["staff"]).await;
    let app = world.application().allow_user("alice").allow_user("bob").allow_group("staff").create().await;
    let tokens = world.tokens(&alice, &app).await;
    assert_eq!(world.command(&["user", "delete", "alice"], "").await.exit, 0);
    are_dead(std::slice::from_ref(&world), &app, &tokens).await;
    let shown = world.command(&["application", "show", &app.client_id, "--json"], "").await.json();
    assert_eq!(shown["users"], serde_json::json!(["bob"]));
    let next = world.user("alice").await;
    is_denied(&world.signed_in(&next).await.authorize(&Ask::of(&app)).await);
    assert_eq!((world.count("application_users").await, world.count("user_groups").await), (1, 0));
    assert_eq!(world.command(&["application", "delete", &app.client_id], "").await.exit, 0);
    assert_eq!((world.count("application_users").await, world.count("application_groups").await), (0, 0));
}

async fn an_address_that_is_added_by_a_button_leaves_the_list_alone(world: World) {
    let (root, eve) = (world.administrator("root").await, world.user("eve").await);
    world.user("alice").await;
    let app = world.application().allow_user("alice").allow_group("staff").create().await;
    let browser = world.signed_in(&root).await;
    world.get(&Ask::of(&app).with("redirect_uri", "https://app.example/other").path()).await;
    sweep::round(&world.app().await).await.unwrap();
    let path = format!("/oauth/applications/{}/failed_requests", id_of(&world, &app).await);
    let rows = browser.get(&path).header("Accept", "application/json").await.json();
    let page = browser.get(&path).await;
    let mut form = Form::all(&page.body).into_iter().next().expect("a form with a token");
    form.action = format!("{path}/{}/redirect_uri", rows[0]["id"].as_str().unwrap());
    let added = browser.submit(&page, &form).await;
    assert_eq!(added.status, 303, "{added}");
    let shown = world.command(&["application", "show", &app.client_id, "--json"], "").await.json();
    assert_eq!(shown["redirect_uris"].as_array().unwrap().len(), 2, "{shown}");
    assert_eq!((&shown["restricted"], &shown["users"], &shown["groups"]),
        (&serde_json::json!(true), &serde_json::json!(["alice"]), &serde_json::json!(["staff"])));
    is_denied(&world.signed_in(&eve).await.authorize(&Ask::of(&app)).await);
}

async fn whoever_runs_the_application_sees_that_a_user_was_turned_away(world: World) {
    let (root, eve) = (world.administrator("root").await, world.user("eve").await);
    let app = world.application().allow_user("root").create().await;
    is_denied(&world.signed_in(&eve).await.authorize(&Ask::of(&app)).await);
    sweep::round(&world.app().await).await.unwrap();
    let path = format!("/oauth/applications/{}/failed_requests", id_of(&world, &app).await);
    let rows = world.signed_in(&root).await.get(&path).header("Accept", "application/json").await;
    assert_eq!(rows.json()[0]["reason"], "user_not_allowed", "{rows}");
}

async fn what_is_refreshed_while_a_user_is_taken_out_is_dead_after_it(world: World) {
    let alice = world.user("alice").await;
    world.user("bob").await;
    let app = world.application().allow_user("bob").allow_group("staff").create().await;
    let node = world.second_node().await;
    for round in 0..ROUNDS {
        groups(&world, &alice, &["staff"]).await;
        let mut families = Vec::new();
        for _ in 0..OTHERS {
            families.push(world.tokens(&alice, &app).await.refresh().to_owned());
        }
        let (places, asking) = ([world.clone(), node.clone()], app.clone());
        let newest = Arc::new(Mutex::new(families));
        let refreshing = move |number: usize| {
            let (place, app, newest) = (places[number % 2].clone(), asking.clone(), newest.clone());
            async move {
                let token = newest.lock().unwrap()[number].clone();
                let answer = place.refresh(&app, &token).await;
                if answer.status != 200 {
                    answer.refused(400, "invalid_grant");
                    return None;
                }
                answer.tokens().refresh().clone_into(&mut newest.lock().unwrap()[number]);
                Some(answer.tokens())
            }
        };
        let server = world.app().await;
        let taking_out = async {
            let ended = if round % 2 == 0 {
                Box::pin(access::set_groups(&server, &Caller::OPERATOR, alice.id.parse().unwrap(), &[])).await.unwrap()
            } else {
                restrict(&world, &app, &["bob"], &[]).await
            };
            assert_eq!(ended, u64::try_from(OTHERS).unwrap());
        };
        let given: Vec<_> = meanwhile(OTHERS, refreshing, taking_out).await.into_iter().flatten().collect();
        assert!(given.len() >= OTHERS, "they refreshed before");
        for tokens in &given {
            are_dead(&[world.clone(), node.clone()], &app, tokens).await;
        }
        restrict(&world, &app, &["bob"], &["staff"]).await;
    }
}

async fn what_is_authorized_while_a_user_is_taken_out_is_dead_after_it(world: World) {
    let alice = world.user("alice").await;
    world.user("bob").await;
    let app = world.application().create().await;
    let node = world.second_node().await;
    let mut browsers = Vec::new();
    for place in [&world, &node] {
        browsers.push(place.signed_in(&alice).await);
    }
    for round in 0..ROUNDS {
        let by_group = round % 2 == 0;
        if by_group {
            groups(&world, &alice, &["staff"]).await;
            restrict(&world, &app, &[], &["staff"]).await;
        } else {
            open(&world, &app).await;
        }
        let (places, asking, windows) = ([world.clone(), node.clone()], app.clone(), browsers.clone());
        let authorizing = move |number: usize| {
            let (place, app) = (places[number % 2].clone(), asking.clone());
            let (browser, ask) = (windows[number % 2].clone(), Ask::of(&asking).with("prompt", "consent"));
            async move {
                let authorized = browser.authorize(&ask).await;
                let code = authorized.get("code")?;
                let redeemed = place.redeem(&app, &code).await;
                (redeemed.status == 200).then(|| redeemed.tokens())
            }
        };
        let server = world.app().await;
        let taking_out = async {
            if by_group {
                Box::pin(access::set_groups(&server, &Caller::OPERATOR, alice.id.parse().unwrap(), &[])).await.unwrap();
            } else {
                restrict(&world, &app, &["bob"], &[]).await;
            }
        };
        let given: Vec<_> = meanwhile(OTHERS, authorizing, taking_out).await.into_iter().flatten().collect();
        assert!(given.len() >= OTHERS, "they authorized before");
        for tokens in &given {
            are_dead(&[world.clone(), node.clone()], &app, tokens).await;
        }
    }
}

async fn a_user_with_two_ways_in_who_loses_both_at_once_is_out(world: World) {
    let alice = world.user("alice").await;
    world.user("bob").await;
    let app = world.application().allow_user("bob").create().await;
    let server = world.app().await;
    for _ in 0..ROUNDS {
        groups(&world, &alice, &["dev", "staff"]).await;
        restrict(&world, &app, &["bob"], &["dev", "staff"]).await;
        let tokens = world.tokens(&alice, &app).await;
        let ended = at_once(2, |number| {
            let (world, server, app, id) = (world.clone(), server.clone(), app.clone(), alice.id.parse().unwrap());
            async move {
                if number == 0 {
                    restrict(&world, &app, &["bob"], &["dev"]).await
                } else {
                    Box::pin(access::set_groups(&server, &Caller::OPERATOR, id, &["staff".to_owned()])).await.unwrap()
                }
            }
        })
        .await;
        assert_eq!(ended.iter().sum::<u64>(), 1, "the later of the two saw what the earlier did");
        are_dead(std::slice::from_ref(&world), &app, &tokens).await;
    }
}

}
