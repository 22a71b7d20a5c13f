//! The audit log: written with every change, searched by administrators, exported, forgotten in time.

mod failures;

use std::net::IpAddr;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use serde::Serialize;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, Month, OffsetDateTime};

use super::App;
use super::error::Refusal;
use super::{applications, users};
use crate::base::config::seconds;
use crate::model::audit::{AuditEvent, Event, NewAuditEvent, Outcome};
use crate::model::caller::Caller;
use crate::model::ids::{ApplicationId, AuditEventId, GrantId, UserId};
use crate::model::scope::Scopes;
use crate::store::{StoreError, Tx, audit as rows};

pub use crate::model::audit::{Detail, EventName};
pub use crate::store::audit::Filter;
pub(super) use failures::Failures;

/// A page of the log.
pub const PAGE: i64 = 50;
/// Events that an export holds at a time.
const BATCH: i64 = 500;

/// Writes down what `caller` does in `tx`: it is told of if it is done, and not otherwise.
pub(super) async fn record(app: &App, tx: &mut Tx, caller: &Caller, event: Event) -> Result<(), StoreError> {
    let moment = app.clock.moment();
    let new = NewAuditEvent::new(app.entropy.id_at(moment).into(), moment.0, caller, event);
    rows::insert(tx, &new).await
}

/// What a person decided about an application that asked for `scopes`.
pub(super) fn of_decision(
    name: EventName,
    user: UserId,
    application: ApplicationId,
    grant: Option<GrantId>,
    scopes: &Scopes,
) -> Event {
    let detail = Detail {
        scopes: Some(scopes.clone()),
        ..Detail::default()
    };
    Event::new(name)
        .user(user)
        .application(application)
        .grant(grant)
        .detail(detail)
}

/// Counts something that failed, for the next [`flush`]: no request waits for it, and a flood is one event.
pub(super) fn failed(app: &App, caller: &Caller, event: &Event) {
    app.audited_failures.note(app, caller, event);
}

/// Writes what was counted. What cannot be written is tried again by the next flush.
pub(super) async fn flush(app: &App) {
    app.audited_failures.flush(app).await;
}

/// Forgets what is older than the setting `audit_log_ttl`.
pub(super) async fn sweep(app: &App, batches: usize) -> Result<u64, StoreError> {
    rows::sweep(&app.db, app.now() - app.config.audit_log_ttl, batches).await
}

/// What somebody looks for, as typed; empty: anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// See [`EventName`].
    pub event: String,
    /// A user's name or id.
    pub user: String,
    /// An application's `client_id` or id.
    pub application: String,
    pub address: String,
    /// A day or a moment (RFC 3339), or how long ago: `2026-01-31`, `2026-01-31T09:00:00Z`, `7d`.
    pub since: String,
    /// As `since`; a day is included.
    pub until: String,
}

impl Search {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// By field of [`Search`]: what is wrong and what would be right.
pub type Faults = Vec<(&'static str, String)>;

/// Why nothing was looked for.
#[derive(Debug)]
pub enum NotSearched {
    Fields(Faults),
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for NotSearched {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// Reads what was typed, and finds whom it names.
///
/// # Errors
/// See [`NotSearched`].
pub async fn filter(app: &App, search: &Search) -> Result<Filter, NotSearched> {
    let mut faults = Faults::new();
    let mut filter = Filter::default();
    if !search.event.is_empty() {
        filter.event = EventName::parse(&search.event);
        note(filter.event.is_some(), &mut faults, "event", || {
            format!("There is no event {}.", shown(&search.event))
        });
    }
    if !search.user.is_empty() {
        filter.user = user(app, &search.user).await?;
        note(filter.user.is_some(), &mut faults, "user", || {
            format!(
                "There is no user {}. One that is deleted is found by its id.",
                shown(&search.user)
            )
        });
    }
    if !search.application.is_empty() {
        filter.application = application(app, &search.application).await?;
        note(filter.application.is_some(), &mut faults, "application", || {
            format!(
                "There is no application {}. One that is deleted is found by its id.",
                shown(&search.application)
            )
        });
    }
    if !search.address.is_empty() {
        filter.address = spellings(&search.address);
        note(filter.address.is_some(), &mut faults, "address", || {
            "Enter an address like 192.0.2.7 or 2001:db8::7.".to_owned()
        });
    }
    let now = app.now();
    for (field, typed, moment, days) in [
        ("since", &search.since, &mut filter.since, 0),
        ("until", &search.until, &mut filter.until, 1),
    ] {
        if !typed.is_empty() {
            *moment = read_moment(typed, days, now);
            note(moment.is_some(), &mut faults, field, || {
                "Enter a day like 2026-01-31, a moment like 2026-01-31T09:00:00Z, or how long ago it was, like 7d."
                    .to_owned()
            });
        }
    }
    if faults.is_empty() {
        return Ok(filter);
    }
    Err(NotSearched::Fields(faults))
}

fn note(right: bool, faults: &mut Faults, field: &'static str, words: impl FnOnce() -> String) {
    if !right {
        faults.push((field, words()));
    }
}

/// What was typed, as a sentence may show it.
fn shown(typed: &str) -> String {
    typed.chars().filter(|c| !c.is_control()).take(100).collect()
}

async fn user(app: &App, typed: &str) -> Result<Option<UserId>, Refusal> {
    let found = users::find_by_name(app, typed).await?.map(|user| user.id);
    Ok(found.or_else(|| typed.parse().ok()))
}

async fn application(app: &App, typed: &str) -> Result<Option<ApplicationId>, Refusal> {
    let found = applications::find_by_client_id(app, typed).await?;
    Ok(found
        .map(|client| client.application.id)
        .or_else(|| typed.parse().ok()))
}

/// As an event carries it, and as a failure that is counted does.
fn spellings(typed: &str) -> Option<[String; 2]> {
    if let Some(network) = typed.strip_suffix("/64") {
        let network = failures::network(network.parse().ok()?);
        return Some([network.clone(), network]);
    }
    let address: IpAddr = typed.parse().ok()?;
    Some([address.to_canonical().to_string(), failures::network(address)])
}

/// `days`: how many a day stands for its end by.
fn read_moment(typed: &str, days: i64, now: OffsetDateTime) -> Option<OffsetDateTime> {
    if let Some(day) = read_day(typed) {
        return day.checked_add(Duration::days(days));
    }
    if let Ok(moment) = OffsetDateTime::parse(typed, &Rfc3339) {
        return Some(moment);
    }
    now.checked_sub(Duration::seconds(seconds(typed)?))
}

/// Its first moment, in UTC.
fn read_day(typed: &str) -> Option<OffsetDateTime> {
    let [year, month, day] = typed.split('-').collect::<Vec<_>>().try_into().ok()?;
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    let year = is_year.then(|| year.parse().ok())??;
    let date = Date::from_calendar_date(year, month, day.parse().ok()?).ok()?;
    Some(date.midnight().assume_utc())
}

/// A page of what matches, the newest first, and whether there is more.
///
/// # Errors
/// That the store did not do it.
pub async fn page(
    app: &App,
    filter: &Filter,
    before: Option<AuditEventId>,
) -> Result<(Vec<AuditEvent>, bool), Refusal> {
    app.audited_failures.flush_for_reader(app).await;
    let mut events = rows::search(&app.db, filter, before, PAGE + 1).await?;
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = events.len() > page;
    events.truncate(page);
    Ok((events, more))
}

/// All that matches, the newest first, a batch at a time: whoever reads slowly holds up nobody, and what is
/// written meanwhile is not in it.
pub fn export(app: App, filter: Filter) -> impl Stream<Item = Result<Vec<Exported>, Refusal>> + Send {
    try_unfold((app, filter, Place::Newest), |(app, filter, place)| async move {
        let next = next_batch(&app, &filter, place).await?;
        Ok(next.map(|(batch, place)| (batch, (app, filter, place))))
    })
}

/// How far an export is.
#[derive(Clone, Copy)]
enum Place {
    Newest,
    Before(AuditEventId),
    End,
}

async fn next_batch(
    app: &App,
    filter: &Filter,
    place: Place,
) -> Result<Option<(Vec<Exported>, Place)>, Refusal> {
    let before = match place {
        Place::Newest => {
            app.audited_failures.flush_for_reader(app).await;
            None
        }
        Place::Before(id) => Some(id),
        Place::End => return Ok(None),
    };
    let events = rows::search(&app.db, filter, before, BATCH).await?;
    let full = i64::try_from(events.len()).is_ok_and(|count| count == BATCH);
    let next = events
        .last()
        .filter(|_| full)
        .map_or(Place::End, |last| Place::Before(last.id));
    Ok(Some((events.into_iter().map(Exported::from).collect(), next)))
}

/// An event for programs.
#[derive(Clone, Debug, Serialize)]
pub struct Exported {
    pub id: AuditEventId,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub event: String,
    /// Absent for an event that only a newer version knows.
    pub outcome: Option<Outcome>,
    pub actor: ExportedActor,
    pub user: Option<ExportedUser>,
    pub application: Option<ExportedApplication>,
    pub grant_id: Option<GrantId>,
    pub address: Option<String>,
    pub request_id: Option<String>,
    pub detail: Value,
}

#[derive(Clone, Debug, Serialize)]
pub struct ExportedActor {
    #[serde(rename = "type")]
    pub kind: String,
    /// Of the user or the application.
    pub id: Option<uuid::Uuid>,
    pub name: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ExportedUser {
    pub id: UserId,
    pub username: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ExportedApplication {
    pub id: ApplicationId,
    pub client_id: Option<String>,
    pub name: Option<String>,
}

impl From<AuditEvent> for Exported {
    fn from(event: AuditEvent) -> Self {
        Self {
            id: event.id,
            at: event.at,
            outcome: event.name().map(EventName::outcome),
            event: event.event,
            actor: ExportedActor {
                kind: event.actor,
                id: event.actor_id,
                name: event.actor_name,
            },
            user: event.user_id.map(|id| ExportedUser {
                id,
                username: event.username,
            }),
            application: event.application_id.map(|id| ExportedApplication {
                id,
                client_id: event.client_id,
                name: event.application_name,
            }),
            grant_id: event.grant_id,
            address: event.address,
            request_id: event.request_id,
            detail: event.detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_a_moment_and_a_time_ago_are_read() {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let at = |text: &str| OffsetDateTime::parse(text, &Rfc3339).unwrap();
        let read = |typed, days| read_moment(typed, days, now);
        assert_eq!(read("2026-01-31", 0), Some(at("2026-01-31T00:00:00Z")));
        assert_eq!(read("2026-01-31", 1), Some(at("2026-02-01T00:00:00Z")));
        assert_eq!(
            read("2026-01-31T09:00:00+09:00", 1),
            Some(at("2026-01-31T00:00:00Z"))
        );
        assert_eq!(read("7d", 1), Some(now - Duration::days(7)));
        for nonsense in [
            "yesterday",
            "2026-02-30",
            "2026-1",
            "-1-01-01",
            "+2026-01-01",
            "9223372036854775807d",
            "99999999999d",
        ] {
            assert_eq!(read(nonsense, 0), None, "{nonsense}");
        }
    }

    #[test]
    fn an_address_is_found_in_each_of_its_spellings() {
        let both = |one: &str, other: &str| Some([one.to_owned(), other.to_owned()]);
        assert_eq!(spellings("192.0.2.7"), both("192.0.2.7", "192.0.2.7"));
        assert_eq!(spellings("2001:DB8:0:0::7"), both("2001:db8::7", "2001:db8::/64"));
        assert_eq!(spellings("2001:db8::/64"), both("2001:db8::/64", "2001:db8::/64"));
        for nonsense in ["localhost", "192.0.2", "10.0.0.0/8", "x/64"] {
            assert_eq!(spellings(nonsense), None, "{nonsense}");
        }
    }
}
