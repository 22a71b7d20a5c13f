//! The audit log: what is told, by whom it may be read, and what it never holds.

mod bounds;
mod deeds;
mod readers;
mod secrets;

use serde_json::Value;
use tegata::flow::sweep;

use crate::world::World;

/// The whole log, newest first, with what was only counted so far.
async fn log(world: &World) -> Vec<Value> {
    searched(world, &[]).await
}

async fn searched(world: &World, options: &[&str]) -> Vec<Value> {
    sweep::round(&world.app().await).await.unwrap();
    let printed = world.command(&[&["audit", "--json"], options].concat(), "").await;
    assert_eq!(printed.exit, 0, "{printed:?}");
    printed.json().as_array().unwrap().clone()
}

/// Those of this name, oldest first.
fn named<'l>(log: &'l [Value], name: &str) -> Vec<&'l Value> {
    log.iter().rev().filter(|event| event["event"] == name).collect()
}

/// The one event of this name.
fn the<'l>(log: &'l [Value], name: &str) -> &'l Value {
    let [event] = named(log, name)[..] else {
        panic!("not one {name}: {log:#?}")
    };
    event
}

/// `BY [on USER] [of APPLICATION]`: who did it, to whom, to which application.
fn parties(event: &Value) -> String {
    let actor = &event["actor"];
    let mut text = actor["name"]
        .as_str()
        .or(actor["type"].as_str())
        .unwrap()
        .to_owned();
    if let Some(user) = event["user"]["username"].as_str() {
        text = format!("{text} on {user}");
    }
    if let Some(client_id) = event["application"]["client_id"].as_str() {
        text = format!("{text} of {client_id}");
    }
    text
}

/// Event and parties of all that is told, oldest first, but for what the test's own preparation did.
fn story(log: &[Value], from: usize) -> Vec<String> {
    let told = log.iter().rev().skip(from);
    told.map(|event| format!("{}: {}", event["event"].as_str().unwrap(), parties(event)))
        .collect()
}
