//! `tegata application …`

use serde_json::{Value, json};

use crate::world::World;

const CALLBACK: &str = "https://app.example/callback";

on_each_database! {

async fn an_application_is_made_shown_and_deleted(world: World) {
    let arguments =
        ["application", "create", "--name", "Notes", "--redirect-uri", CALLBACK, "--scope", "read write", "--json"];
    let made = world.command(&arguments, "").await.json();
    let id = made["client_id"].as_str().unwrap();
    let secret = made["client_secret"].as_str().unwrap();
    assert!(secret.starts_with("tgs_") && secret.len() == 47, "{made}");
    assert_eq!(made["name"], "Notes");
    assert_eq!(made["redirect_uris"], json!([CALLBACK]));
    assert_eq!(made["scopes"], json!(["read", "write"]));
    assert_eq!(made["grants"], json!(["authorization_code", "refresh_token", "client_credentials"]));
    assert_eq!(made["confidential"], true);
    let ask = || world.token(&[("grant_type", "client_credentials")]);
    let tokens = ask().basic(id, secret).await.tokens();

    let shown = world.command(&["application", "show", id, "--json"], "").await.json();
    assert_eq!(shown["client_secret"], Value::Null, "a secret is shown once");
    assert_eq!(shown["name"], "Notes");
    let listed = world.command(&["application", "list", "--json"], "").await.json();
    assert_eq!(listed[0]["client_id"], id);
    assert!(!listed.to_string().contains(secret));

    assert_eq!(world.command(&["application", "delete", id, "--json"], "").await.exit, 0);
    assert_eq!(world.command(&["application", "list", "--json"], "").await.json(), json!([]));
    world.soon(401, || ask().basic(id, secret)).await;
    world.soon(401, || world.memos(&tokens.access)).await;
}

async fn without_json_people_can_read_it(world: World) {
    let arguments = ["application", "create", "--name", "Notes", "--client-id", "notes", "--redirect-uri", CALLBACK];
    let made = world.command(&arguments, "").await;
    assert_eq!(made.exit, 0, "{made:?}");
    let secret = made.stdout.lines().find_map(|line| line.strip_prefix("client_secret")).expect("the secret").trim();
    world.token(&[("grant_type", "client_credentials")]).basic("notes", secret).await.tokens();
    for line in [
        &["application", "list"][..],
        &["application", "show", "notes"],
        &["application", "rotate-secret", "notes"],
        &["application", "disable", "notes"],
        &["application", "enable", "notes"],
        &["application", "delete", "notes"],
    ] {
        let done = world.command(line, "").await;
        assert_eq!(done.exit, 0, "{line:?}: {done:?}");
        assert!(done.stdout.contains("notes") && !done.stdout.contains(secret), "{line:?}: {done:?}");
    }
}

async fn a_secret_is_rotated_without_a_gap(world: World) {
    let app = world.application().create().await;
    let ask = |secret: &str| world.token(&[("grant_type", "client_credentials")]).basic(&app.client_id, secret);
    let rotate = || async {
        let arguments = ["application", "rotate-secret", &app.client_id, "--json"];
        world.command(&arguments, "").await.json()["client_secret"].as_str().unwrap().to_owned()
    };
    let first = app.secret().to_owned();
    ask(&first).await.tokens();
    let second = rotate().await;
    ask(&second).await.tokens();
    ask(&first).await.tokens();
    let third = rotate().await;
    ask(&third).await.tokens();
    ask(&second).await.tokens();
    world.soon(401, || ask(&first)).await;
}

async fn a_new_secret_is_good_at_once_however_the_old_one_was_kept(world: World) {
    let app = world.application().create().await;
    let ask = |secret: &str| world.token(&[("grant_type", "client_credentials")]).basic(&app.client_id, secret);
    let mut newest = app.secret().to_owned();
    for _ in 0..3 {
        ask(&newest).await.tokens();
        let arguments = ["application", "rotate-secret", &app.client_id, "--json"];
        let made = world.command(&arguments, "").await.json();
        newest = made["client_secret"].as_str().unwrap().to_owned();
        ask(&newest).await.tokens();
    }
}

async fn an_application_may_be_for_users_and_groups_alone(world: World) {
    world.user("alice").await;
    let line = ["application", "create", "--name", "N", "--grant", "client_credentials", "--client-id", "n"];
    let create = async |more: &[&str]| world.command(&[&line[..], more, &["--json"]].concat(), "").await;
    for (more, told) in [
        (&["--allow-user", "alice", "--allow-user", "nobody"][..], "--allow-user: There is no user `nobody`."),
        (&["--allow-group", "of the house"], "--allow-group: `of the house` is no group."),
    ] {
        let refused = create(more).await;
        assert!(refused.exit == 1 && refused.stderr.contains(told) && refused.stdout.is_empty(), "{refused:?}");
    }
    let made = create(&["--allow-user", "ALICE", "--allow-group", "staff", "--allow-group", "dev"]).await.json();
    assert_eq!((&made["restricted"], &made["users"], &made["groups"]), (&json!(true), &json!(["alice"]), &json!(["dev", "staff"])));
    let shown = world.command(&["application", "show", "n"], "").await;
    assert!(shown.stdout.contains("allowed_groups") && shown.stdout.contains("dev staff"), "{shown:?}");
    let listed = world.command(&["application", "list", "--json"], "").await.json();
    assert_eq!(listed[0]["users"], json!(["alice"]));
}

async fn a_chosen_secret_loses_one_newline_and_nothing_else(world: World) {
    for (number, (input, secret)) in [
        ("a secret of 32 characters, or 33", "a secret of 32 characters, or 33"),
        ("a secret of 32 characters, or 33\n", "a secret of 32 characters, or 33"),
        (" a secret of 32 characters, or 33 \n", " a secret of 32 characters, or 33 "),
        ("三十二文字以上でなければならないというのだから長く書いておくことにしよう\n", "三十二文字以上でなければならないというのだから長く書いておくことにしよう"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("chosen-{number}");
        let arguments = [
            "application", "create", "--name", "S", "--grant", "client_credentials", "--client-id", &id,
            "--client-secret-stdin", "--json",
        ];
        let made = world.command(&arguments, input).await.json();
        assert_eq!(made["client_secret"], Value::Null, "a chosen secret is not shown");
        world.token(&[("grant_type", "client_credentials")]).basic(&id, secret).await.tokens();
    }
}

async fn what_does_not_go_together_is_refused_and_leaves_nothing(world: World) {
    let with_uri = ["--redirect-uri", CALLBACK];
    let long = "x".repeat(200);
    for (options, input, word) in [
        (&["--public", "--trusted", with_uri[0], with_uri[1]][..], "", "--trusted"),
        (&["--grant", "password", with_uri[0], with_uri[1]], "", "--grant"),
        (&["--grant", "implicit", with_uri[0], with_uri[1]], "", "--grant"),
        (&["--grant", "nonsense", with_uri[0], with_uri[1]], "", "--grant"),
        (&["--grant", "authorization_code"], "", "--redirect-uri"),
        (&[], "", "--redirect-uri"),
        (&["--public", "--grant", "client_credentials"], "", "--grant"),
        (&["--redirect-uri", "http://app.example/callback"], "", "--redirect-uri"),
        (&["--redirect-uri", "https://app.example/#fragment"], "", "--redirect-uri"),
        (&["--redirect-uri", "javascript:alert(1)"], "", "--redirect-uri"),
        (&["--redirect-uri", "/callback"], "", "--redirect-uri"),
        (&["--scope", "nonsense", with_uri[0], with_uri[1]], "", "--scope"),
        (&["--client-id", "a b", with_uri[0], with_uri[1]], "", "--client-id"),
        (&["--client-id", "a:b", with_uri[0], with_uri[1]], "", "--client-id"),
        (&["--client-id", "été", with_uri[0], with_uri[1]], "", "--client-id"),
        (&["--client-id", &long, with_uri[0], with_uri[1]], "", "--client-id"),
        (&["--client-secret-stdin", with_uri[0], with_uri[1]], "thirty-one characters, not more\n", "--client-secret-stdin"),
        (&["--client-secret-stdin", with_uri[0], with_uri[1]], "", "client secret"),
        (&["--client-secret-stdin", "--public", with_uri[0], with_uri[1]], "a secret of 32 characters, or 33\n", "public"),
        (&["--access-token-ttl", "soon", with_uri[0], with_uri[1]], "", "--access-token-ttl"),
        (&["--access-token-ttl", "0s", with_uri[0], with_uri[1]], "", "--access-token-ttl"),
    ] {
        let arguments = [&["application", "create", "--name", "N", "--json"], options].concat();
        let refused = world.command(&arguments, input).await;
        assert_eq!((refused.exit, refused.stdout.as_str()), (1, ""), "{options:?}: {refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{options:?}: {refused:?}");
        assert!(refused.stderr.contains(word), "{options:?}: {refused:?}");
    }
    for arguments in [["show", "nothing"], ["disable", "nothing"], ["enable", "nothing"], ["delete", "nothing"], ["rotate-secret", "nothing"]] {
        let refused = world.command(&["application", arguments[0], arguments[1], "--json"], "").await;
        assert_eq!((refused.exit, refused.stdout.as_str()), (1, ""), "{refused:?}");
        assert!(refused.stderr.contains("no application nothing"), "{refused:?}");
    }
    assert_eq!(world.command(&["application", "list", "--json"], "").await.json(), json!([]));
}

async fn a_client_id_is_taken_once_and_for_all(world: World) {
    let arguments =
        ["application", "create", "--name", "N", "--client-id", "notes", "--redirect-uri", CALLBACK, "--json"];
    assert_eq!(world.command(&arguments, "").await.exit, 0);
    let again = world.command(&arguments, "").await;
    assert_eq!(again.exit, 1, "{again:?}");
    assert!(again.stderr.contains("--client-id"), "{again:?}");
    assert_eq!(world.command(&["application", "delete", "notes"], "").await.exit, 0);
    assert_eq!(world.command(&arguments, "").await.exit, 1, "tokens of the old one must never fall to a new one");
}

async fn grants_have_names_and_urns(world: World) {
    let arguments = [
        "application", "create", "--name", "N", "--redirect-uri", CALLBACK, "--grant", "authorization_code", "--grant",
        "refresh_token", "--public", "--require-pkce", "--json",
    ];
    let made = world.command(&arguments, "").await.json();
    assert_eq!(made["grants"], json!(["authorization_code", "refresh_token"]));
    assert_eq!((&made["confidential"], &made["client_secret"]), (&json!(false), &Value::Null));
}

}
