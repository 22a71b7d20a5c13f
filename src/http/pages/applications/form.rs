//! The form in which an application is registered and changed.

use axum::http::StatusCode;
use axum::response::Response;

use super::super::error;
use super::super::render::{chrome, page};
use super::{PATH, to, usual};
use crate::base::config::words;
use crate::base::pattern;
use crate::flow::applications::{Manager, NotSaved, Wanted, WantedAuthentication};
use crate::flow::{App, access, oauth1};
use crate::http::extract::form::Form;
use crate::http::extract::viewer::Viewer;
use crate::http::view::FieldErrors;
use crate::http::view::applications::{ApplicationForm, Choice, FormValues, GrantLifetime, Lifetimes};
use crate::http::view::authentication::AuthenticationFields;
use crate::model::application::{Application, Client};
use crate::model::grant_type::GrantType;
use crate::model::rsa_public_key::RsaPublicKey;
use crate::protocol::scope::APPLICATIONS;

/// Which form it is.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    New,
    Edit(&'a Client),
}

/// What was typed. A checkbox that is off sends nothing.
pub(super) fn read(sent: &Form) -> Wanted {
    let all = |name: &str| sent.params.all(name).map(str::to_owned).collect::<Vec<_>>();
    Wanted {
        name: sent.text("name"),
        redirect_uris: lines(&sent.text("redirect_uris")),
        confidential: sent.is_on("confidential"),
        scopes: Some(all("scopes")).filter(|ticked| !ticked.is_empty()),
        grants: Some(all("grants")),
        trusted: sent.is_on("trusted"),
        require_pkce: sent.is_on("require_pkce"),
        introspect: sent.is_on("introspect"),
        send_iss: Some(sent.is_on("send_iss")),
        localhost_any_port: Some(sent.is_on("localhost_any_port")),
        access_token_ttl: sent.text("access_token_ttl"),
        refresh_token_ttl: sent.text("refresh_token_ttl"),
        refresh_token_max_ttl: sent.text("refresh_token_max_ttl"),
        default_scopes: all("default_scopes"),
        optional_scopes: all("optional_scopes"),
        access_token_ttls: GrantType::ALL
            .into_iter()
            .map(|grant| (grant.name().to_owned(), sent.text(&ttl_field(grant))))
            .filter(|(_, text)| !text.trim().is_empty())
            .collect(),
        reuse_access_token: sent.is_on("reuse_access_token"),
        reuse_refresh_token: sent.is_on("reuse_refresh_token"),
        revoke_previous_tokens: sent.is_on("revoke_previous_tokens"),
        allowed_origins: lines(&sent.text("allowed_origins")),
        // A box that is off sends nothing, and neither does a form without it.
        oauth1: sent.is_on("oauth1_asked").then(|| sent.is_on("oauth1")),
        oauth1_rsa_public_key: sent.params.typed("oauth1_rsa_public_key").map(str::to_owned),
        authentication: authentication(sent),
        owner: sent.params.typed("owner").map(str::to_owned),
        restricted: sent.is_on("restricted"),
        users: named(sent, "users"),
        groups: named(sent, "groups"),
        ..Wanted::default()
    }
}

/// `None` where the form has no such part, and it stays as it is.
fn authentication(sent: &Form) -> Option<Box<WantedAuthentication>> {
    let method = sent.params.typed("token_endpoint_auth_method")?;
    Some(Box::new(WantedAuthentication {
        token_endpoint_auth_method: method.to_owned(),
        tls_client_auth_subject_dn: sent.text("tls_client_auth_subject_dn"),
        tls_client_auth_san_dns: sent.text("tls_client_auth_san_dns"),
        tls_client_auth_san_uri: sent.text("tls_client_auth_san_uri"),
        tls_client_auth_san_ip: sent.text("tls_client_auth_san_ip"),
        tls_client_auth_san_email: sent.text("tls_client_auth_san_email"),
        certificates: sent.text("certificates"),
        jwks: sent.text("jwks"),
        tls_client_certificate_bound_access_tokens: match sent
            .params
            .get("tls_client_certificate_bound_access_tokens")
        {
            Some("true") => Some(true),
            Some(_) => Some(false),
            None => None,
        },
    }))
}

/// What the form says of it; `None` where the server sees no certificates, and neither does the form.
fn authentication_fields(app: &App, asked: Asked<'_>, wanted: &Wanted) -> Option<AuthenticationFields> {
    if !app.config.sees_client_certificates() {
        return None;
    }
    let typed = wanted.authentication.clone().unwrap_or_else(|| match asked {
        Asked::New => Box::default(),
        Asked::Edit(client) => Box::new(WantedAuthentication::of(
            &client.application.settings.authentication,
        )),
    });
    Some(AuthenticationFields {
        method: typed.token_endpoint_auth_method,
        authorities: app.knows_authorities(),
        subject_dn: typed.tls_client_auth_subject_dn,
        san_dns: typed.tls_client_auth_san_dns,
        san_uri: typed.tls_client_auth_san_uri,
        san_ip: typed.tls_client_auth_san_ip,
        san_email: typed.tls_client_auth_san_email,
        certificates: typed.certificates,
        jwks: typed.jwks,
        binds: typed.tls_client_certificate_bound_access_tokens,
    })
}

/// What was typed for a new application. The form comes with `client_credentials` ticked: where somebody
/// chooses Public, that tick is not theirs.
pub(super) fn read_new(sent: &Form) -> Wanted {
    let mut typed = read(sent);
    typed.id = sent.params.get("id").and_then(|id| id.parse().ok());
    if let Some(grants) = typed.grants.as_mut().filter(|grants| grants.len() > 1)
        && !typed.confidential
    {
        grants.retain(|name| name != GrantType::ClientCredentials.name());
    }
    typed
}

/// Who opens an application to everybody need not empty the lists first.
fn named(sent: &Form, field: &str) -> Vec<String> {
    if sent.is_on("restricted") {
        lines(&sent.text(field))
    } else {
        Vec::new()
    }
}

pub(in crate::http::pages) fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The name of the field for the lifetime of what one grant gives.
fn ttl_field(grant: GrantType) -> String {
    format!("access_token_ttl_{grant}")
}

pub(super) async fn blank(app: &App, viewer: &Viewer, by: Manager) -> Response {
    render(
        app,
        viewer,
        by,
        Asked::New,
        &usual(app),
        FieldErrors::new(),
        StatusCode::OK,
    )
    .await
}

pub(super) async fn filled(app: &App, viewer: &Viewer, by: Manager, client: &Client) -> Response {
    let allowed = match access::allowed(app, client.application.id).await {
        Ok(allowed) => allowed,
        Err(refusal) => return error::refused(&refusal),
    };
    let wanted = Wanted {
        owner: client.application.owner.clone(),
        oauth1: Some(client.application.oauth1),
        oauth1_rsa_public_key: registered_key(&client.application),
        ..Wanted::of(&client.application.settings, &allowed)
    };
    render(
        app,
        viewer,
        by,
        Asked::Edit(client),
        &wanted,
        FieldErrors::new(),
        StatusCode::OK,
    )
    .await
}

/// The form once more, with what was typed and what is wrong with it.
pub(super) async fn again(
    app: &App,
    viewer: &Viewer,
    by: Manager,
    asked: Asked<'_>,
    typed: &Wanted,
    refused: NotSaved,
) -> Response {
    match refused {
        NotSaved::Fields(faults) => {
            let errors = faults.iter().collect();
            render(
                app,
                viewer,
                by,
                asked,
                typed,
                errors,
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await
        }
        NotSaved::Conflict => {
            let mut errors = FieldErrors::new();
            errors.add_general(
                "Somebody else saved this application since you opened it. What you typed is below: \
                 save again to put it in place of theirs, or go back to see what they changed.",
            );
            render(app, viewer, by, asked, typed, errors, StatusCode::CONFLICT).await
        }
        NotSaved::Already(id) => {
            let notice =
                "The form came a second time: nothing was registered again. A secret is shown only once.";
            viewer.leave_notice(notice).await;
            to(app, &format!("{PATH}/{id}"))
        }
        NotSaved::Gone => error::gone(None),
        NotSaved::Refused(refusal) => error::refused(&refusal),
    }
}

async fn render(
    app: &App,
    viewer: &Viewer,
    by: Manager,
    asked: Asked<'_>,
    wanted: &Wanted,
    errors: FieldErrors,
    status: StatusCode,
) -> Response {
    let chrome = match chrome(app, viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let (heading, action, cancel_href, version) = match asked {
        Asked::New => (
            "Register an application".to_owned(),
            PATH.to_owned(),
            PATH.to_owned(),
            None,
        ),
        Asked::Edit(client) => {
            let here = format!("{PATH}/{}", client.application.id);
            let heading = format!("Edit {}", client.application.settings.name);
            (heading, here.clone(), here, Some(client.application.version))
        }
    };
    let view = ApplicationForm {
        chrome,
        heading,
        action,
        cancel_href,
        values: values(asked, wanted),
        errors,
        scopes: offered(
            by,
            scopes(app, wanted.scopes.as_deref().unwrap_or_default()),
            is_reserved_scope,
        ),
        default_scopes: by_default(scopes(app, &wanted.default_scopes)),
        optional_scopes: offered(by, scopes(app, &wanted.optional_scopes), is_reserved_scope),
        lifetimes: lifetimes_by_grant(app, wanted),
        grants: offered(by, grants(app, wanted), is_reserved_grant),
        authentication: authentication_fields(app, asked, wanted),
        defaults: defaults(app),
        is_new: version.is_none(),
        speaks_oauth1: oauth1::enabled(app) || wanted.oauth1 == Some(true),
        new_id: wanted.id.map(|id| id.to_string()),
        version,
    };
    page(status, &view)
}

fn registered_key(application: &Application) -> Option<String> {
    application
        .oauth1_rsa_public_key
        .as_deref()
        .map(RsaPublicKey::pem)
}

fn values(asked: Asked<'_>, wanted: &Wanted) -> FormValues {
    let before = match asked {
        Asked::New => None,
        Asked::Edit(client) => Some(&client.application),
    };
    FormValues {
        name: wanted.name.clone(),
        redirect_uris: wanted.redirect_uris.join("\n"),
        confidential: wanted.confidential,
        trusted: wanted.trusted,
        require_pkce: wanted.require_pkce,
        introspect: wanted.introspect,
        send_iss: wanted.send_iss.unwrap_or(true),
        localhost_any_port: wanted.localhost_any_port.unwrap_or(!wanted.confidential),
        access_token_ttl: readable(&wanted.access_token_ttl),
        refresh_token_ttl: readable(&wanted.refresh_token_ttl),
        refresh_token_max_ttl: readable(&wanted.refresh_token_max_ttl),
        reuse_access_token: wanted.reuse_access_token,
        reuse_refresh_token: wanted.reuse_refresh_token,
        revoke_previous_tokens: wanted.revoke_previous_tokens,
        allowed_origins: wanted.allowed_origins.join("\n"),
        // What the form did not ask is as it is.
        oauth1: wanted
            .oauth1
            .unwrap_or_else(|| before.is_some_and(|before| before.oauth1)),
        oauth1_rsa_public_key: wanted
            .oauth1_rsa_public_key
            .clone()
            .or_else(|| registered_key(before?))
            .unwrap_or_default(),
        owner: wanted.owner.clone().unwrap_or_default(),
        restricted: wanted.restricted,
        users: wanted.users.join("\n"),
        groups: wanted.groups.join("\n"),
    }
}

/// `3600` as `1h`; what is no number of seconds stays as it was typed.
fn readable(text: &str) -> String {
    text.parse().map_or_else(
        |_| text.to_owned(),
        |seconds| words(time::Duration::seconds(seconds)),
    )
}

/// Of the grants that give an access token of their own, a refreshed one has its grant's.
fn lifetimes_by_grant(app: &App, wanted: &Wanted) -> Vec<GrantLifetime> {
    app.offered_grants()
        .into_iter()
        .filter(|grant| *grant != GrantType::RefreshToken)
        .map(|grant| GrantLifetime {
            field: ttl_field(grant),
            grant: grant.name(),
            value: wanted
                .access_token_ttls
                .get(grant.name())
                .map(|text| readable(text))
                .unwrap_or_default(),
        })
        .collect()
}

fn scopes(app: &App, ticked: &[String]) -> Vec<Choice> {
    let known = app.catalog.known();
    let choice = |(name, description): (&str, &str)| Choice {
        name: name.to_owned(),
        description: description.to_owned(),
        checked: ticked.iter().any(|ticked| ticked == name),
    };
    let named = |name: &str| known.iter().any(|(known, _)| *known == name);
    let others = ticked.iter().filter(|name| !named(name)).map(|name| {
        if app.catalog.knows(name) {
            // One that a pattern stands for, as a program registered it.
            return Choice {
                name: name.clone(),
                description: app.catalog.describe(name),
                checked: true,
            };
        }
        no_longer(
            name,
            "No longer configured on this server: untick it, and tick what takes its place",
        )
    });
    known.iter().copied().map(choice).chain(others).collect()
}

/// Those that `by` may tick. What an administrator has given stays, so that it can be taken away.
fn offered(by: Manager, choices: Vec<Choice>, is_reserved: fn(&str) -> bool) -> Vec<Choice> {
    choices
        .into_iter()
        .filter(|choice| by.is_administrator() || choice.checked || !is_reserved(&choice.name))
        .collect()
}

fn is_reserved_scope(name: &str) -> bool {
    pattern::covers(name, APPLICATIONS)
}

fn is_reserved_grant(name: &str) -> bool {
    name == GrantType::Password.name()
}

/// Those that can be granted without being asked for by name.
fn by_default(choices: Vec<Choice>) -> Vec<Choice> {
    choices
        .into_iter()
        .filter(|choice| {
            choice.checked || (choice.name != APPLICATIONS && pattern::prefix(&choice.name).is_none())
        })
        .collect()
}

fn grants(app: &App, wanted: &Wanted) -> Vec<Choice> {
    let ticked = |grant: &GrantType| match &wanted.grants {
        Some(names) => names.iter().any(|name| name == grant.name()),
        None => true,
    };
    let offered = app.offered_grants();
    let gone = wanted
        .grants
        .iter()
        .flatten()
        .filter(|name| !offered.iter().any(|grant| grant.name() == *name))
        .map(|name| no_longer(name, "No longer offered by this server: untick it"));
    let choices = offered.iter().map(|grant| Choice {
        name: grant.name().to_owned(),
        description: in_words(*grant).to_owned(),
        checked: ticked(grant),
    });
    choices.chain(gone).collect()
}

/// What an application has and can no longer be given stays ticked until an administrator decides: were
/// it left out silently, saving another field would change what the application may do.
fn no_longer(name: &str, why: &str) -> Choice {
    Choice {
        name: name.to_owned(),
        description: why.to_owned(),
        checked: true,
    }
}

fn in_words(grant: GrantType) -> &'static str {
    match grant {
        GrantType::AuthorizationCode => "People sign in here and are asked; the application gets a code",
        GrantType::RefreshToken => "The application gets new tokens without asking again",
        GrantType::ClientCredentials => {
            "The application gets tokens of its own, without a person; only where it is confidential"
        }
        GrantType::DeviceCode => "A device without a browser; the person signs in on another one",
        GrantType::Password => "The application handles the password itself: avoid it",
        GrantType::Implicit => "The token comes in the address: avoid it",
    }
}

pub(super) fn defaults(app: &App) -> Lifetimes {
    Lifetimes {
        access_token_ttl: words(app.config.access_token_ttl),
        refresh_token_ttl: words(app.config.refresh_token_ttl),
        refresh_token_max_ttl: words(app.config.refresh_token_max_ttl),
    }
}
