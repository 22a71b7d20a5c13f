//! `tegata application …`

use super::arguments::{ApplicationCommand, NewApplication};
use super::failure::Failure;
use super::output::{
    self, DeletedApplication, Format, RotatedConsumerSecret, RotatedSecret, SwitchedApplication,
};
use crate::base::secret::Secret;
use crate::flow::applications::described::{Fresh, Summary, described, summary};
use crate::flow::applications::{self, Manager, NotSaved, Older, Wanted};
use crate::flow::{App, access, failed_requests, oauth1};
use crate::model::application::Client;
use crate::model::caller::Caller;

const SHOWN_ONCE: &str = "The secret is shown this once: keep it.";

/// `chosen` is the client secret from standard input.
pub(super) async fn run(
    app: &App,
    command: ApplicationCommand,
    chosen: Option<Secret>,
    format: Format,
) -> Result<String, Failure> {
    match command {
        ApplicationCommand::Create(new) => create(app, *new, chosen, format).await,
        ApplicationCommand::List => list(app, format).await,
        ApplicationCommand::Show(application) => show(app, &application.client_id, format).await,
        ApplicationCommand::Disable(application) => disable(app, application.client_id, format).await,
        ApplicationCommand::Enable(application) => enable(app, application.client_id, format).await,
        ApplicationCommand::Delete(application) => delete(app, &application.client_id, format).await,
        ApplicationCommand::RotateSecret(application) => {
            rotate_secret(app, &application.client_id, format).await
        }
        ApplicationCommand::RotateConsumerSecret(application) => {
            rotate_consumer_secret(app, &application.client_id, format).await
        }
        ApplicationCommand::Failures(application) => failures(app, &application.client_id, format).await,
    }
}

pub(super) async fn named(app: &App, client_id: &str) -> Result<Client, Failure> {
    applications::find_by_client_id(app, client_id)
        .await?
        .ok_or_else(|| Failure::no_application(client_id))
}

async fn create(
    app: &App,
    new: NewApplication,
    chosen: Option<Secret>,
    format: Format,
) -> Result<String, Failure> {
    let oauth1_rsa_public_key = match &new.oauth1_rsa_public_key {
        Some(file) => Some(std::fs::read_to_string(file).map_err(|error| {
            Failure::new(format!(
                "--oauth1-rsa-public-key {}: {error}: name a PEM file that can be read",
                file.display()
            ))
        })?),
        None => None,
    };
    let wanted = Wanted {
        oauth1_rsa_public_key,
        ..wanted(new, chosen)?
    };
    let saved = applications::create(app, Manager::Administrator, &Caller::OPERATOR, &wanted).await?;
    let fresh = Fresh::of(&saved);
    if fresh.is_any() && format == Format::Plain {
        output::tell(SHOWN_ONCE);
    }
    format.render(&described(app, &saved.client, &saved.allowed, fresh))
}

fn wanted(new: NewApplication, chosen: Option<Secret>) -> Result<Wanted, Failure> {
    Ok(Wanted {
        name: new.name,
        redirect_uris: new.redirect_uri,
        confidential: !new.public,
        scopes: Some(new.scope).filter(|named| !named.is_empty()),
        grants: (!new.grant.is_empty()).then_some(new.grant),
        trusted: new.trusted,
        require_pkce: new.require_pkce,
        introspect: new.introspect,
        send_iss: new.no_iss.then_some(false),
        access_token_ttl: new.access_token_ttl.unwrap_or_default(),
        default_scopes: new.default_scope,
        optional_scopes: new.optional_scope,
        access_token_ttls: new.access_token_ttl_by_grant.into_iter().collect(),
        reuse_access_token: new.reuse_access_token,
        reuse_refresh_token: new.reuse_refresh_token,
        revoke_previous_tokens: new.revoke_previous_tokens,
        allowed_origins: new.allowed_origin,
        oauth1: Some(new.oauth1),
        owner: new.owner,
        restricted: !(new.allow_user.is_empty() && new.allow_group.is_empty()),
        users: new.allow_user,
        groups: new.allow_group,
        authentication: Some(Box::new(new.authentication.read()?)),
        client_id: new.client_id.unwrap_or_default(),
        client_secret: chosen,
        ..Wanted::default()
    })
}

async fn list(app: &App, format: Format) -> Result<String, Failure> {
    let listed = applications::all(app, Manager::Administrator).await?;
    let summaries: Vec<Summary> = listed
        .iter()
        .map(|listed| summary(app, &listed.application, &listed.allowed))
        .collect();
    format.render(summaries.as_slice())
}

async fn show(app: &App, client_id: &str, format: Format) -> Result<String, Failure> {
    let client = named(app, client_id).await?;
    let allowed = access::allowed(app, client.application.id).await?;
    format.render(&described(app, &client, &allowed, Fresh::default()))
}

async fn disable(app: &App, client_id: String, format: Format) -> Result<String, Failure> {
    let client = named(app, &client_id).await?;
    applications::disable(app, &Caller::OPERATOR, client.application.id).await?;
    format.render(&SwitchedApplication {
        client_id,
        disabled: true,
    })
}

async fn enable(app: &App, client_id: String, format: Format) -> Result<String, Failure> {
    let client = named(app, &client_id).await?;
    applications::enable(app, &Caller::OPERATOR, client.application.id).await?;
    format.render(&SwitchedApplication {
        client_id,
        disabled: false,
    })
}

async fn delete(app: &App, client_id: &str, format: Format) -> Result<String, Failure> {
    let client = named(app, client_id).await?;
    if !applications::delete(
        app,
        Manager::Administrator,
        &Caller::OPERATOR,
        client.application.id,
    )
    .await?
    {
        return Err(NotSaved::Gone.into());
    }
    format.render(&DeletedApplication::new(client_id.to_owned()))
}

async fn failures(app: &App, client_id: &str, format: Format) -> Result<String, Failure> {
    let client = named(app, client_id).await?;
    let failures = failed_requests::list(app, &client.application).await?;
    format.render(failures.as_slice())
}

/// Of two live secrets the older is retired.
async fn rotate_secret(app: &App, client_id: &str, format: Format) -> Result<String, Failure> {
    let client = named(app, client_id).await?;
    let Some(secret) = applications::rotate_secret(
        app,
        Manager::Administrator,
        &Caller::OPERATOR,
        client.application.id,
        Older::Retire,
    )
    .await?
    else {
        let why = if client.application.settings.confidential {
            "authenticates by a certificate"
        } else {
            "is public"
        };
        return Err(Failure::new(format!(
            "{client_id} {why}: it has no secret, so nothing needs rotating"
        )));
    };
    if format == Format::Plain {
        output::tell(SHOWN_ONCE);
    }
    format.render(&RotatedSecret::new(client_id.to_owned(), secret))
}

async fn rotate_consumer_secret(app: &App, client_id: &str, format: Format) -> Result<String, Failure> {
    let client = named(app, client_id).await?;
    let (by, caller) = (Manager::Administrator, Caller::OPERATOR);
    let rotated = oauth1::rotate_consumer_secret(app, by, &caller, client.application.id).await?;
    let Some(secret) = rotated else {
        return Err(Failure::new(format!(
            "{client_id} does not speak OAuth 1.0a: an administrator switches that on in its form"
        )));
    };
    if format == Format::Plain {
        output::tell(SHOWN_ONCE);
    }
    format.render(&RotatedConsumerSecret {
        client_id: client_id.to_owned(),
        consumer_secret: Some(secret),
    })
}
