//! Who may read the log, and how it is searched, paged and exported.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{log, searched};
use crate::world::{Answer, Ask, Browser, World};

const DAY: i64 = 24 * 3600;

/// The events of an export.
async fn exported(browser: &Browser, query: &str) -> Vec<Value> {
    let answer = browser.get(&format!("/audit.jsonl{query}")).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    assert_eq!(answer.header("cache-control"), "no-store");
    let lines = answer.body.lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a page shows: the exact times of its rows.
fn rows(page: &Answer) -> usize {
    page.body.matches("data-label=\"By\"").count()
}

/// More events than a batch or a page has, of two kinds by turns; made so late that no sweep takes them.
async fn grow(world: &World, count: u64) {
    let (id, at) = if world.is_on_sqlite() {
        ("unhex('ff' || hex(randomblob(15)))", "'2020-01-01T00:00:00Z'")
    } else {
        (
            "CAST('ff' || substr(replace(CAST(gen_random_uuid() AS TEXT), '-', ''), 3) AS UUID)",
            "TIMESTAMPTZ '2020-01-01T00:00:00Z'",
        )
    };
    let made = world
        .change_rows(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             INSERT INTO audit_events (id, at, event, actor, user_id, detail)
             SELECT {id}, {at}, CASE WHEN i % 2 = 0 THEN 'signed_in' ELSE 'signed_out' END, 'user',
                 (SELECT id FROM users WHERE username = CASE WHEN i % 3 = 0 THEN 'alice' ELSE 'root' END), '{{}}'
             FROM n"
        ))
        .await;
    assert_eq!(made, count);
}

on_each_database! {

async fn only_administrators_read_it(world: World) {
    let (root, alice) = (world.administrator("root").await, world.user("alice").await);
    let app = world.application().scope("applications").create().await;
    let browser = world.signed_in(&root).await;
    let code = browser.authorize(&Ask::of(&app).with("scope", "applications")).await.code();
    let token = world.redeem(&app, &code).await.tokens().access;
    let hers = world.signed_in(&alice).await;
    for path in ["/audit", "/audit.jsonl", "/audit/"] {
        let anonymous = world.get(path).await;
        assert_eq!(anonymous.status, 303, "{anonymous}");
        assert!(anonymous.location().unwrap().path().ends_with("/login"), "{anonymous}");
        let refused = hers.get(path).await;
        assert_eq!(refused.status, 403, "{refused}");
        assert_eq!(world.get(path).bearer(&token).await.status, 401, "a token manages applications, no more");
        assert_eq!(browser.get(path).await.status, 200, "{path}");
        assert_eq!(browser.request("POST", path).await.status, 405, "{path}");
    }
    assert!(browser.get("/account").await.body.contains("href=\"/audit\""));
    assert!(!hers.get("/account").await.body.contains("/audit"));
}

with("session_ttl" = "30d", "session_max_ttl" = "30d")
async fn it_is_searched_by_each_of_its_sides(world: World) {
    let root = world.administrator("root").await;
    let alice = world.user("alice").await;
    let app = world.application().client_id("app").create().await;
    let browser = world.signed_in(&root).await;
    world.clock.advance(2 * DAY);
    world.tokens(&alice, &app).await;
    let names = |events: Vec<Value>| -> Vec<String> {
        events.iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
    };
    let alices = ["consent_given", "signed_in", "user_created"];
    let first_day = tegata_day(&log(&world).await.last().unwrap()["at"]);
    for (options, expected) in [
        (&["--user", "ALICE"][..], &alices[..]),
        (&["--user", &alice.id], &alices),
        (&["--application", "app"], &["consent_given", "application_created"]),
        (&["--event", "signed_in"], &["signed_in", "signed_in"]),
        (&["--event", "signed_in", "--user", "alice"], &["signed_in"]),
        (&["--application", "app", "--user", "alice"], &["consent_given"]),
        (&["--application", "app", "--user", "root"], &[]),
        (&["--address", "127.0.0.1"], &["consent_given", "signed_in", "signed_in"]),
        (&["--address", "127.0.0.2"], &[]),
        (&["--until", &first_day, "--event", "signed_in"], &["signed_in"]),
        (&["--since", "3000-01-01"], &[]),
    ] {
        assert_eq!(names(searched(&world, options).await), expected, "{options:?}");
        let query: Vec<_> = options.chunks(2).map(|pair| format!("{}={}", &pair[0][2..], pair[1])).collect();
        let query = format!("?{}", query.join("&"));
        assert_eq!(names(exported(&browser, &query).await), expected, "{query}");
        assert_eq!(rows(&browser.get(&format!("/audit{query}")).await), expected.len(), "{query}");
    }
    let recent = names(exported(&browser, "?since=1d").await);
    assert_eq!(recent, ["consent_given", "signed_in"], "counted from the server's clock");
    let like_an_id = "550e8400-e29b-41d4-a716-446655440000";
    world.user(like_an_id).await;
    assert_eq!(names(searched(&world, &["--user", like_an_id]).await), ["user_created"], "a name may look like an id");
    let lines = world.command(&["audit", "--application", "app"], "").await;
    assert_eq!(lines.stdout.lines().count(), 2, "{lines:?}");
    for line in lines.stdout.lines() {
        assert_eq!(serde_json::from_str::<Value>(line).unwrap()["application"]["client_id"], "app");
    }
}

async fn a_search_that_cannot_be_read_finds_nothing_and_says_why(world: World) {
    let root = world.administrator("root").await;
    let browser = world.signed_in(&root).await;
    for (field, typed) in [
        ("event", "nonsense"),
        ("user", "nobody"),
        ("user", "%00"),
        ("user", "%3Cscript%3Ealert(1)%3C/script%3E"),
        ("application", "none"),
        ("application", "'%20OR%20'1'='1"),
        ("address", "localhost"),
        ("since", "yesterday"),
        ("until", "99999999999999999d"),
    ] {
        let query = format!("?{field}={typed}");
        let page = browser.get(&format!("/audit{query}")).await;
        assert_eq!((page.status, rows(&page)), (422, 0), "{query}: {page}");
        assert!(page.body.contains(&format!("aria-describedby=\"{field}-error\"")), "{query}: {page}");
        assert!(!page.body.contains("<script>alert"), "{page}");
        let export = browser.get(&format!("/audit.jsonl{query}")).await;
        assert_eq!((export.status, export.json()["errors"][field].is_array()), (422, true), "{query}: {export}");
    }
    let page = browser.get("/audit?before=nonsense&nothing=known&user=").await;
    assert_eq!((page.status, rows(&page)), (200, 2), "{page}");
    for (options, flag) in [(["--event", "nonsense"], "--event"), (["--user", "nobody"], "--user")] {
        let refused = world.command(&[&["audit"][..], &options].concat(), "").await;
        assert_eq!((refused.exit, refused.stdout.as_str()), (1, ""), "{refused:?}");
        assert!(refused.stderr.contains(flag), "{refused:?}");
    }
}

async fn a_long_log_is_paged_and_exported_whole(world: World) {
    const MANY: u64 = 3_210;
    let root = world.administrator("root").await;
    let alice = world.user("alice").await;
    let browser = world.signed_in(&root).await;
    grow(&world, MANY).await;
    let all = exported(&browser, "").await;
    assert_eq!(all.len() as u64, MANY + 3);
    let ids: Vec<_> = all.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted_by(|newer, older| newer > older), "the newest first, and none twice");
    let hers = exported(&browser, "?user=alice&event=signed_in").await;
    let expected: Vec<_> = all
        .iter()
        .filter(|event| event["event"] == "signed_in" && event["user"]["id"] == json!(alice.id))
        .cloned()
        .collect();
    assert!(expected.len() > 500, "more than a batch: {}", expected.len());
    assert_eq!(hers, expected);
    assert_eq!(searched(&world, &["--user", "alice", "--event", "signed_in"]).await, expected);

    let mut seen = 0;
    let mut next = Some("/audit?user=alice&event=signed_in".to_owned());
    let mut pages = BTreeSet::new();
    while let Some(path) = next {
        let page = browser.get(&path).await;
        seen += rows(&page);
        assert!(rows(&page) <= 50 && pages.insert(path), "{page}");
        let link = page.body.split("rel=\"next\" href=\"").nth(1);
        next = link.map(|link| link.split('"').next().unwrap().replace("&#38;", "&"));
    }
    assert_eq!(seen, expected.len());
    assert_eq!(pages.len(), expected.len().div_ceil(50));
}

async fn hostile_names_stay_text(world: World) {
    let root = world.administrator("root").await;
    let browser = world.signed_in(&root).await;
    let hostile = "<img src=x onerror=alert(1)>\"'&{{1*9}}";
    world.application().name(hostile).client_id("app").create().await;
    let page = browser.get("/audit").await;
    assert!(page.body.contains("&#60;img src=x") && !page.body.contains("<img src=x"), "{page}");
    let lines = exported(&browser, "?application=app").await;
    assert_eq!(lines[0]["application"]["name"], hostile);
}

async fn a_deleted_user_or_application_is_found_by_its_id(world: World) {
    let alice = world.user("alice").await;
    world.application().client_id("app").create().await;
    let id = world.command(&["application", "show", "app", "--json"], "").await.json()["id"].clone();
    world.command(&["application", "delete", "app"], "").await;
    world.command(&["user", "delete", "alice"], "").await;
    assert_eq!(searched(&world, &["--user", &alice.id]).await.len(), 2);
    assert_eq!(searched(&world, &["--application", id.as_str().unwrap()]).await.len(), 2);
}

}

/// The day of a moment.
fn tegata_day(at: &Value) -> String {
    at.as_str().unwrap()[..10].to_owned()
}
