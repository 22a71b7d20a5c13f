//! What an application's requests are refused for: noted in memory, written now and then, read by whoever
//! runs the application.
//!
//! Anybody can have requests refused in the name of an application, so that everything is bounded: what is
//! held between two writes, what is written, and what is kept.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::applications::{self, Manager, NotSaved, Saved, Wanted};
use super::clients;
use super::error::Refusal;
use super::{App, access};
use crate::model::application::{Application, ApplicationSettings};
use crate::model::caller::Caller;
use crate::model::failed_request::{Endpoint, FailedRequest};
use crate::model::ids::{ApplicationId, FailedRequestId};
use crate::model::redirect_uri::{Difference, RedirectUri};
use crate::protocol::authorize::Unproven;
use crate::protocol::client_auth::{Presented, mtls};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::explanation;
use crate::protocol::params::Params;
use crate::protocol::reason::{Fault, Reason};
use crate::protocol::sent;
use crate::store::failed_requests as rows;

/// Most kinds that are held between two writes.
const MOST: usize = 256;
/// Most of them of one application that differ in the value that was sent; the others are counted together.
const MOST_VALUES: usize = 16;
/// Between two writes that a reader causes.
const PAUSE: Duration = Duration::from_secs(1);

/// What was refused since the last write.
#[derive(Debug, Default)]
pub(super) struct FailedRequests(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    rows: HashMap<FailedRequestId, FailedRequest>,
    /// Rows with a value, by application.
    values: HashMap<ApplicationId, usize>,
    /// Refusals for which there was no room at all.
    beyond: u64,
    written: Option<Instant>,
}

impl FailedRequests {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    fn add(&mut self, row: FailedRequest) {
        let has_value = row.value.is_some();
        if let Some(known) = self.rows.get_mut(&row.id) {
            known.count += 1;
            known.last_seen_at = row.last_seen_at;
            known.request_id = row.request_id;
            return;
        }
        let values = self.values.get(&row.application_id).copied().unwrap_or(0);
        if has_value && (values >= MOST_VALUES || self.rows.len() >= MOST) {
            return self.add(identified(FailedRequest { value: None, ..row }));
        }
        if self.rows.len() >= MOST {
            self.beyond += 1;
            return;
        }
        if has_value {
            *self.values.entry(row.application_id).or_default() += 1;
        }
        self.rows.insert(row.id, row);
    }

    fn take(&mut self) -> (Vec<FailedRequest>, u64) {
        self.values.clear();
        self.written = Some(Instant::now());
        let rows = std::mem::take(&mut self.rows).into_values().collect();
        (rows, std::mem::take(&mut self.beyond))
    }
}

/// Gives a row the id that tells it from others, the same on every node.
fn identified(row: FailedRequest) -> FailedRequest {
    let mut hash = Sha256::new().chain_update(Uuid::from(row.application_id).as_bytes());
    let texts = [
        Some(&row.endpoint),
        Some(&row.error),
        Some(&row.reason),
        row.parameter.as_ref(),
        row.value.as_ref(),
    ];
    for text in texts {
        let bytes = text.map_or(&b""[..], |text| text.as_bytes());
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        hash = hash
            .chain_update([u8::from(text.is_some())])
            .chain_update(length.to_be_bytes())
            .chain_update(bytes);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    FailedRequest {
        id: uuid::Builder::from_custom_bytes(id).into_uuid().into(),
        ..row
    }
}

/// A request that may be refused, as far as a refusal is told.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub endpoint: Endpoint,
    pub params: &'a Params,
    /// Names the request in the log.
    pub request_id: &'a str,
}

impl Attempt<'_> {
    /// Notes that it was refused in the name of `application`.
    pub fn refused(&self, app: &App, application: ApplicationId, error: &OAuthError) {
        // Whoever polls is told so every few seconds; nothing is wrong with that.
        if error.code() != ErrorCode::AuthorizationPending {
            self.note_seeing(
                app,
                application,
                error.code().as_str(),
                error.fault(),
                error.seen(),
            );
        }
    }

    /// Notes that its application or redirect URI could not be proven, where an application is known.
    pub fn unproven(&self, app: &App, application: &Application, why: &Unproven) {
        if let Some(fault) = why.fault(application) {
            self.note(app, application.id, ErrorCode::InvalidRequest.as_str(), fault);
        }
    }

    /// Notes a refusal by whatever name the protocol in question has for it.
    pub(super) fn note(&self, app: &App, application: ApplicationId, error: &'static str, fault: Fault) {
        self.note_seeing(app, application, error, fault, None);
    }

    /// The same, where something else than a parameter was wrong.
    fn note_seeing(
        &self,
        app: &App,
        application: ApplicationId,
        error: &'static str,
        fault: Fault,
        seen: Option<&str>,
    ) {
        let value = fault
            .shown_parameter()
            .filter(|name| !self.params.repeated(name))
            .and_then(|name| Some(sent::harmless(name, self.params.get(name)?)))
            .or_else(|| seen.map(|seen| sent::harmless("", seen)));
        let now = app.now();
        let row = FailedRequest {
            id: Uuid::nil().into(),
            application_id: application,
            endpoint: self.endpoint.path().to_owned(),
            error: error.to_owned(),
            reason: fault.reason.as_str().to_owned(),
            parameter: fault.parameter.map(str::to_owned),
            value,
            request_id: self.request_id.to_owned(),
            first_seen_at: now,
            last_seen_at: now,
            count: 1,
        };
        app.failed_requests.noted().add(identified(row));
    }

    /// Notes a refusal by an endpoint that authenticates its clients, and hands the outcome on. Whom the
    /// request names is taken at its word: nothing is told to it. A name that nobody has is not kept.
    ///
    /// # Errors
    /// Those of `outcome`.
    pub async fn watch<T>(
        &self,
        app: &App,
        client_id: Option<&str>,
        outcome: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if let (Err(Refusal::OAuth(error)), Some(client_id)) = (&outcome, client_id)
            && !matches!(
                error.fault().reason,
                Reason::ClientRefused | Reason::ClientUnknown
            )
            && let Ok(Some(client)) = clients::find(app, client_id).await
        {
            self.refused(app, client.application.id, error);
        }
        outcome
    }
}

/// Whom a request names as its client, be it proven or not.
pub fn named_client(presented: &Result<Presented, OAuthError>, params: &Params) -> Option<String> {
    match presented {
        Ok(presented) => Some(presented.client_id.clone()),
        Err(_) if params.repeated("client_id") => None,
        Err(_) => params.get("client_id").map(str::to_owned),
    }
}

/// Writes what was noted. What cannot be written is lost: it is a convenience, no proof.
pub(super) async fn flush(app: &App) {
    let (failed, beyond) = app.failed_requests.noted().take();
    if beyond > 0 {
        tracing::warn!(
            event = "failed_requests_beyond",
            beyond,
            "more requests failed than are kept"
        );
    }
    if failed.is_empty() {
        return;
    }
    if let Err(error) = rows::add(&app.db, &failed).await {
        tracing::warn!(%error, "could not write which requests failed");
    }
}

/// For a reader who wants to see what has just happened: at most one write a second.
async fn flush_for_reader(app: &App) {
    let due = {
        let noted = app.failed_requests.noted();
        !noted.rows.is_empty() && noted.written.is_none_or(|written| written.elapsed() >= PAUSE)
    };
    if due {
        flush(app).await;
    }
}

/// A kind of refused request, explained.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    pub id: FailedRequestId,
    pub endpoint: String,
    pub error: String,
    /// The page on the error, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_uri: Option<String>,
    pub reason: &'static str,
    /// What was wrong and what would be right, in words.
    pub description: &'static str,
    /// Where that is written.
    pub section: &'static str,
    pub parameter: Option<String>,
    /// What was sent in it, made harmless.
    pub value: Option<String>,
    /// What the application has registered for the parameter now.
    pub registered: Vec<String>,
    /// In which parts a redirect URI differs from the registered one that is most like it.
    pub difference: Vec<&'static str>,
    /// Whether the value is registered by now.
    pub mended: bool,
    /// Whether [`add_redirect_uri`] would register the value.
    pub can_be_added: bool,
    pub request_id: String,
    #[serde(with = "time::serde::rfc3339")]
    pub first_seen_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub last_seen_at: OffsetDateTime,
    pub count: i64,
}

/// What an application's requests were refused for in the last thirty days, the last first.
///
/// # Errors
/// That the store did not do it.
pub async fn list(app: &App, application: &Application) -> Result<Vec<Failure>, Refusal> {
    flush_for_reader(app).await;
    let found = rows::list(&app.db, application.id).await?;
    Ok(found
        .into_iter()
        .map(|row| explained(app, application, row))
        .collect())
}

/// How many kinds were seen within a day.
///
/// # Errors
/// That the store did not do it.
pub async fn count_of_last_day(app: &App, application: ApplicationId) -> Result<i64, Refusal> {
    flush_for_reader(app).await;
    let since = app.now() - time::Duration::DAY;
    Ok(rows::count_since(&app.db, application, since).await?)
}

fn explained(app: &App, application: &Application, row: FailedRequest) -> Failure {
    let settings = &application.settings;
    let reason = Reason::parse(&row.reason).unwrap_or(Reason::Other);
    let registered = registered(app, settings, row.parameter.as_deref(), reason);
    let is_mismatch = reason == Reason::RedirectUriMismatch;
    let mended = is_mismatch
        && row
            .value
            .as_deref()
            .is_some_and(|value| settings.redirect_uri(value).is_some());
    let difference = match row.value.as_deref().filter(|_| is_mismatch && !mended) {
        Some(value) => difference(value, &registered),
        None => Vec::new(),
    };
    Failure {
        id: row.id,
        error_uri: explanation::find(&row.error).map(|page| explanation::uri(app.issuer.as_str(), page.code)),
        can_be_added: addable(settings, &row).is_some(),
        endpoint: row.endpoint,
        error: row.error,
        reason: reason.as_str(),
        description: reason.sentence(),
        section: reason.section(),
        parameter: row.parameter,
        value: row.value,
        registered,
        difference,
        mended,
        request_id: row.request_id,
        first_seen_at: row.first_seen_at,
        last_seen_at: row.last_seen_at,
        count: row.count,
    }
}

/// Redirect URIs without the values of their queries, as what was sent is kept.
fn registered(
    app: &App,
    settings: &ApplicationSettings,
    parameter: Option<&str>,
    reason: Reason,
) -> Vec<String> {
    match parameter {
        Some("redirect_uri") => settings
            .redirect_uris
            .iter()
            .map(|uri| sent::address(uri.as_str()))
            .collect(),
        Some("scope") => app
            .catalog
            .allowed(settings.scopes.as_ref())
            .iter()
            .map(ToString::to_string)
            .collect(),
        None if reason == Reason::CertificateSubject => settings
            .authentication
            .subjects()
            .into_iter()
            .filter_map(|(_, subject)| subject.map(str::to_owned))
            .collect(),
        None if reason == Reason::CertificateUnknown => settings
            .authentication
            .certificates
            .iter()
            .filter_map(mtls::facts)
            .map(|known| format!("{} (SHA-256 {})", known.subject, known.thumbprint))
            .collect(),
        Some("grant_type") if reason == Reason::GrantNotAllowed => settings
            .grants
            .iter()
            .map(|grant| grant.wire().to_owned())
            .collect(),
        _ => Vec::new(),
    }
}

fn difference(value: &str, registered: &[String]) -> Vec<&'static str> {
    let Some(nearest) = Difference::nearest(value, registered) else {
        return Vec::new();
    };
    let parts = Difference::between(value, &registered[nearest]).parts;
    // All that is left to differ is what is not kept.
    if parts.is_empty() { vec!["query"] } else { parts }
}

/// The redirect URI of a row, where it may be registered by pressing a button: it leads to a place where the
/// application is already, so that nobody who sends a request wins an address of his own.
fn addable(settings: &ApplicationSettings, row: &FailedRequest) -> Option<RedirectUri> {
    let is_ours =
        row.endpoint == Endpoint::Authorize.path() && row.reason == Reason::RedirectUriMismatch.as_str();
    let value = row.value.as_deref().filter(|_| is_ours)?;
    if settings.redirect_uri(value).is_some() {
        return None;
    }
    let uri = RedirectUri::register(value).ok()?;
    let beside = |known: &RedirectUri| uri.stands_beside(known, settings.localhost_any_port);
    settings.redirect_uris.iter().any(beside).then_some(uri)
}

/// Registers the redirect URI of a row. Decided from the row and from what is registered now, whatever the
/// page said. `None` where it may not be registered so.
///
/// # Errors
/// See [`NotSaved`].
pub async fn add_redirect_uri(
    app: &App,
    by: Manager,
    caller: &Caller,
    application: &Application,
    id: FailedRequestId,
) -> Result<Option<Saved>, NotSaved> {
    let Some(row) = rows::find(&app.db, application.id, id).await? else {
        return Err(NotSaved::Gone);
    };
    let settings = &application.settings;
    let Some(uri) = addable(settings, &row) else {
        return Ok(None);
    };
    let allowed = access::allowed(app, application.id).await?;
    let mut wanted = Wanted::of(settings, &allowed);
    wanted.redirect_uris.push(uri.as_str().to_owned());
    let saved = applications::change(app, by, caller, application.id, &wanted, application.version).await?;
    Ok(Some(saved))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(application: u128, value: Option<String>) -> FailedRequest {
        let at = OffsetDateTime::UNIX_EPOCH;
        identified(FailedRequest {
            id: Uuid::nil().into(),
            application_id: Uuid::from_u128(application).into(),
            endpoint: Endpoint::Authorize.path().to_owned(),
            error: "invalid_request".to_owned(),
            reason: "redirect_uri_mismatch".to_owned(),
            parameter: Some("redirect_uri".to_owned()),
            value,
            request_id: "r".to_owned(),
            first_seen_at: at,
            last_seen_at: at,
            count: 1,
        })
    }

    #[test]
    fn a_flood_is_counted_and_not_held() {
        let mut noted = Noted::default();
        for number in 0..10_000 {
            noted.add(row(1, Some(format!("https://evil.example/{number}"))));
        }
        noted.add(row(2, Some("https://app.example/".to_owned())));
        let (rows, beyond) = noted.take();
        assert_eq!((rows.len(), beyond), (MOST_VALUES + 2, 0));
        assert_eq!(rows.iter().map(|row| row.count).sum::<i64>(), 10_001);
        let others = rows.iter().find(|row| row.value.is_none()).unwrap();
        assert_eq!(others.count, 10_000 - i64::try_from(MOST_VALUES).unwrap());
        assert!(noted.take().0.is_empty());
    }

    #[test]
    fn floods_in_the_name_of_many_are_bounded_too() {
        let mut noted = Noted::default();
        for application in 0..10_000 {
            noted.add(row(application, None));
        }
        let (rows, beyond) = noted.take();
        assert_eq!((rows.len(), beyond), (MOST, 10_000 - MOST as u64));
    }

    #[test]
    fn rows_are_told_apart_by_all_that_makes_them_one() {
        let one = row(1, Some("a".to_owned()));
        assert_eq!(one.id, row(1, Some("a".to_owned())).id);
        assert_ne!(one.id, row(2, Some("a".to_owned())).id);
        assert_ne!(one.id, row(1, Some("b".to_owned())).id);
        assert_ne!(row(1, None).id, row(1, Some(String::new())).id);
        let shifted = identified(FailedRequest {
            error: "invalid_requestredirect".to_owned(),
            reason: "_uri_mismatch".to_owned(),
            ..one.clone()
        });
        assert_ne!(one.id, shifted.id);
    }
}
