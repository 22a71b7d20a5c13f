//! The page of an application, with commands that are ready to be run.

use axum::http::StatusCode;
use axum::response::Response;
use time::OffsetDateTime;

use super::super::error;
use super::super::render::{chrome, page};
use super::owner;
use crate::base::config::words;
use crate::flow::applications::count_live;
pub(super) use crate::flow::applications::described::Fresh;
use crate::flow::failed_requests::count_of_last_day;
use crate::flow::{App, access, oauth1};
use crate::http::extract::viewer::Viewer;
use crate::http::middleware::headers::OwnScript;
use crate::http::view::applications::{
    ApplicationShow, Command, Consumer, Lifetimes, RedirectRow, SecretRow,
};
use crate::http::view::assets::SCRIPT;
use crate::http::view::authentication::{AuthenticationShown, CertificateRow};
use crate::http::view::{ScopeLine, When};
use crate::model::application::{Application, ApplicationSettings, Client};
use crate::model::client_authentication::AuthMethod;
use crate::model::grant_type::GrantType;
use crate::model::redirect_uri::append;
use crate::model::scope::Scopes;
use crate::protocol::client_auth::jwks;
use crate::protocol::client_auth::mtls::{self, Facts};

/// The verifier of the test links and of the commands, and its challenge: RFC 7636's own example
/// (appendix B), for trying out alone.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// `fresh` is shown this once.
pub(super) async fn page_of(
    app: &App,
    viewer: &Viewer,
    client: &Client,
    fresh: Fresh<'_>,
    status: StatusCode,
) -> Response {
    let application = &client.application;
    let (users, live_tokens) = match count_live(app, application.id).await {
        Ok(counts) => counts,
        Err(refusal) => return error::refused(&refusal),
    };
    let failures = match count_of_last_day(app, application.id).await {
        Ok(failures) => failures,
        Err(refusal) => return error::refused(&refusal),
    };
    let allowed = match access::allowed(app, application.id).await {
        Ok(allowed) => allowed,
        Err(refusal) => return error::refused(&refusal),
    };
    let chrome = match chrome(app, viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let now = app.now();
    let settings = &application.settings;
    let scopes = app.catalog.allowed(settings.scopes.as_ref());
    let lifetimes = app.lifetimes(settings, GrantType::AuthorizationCode);
    let usual = settings
        .access_token_ttl
        .map_or(app.config.access_token_ttl, time::Duration::seconds);
    let secrets = client.secrets.iter().map(|kept| SecretRow {
        id: kept.id.to_string(),
        created: When::new(kept.created_at, now),
        last_used: kept.last_used_at.map(|at| When::new(at, now)),
        expires: kept.expires_at.map(|at| When::new(at, now)),
    });
    let view = ApplicationShow {
        id: application.id.to_string(),
        name: settings.name.clone(),
        client_id: application.client_id.to_string(),
        confidential: settings.confidential,
        trusted: settings.trusted,
        disabled: application.disabled_at.is_some(),
        owner: owner(application),
        created: When::new(application.created_at, now),
        last_used: application.last_used_at.map(|at| When::new(at, now)),
        authentication: authentication(settings, now),
        secrets: secrets.collect(),
        new_secret: fresh.client_secret.cloned(),
        consumer: application.oauth1.then(|| consumer(app, application)),
        new_consumer_secret: fresh.consumer_secret.cloned(),
        redirect_uris: redirect_rows(application, &scopes),
        code_verifier: VERIFIER,
        script_href: SCRIPT.href(),
        scopes: lines(app, Some(&scopes)),
        grants: settings
            .grants
            .iter()
            .map(|grant| grant.name().to_owned())
            .collect(),
        lifetimes: Lifetimes {
            access_token_ttl: words(usual),
            refresh_token_ttl: words(lifetimes.refresh_token),
            refresh_token_max_ttl: words(lifetimes.refresh_token_max),
        },
        require_pkce: settings.require_pkce,
        introspect: settings.introspect,
        send_iss: settings.send_iss,
        localhost_any_port: settings.localhost_any_port,
        default_scopes: lines(app, settings.default_scopes.as_ref()),
        optional_scopes: lines(app, settings.optional_scopes.as_ref()),
        grant_lifetimes: other_lifetimes(app, settings, usual),
        reuse_access_token: settings.reuse_access_token,
        reuse_refresh_token: settings.reuse_refresh_token,
        revoke_previous_tokens: settings.revoke_previous_tokens,
        allowed_origins: settings.allowed_origins.iter().map(ToString::to_string).collect(),
        restricted: settings.restricted,
        allowed_users: allowed.users.into_vec(),
        allowed_groups: allowed.groups.into_vec(),
        commands: commands(app, application, &scopes),
        users: users.unsigned_abs(),
        live_tokens: live_tokens.unsigned_abs(),
        failures: failures.unsigned_abs(),
        chrome,
    };
    let mut response = page(status, &view);
    response.extensions_mut().insert(OwnScript);
    response
}

fn consumer(app: &App, application: &Application) -> Consumer {
    Consumer {
        urls: vec![
            ("Request token", app.issuer.join("/oauth/request_token")),
            ("Authorize", app.issuer.join("/oauth/authorize")),
            ("Access token", app.issuer.join("/oauth/access_token")),
        ],
        rsa_public_key: application.oauth1_rsa_public_key.is_some(),
        works: oauth1::enabled(app),
    }
}

fn authentication(settings: &ApplicationSettings, now: OffsetDateTime) -> AuthenticationShown {
    let registered = &settings.authentication;
    let subjects = ["Subject", "Host", "URI", "IP address", "E-mail address"];
    let subject = subjects
        .into_iter()
        .zip(registered.subjects())
        .find_map(|(what, (_, subject))| Some((what, subject?.to_owned())));
    let row = |known: Facts| CertificateRow {
        subject: known.subject,
        thumbprint: known.thumbprint.to_string(),
        ends: When::new(known.not_after, now),
        ended: known.not_after < now,
    };
    let keys = registered.jwks.as_ref().and_then(|set| jwks::keys(set).ok());
    AuthenticationShown {
        method: registered
            .token_endpoint_auth_method
            .map_or("", AuthMethod::as_str),
        by_certificate: registered.is_by_certificate(),
        subject,
        certificates: registered
            .certificates
            .iter()
            .filter_map(mtls::facts)
            .map(row)
            .collect(),
        keys: keys.map_or(0, |keys| u64::try_from(keys.len()).unwrap_or_default()),
        binds: registered.binds(),
    }
}

/// The access tokens of the grants that do not give them for the usual time.
fn other_lifetimes(
    app: &App,
    settings: &ApplicationSettings,
    usual: time::Duration,
) -> Vec<(String, String)> {
    settings
        .grants
        .iter()
        .filter(|grant| **grant != GrantType::RefreshToken)
        .map(|grant| (grant, app.lifetimes(settings, *grant).access_token))
        .filter(|(_, lifetime)| *lifetime != usual)
        .map(|(grant, lifetime)| (grant.to_string(), words(lifetime)))
        .collect()
}

fn lines(app: &App, scopes: Option<&Scopes>) -> Vec<ScopeLine> {
    scopes
        .into_iter()
        .flat_map(Scopes::iter)
        .map(|scope| ScopeLine::new(scope.as_str(), app.catalog.describe(scope.as_str())))
        .collect()
}

fn redirect_rows(application: &Application, scopes: &Scopes) -> Vec<RedirectRow> {
    let by_code = application.settings.allows(GrantType::AuthorizationCode);
    let uris = &application.settings.redirect_uris;
    uris.iter()
        .map(|uri| RedirectRow {
            uri: uri.as_str().to_owned(),
            test_href: by_code.then(|| authorization_path(application, uri.as_str(), scopes)),
        })
        .collect()
}

/// A token comes to no page of ours, so that a redirect URI is needed.
fn implicit_link(app: &App, application: &Application, scopes: &Scopes) -> Option<Command> {
    let uris = &application.settings.redirect_uris;
    let redirect_uri = uris.iter().find(|uri| !uri.is_oob())?;
    let parameters = [
        ("response_type", "token"),
        ("client_id", application.client_id.as_str()),
        ("redirect_uri", redirect_uri.as_str()),
        ("scope", &scopes.to_string()),
    ];
    Some(Command {
        title: "Browser: a token in the fragment".to_owned(),
        text: format!("{}\n", append(&app.issuer.join("/oauth/authorize"), &parameters)),
    })
}

fn authorization_path(application: &Application, redirect_uri: &str, scopes: &Scopes) -> String {
    let scope = scopes.to_string();
    let parameters = [
        ("response_type", "code"),
        ("client_id", application.client_id.as_str()),
        ("redirect_uri", redirect_uri),
        ("scope", &scope),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    append("/oauth/authorize", &parameters)
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn commands(app: &App, application: &Application, scopes: &Scopes) -> Vec<Command> {
    let settings = &application.settings;
    let mut commands = Vec::new();
    if settings.allows(GrantType::AuthorizationCode)
        && let Some(redirect_uri) = settings.redirect_uris.first()
    {
        commands.push(curl_code(app, application, redirect_uri.as_str()));
        commands.push(requests_oauthlib(app, application, redirect_uri.as_str(), scopes));
    }
    if settings.allows(GrantType::ClientCredentials) {
        commands.push(curl_client_credentials(app, application, scopes));
    }
    let has = |grant| settings.allows(grant) && app.offers(grant);
    if has(GrantType::DeviceCode) {
        commands.push(curl_device(app, application, scopes));
    }
    if has(GrantType::Password) {
        commands.push(curl_password(app, application, scopes));
    }
    if has(GrantType::Implicit) {
        commands.extend(implicit_link(app, application, scopes));
    }
    if settings.confidential {
        commands.push(curl_introspect(app, application));
    }
    commands
}

/// Whether its certificate counts, as what proves it or as what its tokens are bound to.
fn presents_certificate(application: &Application) -> bool {
    let registered = &application.settings.authentication;
    registered.is_by_certificate() || registered.binds()
}

/// Where it is asked for its certificate, if that is what counts.
fn endpoint(app: &App, application: &Application, path: &str) -> String {
    let own = app.mtls_url().filter(|_| presents_certificate(application));
    own.map_or_else(|| app.issuer.join(path), |base| format!("{base}{path}"))
}

/// How `curl` says who it is.
fn identity(application: &Application) -> String {
    let settings = &application.settings;
    let certificate = if presents_certificate(application) {
        "  --cert client.pem --key client-key.pem \\\n"
    } else {
        ""
    };
    if settings.confidential && !settings.authentication.is_by_certificate() {
        let client_id = quoted(application.client_id.as_str());
        return format!("{certificate}  --user {client_id}:\"$CLIENT_SECRET\" \\\n");
    }
    format!("{certificate}  --data client_id={} \\\n", application.client_id)
}

fn curl_code(app: &App, application: &Application, redirect_uri: &str) -> Command {
    Command {
        title: "curl: a code for tokens".to_owned(),
        text: format!(
            "# with the code that an Authorize link above led to\ncurl {} \\\n{}  --data grant_type=authorization_code \\\n  \
             --data-urlencode redirect_uri={} \\\n  --data code_verifier={VERIFIER} \\\n  --data code=\"$CODE\"\n",
            quoted(&endpoint(app, application, "/oauth/token")),
            identity(application),
            quoted(redirect_uri),
        ),
    }
}

fn curl_client_credentials(app: &App, application: &Application, scopes: &Scopes) -> Command {
    Command {
        title: "curl: a token of its own".to_owned(),
        text: format!(
            "curl {} \\\n{}  --data grant_type=client_credentials \\\n  --data-urlencode scope={}\n",
            quoted(&endpoint(app, application, "/oauth/token")),
            identity(application),
            quoted(&scopes.to_string()),
        ),
    }
}

fn curl_device(app: &App, application: &Application, scopes: &Scopes) -> Command {
    let identity = identity(application);
    Command {
        title: "curl: a device without a browser".to_owned(),
        text: format!(
            "curl {} \\\n{identity}  --data-urlencode scope={}\n\
             # open verification_uri, type user_code; then, every 5 seconds:\n\
             curl {} \\\n{identity}  --data grant_type={} \\\n  --data device_code=\"$DEVICE_CODE\"\n",
            quoted(&endpoint(app, application, "/oauth/device_authorization")),
            quoted(&scopes.to_string()),
            quoted(&endpoint(app, application, "/oauth/token")),
            GrantType::DeviceCode.wire(),
        ),
    }
}

fn curl_password(app: &App, application: &Application, scopes: &Scopes) -> Command {
    Command {
        title: "curl: a password for tokens".to_owned(),
        text: format!(
            "curl {} \\\n{}  --data grant_type=password \\\n  --data-urlencode scope={} \\\n  \
             --data-urlencode username=\"$USERNAME\" \\\n  --data-urlencode password=\"$PASSWORD\"\n",
            quoted(&endpoint(app, application, "/oauth/token")),
            identity(application),
            quoted(&scopes.to_string()),
        ),
    }
}

fn curl_introspect(app: &App, application: &Application) -> Command {
    Command {
        title: "curl: what a token is".to_owned(),
        text: format!(
            "curl {} \\\n{}  --data token=\"$TOKEN\"\n",
            quoted(&endpoint(app, application, "/oauth/introspect")),
            identity(application),
        ),
    }
}

fn requests_oauthlib(app: &App, application: &Application, redirect_uri: &str, scopes: &Scopes) -> Command {
    let insecure = if app.issuer.is_https() {
        ""
    } else {
        "os.environ[\"OAUTHLIB_INSECURE_TRANSPORT\"] = \"1\"  # plain http, on this machine only\n"
    };
    let settings = &application.settings;
    let (secret, argument) = if settings.confidential && !settings.authentication.is_by_certificate() {
        (
            "client_secret = os.environ[\"CLIENT_SECRET\"]\n",
            "client_secret=client_secret",
        )
    } else {
        ("", "include_client_id=True")
    };
    let certificate = if presents_certificate(application) {
        "session.cert = (\"client.pem\", \"client-key.pem\")\n"
    } else {
        ""
    };
    let landing = if application
        .settings
        .redirect_uris
        .first()
        .is_some_and(crate::model::redirect_uri::RedirectUri::is_oob)
    {
        ("code: ", "code")
    } else {
        ("the whole address that you came to: ", "authorization_response")
    };
    Command {
        title: "Python: requests-oauthlib".to_owned(),
        text: format!(
            "import os\nfrom requests_oauthlib import OAuth2Session\n\n{insecure}{secret}\
             session = OAuth2Session(\n    {client_id:?},\n    scope={scopes:?},\n    redirect_uri={redirect_uri:?},\n    \
             pkce=\"S256\",\n)\n{certificate}url, state = session.authorization_url({authorize:?})\nprint(url)\n\
             session.fetch_token(\n    {token:?},\n    {field}=input({question:?}),\n    {argument},\n)\n\
             print(session.get({memos:?}).json())\n",
            client_id = application.client_id.as_str(),
            scopes = scopes.to_string(),
            authorize = app.issuer.join("/oauth/authorize"),
            token = endpoint(app, application, "/oauth/token"),
            memos = endpoint(app, application, "/api/memos"),
            field = landing.1,
            question = landing.0,
        ),
    }
}
