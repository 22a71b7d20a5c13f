//! `/oauth/applications` in an administrator's browser.

use crate::form::{Form, text_of};
use crate::world::{Answer, Browser, World};

struct Administration {
    browser: Browser,
}

impl Administration {
    async fn of(world: &World) -> Self {
        let root = world.administrator("root").await;
        Self {
            browser: world.signed_in(&root).await,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.browser.get(path).await
    }

    /// The page and its form with the button `id`.
    async fn form(&self, path: &str, id: &str) -> (Answer, Form) {
        let page = self.get(path).await;
        let form = Form::with_id(&page.body, id).unwrap_or_else(|| panic!("no form: {page}"));
        (page, form)
    }

    /// The form for a new application, as it comes, with a name and redirect URIs.
    async fn blank(&self, redirect_uris: &str) -> (Answer, Form) {
        let (page, mut form) = self.form("/oauth/applications/new", "save").await;
        form.set("name", "Notes");
        form.set("redirect_uris", redirect_uris);
        (page, form)
    }

    /// The page of the one application there is.
    async fn only(&self) -> Answer {
        let list = self.get("/oauth/applications").await;
        let mut links = list
            .body
            .split('"')
            .filter(|text| text.starts_with("/oauth/applications/0"));
        let link = links.next().unwrap_or_else(|| panic!("no application: {list}"));
        assert_eq!(links.next(), None, "one application: {list}");
        self.get(link).await
    }

    /// Follows a redirect to one of our pages.
    async fn followed(&self, answer: Answer) -> Answer {
        assert_eq!(answer.status, 303, "{answer}");
        self.get(answer.location().unwrap().as_str()).await
    }
}

const CALLBACK: &str = "https://app.example/callback";

on_each_database! {

with("grants" = "password,implicit,client_credentials")
async fn the_page_shows_how_the_grants_are_tried_that_are_offered(world: World) {
    let admin = Administration::of(&world).await;
    world.application().grant("password").grant("implicit").create().await;
    let page = admin.only().await;
    for command in ["grant_type=password", "authorize?response_type=token"] {
        assert!(page.body.contains(command), "{page}");
    }
    world.restart_with(&[("grants", "client_credentials")]).await;
    let page = admin.only().await;
    for command in ["grant_type=password", "response_type=token"] {
        assert!(!page.body.contains(command), "{page}");
    }
}

async fn a_form_sent_twice_registers_one_application(world: World) {
    let root = Administration::of(&world).await;
    let (page, form) = root.blank(CALLBACK).await;
    let made = root.browser.submit(&page, &form).await;
    assert!(made.status == 201 && made.body.contains("tgs_"), "{made}");
    let again = root.browser.submit(&page, &form).await;
    let shown = root.followed(again).await;
    assert!(shown.body.contains("nothing was registered again") && !shown.body.contains("tgs_"), "{shown}");
    let only = root.only().await;
    assert_eq!(only.url, shown.url);
}

async fn who_may_use_an_application_is_chosen_on_its_form_and_told_on_its_page(world: World) {
    let root = Administration::of(&world).await;
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    assert_eq!(text_of(&root.only().await.body, "who").as_deref(), Some("Everybody"));
    let tokens = world.tokens(&alice, &app).await;
    let edit = format!("{}/edit", root.only().await.url.path());

    let (page, mut form) = root.form(&edit, "save").await;
    form.set("restricted", "true");
    let nobody = root.browser.submit(&page, &form).await;
    assert!(nobody.status == 422 && text_of(&nobody.body, "users-error").is_some(), "{nobody}");
    form.set("users", "root\nnobody\n<b>");
    form.set("groups", "of the house");
    let wrong = root.browser.submit(&page, &form).await;
    assert!(wrong.status == 422 && text_of(&wrong.body, "users-error").is_some(), "{wrong}");
    assert!(text_of(&wrong.body, "groups-error").is_some(), "{wrong}");
    assert_eq!(text_of(&wrong.body, "users").as_deref(), Some("root\nnobody\n<b>"), "what was typed stays");
    assert!(wrong.body.contains("There is no user <code>nobody</code>") && !wrong.body.contains("<b>."), "{wrong}");
    assert_eq!(world.memos(&tokens.access).await.status, 200, "nothing was changed");

    let mut form = Form::with_id(&wrong.body, "save").unwrap();
    form.set("users", " ROOT\r\n\r\nroot");
    form.set("groups", "staff\ndev");
    let saved = root.browser.submit(&wrong, &form).await;
    let shown = root.followed(saved).await;
    assert!(shown.body.contains("1 authorization of users who may no longer use it ended at once"), "{shown}");
    assert!(shown.body.contains("Users: <bdi>root</bdi><br>Groups: <code>dev</code>, <code>staff</code>"), "{shown}");
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
    assert!(root.get("/oauth/applications").await.body.contains("Restricted"));

    let (page, form) = root.form(&edit, "save").await;
    assert_eq!((text_of(&page.body, "users").unwrap(), text_of(&page.body, "groups").unwrap()), ("root".into(), "dev\nstaff".into()));
    let shown = root.browser.submit(&page, &form).await;
    assert!(!root.followed(shown).await.body.contains("ended at once"), "saved as it was, it stays as it was");
    let (page, mut form) = root.form(&edit, "save").await;
    form.fields.retain(|(name, _)| !["restricted", "users", "groups"].contains(&name.as_str()));
    let shown = root.browser.submit(&page, &form).await;
    let shown = root.followed(shown).await;
    assert!(shown.body.contains("Users: <bdi>root</bdi>"), "a form that does not say it opens nothing: {shown}");
    let (page, mut form) = root.form(&edit, "save").await;
    form.set("restricted", "false");
    let shown = root.browser.submit(&page, &form).await;
    assert_eq!(text_of(&root.followed(shown).await.body, "who").as_deref(), Some("Everybody"));
    assert_eq!((world.count("application_users").await, world.count("application_groups").await), (0, 0));
}

async fn two_forms_register_two(world: World) {
    let root = Administration::of(&world).await;
    for _ in 0..2 {
        let (page, form) = root.blank(CALLBACK).await;
        assert_eq!(root.browser.submit(&page, &form).await.status, 201);
    }
    assert!(root.get("/oauth/applications").await.body.contains("2 applications"));
}

async fn a_form_corrected_after_a_fault_still_registers(world: World) {
    let root = Administration::of(&world).await;
    let (page, form) = root.blank("nonsense").await;
    let refused = root.browser.submit(&page, &form).await;
    assert_eq!(refused.status, 422, "{refused}");
    let mut form = Form::with_id(&refused.body, "save").unwrap();
    form.set("redirect_uris", CALLBACK);
    assert_eq!(root.browser.submit(&refused, &form).await.status, 201);
}

async fn a_reloaded_answer_makes_no_third_secret(world: World) {
    let root = Administration::of(&world).await;
    world.application().create().await;
    let page = root.only().await;
    let form = Form::with_id(&page.body, "rotate-secret").unwrap();
    let made = root.browser.submit(&page, &form).await;
    assert!(made.status == 201 && made.body.contains("tgs_"), "{made}");
    let again = root.browser.submit(&page, &form).await;
    let shown = root.followed(again).await;
    assert!(shown.body.contains("two secrets live already") && !shown.body.contains("tgs_"), "{shown}");
}

async fn public_is_registered_from_the_form_as_it_comes(world: World) {
    let root = Administration::of(&world).await;
    let (page, mut form) = root.blank(CALLBACK).await;
    form.set("confidential", "false");
    let made = root.browser.submit(&page, &form).await;
    assert_eq!(made.status, 201, "{made}");
    assert!(!made.body.contains("<code>client_credentials</code>"), "{made}");
    assert!(made.body.contains("<code>refresh_token</code>") && !made.body.contains("tgs_"), "{made}");
}

async fn a_public_application_has_no_secret_to_rotate(world: World) {
    let root = Administration::of(&world).await;
    world.application().public().create().await;
    let page = root.only().await;
    let mut form = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/logout")).unwrap();
    form.action = format!("{}/secrets", page.url.path());
    let answer = root.browser.submit(&page, &form).await;
    let shown = root.followed(answer).await;
    assert!(shown.body.contains("a public application has no secret"), "{shown}");
}

async fn every_wrong_redirect_uri_is_told_beside_the_field(world: World) {
    let root = Administration::of(&world).await;
    let (page, mut form) = root.blank("http://one.example/\r\nhttps://good.example/\r\nhttps://two.example/#x").await;
    form.set("access_token_ttl", "soon");
    let answer = root.browser.submit(&page, &form).await;
    assert_eq!(answer.status, 422, "{answer}");
    let (_, field) = answer.body.split_once("id=\"redirect_uris-error\"").expect("an error beside the field");
    let (field, _) = field.split_once("<textarea").unwrap();
    for wrong in ["<code>http://one.example/</code>", "<code>https://two.example/#x</code>"] {
        assert!(field.contains(wrong), "{wrong}: {field}");
    }
    assert!(!field.contains("good.example") && !answer.body.contains('`'), "{answer}");
}

async fn errors_stand_in_the_order_of_the_form(world: World) {
    let root = Administration::of(&world).await;
    let (page, mut form) = root.blank("").await;
    form.set("access_token_ttl", "soon");
    let answer = root.browser.submit(&page, &form).await;
    let told: Vec<_> = answer.body.split("<a href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(told, ["redirect_uris", "access_token_ttl"], "{answer}");
}

async fn what_only_a_confidential_application_may_is_refused_beside_its_switch(world: World) {
    let root = Administration::of(&world).await;
    let (page, mut form) = root.blank(CALLBACK).await;
    form.set("confidential", "false");
    form.set("trusted", "true");
    form.set("introspect", "true");
    let answer = root.browser.submit(&page, &form).await;
    assert_eq!(answer.status, 422, "{answer}");
    for switch in ["trusted", "introspect"] {
        assert!(answer.body.contains(&format!("aria-describedby=\"{switch}-error\"")), "{switch}: {answer}");
        assert!(answer.body.contains(&format!("id=\"{switch}-error\"")), "{switch}: {answer}");
    }
}

async fn a_test_link_stands_only_where_a_code_may_come(world: World) {
    let root = Administration::of(&world).await;
    world.application().grant("client_credentials").create().await;
    let page = root.only().await;
    assert!(page.body.contains(CALLBACK) && !page.body.contains("/oauth/authorize?"), "{page}");
    assert_eq!(text_of(&page.body, "code-verifier"), None);
}

async fn the_code_of_a_test_link_is_redeemed_with_the_verifier_beside_it(world: World) {
    let root = Administration::of(&world).await;
    let app = world.application().create().await;
    let page = root.only().await;
    let link = page.body.split('"').find(|text| text.starts_with("/oauth/authorize?")).expect("a test link");
    let answer = root.get(&link.replace("&#38;", "&")).await;
    let code = root.browser.walk(answer, None, Some("authorize")).await.code();
    let verifier = text_of(&page.body, "code-verifier").expect("the verifier");
    let redeemed = world.redeem(&app, &code).without("code_verifier").field("code_verifier", &verifier);
    redeemed.await.tokens();
}

async fn a_button_disables_after_a_question_and_another_enables(world: World) {
    let root = Administration::of(&world).await;
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let page = root.only().await;
    let path = page.url.path().to_owned();
    let (asked, form) = root.form(&format!("{path}/disable"), "disable-application").await;
    assert!(asked.body.contains("1 user, 1 live token"), "{asked}");
    assert_eq!(world.memos(&tokens.access).await.status, 200, "a question disables nothing");
    let answer = root.browser.submit(&asked, &form).await;
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
    world.client_credentials(&app).await.refused(401, "invalid_client");
    let shown = root.followed(answer).await;
    assert!(shown.body.contains("Notes is disabled") && shown.body.contains("tag off"), "{shown}");
    let form = Form::with_id(&shown.body, "enable-application").expect("a button to enable it");
    let answer = root.browser.submit(&shown, &form).await;
    assert_eq!(world.memos(&tokens.access).await.status, 200);
    assert!(root.followed(answer).await.body.contains("Notes is enabled"));
}

async fn only_an_administrator_disables(world: World) {
    let root = Administration::of(&world).await;
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let path = root.only().await.url.path().to_owned();
    let hers = world.signed_in(&alice).await;
    assert_eq!(hers.get(&format!("{path}/disable")).await.status, 403);
    let page = hers.get("/account").await;
    let mut form = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/logout")).unwrap();
    for word in ["disable", "enable"] {
        form.action = format!("{path}/{word}");
        assert_eq!(hers.submit(&page, &form).await.status, 403);
        form.fields.clear();
        assert_eq!(root.browser.submit(&page, &form).await.status, 403, "a form without its token");
        assert_eq!(world.post(&form.action, &[]).header("Accept", "application/json").await.status, 401);
    }
    world.client_credentials(&app).await.tokens();
}

async fn a_page_past_the_end_leads_to_the_first(world: World) {
    let root = Administration::of(&world).await;
    world.application().create().await;
    let answer = root.get("/oauth/applications?page=9&q=not").await;
    let location = answer.location().unwrap_or_else(|| panic!("{answer}"));
    assert_eq!((answer.status, location.query()), (303, Some("q=not&page=1")));
    assert!(root.get(location.as_str()).await.body.contains("1 application"));
    assert_eq!(root.get("/oauth/applications?page=9&q=nothing+like+it").await.status, 303);
    assert_eq!(root.get("/oauth/applications?page=1&q=nothing+like+it").await.status, 200);
}

with("scopes" = "read=Read,archive=Read the archive")
async fn a_scope_that_is_gone_stays_until_somebody_unticks_it(world: World) {
    let root = world.administrator("root").await;
    world.application().scope("archive").create().await;
    let now = world.second_node_with(&[("scopes", "read=Read,write=Write")]).await;
    let root = Administration { browser: now.signed_in(&root).await };
    let edit = format!("{}/edit", root.only().await.url.path());
    let (page, mut form) = root.form(&edit, "save").await;
    let ticked: Vec<_> = form.fields.iter().filter(|(name, _)| name == "scopes").map(|(_, scope)| &**scope).collect();
    assert_eq!(ticked, ["archive"]);
    let refused = root.browser.submit(&page, &form).await;
    assert!(refused.status == 422 && refused.body.contains("<code>archive</code> is not configured"), "{refused}");
    form.set("scopes", "read");
    assert_eq!(root.browser.submit(&page, &form).await.status, 303);
    let list = root.get("/oauth/applications").await;
    assert_eq!(list.status, 200);
    assert!(!root.only().await.body.contains("archive"));
}

}
