//! Who gets in where: every page of the URL table and every method it takes, asked for by everybody who is not
//! meant to. The table is read from the source, so that a new page is refused to strangers or fails here.

use std::collections::BTreeSet;

use serde_json::json;

use crate::form::Form;
use crate::world::{Answer, Application, Browser, Request, User, World};

/// Pages that anybody may ask for: they sign in, set up, or ask for a sign-in themselves.
const OPEN: &[&str] = &["/", "/login", "/logout", "/setup", "/oauth/authorize"];
/// Pages of whoever is signed in, about nobody else.
const OWN: &[&str] = &[
    "/account",
    "/account/password",
    "/account/sessions/delete",
    "/oauth/authorize/native",
    "/oauth/authorized_applications",
    "/oauth/authorized_applications/{id}",
    "/oauth/authorized_applications/{id}/delete",
    "/oauth/device",
];
/// Where a user finds and makes applications of their own, if the server lets them.
const OWNERS: &[&str] = &["/oauth/applications", "/oauth/applications/new"];

/// An id of nothing that is there.
const NOBODYS: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// A page and a method that it takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Route {
    path: String,
    method: &'static str,
}

/// Every route with a session, from the source.
fn routes() -> BTreeSet<Route> {
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/mod.rs")).unwrap();
    let (_, pages) = source.split_once("fn pages(").expect("the table of pages");
    let (pages, _) = pages
        .split_once("fn operation(")
        .expect("what has no session comes after");
    let mut routes = BTreeSet::new();
    for route in pages.split(".route(").skip(1) {
        let mut parts = route.splitn(3, '"').skip(1);
        let (path, handlers) = (parts.next().unwrap(), parts.next().unwrap());
        for (method, call) in [
            ("GET", "get("),
            ("POST", "post("),
            ("PATCH", "patch("),
            ("DELETE", "delete("),
        ] {
            let called = |at: usize| {
                !handlers[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
            };
            if handlers.match_indices(call).any(|(at, _)| called(at)) {
                routes.insert(Route {
                    path: path.to_owned(),
                    method,
                });
            }
        }
    }
    assert!(routes.len() > 30, "the table is read: {routes:?}");
    routes
}

fn of_administrators() -> Vec<Route> {
    let open: Vec<_> = OPEN.iter().chain(OWN).collect();
    let routes = routes().into_iter();
    routes.filter(|route| !open.contains(&&&*route.path)).collect()
}

impl Route {
    /// The address with ids in it: of what is there where one is known.
    fn filled_in(&self, application: &str, user: &str) -> String {
        let first = if self.path.starts_with("/users") {
            user
        } else {
            application
        };
        let mut filled = String::new();
        let mut rest = self.path.replacen("{id}", first, 1);
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            filled.push_str(NOBODYS);
            rest = after.split_once('}').unwrap().1.to_owned();
        }
        filled.push_str(&rest);
        filled
    }
}

/// A browser with what it takes to post a form or to send a script's request.
struct Visitor {
    browser: Browser,
    csrf: String,
    origin: String,
}

impl Visitor {
    async fn of(browser: Browser, page: &str) -> Self {
        let page = browser.get(page).await;
        let fields = Form::all(&page.body).into_iter().flat_map(|form| form.fields);
        let mut tokens = fields.filter(|(name, _)| name == "csrf_token");
        let csrf = tokens.next().unwrap_or_else(|| panic!("no form token: {page}")).1;
        let origin = page.url.origin().ascii_serialization();
        Self {
            browser,
            csrf,
            origin,
        }
    }

    async fn anonymous(world: &World) -> Self {
        Self::of(world.browser(), "/login").await
    }

    async fn signed_in(world: &World, user: &User) -> Self {
        Self::of(world.signed_in(user).await, "/account").await
    }

    fn request(&self, method: &str, path: &str) -> Request {
        let request = self.browser.request(method, path);
        if method == "GET" {
            return request;
        }
        let request = request
            .header("X-CSRF-Token", &self.csrf)
            .header("Origin", &self.origin);
        match method {
            "PATCH" => request.json(&json!({})),
            _ => request.field("csrf_token", &self.csrf),
        }
    }

    fn script(&self, method: &str, path: &str) -> Request {
        self.request(method, path).header("Accept", "application/json")
    }
}

/// What must not have changed.
async fn state(world: &World) -> String {
    let mut state = String::new();
    for listed in ["user", "application"] {
        let printed = world.command(&[listed, "list", "--json"], "").await;
        state.push_str(&printed.json().to_string());
    }
    state
}

fn leads_to_sign_in(answer: &Answer) -> bool {
    answer.location().is_some_and(|to| to.path() == "/login")
}

async fn id_of(world: &World, application: &Application) -> String {
    let shown = world
        .command(&["application", "show", &application.client_id, "--json"], "")
        .await;
    shown.json()["id"].as_str().unwrap().to_owned()
}

on_each_database! {

async fn strangers_get_in_nowhere(world: World) {
    let root = world.administrator("root").await;
    let application = world.application().create().await;
    let id = id_of(&world, &application).await;
    let before = state(&world).await;
    let anonymous = Visitor::anonymous(&world).await;
    for route in of_administrators() {
        let path = route.filled_in(&id, &root.id);
        let answer = anonymous.request(route.method, &path).await;
        assert!(leads_to_sign_in(&answer) || [401, 403].contains(&answer.status), "{route:?} {answer}");
        let answer = anonymous.script(route.method, &path).await;
        assert!(leads_to_sign_in(&answer) || [401, 403].contains(&answer.status), "{route:?} {answer}");
    }
    for route in routes().into_iter().filter(|route| OWN.contains(&&*route.path)) {
        let answer = anonymous.request(route.method, &route.filled_in(&id, &root.id)).await;
        assert!(leads_to_sign_in(&answer) || [401, 403].contains(&answer.status), "{route:?} {answer}");
    }
    assert_eq!(state(&world).await, before);
}

async fn users_get_in_nowhere_but_at_their_own(world: World) {
    let (root, alice) = (world.administrator("root").await, world.user("alice").await);
    let application = world.application().create().await;
    let id = id_of(&world, &application).await;
    let before = state(&world).await;
    let (hers, his) = (Visitor::signed_in(&world, &alice).await, Visitor::signed_in(&world, &root).await);
    for route in of_administrators() {
        let path = route.filled_in(&id, &root.id);
        let answer = hers.request(route.method, &path).await;
        assert_eq!(answer.status, 403, "{route:?} {answer}");
        let answer = hers.script(route.method, &path).await;
        assert_eq!(answer.status, 403, "{route:?} {answer}");
        if route.method == "GET" {
            let answer = his.request("GET", &path).await;
            assert!([200, 404].contains(&answer.status), "{route:?} {answer}");
        }
    }
    assert_eq!(state(&world).await, before);
}

async fn tokens_without_the_scope_get_in_nowhere(world: World) {
    let (root, alice) = (world.administrator("root").await, world.user("alice").await);
    let application = world.application().create().await;
    let id = id_of(&world, &application).await;
    let own = world.token(&[("grant_type", "client_credentials")]).by(&application).await.tokens();
    let of_alice = world.tokens(&alice, &application).await;
    let of_root = world.tokens(&root, &application).await;
    let before = state(&world).await;
    for route in of_administrators() {
        let path = route.filled_in(&id, &root.id);
        for token in [&own.access, &of_alice.access, &of_root.access] {
            for accept in ["application/json", "text/html"] {
                let asked = world.request(route.method, &path).header("Accept", accept).bearer(token);
                let answer = asked.await;
                assert!(leads_to_sign_in(&answer) || [401, 403].contains(&answer.status), "{route:?} {answer}");
            }
        }
    }
    assert_eq!(state(&world).await, before);
}

with("user_applications" = "true")
async fn owners_see_nothing_of_what_others_own(world: World) {
    let (root, alice) = (world.administrator("root").await, world.user("alice").await);
    let application = world.application().create().await;
    let id = id_of(&world, &application).await;
    let before = state(&world).await;
    let hers = Visitor::signed_in(&world, &alice).await;
    for route in of_administrators() {
        if OWNERS.contains(&&*route.path) {
            continue;
        }
        let (path, nothing) = (route.filled_in(&id, &root.id), route.filled_in(NOBODYS, &root.id));
        let of_nothing = hers.request(route.method, &nothing).await;
        for answer in [hers.request(route.method, &path).await, hers.script(route.method, &path).await] {
            assert!([403, 404].contains(&answer.status), "{route:?} {answer}");
            assert_eq!(answer.status, of_nothing.status, "whether it is there shows: {route:?} {answer}");
        }
    }
    assert_eq!(state(&world).await, before);
}

}
