//! Failures that anybody can cause: counted in memory, written now and then, an hour of one kind from one
//! network in one event.
//!
//! Everything is bounded: what is held, what a write writes, and what a day leaves in the log. Beyond that
//! failures are still counted, without whom and from where. Each event has bounds of its own, so that a flood of
//! one, which costs nothing, does not hide another.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration as Wall, Instant};

use time::{Duration, OffsetDateTime};

use super::super::{App, guard};
use super::rows;
use crate::model::audit::{Detail, Event, EventName, NewAuditEvent};
use crate::model::caller::{Actor, Caller};
use crate::model::ids::{ApplicationId, AuditEventId, UserId};

/// Most kinds of one event that are held.
const MOST: usize = 256;
/// Most of a day's events of one name that tell whom and from where.
const MOST_A_DAY: u32 = 1_000;
/// So long after its first failure an event is over, and the next failure begins another.
const WINDOW: Duration = Duration::HOUR;
/// Between two writes that a reader causes.
const PAUSE: Wall = Wall::from_secs(1);

/// What failed and is to be written, or to be written again.
#[derive(Debug, Default)]
pub(in crate::flow) struct Failures {
    counted: Mutex<Counted>,
    /// Held by whoever writes, so that an older count never overwrites a newer one.
    writing: tokio::sync::Mutex<()>,
}

/// What one event counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    name: EventName,
    user: Option<UserId>,
    application: Option<ApplicationId>,
    reason: Option<&'static str>,
    /// See [`network`].
    address: Option<String>,
}

#[derive(Clone, Debug)]
struct Count {
    id: AuditEventId,
    first_at: OffsetDateTime,
    last_at: OffsetDateTime,
    /// Of the last one.
    request_id: Option<String>,
    times: u64,
    /// As far as it is written.
    written: u64,
}

#[derive(Debug, Default)]
struct Counted {
    kinds: HashMap<Kind, Count>,
    /// In days since 1970.
    day: i64,
    /// How many kinds the day has had.
    of_day: HashMap<EventName, u32>,
    flushed: Option<Instant>,
}

/// The network that a failure is counted under, as the log shows it: one host has a whole IPv6 /64 to itself.
pub(super) fn network(address: IpAddr) -> String {
    match guard::network(address) {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(network) => format!("{network}/64"),
    }
}

impl Failures {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, app: &App, caller: &Caller, event: &Event) {
        let kind = Kind {
            name: event.name,
            user: event.user,
            application: event.application.or(match caller.actor {
                Actor::Application(application) => Some(application),
                _ => None,
            }),
            reason: event.detail.reason,
            address: caller.address.map(network),
        };
        let moment = app.clock.moment();
        let new_id = || app.entropy.id_at(moment).into();
        self.counted()
            .add(kind, caller.request_id.clone(), moment.0, new_id);
    }

    pub(super) async fn flush(&self, app: &App) {
        let _writing = self.writing.lock().await;
        let unwritten = self.counted().unwritten();
        if unwritten.is_empty() {
            self.counted().forget(&[], app.now());
            return;
        }
        let events: Vec<_> = unwritten.iter().map(|(kind, count)| event(kind, count)).collect();
        if let Err(error) = rows::keep(&app.db, &events).await {
            tracing::warn!(%error, "could not write which attempts failed; trying again later");
            return;
        }
        self.counted().forget(&unwritten, app.now());
    }

    /// For a reader who wants to see what has just happened: at most one write a second.
    pub(super) async fn flush_for_reader(&self, app: &App) {
        let due = self
            .counted()
            .flushed
            .is_none_or(|flushed| flushed.elapsed() >= PAUSE);
        if due {
            self.flush(app).await;
        }
    }
}

impl Counted {
    fn add(
        &mut self,
        kind: Kind,
        request_id: Option<String>,
        now: OffsetDateTime,
        new_id: impl FnOnce() -> AuditEventId,
    ) {
        let kind = self.admitted(kind, now);
        let count = self.kinds.entry(kind).or_insert_with(|| Count {
            id: new_id(),
            first_at: now,
            last_at: now,
            request_id: None,
            times: 0,
            written: 0,
        });
        count.times += 1;
        count.last_at = now;
        count.request_id = request_id;
    }

    /// The kind itself, or where there is no room for another, the one that tells nothing but the name.
    fn admitted(&mut self, kind: Kind, now: OffsetDateTime) -> Kind {
        if self.kinds.contains_key(&kind) {
            return kind;
        }
        let today = now.unix_timestamp().div_euclid(86_400);
        if self.day != today {
            self.day = today;
            self.of_day.clear();
        }
        let held = self.kinds.keys().filter(|held| held.name == kind.name).count();
        let of_day = self.of_day.entry(kind.name).or_default();
        if held < MOST && *of_day < MOST_A_DAY {
            *of_day += 1;
            return kind;
        }
        Kind {
            name: kind.name,
            user: None,
            application: None,
            reason: None,
            address: None,
        }
    }

    fn unwritten(&mut self) -> Vec<(Kind, Count)> {
        self.flushed = Some(Instant::now());
        self.kinds
            .iter()
            .filter(|(_, count)| count.times > count.written)
            .map(|(kind, count)| (kind.clone(), count.clone()))
            .collect()
    }

    /// Marks what was written, and lets go what is over.
    fn forget(&mut self, written: &[(Kind, Count)], now: OffsetDateTime) {
        for (kind, count) in written {
            if let Some(known) = self.kinds.get_mut(kind) {
                known.written = count.times;
            }
        }
        self.kinds
            .retain(|_, count| count.times > count.written || now - count.first_at < WINDOW);
    }
}

fn event(kind: &Kind, count: &Count) -> NewAuditEvent {
    let detail = Detail {
        reason: kind.reason,
        count: Some(count.times),
        last_at: (count.times > 1).then_some(count.last_at),
        ..Detail::default()
    };
    NewAuditEvent {
        id: count.id,
        at: count.first_at,
        event: Event::new(kind.name)
            .user(kind.user)
            .application(kind.application)
            .detail(detail),
        actor: Actor::Anonymous,
        address: kind.address.clone(),
        request_id: count.request_id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::Entropy;

    fn at(second: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_800_000_000 + second).unwrap()
    }

    fn from(address: &str) -> Kind {
        Kind {
            name: EventName::SignInFailed,
            user: None,
            application: None,
            reason: None,
            address: Some(address.to_owned()),
        }
    }

    fn add(counted: &mut Counted, kind: Kind, now: OffsetDateTime) {
        counted.add(kind, None, now, || Entropy::System.id(now).into());
    }

    fn write(counted: &mut Counted, now: OffsetDateTime) -> Vec<(Kind, Count)> {
        let unwritten = counted.unwritten();
        counted.forget(&unwritten, now);
        unwritten
    }

    #[test]
    fn a_flood_from_one_place_is_one_event() {
        let mut counted = Counted::default();
        for second in 0..3_000 {
            add(&mut counted, from("192.0.2.1"), at(second));
        }
        let written = write(&mut counted, at(3_000));
        let [(_, count)] = written.as_slice() else {
            panic!("{written:?}")
        };
        assert_eq!(
            (count.times, count.first_at, count.last_at),
            (3_000, at(0), at(2_999))
        );
    }

    #[test]
    fn what_goes_on_is_written_again_under_its_id_and_what_is_over_is_let_go() {
        let mut counted = Counted::default();
        add(&mut counted, from("192.0.2.1"), at(0));
        let first = write(&mut counted, at(1));
        assert!(write(&mut counted, at(2)).is_empty());
        add(&mut counted, from("192.0.2.1"), at(3));
        let second = write(&mut counted, at(3_600));
        assert_eq!((second[0].1.id, second[0].1.times), (first[0].1.id, 2));
        assert!(counted.kinds.is_empty());
        add(&mut counted, from("192.0.2.1"), at(3_601));
        let third = write(&mut counted, at(3_602));
        assert_ne!(third[0].1.id, first[0].1.id);
        assert_eq!(third[0].1.times, 1);
    }

    #[test]
    fn floods_from_many_places_are_bounded_at_once_and_over_the_day() {
        let mut counted = Counted::default();
        let (mut held, mut ids, mut failures) = (0, std::collections::BTreeSet::new(), 0);
        for minute in 0..23 * 60 {
            for place in 0..100 {
                add(&mut counted, from(&format!("{minute}.{place}")), at(minute * 60));
                failures += 1;
                held = held.max(counted.kinds.len());
            }
            ids.extend(
                write(&mut counted, at(minute * 60))
                    .into_iter()
                    .map(|(_, count)| count.id),
            );
        }
        assert_eq!(failures, 138_000);
        assert!(held <= MOST + 1, "{held}");
        // A start in the evening has part of a second day.
        assert!(ids.len() <= 2 * (MOST_A_DAY as usize) + 24, "{}", ids.len());
    }

    #[test]
    fn a_flood_of_one_event_does_not_hide_another() {
        let mut counted = Counted::default();
        for place in 0..10_000 {
            let flood = Kind {
                name: EventName::ClientAuthenticationFailed,
                ..from(&place.to_string())
            };
            add(&mut counted, flood, at(0));
        }
        add(&mut counted, from("192.0.2.1"), at(1));
        assert!(counted.kinds.contains_key(&from("192.0.2.1")));
        assert_eq!(counted.kinds.len(), MOST + 2);
    }

    #[test]
    fn a_count_that_rose_while_it_was_written_is_written_again() {
        let mut counted = Counted::default();
        add(&mut counted, from("192.0.2.1"), at(0));
        let unwritten = counted.unwritten();
        add(&mut counted, from("192.0.2.1"), at(1));
        counted.forget(&unwritten, at(2));
        assert_eq!(counted.unwritten()[0].1.times, 2);
    }
}
