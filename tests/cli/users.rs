//! `tegata user …`

use serde_json::{Value, json};

use crate::world::World;

on_each_database! {

async fn a_user_is_made_listed_and_deleted(world: World) {
    let arguments = ["user", "create", "alice", "--admin", "--email", "alice@example.com", "--json"];
    let made = world.command(&arguments, "").await.json();
    assert_eq!((&made["username"], &made["admin"]), (&json!("alice"), &json!(true)));
    let password = made["password"].as_str().expect("a generated password is shown once");
    let browser = world.browser();
    assert_eq!(browser.try_to_sign_in("alice", password).await.status, 303, "the running server knows her");
    assert_eq!(browser.get("/oauth/applications").await.status, 200, "and that she is an administrator");

    let listed = world.command(&["user", "list", "--json"], "").await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["id"], made["id"]);
    assert!(!listed.to_string().contains(password));
    assert_eq!(world.command(&["user", "delete", "ALICE", "--json"], "").await.exit, 0);
    assert_eq!(world.command(&["user", "list", "--json"], "").await.json(), json!([]));
    assert_eq!(browser.get("/account").await.status, 303);
}

async fn without_json_people_can_read_it(world: World) {
    let made = world.command(&["user", "create", "alice"], "").await;
    assert_eq!(made.exit, 0, "{made:?}");
    let password = made.stdout.lines().find_map(|line| line.strip_prefix("password")).expect("the password");
    assert_eq!(world.browser().try_to_sign_in("alice", password.trim()).await.status, 303);
    let listed = world.command(&["user", "list"], "").await;
    assert!(listed.stdout.lines().any(|line| line.starts_with("alice")), "{listed:?}");
    for line in [
        &["user", "password", "alice"][..],
        &["user", "disable", "alice"],
        &["user", "enable", "alice"],
        &["user", "delete", "alice"],
    ] {
        let done = world.command(line, "").await;
        assert_eq!(done.exit, 0, "{line:?}: {done:?}");
        assert!(done.stdout.contains("alice"), "{line:?}: {done:?}");
        assert!(serde_json::from_str::<Value>(&done.stdout).is_err(), "{line:?}: {done:?}");
    }
}

async fn the_groups_of_a_user_are_given_shown_and_taken(world: World) {
    let made = world.command(&["user", "create", "alice", "--group", "staff", "--group", "dev", "--json"], "").await.json();
    assert_eq!(made["groups"], json!(["dev", "staff"]));
    let groups = async |more: &[&str]| world.command(&[&["user", "groups", "ALICE"], more].concat(), "").await;
    assert_eq!(groups(&["--json"]).await.json(), json!({"username": "alice", "groups": ["dev", "staff"]}));
    assert_eq!(groups(&["b", "A", "b", "--json"]).await.json(), json!({"username": "alice", "groups": ["A", "b"], "revoked": 0}));
    assert_eq!(world.command(&["user", "list", "--json"], "").await.json()[0]["groups"], json!(["A", "b"]));
    assert_eq!(groups(&[]).await.stdout.trim_end(), "alice is in: A, b.");
    for (more, exit) in [(&["c", "d e"][..], 1), (&["c", "--none"], 2), (&[""], 2)] {
        let refused = groups(more).await;
        assert!(refused.exit == exit && refused.stdout.is_empty(), "{more:?}: {refused:?}");
    }
    assert_eq!(groups(&["--none"]).await.stdout.trim_end(), "alice is in no group.");
    let refused = world.command(&["user", "create", "bob", "--group", "of the house"], "").await;
    assert!(refused.exit == 1 && refused.stderr.contains("--group: `of the house` is no group."), "{refused:?}");
    assert_eq!(world.command(&["user", "groups", "bob"], "").await.exit, 1, "nobody was made");
}

async fn a_password_on_standard_input_loses_one_newline_and_nothing_else(world: World) {
    for (name, input, password) in [
        ("a", "long enough", "long enough"),
        ("b", "long enough\n", "long enough"),
        ("c", "long enough\n\n", "long enough\n"),
        ("d", "  long enough \n", "  long enough "),
        ("e", "長い合い言葉です\n", "長い合い言葉です"),
    ] {
        let arguments = ["user", "create", name, "--password-stdin", "--json"];
        let made = world.command(&arguments, input).await.json();
        assert_eq!(made["password"], Value::Null, "a chosen password is not shown");
        assert_eq!(world.browser().try_to_sign_in(name, password).await.status, 303, "{input:?}");
        if input != password && input.trim_end() != input {
            assert_eq!(world.browser().try_to_sign_in(name, input).await.status, 422, "{input:?}");
        }
    }
}

async fn what_is_refused_is_said_in_one_line(world: World) {
    world.user("alice").await;
    let long = "x".repeat(1025);
    for (arguments, input, word) in [
        (&["user", "create", "alice"][..], "", "taken"),
        (&["user", "create", "ALICE"], "", "taken"),
        (&["user", "create", "a b"], "", "username"),
        (&["user", "create", "bob", "--email", "bob"], "", "--email"),
        (&["user", "create", "bob", "--password-stdin"], "", "password"),
        (&["user", "create", "bob", "--password-stdin"], "short\n", "--password-stdin"),
        (&["user", "create", "bob", "--password-stdin"], &long, "--password-stdin"),
        (&["user", "password", "bob"], "", "no user bob"),
        (&["user", "disable", "bob"], "", "no user bob"),
        (&["user", "enable", "bob"], "", "no user bob"),
        (&["user", "delete", "bob"], "", "no user bob"),
    ] {
        let arguments = [arguments, &["--json"]].concat();
        let refused = world.command(&arguments, input).await;
        assert_eq!((refused.exit, refused.stdout.as_str()), (1, ""), "{arguments:?}: {refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
        assert!(refused.stderr.contains(word), "{word}: {refused:?}");
    }
    assert_eq!(world.command(&["user", "list", "--json"], "").await.json().as_array().map(Vec::len), Some(1));
}

async fn of_many_who_take_a_name_at_once_one_gets_it(world: World) {
    let made = crate::world::at_once(4, |_| {
        let world = world.clone();
        async move { world.command(&["user", "create", "alice", "--json"], "").await.exit }
    })
    .await;
    assert_eq!(made.iter().filter(|exit| **exit == 0).count(), 1, "{made:?}");
    assert!(made.iter().all(|exit| matches!(exit, 0 | 1)), "{made:?}");
}

}
