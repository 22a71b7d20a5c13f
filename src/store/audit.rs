//! `audit_events`: written with what they tell of, read by page from the newest on.

use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::{Builder, Uuid};

use super::sweep::{Batch, batch, in_batches};
use super::{Db, Result, Statement, Tx};
use crate::model::audit::{AuditEvent, EventName, NewAuditEvent};
use crate::model::caller::Actor;
use crate::model::ids::{ApplicationId, AuditEventId, UserId};

/// Which events are looked for: all that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub event: Option<EventName>,
    /// Who did it, or to whom it was done.
    pub user: Option<UserId>,
    pub application: Option<ApplicationId>,
    /// Spellings of one address, any of which may be written.
    pub address: Option<[String; 2]>,
    /// This moment included.
    pub since: Option<OffsetDateTime>,
    /// This moment not included.
    pub until: Option<OffsetDateTime>,
}

/// In the caller's transaction: the event is there when what it tells of is, and not without it.
pub async fn insert(tx: &mut Tx, new: &NewAuditEvent) -> Result<()> {
    let text = "INSERT INTO audit_events
            (id, at, event, actor, actor_id, user_id, application_id, grant_id, address, request_id, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    bound(tx.sql(text), new).execute().await.map(drop)
}

/// Writes events that are counted, or again what was counted since. One transaction, so one write to the disk;
/// the caller bounds how many there are.
pub async fn keep(db: &Db, counted: &[NewAuditEvent]) -> Result<()> {
    let mut tx = db.write().await?;
    for event in counted {
        let text = "INSERT INTO audit_events
                (id, at, event, actor, actor_id, user_id, application_id, grant_id, address, request_id, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (id) DO UPDATE SET request_id = excluded.request_id, detail = excluded.detail";
        bound(tx.sql(text), event).execute().await?;
    }
    tx.commit().await
}

fn bound<'t>(statement: Statement<'t>, new: &NewAuditEvent) -> Statement<'t> {
    let (actor, actor_id): (&'static str, Option<Uuid>) = match new.actor {
        Actor::User(user) => ("user", Some(user.into())),
        Actor::Application(application) => ("application", Some(application.into())),
        Actor::Operator => ("operator", None),
        Actor::System => ("system", None),
        Actor::Anonymous => ("anonymous", None),
    };
    statement
        .bind(new.id)
        .bind(new.at)
        .bind(new.event.name.as_str())
        .bind(actor)
        .bind(actor_id)
        .bind(new.event.user)
        .bind(new.event.application)
        .bind(new.event.grant)
        .bind(new.address.clone())
        .bind(new.request_id.clone())
        .bind(Json(new.event.detail.clone()))
}

/// Of those that meet a condition which an index serves, the newest that match.
macro_rules! newest {
    ($($condition:literal),+) => {
        concat!(
            "SELECT s.id FROM (SELECT i.id FROM audit_events i WHERE ",
            $($condition,)+
            " AND i.id < $3 AND i.id >= $4 AND ($5 IS NULL OR i.event = $5)
               AND ($6 IS NULL OR i.address = $6 OR i.address = $7) ORDER BY i.id DESC LIMIT $8) s"
        )
    };
}

/// A search among the events `e` of a table or a join, under a first condition.
macro_rules! search {
    ($from:expr, $leading:literal) => {
        concat!(
            "SELECT e.id, e.at, e.event, e.actor, e.actor_id, coalesce(w.username, v.name) AS actor_name, e.user_id,
                 u.username, e.application_id, a.client_id, a.name AS application_name, e.grant_id, e.address,
                 e.request_id, e.detail
             FROM ",
            $from,
            " LEFT JOIN users u ON u.id = e.user_id
                 LEFT JOIN applications a ON a.id = e.application_id
                 LEFT JOIN users w ON w.id = e.actor_id AND e.actor = 'user'
                 LEFT JOIN applications v ON v.id = e.actor_id AND e.actor = 'application'
             WHERE ",
            $leading,
            " AND e.id < $3 AND e.id >= $4 AND ($5 IS NULL OR e.event = $5)
               AND ($6 IS NULL OR e.address = $6 OR e.address = $7)
             ORDER BY e.id DESC LIMIT $8"
        )
    };
}

/// The events in either of two roles, each role by its own index: an OR of both would be sorted whole.
macro_rules! either {
    ($one:expr, $other:expr) => {
        concat!(
            "(",
            $one,
            " UNION ",
            $other,
            ") m JOIN audit_events e ON e.id = m.id"
        )
    };
}

/// The newest that match and are older than `before`; the newest of all without it.
pub async fn search(
    db: &Db,
    filter: &Filter,
    before: Option<AuditEventId>,
    limit: i64,
) -> Result<Vec<AuditEvent>> {
    let text = match (filter.user, filter.application) {
        (None, None) => search!("audit_events e", "$1 IS NULL AND $2 IS NULL"),
        (Some(_), None) => search!(
            either!(newest!("i.user_id = $1"), newest!("i.actor_id = $1")),
            "$2 IS NULL"
        ),
        (None, Some(_)) => search!(
            either!(newest!("i.application_id = $2"), newest!("i.actor_id = $2")),
            "$1 IS NULL"
        ),
        (Some(_), Some(_)) => search!(
            either!(
                newest!("i.user_id = $1 AND (i.application_id = $2 OR i.actor_id = $2)"),
                newest!("i.actor_id = $1 AND (i.application_id = $2 OR i.actor_id = $2)")
            ),
            "$1 IS NOT NULL AND $2 IS NOT NULL"
        ),
    };
    let end = filter.until.map_or(Uuid::max(), first_id_of);
    let before = before.map_or(end, |before| end.min(before.into()));
    let [address, network] = match &filter.address {
        Some([address, network]) => [Some(address.as_str()), Some(network.as_str())],
        None => [None, None],
    };
    db.query(text)
        .bind(filter.user)
        .bind(filter.application)
        .bind(before)
        .bind(filter.since.map_or(Uuid::nil(), first_id_of))
        .bind(filter.event.map(EventName::as_str))
        .bind(address)
        .bind(network)
        .bind(limit)
        .all()
        .await
}

/// No id made of `moment` or later is smaller, and every one made earlier is.
fn first_id_of(moment: OffsetDateTime) -> Uuid {
    let millis = u64::try_from(moment.unix_timestamp()).unwrap_or(0) * 1000;
    Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

const OLD: Batch = batch!(
    "DELETE FROM audit_events WHERE id IN
        (SELECT id FROM audit_events WHERE id < $1 ORDER BY id LIMIT $2"
);

/// Deletes what is older than `moment`, in at most `batches` statements. The number of rows.
pub async fn sweep(db: &Db, moment: OffsetDateTime, batches: usize) -> Result<u64> {
    let oldest_kept = first_id_of(moment);
    let done = in_batches(db, &OLD, batches, |text| text.bind(oldest_kept)).await?;
    Ok(done.rows)
}
