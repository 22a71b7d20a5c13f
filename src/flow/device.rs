//! The device grant up to the decision (RFC 8628): a device asks for codes, a person types one of them on
//! another device, is told what asks, and decides.
//!
//! The dangers are a user code that is guessed (§5.1) and a person who is talked into typing somebody
//! else's (§5.4). So wrong codes are counted and soon refused, a code belongs to the first user who types
//! it, and only the page that they are then shown can decide.

use std::net::IpAddr;

use time::{Duration, OffsetDateTime};

use super::audit::EventName;
use super::authorize::{Decision, described, family_life};
use super::client_auth::{Authenticated, authenticate};
use super::error::Refusal;
use super::token::may_use;
use super::{App, access, audit, guard};
use crate::base::secret::{Secret, SecretHash};
use crate::model::application::Application;
use crate::model::caller::Caller;
use crate::model::device::{DeviceRequest, UserCode};
use crate::model::grant_type::GrantType;
use crate::model::ids::{GrantId, UserId};
use crate::model::resource::Resources;
use crate::model::scope::Scopes;
use crate::model::user::User;
use crate::protocol::client_auth::Presented;
use crate::protocol::device::{DeviceAuthorizationResponse, INTERVAL};
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::reason::Reason;
use crate::protocol::resource;
use crate::protocol::scope::ScopeRules;
use crate::protocol::token::TokenKind;
use crate::store::devices::{self, NewDeviceCode};
use crate::store::grants::NewGrant;
use crate::store::throttles::{self, Allowance};
use crate::store::{self};

/// So many codes of one application wait at most: it bounds what a flood costs, and with it how likely a
/// guessed user code is one that waits.
const MOST_WAITING: i64 = 1000;
/// Seconds after which an application may ask again that has as many.
const FLOODED: i64 = 30;
/// Codes for a public application, which anybody can pass themselves off as, from one address: sixty at
/// once, then one in ten seconds.
const BY_DEVICE: Allowance = Allowance {
    burst: 60,
    interval: 10,
};
/// Wrong user codes of one user: five at once, then one in two minutes. While a code lives that is some ten
/// guesses among 20⁸ codes, of which [`MOST_WAITING`] wait: less than one hit in 2²¹.
const BY_USER: Allowance = Allowance {
    burst: 5,
    interval: 120,
};
/// Wrong user codes from one address, whoever is signed in there: five at once, then one in half a minute.
const BY_ADDRESS: Allowance = Allowance {
    burst: 5,
    interval: 30,
};
/// A taken code is drawn again so often. Once is rare, twice does not happen.
const MOST_DRAWS: usize = 4;
/// A code is remembered this long after its end, so that a device that polls late is told `expired_token`.
const REMEMBERED: Duration = Duration::hours(1);

/// A device asks to be authorized; over again where the application was changed meanwhile.
///
/// # Errors
/// The RFC's, or that we cannot serve.
pub async fn begin(
    app: &App,
    params: &Params,
    presented: Result<Presented, OAuthError>,
    caller: &Caller,
) -> Result<DeviceAuthorizationResponse, Refusal> {
    params.reject_repeated()?;
    let presented = presented?;
    let begun = attempt(app, params, &presented, caller).await;
    if !matches!(begun, Err(Refusal::Stale)) {
        return begun;
    }
    app.clients.forget();
    attempt(app, params, &presented, caller).await
}

/// What a device asks for.
struct Wanted {
    scopes: Scopes,
    resources: Resources,
}

async fn attempt(
    app: &App,
    params: &Params,
    presented: &Presented,
    caller: &Caller,
) -> Result<DeviceAuthorizationResponse, Refusal> {
    let client = authenticate(app, presented, caller).await?;
    if !app.offers(GrantType::DeviceCode) {
        let error = OAuthError::unauthorized_client("This server does not offer the device_code grant")
            .because(Reason::GrantNotOffered);
        return Err(error.into());
    }
    may_use(&client, GrantType::DeviceCode)?;
    let address = caller.host();
    let settings = &client.application().settings;
    let wanted = Wanted {
        scopes: app.catalog.resolve(
            ScopeRules::of(settings, GrantType::DeviceCode),
            params.get("scope"),
        )?,
        resources: resource::asked(params, &app.resources)?,
    };
    if !settings.confidential {
        pace(app, client.application(), address).await?;
    }
    draw(app, &client, &wanted, address).await
}

async fn pace(app: &App, application: &Application, address: IpAddr) -> Result<(), Refusal> {
    if !app.guard.is_enabled() {
        return Ok(());
    }
    let network = guard::network(address);
    let bucket = SecretHash::of(&format!("device authorization\n{}\n{network}", application.id));
    let reserved = throttles::reserve(&app.db, bucket, BY_DEVICE, app.now()).await?;
    reserved.map_err(|retry_after| Refusal::TooMany { retry_after })
}

/// Draws codes until they are nobody else's.
async fn draw(
    app: &App,
    client: &Authenticated,
    wanted: &Wanted,
    address: IpAddr,
) -> Result<DeviceAuthorizationResponse, Refusal> {
    let application = client.application();
    let now = app.now();
    let ttl = app.config.device_code_ttl;
    for _ in 0..MOST_DRAWS {
        let device_code = Secret::generate(&app.entropy, TokenKind::DeviceCode.prefix());
        let user_code = UserCode::generate(&app.entropy);
        let new = NewDeviceCode {
            hash: device_code.hash(),
            user_code_hash: user_code.hash(),
            application_id: application.id,
            application_version: application.version,
            scopes: &wanted.scopes,
            resources: &wanted.resources,
            requested_from: address.to_string(),
            expires_at: now + ttl,
            forget_at: now + ttl + REMEMBERED,
            poll_interval: INTERVAL,
        };
        if devices::insert(&app.db, &new, MOST_WAITING, now).await? {
            return Ok(DeviceAuthorizationResponse::new(
                device_code,
                user_code.shown(),
                app.issuer.join("/oauth/device"),
                ttl.whole_seconds(),
            ));
        }
        let standing = devices::standing(&app.db, application.id, now).await?;
        client.is_current(standing.version)?;
        if standing.waiting >= MOST_WAITING {
            tracing::warn!(event = "device_codes_flooded", client_id = %application.client_id);
            return Err(Refusal::TooMany { retry_after: FLOODED });
        }
    }
    Err(Refusal::Unavailable("no user code was free".into()))
}

/// What the person is asked who typed a user code.
#[derive(Debug)]
pub struct Asked {
    /// Names this page: nothing else can decide.
    pub confirmation: Secret,
    pub application: String,
    /// The user who owns it; `None`: the administrators do.
    pub owner: Option<String>,
    /// Each scope with a sentence for people.
    pub scopes: Vec<(String, String)>,
    /// Where it may be used; empty: anywhere.
    pub resources: Vec<String>,
    /// The address of the device.
    pub requested_from: String,
    pub requested_at: OffsetDateTime,
}

/// What came of a user code that was typed.
#[derive(Debug)]
pub enum Found {
    Asked(Asked),
    /// Unknown, expired, decided, or typed by another user before: all told alike.
    Unknown,
    /// An administrator does not let this user use the application.
    Denied {
        application: String,
    },
    Wait {
        seconds: i64,
    },
}

/// What came of a decision.
#[derive(Debug)]
pub enum Decided {
    Done {
        application: String,
    },
    /// There is nothing to decide any more: it was decided, has expired, is another user's, or was typed again
    /// since.
    Over,
    /// An administrator does not let this user use the application.
    Denied {
        application: String,
    },
}

/// A person types a user code. It is theirs from now on.
///
/// An attempt is counted *before* the code is looked for and given back when there is one, so that of many
/// sent together no more get through than are allowed.
///
/// # Errors
/// That the store did not do it.
pub async fn look_up(app: &App, code: &UserCode, user: &User, address: IpAddr) -> Result<Found, Refusal> {
    let reserved = match reserve(app, user.id, address).await? {
        Ok(reserved) => reserved,
        Err(seconds) => return Ok(Found::Wait { seconds }),
    };
    let confirmation = Secret::generate(&app.entropy, "");
    let now = app.now();
    let claimed = devices::claim(&app.db, code.hash(), user.id, confirmation.hash(), now).await?;
    let Some(request) = claimed else {
        tracing::info!(event = "user_code_unknown", user = %user.id, %address);
        return Ok(Found::Unknown);
    };
    give_back(app, &reserved).await?;
    let Some(application) = still_good(app, &request).await? else {
        return Ok(Found::Unknown);
    };
    if access::denied(app, &application, user.id).await?.is_some() {
        // For somebody who may.
        devices::release(&app.db, confirmation.hash(), user.id).await?;
        return Ok(Found::Denied {
            application: application.settings.name,
        });
    }
    Ok(Found::Asked(Asked {
        confirmation,
        owner: application.owner_words(),
        application: application.settings.name,
        scopes: described(app, &request.scopes),
        resources: request.resources.to_strings(),
        requested_from: request.requested_from,
        requested_at: request.created_at,
    }))
}

async fn reserve(
    app: &App,
    user: UserId,
    address: IpAddr,
) -> Result<Result<Vec<(SecretHash, Allowance)>, i64>, Refusal> {
    let mut reserved = Vec::new();
    if !app.guard.is_enabled() {
        return Ok(Ok(reserved));
    }
    let network = guard::network(address);
    for (bucket, allowance) in [
        (SecretHash::of(&format!("user code user\n{user}")), BY_USER),
        (
            SecretHash::of(&format!("user code address\n{network}")),
            BY_ADDRESS,
        ),
    ] {
        if let Err(seconds) = throttles::reserve(&app.db, bucket, allowance, app.now()).await? {
            give_back(app, &reserved).await?;
            tracing::warn!(event = "user_codes_throttled", %user, %address, seconds);
            return Ok(Err(seconds));
        }
        reserved.push((bucket, allowance));
    }
    Ok(Ok(reserved))
}

async fn give_back(app: &App, reserved: &[(SecretHash, Allowance)]) -> Result<(), Refusal> {
    for (bucket, allowance) in reserved {
        throttles::refund(&app.db, *bucket, *allowance).await?;
    }
    Ok(())
}

/// The application, if it may still have what its device asked for.
async fn still_good(app: &App, request: &DeviceRequest) -> Result<Option<Application>, Refusal> {
    let client = store::applications::find(&app.db, request.application_id).await?;
    let good = |application: &Application| {
        let settings = &application.settings;
        application.is_enabled()
            && settings.allows(GrantType::DeviceCode)
            && request
                .scopes
                .beyond(
                    &app.catalog
                        .grantable(ScopeRules::of(settings, GrantType::DeviceCode)),
                )
                .is_empty()
            && request
                .resources
                .iter()
                .all(|resource| app.resources.find(resource).is_some())
    };
    Ok(client.map(|client| client.application).filter(good))
}

/// The person decides, on the page that `confirmation` names.
///
/// # Errors
/// That the store did not do it.
pub async fn decide(
    app: &App,
    caller: &Caller,
    confirmation: &Secret,
    user: &User,
    decision: Decision,
) -> Result<Decided, Refusal> {
    let now = app.now();
    let hash = confirmation.hash();
    let Some(request) = devices::asked(&app.db, hash, user.id, now).await? else {
        return Ok(Decided::Over);
    };
    let Some(application) = still_good(app, &request).await? else {
        return Ok(Decided::Over);
    };
    let mut tx = app.db.write().await?;
    let grant = match decision {
        Decision::Authorize => {
            let grant_id = GrantId::from(app.entropy.id(now));
            let grant = NewGrant {
                id: grant_id,
                application_id: application.id,
                user_id: user.id,
                user_epoch: user.epoch,
                kind: GrantType::DeviceCode.into(),
                scopes: &request.scopes,
                resources: &request.resources,
                expires_at: now
                    + family_life(app, &application, GrantType::DeviceCode, request.expires_at - now),
            };
            if !store::grants::insert(&mut tx, &grant, now).await? {
                drop(tx);
                return not_granted(app, application, confirmation, user.id).await;
            }
            Some(grant_id)
        }
        Decision::Deny => None,
    };
    if !devices::decide(&mut tx, hash, user.id, grant, now).await? {
        return Ok(Decided::Over);
    }
    let name = match decision {
        Decision::Authorize => EventName::ConsentGiven,
        Decision::Deny => EventName::ConsentDenied,
    };
    let event = audit::of_decision(name, user.id, application.id, grant, &request.scopes);
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    tracing::info!(
        event = if grant.is_some() { "device_authorized" } else { "device_denied" },
        client_id = %application.client_id,
        user = %user.id,
        requested_from = request.requested_from,
    );
    Ok(Decided::Done {
        application: application.settings.name,
    })
}

/// Why the store made no grant: the user may no longer use the application, or it is switched off. The code is
/// nobody's again.
async fn not_granted(
    app: &App,
    application: Application,
    confirmation: &Secret,
    user: UserId,
) -> Result<Decided, Refusal> {
    if access::denied_now(app, application.id, user).await?.is_none() {
        return Ok(Decided::Over);
    }
    devices::release(&app.db, confirmation.hash(), user).await?;
    Ok(Decided::Denied {
        application: application.settings.name,
    })
}

/// The person signs out to go on as somebody else: the code is nobody's again.
///
/// # Errors
/// That the store did not do it.
pub async fn hand_over(app: &App, confirmation: &Secret, user: UserId) -> Result<(), Refusal> {
    Ok(devices::release(&app.db, confirmation.hash(), user).await?)
}
