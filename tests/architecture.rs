//! Holds the floors of the house: an import points down only. Reads the sources as text, so it also sees
//! what a macro or a `cfg` would hide from the compiler.

use std::fs;
use std::path::{Path, PathBuf};

/// A floor, and the floors it may use.
const FLOORS: &[(&str, &[&str])] = &[
    (
        "main",
        &[
            "cli", "server", "http", "flow", "store", "protocol", "model", "base",
        ],
    ),
    (
        "cli",
        &[
            "main", "server", "http", "flow", "store", "protocol", "model", "base",
        ],
    ),
    (
        "sandbox",
        &[
            "main", "cli", "server", "http", "flow", "store", "protocol", "model", "base",
        ],
    ),
    (
        "server",
        &[
            "main", "cli", "http", "flow", "store", "protocol", "model", "base",
        ],
    ),
    ("http", &["flow", "protocol", "model", "base"]),
    ("flow", &["store", "protocol", "model", "base"]),
    ("store", &["model", "base"]),
    ("protocol", &["model", "base"]),
    ("model", &["base"]),
    ("base", &[]),
];

/// What `model` may take from sqlx: the derives that let its nouns be columns and rows.
const SQLX_DERIVES: &[&str] = &["sqlx::Type", "sqlx::FromRow", "sqlx::Encode", "sqlx::Decode"];

#[test]
fn imports_point_down_only() {
    let mut faults = Vec::new();
    for source in sources("src") {
        let Some(floor) = source.floor() else { continue };
        let (_, below) = FLOORS.iter().find(|(name, _)| *name == floor).unwrap();
        let code = source.code();
        for (at, name) in floors_named(&code) {
            let is_floor = FLOORS.iter().any(|(floor, _)| *floor == name);
            if is_floor && name != floor && !below.contains(&name.as_str()) {
                let line = code[..at].lines().count();
                faults.push(format!("{}:{line}: {floor} uses {name}", source.path.display()));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "imports that do not point down:\n{}",
        faults.join("\n")
    );
}

#[test]
fn every_file_stands_on_a_floor() {
    let unknown: Vec<_> = sources("src")
        .into_iter()
        .filter(|source| source.floor().is_none())
        .collect();
    let paths: Vec<_> = unknown
        .iter()
        .map(|source| source.path.display().to_string())
        .collect();
    assert_eq!(
        paths,
        ["src/lib.rs"],
        "a new room needs a line in FLOORS and in src/lib.rs"
    );
}

#[test]
fn only_the_store_speaks_sql() {
    let faults = uses(&["store"], &["sqlx::", "#[sqlx("], |floor, code| {
        floor == "model"
            && SQLX_DERIVES
                .iter()
                .chain(&["#[sqlx("])
                .any(|allowed| code.contains(allowed))
    });
    assert!(
        faults.is_empty(),
        "sqlx outside the store:\n{}",
        faults.join("\n")
    );
}

/// Who may know of the sandbox: itself, and whoever assembles it.
const KNOW_SANDBOX: &[&str] = &[
    "src/lib.rs",
    "src/sandbox.rs",
    "src/cli.rs",
    "src/cli/sandbox.rs",
    "src/cli/arguments.rs",
    "src/server.rs",
    "src/server/sandbox.rs",
    "src/http/mod.rs",
    "src/flow/mod.rs",
    // for `login_hint`, which is answered where clients ask; looked at in a sandbox alone
    "src/http/pages/authorize.rs",
];

#[test]
fn the_server_knows_nothing_of_the_sandbox() {
    let mut faults = Vec::new();
    for source in sources("src") {
        let path = source.path.display().to_string();
        let is_its_own = path.contains("/sandbox/") || path.ends_with("/sandbox.rs");
        if is_its_own || KNOW_SANDBOX.contains(&&*path) {
            continue;
        }
        for (line, code) in source.lines() {
            if mentions(code, "sandbox::")
                || code.trim_start().starts_with("use ") && code.contains("sandbox")
            {
                faults.push(format!("{path}:{line}: {}", code.trim()));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "the sandbox is used outside of it:\n{}",
        faults.join("\n")
    );
    let table = fs::read_to_string("src/http/mod.rs").unwrap();
    assert!(
        !table.contains("sandbox::"),
        "the URL table of the server has nothing of the sandbox"
    );
}

/// Who may know of OAuth 1.0a: itself, whoever assembles, and what shows or ends all that an application holds.
const KNOW_OAUTH1: &[&str] = &[
    "src/flow/mod.rs",
    "src/flow/applications.rs",
    "src/flow/sealing.rs",
    "src/flow/sweep.rs",
    "src/protocol/mod.rs",
    "src/store/mod.rs",
    "src/model/mod.rs",
    "src/http/mod.rs",
    "src/http/api.rs",
    "src/http/pages/login.rs",
    "src/http/pages/applications.rs",
    "src/http/pages/applications/form.rs",
    "src/http/pages/applications/json.rs",
    "src/http/pages/applications/show.rs",
    "src/cli/application.rs",
    "src/server/start.rs",
];

#[test]
fn oauth_2_knows_nothing_of_oauth_1() {
    let mut faults = Vec::new();
    for source in sources("src") {
        let path = source.path.display().to_string();
        let is_its_own = path.contains("/oauth1/") || path.ends_with("/oauth1.rs");
        if is_its_own || KNOW_OAUTH1.contains(&&*path) {
            continue;
        }
        for (line, code) in source.lines() {
            let named = ["oauth1::", "oauth1;", "oauth1}", "oauth1,"]
                .iter()
                .any(|name| code.contains(name));
            if named && !code.contains('"') && code.trim_start().starts_with("use ")
                || mentions(code, "oauth1::")
            {
                faults.push(format!("{path}:{line}: {}", code.trim()));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "OAuth 2.0 uses OAuth 1.0a:\n{}",
        faults.join("\n")
    );
}

#[test]
fn only_the_doorstep_and_http_know_axum() {
    let faults = uses(
        &["http", "server"],
        &["axum::", "axum_core::", "hyper::"],
        |_, _| false,
    );
    assert!(
        faults.is_empty(),
        "HTTP above its floor or below it:\n{}",
        faults.join("\n")
    );
}

#[test]
fn requests_leave_for_other_servers_by_one_door() {
    let clients = ["hyper_rustls", "hyper_util::client", "reqwest"];
    let mut faults = Vec::new();
    for source in sources("src") {
        if source.path == Path::new("src/flow/outbound.rs") {
            continue;
        }
        for (line, code) in source.lines() {
            let found = clients.iter().filter(|client| code.contains(*client));
            faults.extend(found.map(|client| format!("{}:{line}: {client}", source.path.display())));
        }
    }
    assert!(
        faults.is_empty(),
        "requests that no bound holds:\n{}",
        faults.join("\n")
    );
}

#[test]
fn the_rules_and_the_nouns_do_no_input_and_no_output() {
    let doors = [
        "tokio", "std::fs", "std::env", "async fn", ".await", "println!", "tracing",
    ];
    let mut faults = Vec::new();
    for source in sources("src") {
        if !matches!(source.floor().as_deref(), Some("protocol" | "model")) {
            continue;
        }
        for (line, code) in source.lines() {
            let found = doors.iter().filter(|door| mentions(code, door));
            faults.extend(found.map(|door| format!("{}:{line}: {door}", source.path.display())));
        }
    }
    assert!(
        faults.is_empty(),
        "protocol and model are pure:\n{}",
        faults.join("\n")
    );
}

#[test]
fn no_test_sleeps() {
    // Put together, so that this file does not find itself.
    let naps = [
        concat!(".sleep", "("),
        concat!("::sleep", "("),
        concat!("sleep_until", "("),
    ];
    let mut faults = Vec::new();
    for source in sources("tests") {
        for (line, code) in source.lines() {
            if naps.iter().any(|nap| code.contains(nap)) {
                faults.push(format!("{}:{line}", source.path.display()));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "a test moves the clock or waits for what it is waiting for:\n{}",
        faults.join("\n")
    );
}

#[test]
fn imports_are_read_in_every_spelling() {
    let floors = |code: &str| {
        floors_named(code)
            .into_iter()
            .map(|(_, name)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(floors("use crate::store::db::Db;"), ["store"]);
    assert_eq!(
        floors("use crate::{\n    flow::{token, code},\n    http,\n};"),
        ["flow", "http", ""]
    );
    assert_eq!(
        floors("let now = crate::base::clock(tegata::model::x);"),
        ["base", "model"]
    );
    assert!(mentions("use sqlx::Row;", "sqlx::"));
    assert!(mentions("answer.await?", ".await"));
    assert!(!mentions("let my_sqlx::x = 1;", "sqlx::"));
    assert!(!mentions("log(\"sqlx::query=warn\")", "sqlx::"));
    assert!(!mentions("an async fnord", "async fn"));
}

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The floor the file stands on: `src/store/db.rs`, `src/store.rs` and `src/store/mod.rs` are `store`.
    fn floor(&self) -> Option<String> {
        let below = self.path.strip_prefix("src").ok()?;
        let first = Path::new(below.iter().next()?).file_stem()?.to_str()?.to_owned();
        FLOORS.iter().any(|(name, _)| *name == first).then_some(first)
    }

    /// The text with its comment lines emptied.
    fn code(&self) -> String {
        let kept = |line: &str| {
            if line.trim_start().starts_with("//") {
                String::new()
            } else {
                line.to_owned()
            }
        };
        self.text.lines().map(|line| kept(line) + "\n").collect()
    }

    /// The lines with their numbers, those that are only a comment left out.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self
            .text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line));
        numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// Where floors other than `allowed` mention one of `crates`, unless `excused`.
fn uses(allowed: &[&str], crates: &[&str], excused: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources("src") {
        let Some(floor) = source.floor() else { continue };
        if allowed.contains(&floor.as_str()) {
            continue;
        }
        for (line, code) in source.lines() {
            let found = crates
                .iter()
                .filter(|name| mentions(code, name) && !excused(&floor, code));
            faults.extend(found.map(|name| format!("{}:{line}: {floor} uses {name}", source.path.display())));
        }
    }
    faults
}

/// The names that follow `crate::` or `tegata::`, with where; groups in braces are opened one level.
fn floors_named(code: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    for root in ["crate::", "tegata::"] {
        for (at, _) in code.match_indices(root) {
            let path = &code[at + root.len()..];
            match path.strip_prefix('{') {
                Some(group) => named.extend(names_of_group(group).into_iter().map(|name| (at, name))),
                None => named.push((at, first_word(path))),
            }
        }
    }
    named
}

/// The first name of each member of `{a::{b, c}, d}`, its opening brace already gone.
fn names_of_group(group: &str) -> Vec<String> {
    let (mut depth, mut member, mut names) = (0_u32, String::new(), Vec::new());
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(first_word(&std::mem::take(&mut member))),
            _ if depth == 0 => member.push(character),
            _ => {}
        }
    }
    names.push(first_word(&member));
    names
}

fn first_word(path: &str) -> String {
    path.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// Whether `code` has `word` as a word of its own, not at the start of a text.
fn mentions(code: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    let free = |before: &str, after: &str| {
        let begins = !(before.ends_with('"') || (word.starts_with(joins) && before.ends_with(joins)));
        begins && !(word.ends_with(joins) && after.starts_with(joins))
    };
    code.match_indices(word)
        .any(|(at, _)| free(&code[..at], &code[at + word.len()..]))
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut folders) = (Vec::new(), vec![root.join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source {
                    path: path.strip_prefix(root).unwrap().to_owned(),
                    text,
                });
            }
        }
    }
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}
