//! Which applications speak OAuth 1.0a, and their consumer secrets.

use time::OffsetDateTime;

use crate::base::secret::Secret;
use crate::flow::applications::{Faults, Manager, NotSaved, Wanted};
use crate::flow::audit::{self, Detail, EventName};
use crate::flow::error::Refusal;
use crate::flow::{App, sealing};
use crate::model::application::Application;
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::grant::RevokedReason;
use crate::model::ids::ApplicationId;
use crate::model::oauth1::bound_to_consumer;
use crate::model::rsa_public_key::RsaPublicKey;
use crate::protocol::token::TokenKind;
use crate::store::oauth1::{access_tokens, consumers as rows};
use crate::store::{self, Tx};

/// What is to become of an application's OAuth 1.0a, checked.
#[derive(Debug)]
pub(in crate::flow) enum Plan {
    AsBefore,
    On(Key),
    Off,
}

/// What is to become of the key of its RSA-SHA1 signatures.
#[derive(Debug)]
pub(in crate::flow) enum Key {
    AsBefore,
    Set(RsaPublicKey),
    None,
}

/// What became of it.
#[derive(Debug, Default)]
pub(in crate::flow) struct SavedConsumer {
    /// Generated now.
    pub(in crate::flow) secret: Option<Secret>,
    pub(in crate::flow) fields: Vec<&'static str>,
    /// How many grants ended.
    pub(in crate::flow) withdrawn: u64,
}

impl Plan {
    /// Adds to `faults` what cannot be had. `before`: as it is, if it is registered.
    pub(in crate::flow) fn of(
        app: &App,
        by: Manager,
        wanted: &Wanted,
        before: Option<&Application>,
        faults: &mut Faults,
    ) -> Self {
        let was_on = before.is_some_and(|before| before.oauth1);
        let on = wanted.oauth1.unwrap_or(was_on);
        let key = wanted_key(wanted, before, faults);
        if !by.is_administrator() && (on != was_on || !matches!(key, Key::AsBefore)) {
            faults.add(
                "oauth1",
                "Only an administrator decides whether an application speaks OAuth 1.0a: it is the weaker protocol.",
            );
            return Self::AsBefore;
        }
        if on && !wanted.confidential {
            faults.add(
                "confidential",
                "Only a confidential application can speak OAuth 1.0a: every request is signed with a secret, which a \
                 public one cannot keep.",
            );
        }
        if on && !was_on && !super::enabled(app) {
            faults.add(
                "oauth1",
                "This server does not speak OAuth 1.0a: whoever runs it switches that on with the setting oauth1.",
            );
        }
        match (on, was_on) {
            (true, _) => Self::On(key),
            (false, true) => Self::Off,
            (false, false) => {
                if matches!(key, Key::Set(_)) {
                    faults.add(
                        "oauth1_rsa_public_key",
                        "A public key is for OAuth 1.0a alone: switch that on, or leave the key out.",
                    );
                }
                Self::AsBefore
            }
        }
    }

    pub(in crate::flow) async fn save(
        &self,
        app: &App,
        tx: &mut Tx,
        caller: &Caller,
        application: ApplicationId,
        was_on: bool,
        now: OffsetDateTime,
    ) -> Result<SavedConsumer, Refusal> {
        match self {
            Self::AsBefore => Ok(SavedConsumer::default()),
            Self::Off => switch_off(app, tx, caller, application, now).await,
            Self::On(key) if was_on => {
                let changed = match key {
                    Key::AsBefore => false,
                    Key::Set(key) => set_key(tx, application, Some(key)).await?,
                    Key::None => set_key(tx, application, None).await?,
                };
                let fields = changed.then_some("oauth1_rsa_public_key").into_iter().collect();
                Ok(SavedConsumer {
                    fields,
                    ..SavedConsumer::default()
                })
            }
            Self::On(key) => {
                let key = match key {
                    Key::Set(key) => Some(key),
                    Key::AsBefore | Key::None => None,
                };
                switch_on(app, tx, caller, application, key, now).await
            }
        }
    }
}

fn wanted_key(wanted: &Wanted, before: Option<&Application>, faults: &mut Faults) -> Key {
    let Some(typed) = wanted.oauth1_rsa_public_key.as_deref().map(str::trim) else {
        return Key::AsBefore;
    };
    let had = before.and_then(|before| before.oauth1_rsa_public_key.as_deref());
    if typed.is_empty() {
        return if had.is_some() { Key::None } else { Key::AsBefore };
    }
    match RsaPublicKey::parse(typed) {
        Ok(key) if had == Some(key.as_der()) => Key::AsBefore,
        Ok(key) => Key::Set(key),
        Err(error) => {
            faults.add("oauth1_rsa_public_key", error.to_string());
            Key::AsBefore
        }
    }
}

async fn set_key(tx: &mut Tx, application: ApplicationId, key: Option<&RsaPublicKey>) -> store::Result<bool> {
    rows::set_rsa_public_key(tx, application, key.map(RsaPublicKey::as_der)).await
}

/// A secret, and how it rests.
async fn fresh_secret(
    app: &App,
    tx: &mut Tx,
    application: ApplicationId,
) -> Result<(Secret, Vec<u8>), Refusal> {
    let secret = Secret::generate(&app.entropy, TokenKind::ClientSecret.prefix());
    let bound_to = bound_to_consumer(application);
    let sealed = sealing::seal_in(app, tx, &bound_to, secret.expose().as_bytes()).await?;
    Ok((secret, sealed))
}

async fn switch_on(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    application: ApplicationId,
    key: Option<&RsaPublicKey>,
    now: OffsetDateTime,
) -> Result<SavedConsumer, Refusal> {
    let (secret, sealed) = fresh_secret(app, tx, application).await?;
    if !rows::insert(tx, application, &sealed, key.map(RsaPublicKey::as_der), now).await? {
        return Ok(SavedConsumer::default());
    }
    let event = Event::new(EventName::OAuth1Enabled).application(application);
    audit::record(app, tx, caller, event).await?;
    tracing::info!(event = "oauth1_enabled", %application);
    Ok(SavedConsumer {
        secret: Some(secret),
        fields: vec!["oauth1"],
        withdrawn: 0,
    })
}

/// What users authorized the application to by OAuth 1.0a ends, and does not come back when it is switched on again.
async fn switch_off(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    application: ApplicationId,
    now: OffsetDateTime,
) -> Result<SavedConsumer, Refusal> {
    if !rows::delete(tx, application).await? {
        return Ok(SavedConsumer::default());
    }
    let withdrawn = access_tokens::revoke_all(tx, application, RevokedReason::OAuth1Disabled, now).await?;
    let detail = Detail {
        grants: Some(withdrawn),
        ..Detail::default()
    };
    let event = Event::new(EventName::OAuth1Disabled)
        .application(application)
        .detail(detail);
    audit::record(app, tx, caller, event).await?;
    tracing::info!(event = "oauth1_disabled", %application, withdrawn);
    Ok(SavedConsumer {
        secret: None,
        fields: vec!["oauth1"],
        withdrawn,
    })
}

/// A new consumer secret in place of the one before, which signs nothing any more. `None` where the application speaks
/// no OAuth 1.0a.
///
/// # Errors
/// See [`NotSaved`].
pub async fn rotate(
    app: &App,
    by: Manager,
    caller: &Caller,
    application: ApplicationId,
) -> Result<Option<Secret>, NotSaved> {
    let now = app.now();
    let Some(client) = crate::flow::applications::find(app, by, application).await? else {
        return Err(NotSaved::Gone);
    };
    if !client.application.oauth1 {
        return Ok(None);
    }
    let mut tx = app.db.write().await?;
    let (secret, sealed) = fresh_secret(app, &mut tx, application).await?;
    if !rows::rotate(&mut tx, application, &sealed, now).await? {
        return Ok(None);
    }
    let event = Event::new(EventName::ConsumerSecretGenerated).application(application);
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    tracing::info!(event = "consumer_secret_generated", %application);
    Ok(Some(secret))
}
