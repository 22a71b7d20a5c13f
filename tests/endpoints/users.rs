//! `/users` in an administrator's browser.

use tegata::model::caller::Caller;

use crate::form::{Form, text_of};
use crate::world::{Answer, Browser, User, World, at_once};

/// Presses the button `id` on the page `path`, with `fields` filled in.
async fn press(browser: &Browser, path: &str, id: &str, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get(path).await;
    let mut form = Form::with_id(&page.body, id).unwrap_or_else(|| panic!("no {id}: {page}"));
    for (name, value) in fields {
        form.set(name, value);
    }
    browser.submit(&page, &form).await
}

async fn followed(browser: &Browser, answer: Answer) -> Answer {
    assert_eq!(answer.status, 303, "{answer}");
    browser.get(answer.location().unwrap().as_str()).await
}

fn page_of(user: &User) -> String {
    format!("/users/{}", user.id)
}

/// The value of the field that shows a generated password.
fn shown_password(page: &Answer) -> String {
    let (_, field) = page
        .body
        .split_once("id=\"new-password\" value=\"")
        .unwrap_or_else(|| panic!("{page}"));
    field.split('"').next().unwrap().to_owned()
}

async fn enabled_administrators(world: &World) -> usize {
    let listed = world.command(&["user", "list", "--json"], "").await.json();
    let listed = listed.as_array().unwrap();
    listed
        .iter()
        .filter(|user| user["admin"] == true && user["disabled"] == false)
        .count()
}

on_each_database! {

async fn a_new_user_gets_a_password_that_is_shown_once(world: World) {
    let root = world.signed_in(&world.administrator("root").await).await;
    let fields = [("username", "alice"), ("email", "alice@example.com")];
    let made = press(&root, "/users/new", "create-user", &fields).await;
    assert_eq!(made.status, 201, "{made}");
    let password = shown_password(&made);
    assert_eq!(world.browser().try_to_sign_in("alice", &password).await.status, 303);
    let list = root.get("/users").await;
    assert!(list.body.contains("alice@example.com") && !list.body.contains(&password), "{list}");
    let again = press(&root, "/users/new", "create-user", &fields).await;
    assert!(again.status == 422 && again.body.contains("is taken"), "{again}");
}

async fn a_password_may_be_typed_and_the_rules_hold(world: World) {
    let root = world.signed_in(&world.administrator("root").await).await;
    for (fields, field) in [
        (&[("username", "a b")][..], "username-error"),
        (&[("username", "bob"), ("password", "short")], "password-error"),
        (&[("username", "bob"), ("email", "bob")], "email-error"),
    ] {
        let refused = press(&root, "/users/new", "create-user", fields).await;
        assert!(refused.status == 422 && text_of(&refused.body, field).is_some(), "{field}: {refused}");
    }
    let fields = [("username", "bob"), ("password", "correct horse of bob"), ("admin", "true")];
    let made = press(&root, "/users/new", "create-user", &fields).await;
    assert!(made.status == 201 && !made.body.contains("new-password"), "{made}");
    let his = world.browser();
    assert_eq!(his.try_to_sign_in("bob", "correct horse of bob").await.status, 303);
    assert_eq!(his.get("/users").await.status, 200, "an administrator");
}

async fn the_groups_of_a_user_are_saved_and_end_what_they_allowed(world: World) {
    let root = world.signed_in(&world.administrator("root").await).await;
    let alice = world.user("alice").await;
    let path = page_of(&alice);
    let saved = press(&root, &path, "save-groups", &[("groups", " staff\r\n\r\ndev \r\nstaff")]).await;
    let page = followed(&root, saved).await;
    assert!(page.body.contains("Saved."), "{page}");
    assert_eq!(text_of(&page.body, "groups").as_deref(), Some("dev\nstaff"));
    let app = world.application().allow_group("staff").create().await;
    let tokens = world.tokens(&alice, &app).await;
    let wrong = press(&root, &path, "save-groups", &[("groups", "dev\nof the house\n<b>")]).await;
    assert!(wrong.status == 422 && text_of(&wrong.body, "groups-error").is_some(), "{wrong}");
    assert_eq!(text_of(&wrong.body, "groups").as_deref(), Some("dev\nof the house\n<b>"), "what was typed stays");
    assert_eq!(world.memos(&tokens.access).await.status, 200, "nothing was changed");
    let saved = press(&root, &path, "save-groups", &[("groups", "dev")]).await;
    let page = followed(&root, saved).await;
    assert!(page.body.contains("1 authorization of alice, who may no longer use the application, ended at once"), "{page}");
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
}

async fn users_are_for_administrators_alone(world: World) {
    let (root, alice) = (world.administrator("root").await, world.user("alice").await);
    let hers = world.signed_in(&alice).await;
    let page = hers.get("/account").await;
    assert!(!page.body.contains("href=\"/users\""), "{page}");
    let mut form = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/logout")).unwrap();
    let root_page = page_of(&root);
    for path in ["/users", "/users/new", &root_page, &format!("{root_page}/disable"), &format!("{root_page}/delete")] {
        assert_eq!(hers.get(path).await.status, 403, "{path}");
        assert_eq!(world.get(path).await.status, 303, "{path}");
        assert_eq!(world.get(path).header("Accept", "application/json").await.status, 401, "{path}");
    }
    let roots = world.signed_in(&root).await;
    form.set("admin", "true");
    for word in ["", "/disable", "/enable", "/delete", "/administrator", "/password", "/groups", "/sessions/delete"] {
        form.action = if word.is_empty() { "/users".to_owned() } else { format!("{}{word}", page_of(&alice)) };
        assert_eq!(hers.submit(&page, &form).await.status, 403, "{word}");
        let forged = roots.submit(&page, &form).await;
        assert_eq!(forged.status, 403, "{word}: a form with somebody else's token");
    }
    assert_eq!(hers.get("/account").await.status, 200);
    assert_eq!(hers.get("/users").await.status, 403, "nobody made her an administrator");
}

async fn what_is_done_to_a_user_takes_effect_at_once(world: World) {
    let root = world.signed_in(&world.administrator("root").await).await;
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let hers = world.signed_in(&alice).await;
    let path = page_of(&alice);

    let tokens = world.tokens(&alice, &app).await;
    let page = root.get(&path).await;
    assert!(page.body.contains("Notes") && page.body.contains("sign-out-everywhere"), "{page}");
    let ended = press(&root, &path, "sign-out-everywhere", &[]).await;
    assert_eq!(hers.get("/account").await.status, 303);
    assert_eq!(world.memos(&tokens.access).await.status, 200, "applications go on");
    let page = followed(&root, ended).await;
    let withdraw = Form::all(&page.body).into_iter().find(|form| form.action.contains("/authorized_applications/")).unwrap();
    let withdrawn = followed(&root, root.submit(&page, &withdraw).await).await;
    assert!(withdrawn.body.contains("Notes can no longer use the account of alice."), "{withdrawn}");
    world.memos(&tokens.access).await.challenged(401, "invalid_token");

    let tokens = world.tokens(&alice, &app).await;
    let reset = press(&root, &path, "reset-password", &[]).await;
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
    assert_ne!(world.browser().try_to_sign_in("alice", &alice.password).await.status, 303);
    let hers = world.browser();
    let password = shown_password(&reset);
    assert_eq!(hers.try_to_sign_in("alice", &password).await.status, 303);

    press(&root, &path, "switch-administrator", &[]).await;
    assert_eq!(hers.get("/users").await.status, 200);
    let page = root.get(&path).await;
    let demote = Form::with_id(&page.body, "switch-administrator").unwrap();
    let mut promote = demote.clone();
    promote.set("admin", "1");
    let again = followed(&root, root.submit(&page, &promote).await).await;
    assert!(again.body.contains("alice was an administrator already."), "{again}");
    press(&root, &path, "switch-administrator", &[]).await;
    assert_eq!(hers.get("/users").await.status, 403);

    press(&root, &format!("{path}/disable"), "disable-user", &[]).await;
    assert_eq!(hers.get("/account").await.status, 303);
    assert_ne!(world.browser().try_to_sign_in("alice", &password).await.status, 303);
    press(&root, &path, "enable-user", &[]).await;
    assert_eq!(world.browser().try_to_sign_in("alice", &password).await.status, 303);
    let deleted = press(&root, &format!("{path}/delete"), "delete-user", &[]).await;
    assert!(followed(&root, deleted).await.body.contains("alice is deleted."));
    assert_ne!(world.browser().try_to_sign_in("alice", &password).await.status, 303);
    assert_eq!(root.get(&path).await.status, 404);
}

async fn nobody_resets_their_own_password_without_the_current_one(world: World) {
    let root = world.administrator("root").await;
    let roots = world.signed_in(&root).await;
    let page = roots.get(&page_of(&root)).await;
    assert!(Form::with_id(&page.body, "reset-password").is_none(), "{page}");
    let mut form = Form::with_id(&page.body, "switch-administrator").unwrap();
    form.action = format!("{}/password", page_of(&root));
    let answer = roots.submit(&page, &form).await;
    assert_eq!((answer.status, answer.location().unwrap().path()), (303, "/account"));
    assert_eq!(world.browser().try_to_sign_in("root", &root.password).await.status, 303);
}

async fn the_last_enabled_administrator_stays_one(world: World) {
    let (root, other) = (world.administrator("root").await, world.administrator("other").await);
    let roots = world.signed_in(&root).await;
    let path = page_of(&root);
    press(&roots, &format!("{}/disable", page_of(&other)), "disable-user", &[]).await;
    for (page, button) in [
        (format!("{path}/disable"), "disable-user"),
        (format!("{path}/delete"), "delete-user"),
        (path.clone(), "switch-administrator"),
    ] {
        let told = followed(&roots, press(&roots, &page, button, &[]).await).await;
        assert!(told.body.contains("this is the last enabled administrator"), "{button}: {told}");
        assert_eq!(roots.get("/users").await.status, 200, "{button}");
    }
    press(&roots, &page_of(&other), "enable-user", &[]).await;
    press(&roots, &path, "switch-administrator", &[]).await;
    assert_eq!(roots.get("/users").await.status, 403, "with another there, one may go");
}

async fn administrators_who_end_each_other_at_once_leave_one(world: World) {
    for (round, (word, button)) in [("disable", "disable-user"), ("delete", "delete-user"), ("", "switch-administrator")]
        .into_iter()
        .enumerate()
    {
        let mut pair = Vec::new();
        for number in 0..2 {
            pair.push(world.administrator(&format!("root{round}{number}")).await);
        }
        let mut forms = Vec::new();
        for number in 0..2 {
            let browser = world.signed_in(&pair[number]).await;
            let path = format!("{}/{word}", page_of(&pair[1 - number]));
            let page = browser.get(path.trim_end_matches('/')).await;
            let form = Form::with_id(&page.body, button).unwrap_or_else(|| panic!("{page}"));
            forms.push((browser, page, form));
        }
        for user in world.command(&["user", "list", "--json"], "").await.json().as_array().unwrap() {
            let name = user["username"].as_str().unwrap();
            if !name.starts_with(&format!("root{round}")) {
                world.command(&["user", "delete", name], "").await;
            }
        }
        let answers = at_once(2, |number| {
            let (browser, page, form) = &forms[number];
            let request = browser.submit(page, form);
            async move { request.await }
        })
        .await;
        assert_eq!(enabled_administrators(&world).await, 1, "{button}: {answers:?}");
    }
}

async fn a_long_list_is_searched_and_paged(world: World) {
    let root = world.signed_in(&world.administrator("root").await).await;
    let server = world.app().await;
    for number in 0..60 {
        let profile = tegata::flow::users::Profile {
            username: format!("user{number:03}"),
            email: (number % 2 == 0).then(|| format!("mail{number:03}@example.com")),
            password: tegata::base::secret::Secret::new("correct horse of everybody"),
            groups: Vec::new(),
        };
        Box::pin(tegata::flow::users::create(&server, &Caller::OPERATOR, &profile, false)).await.unwrap();
    }
    let first = root.get("/users").await;
    assert!(first.body.contains("61 users") && first.body.contains("user000") && !first.body.contains("user030"));
    let second = root.get("/users?page=2").await;
    assert!(second.body.contains("user030") && !second.body.contains("user000<"), "{second}");
    let past = root.get("/users?page=9").await;
    assert_eq!((past.status, past.location().unwrap().query()), (303, Some("q=&page=1")));
    for (search, found) in [("USER042", "user042"), ("mail044@", "user044"), ("%2500", ""), ("_", "")] {
        let answer = root.get(&format!("/users?q={search}")).await;
        let (matches, none) = (answer.body.contains("1 user<"), answer.body.contains("Nobody matches"));
        assert_eq!((matches, none), (!found.is_empty(), found.is_empty()), "{search}: {answer}");
        assert!(found.is_empty() || answer.body.contains(found), "{search}: {answer}");
    }
}

}
