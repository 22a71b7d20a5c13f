//! `/audit`: who did what to what, and `/audit.jsonl`: the same for programs.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::error;
use super::render::{chrome, page};
use crate::flow::App;
use crate::flow::audit::{self as flow, Exported, Faults, NotSearched, Search};
use crate::flow::error::Refusal;
use crate::http::error::NO_STORE;
use crate::http::extract::administrator::Administrator;
use crate::http::extract::params::QueryParams;
use crate::http::view::When;
use crate::http::view::audit::{AuditLog, AuditRow, EventChoice, Party};
use crate::model::audit::{AuditEvent, EventName, Outcome};
use crate::model::ids::UserId;
use crate::model::redirect_uri::append;
use crate::protocol::params::Params;
use crate::protocol::reason::Reason;

const PATH: &str = "/audit";
const EXPORT: &str = "/audit.jsonl";
/// Most characters of a field of the search.
const MOST: usize = 200;

fn search(query: &Params) -> Search {
    let field = |name| {
        let sent = query.get(name).unwrap_or_default();
        sent.trim().chars().take(MOST).collect()
    };
    Search {
        event: field("event"),
        user: field("user"),
        application: field("application"),
        address: field("address"),
        since: field("since"),
        until: field("until"),
    }
}

/// `GET /audit`.
pub(in crate::http) async fn index(
    State(app): State<App>,
    QueryParams(query): QueryParams,
    Administrator(viewer): Administrator,
) -> Response {
    let query = query.unwrap_or_default();
    let search = search(&query);
    let before = query.get("before").and_then(|id| id.parse().ok());
    let found = match flow::filter(&app, &search).await {
        Ok(filter) => flow::page(&app, &filter, before).await.map(Ok),
        Err(NotSearched::Fields(faults)) => Ok(Err(faults)),
        Err(NotSearched::Refused(refusal)) => Err(refusal),
    };
    let ((events, more), faults) = match found {
        Ok(Ok(found)) => (found, Faults::new()),
        Ok(Err(faults)) => ((Vec::new(), false), faults),
        Err(refusal) => return error::refused(&refusal),
    };
    let chrome = match chrome(&app, &viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let status = if faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let last = events.last().filter(|_| more).map(|event| event.id.to_string());
    let now = app.now();
    let view = AuditLog {
        chrome,
        rows: events.into_iter().map(|event| row(event, now)).collect(),
        events: choices(&search.event),
        searched: !search.is_empty(),
        newest_href: before.map(|_| href(PATH, &search, None)),
        older_href: last.map(|id| href(PATH, &search, Some(&id))),
        export_href: href(EXPORT, &search, None),
        errors: faults.into_iter().collect(),
        user: search.user,
        application: search.application,
        address: search.address,
        since: search.since,
        until: search.until,
    };
    page(status, &view)
}

fn choices(chosen: &str) -> Vec<EventChoice> {
    let choice = |name: &EventName| EventChoice {
        name: name.as_str(),
        words: name.words(),
        chosen: name.as_str() == chosen,
    };
    EventName::ALL.iter().map(choice).collect()
}

fn href(path: &str, search: &Search, before: Option<&str>) -> String {
    let fields = [
        ("event", search.event.as_str()),
        ("user", &search.user),
        ("application", &search.application),
        ("address", &search.address),
        ("since", &search.since),
        ("until", &search.until),
        ("before", before.unwrap_or_default()),
    ];
    let given: Vec<_> = fields.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    append(path, &given)
}

fn row(event: AuditEvent, now: OffsetDateTime) -> AuditRow {
    let name = event.name();
    let about = |field, id: String| Some(append(PATH, &[(field, &id)]));
    let grant_href = event
        .application_id
        .zip(event.grant_id)
        .map(|(application, grant)| format!("/oauth/applications/{application}/grants/{grant}"));
    let at = When::new(event.at, now);
    let (day, time) = at.exact.split_once('T').unwrap_or_default();
    let is_actor = |user: &UserId| event.actor_id == Some((*user).into());
    AuditRow {
        day: day.to_owned(),
        time: time.trim_end_matches('Z').to_owned(),
        at,
        details: details(&event.detail),
        failed: name.is_some_and(|name| name.outcome() == Outcome::Failure),
        what: name.map_or(event.event, |name| name.words().to_owned()),
        actor: actor(
            &event.actor,
            event.actor_id.map(|id| id.to_string()),
            event.actor_name,
        ),
        user: event.user_id.filter(|user| !is_actor(user)).map(|id| Party {
            name: event.username.unwrap_or_else(|| id.to_string()),
            href: about("user", id.to_string()),
        }),
        application: event.application_id.map(|id| Party {
            name: event.application_name.unwrap_or_else(|| id.to_string()),
            href: about("application", id.to_string()),
        }),
        grant_href,
        address: event.address.unwrap_or_default(),
        request_id: event.request_id,
    }
}

fn actor(kind: &str, id: Option<String>, name: Option<String>) -> Party {
    if let Some(id) = id {
        let field = if kind == "application" {
            "application"
        } else {
            "user"
        };
        return Party {
            href: Some(append(PATH, &[(field, &id)])),
            name: name.unwrap_or(id),
        };
    }
    let name = match kind {
        "operator" => "A command on the server",
        "system" => "The server",
        _ => "Unknown",
    };
    Party {
        name: name.to_owned(),
        href: None,
    }
}

/// What is told besides, in sentences.
fn details(detail: &Value) -> Vec<String> {
    let Value::Object(members) = detail else {
        return Vec::new();
    };
    let told = |name: &str| members.get(name);
    let mut sentences = Vec::new();
    sentences.extend(told("fields").map(|fields| format!("Changed: {}.", words(fields, ", "))));
    sentences.extend(told("scopes").map(|scopes| format!("Scopes: {}.", words(scopes, " "))));
    sentences.extend(told("reason").map(reason));
    if told("administrator").and_then(Value::as_bool) == Some(true) {
        sentences.push("As an administrator.".to_owned());
    }
    sentences.extend(told("secret_id").map(|id| format!("Secret {}.", words(id, ""))));
    sentences.extend(told("fingerprint").map(|print| format!("Token {}.", words(print, ""))));
    sentences.extend(told("sessions").map(|count| format!("Sessions ended: {count}.")));
    sentences.extend(told("grants").map(|count| format!("Grants revoked: {count}.")));
    sentences.extend(
        told("last_at")
            .zip(told("count"))
            .map(|(last, count)| format!("{count} times, the last one {}.", words(last, ""))),
    );
    sentences.extend(told("through").map(|id| format!("By a token of the application {}.", words(id, ""))));
    sentences
}

fn reason(name: &Value) -> String {
    let name = words(name, "");
    Reason::parse(&name).map_or_else(|| format!("{name}."), |reason| reason.sentence().to_owned())
}

/// Texts without their quotes.
fn words(value: &Value, between: &str) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let texts: Vec<_> = values.iter().map(|value| words(value, between)).collect();
            texts.join(between)
        }
        other => other.to_string(),
    }
}

/// `GET /audit.jsonl`: all that matches, an event a line, however much it is.
pub(in crate::http) async fn export(
    State(app): State<App>,
    QueryParams(query): QueryParams,
    Administrator(_): Administrator,
) -> Response {
    let filter = match flow::filter(&app, &search(&query.unwrap_or_default())).await {
        Ok(filter) => filter,
        Err(NotSearched::Fields(faults)) => return wrong(&faults),
        Err(NotSearched::Refused(refusal)) => return error::refused(&refusal),
    };
    let exported = flow::export(app, filter)
        .inspect_err(|refusal| tracing::warn!(%refusal, "an export of the audit log broke off"))
        .and_then(|batch| async move { lines(&batch) });
    (NO_STORE, JSON_LINES, Body::from_stream(exported)).into_response()
}

const JSON_LINES: [(HeaderName, HeaderValue); 2] = [
    (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    ),
    (
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"audit.jsonl\""),
    ),
];

fn lines(batch: &[Exported]) -> Result<Bytes, Refusal> {
    let mut lines = Vec::new();
    for event in batch {
        serde_json::to_writer(&mut lines, event).map_err(|error| Refusal::Unavailable(error.to_string()))?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}

fn wrong(faults: &Faults) -> Response {
    let errors: serde_json::Map<_, _> = faults
        .iter()
        .map(|(field, message)| ((*field).to_owned(), json!([message])))
        .collect();
    let body = Json(json!({ "errors": errors }));
    (StatusCode::UNPROCESSABLE_ENTITY, NO_STORE, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_told_in_sentences() {
        let detail = json!({
            "fields": ["name", "scopes"], "scopes": ["read", "write"], "reason": "secret_wrong",
            "administrator": true, "sessions": 2, "grants": 0, "count": 57,
            "last_at": "2027-01-15T08:00:00Z",
        });
        assert_eq!(
            details(&detail),
            [
                "Changed: name, scopes.",
                "Scopes: read write.",
                Reason::SecretWrong.sentence(),
                "As an administrator.",
                "Sessions ended: 2.",
                "Grants revoked: 0.",
                "57 times, the last one 2027-01-15T08:00:00Z.",
            ]
        );
        assert!(details(&json!({"count": 1, "from_a_newer_version": true})).is_empty());
    }

    #[test]
    fn links_carry_what_was_searched_for() {
        let search = Search {
            user: "a&b=\"<".to_owned(),
            ..Search::default()
        };
        assert_eq!(
            href(PATH, &search, Some("x")),
            "/audit?user=a%26b%3D%22%3C&before=x"
        );
        assert_eq!(href(EXPORT, &Search::default(), None), "/audit.jsonl");
    }
}
