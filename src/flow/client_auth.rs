//! Client authentication (RFC 6749 §2.3): who asks, proven.

use std::sync::Arc;

use super::audit::{self, Detail, EventName};
use super::error::Refusal;
use super::{App, clients};
use crate::base::secret::Secret;
use crate::model::application::{Application, ApplicationSecret, Client, SecretDigest};
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::certificate::Thumbprint;
use crate::model::grant::Family;
use crate::protocol::client_auth::{AuthMethod, ClientCertificate, Presented, mtls, proven_by};
use crate::protocol::error::OAuthError;
use crate::protocol::reason::Reason;
use crate::store::usage::Used;

/// A client that has proven who it is, as far as it can.
#[derive(Clone, Debug)]
pub(super) struct Authenticated {
    client: Arc<Client>,
    /// [`proven_by`]. What is given to the same client again is given to the same alone; where its tokens are
    /// bearer tokens, replicas with a certificate each are the same.
    pub(super) by: String,
    certificate: Option<Thumbprint>,
    /// A proxy sent something that is no certificate.
    unreadable: bool,
    /// The secret as presented, where it is one that this server generated, and where the application may be
    /// given a token again, which is sealed under it.
    pub(super) generated_secret: Option<Secret>,
}

impl Authenticated {
    pub(super) fn application(&self) -> &Application {
        &self.client.application
    }

    /// The certificate of the connection that it came on.
    pub(super) fn certificate(&self) -> Option<&Thumbprint> {
        self.certificate.as_ref()
    }

    /// The certificate that its tokens are to be bound to; `None` where the application has bearer tokens.
    ///
    /// # Errors
    /// `invalid_request` where there is none to bind them to (RFC 8705 §3).
    pub(super) fn binding(&self) -> Result<Option<&Thumbprint>, OAuthError> {
        if !self.application().settings.authentication.binds() {
            return Ok(None);
        }
        if self.certificate.is_some() {
            return Ok(self.certificate());
        }
        let reason = if self.unreadable {
            Reason::CertificateUnreadable
        } else {
            Reason::CertificateNeeded
        };
        Err(OAuthError::invalid_request(
            "The tokens of this application are bound to a client certificate (RFC 8705), and none came with the \
             request: present one, at an endpoint of mtls_endpoint_aliases",
        )
        .because(reason))
    }

    /// What it was authenticated by must be what it is now: a secret that was retired, an application
    /// that was disabled a moment ago on another node opens nothing.
    ///
    /// # Errors
    /// [`Refusal::Stale`].
    pub(super) fn is_current(&self, version_now: Option<i64>) -> Result<(), Refusal> {
        if version_now == Some(self.application().version) {
            return Ok(());
        }
        Err(Refusal::Stale)
    }

    /// The same, where what was found is the client's own; of another's it decides nothing.
    pub(super) fn is_current_for(&self, family: &Family) -> Result<(), Refusal> {
        if family.application_id == self.application().id {
            return self.is_current(family.application_version);
        }
        Ok(())
    }
}

/// Authenticates by what the application was a moment ago; what is then done checks that it still is. Nobody
/// is refused for what it was.
pub(super) async fn authenticate(
    app: &App,
    presented: &Presented,
    caller: &Caller,
) -> Result<Authenticated, Refusal> {
    let client = clients::find(app, &presented.client_id).await?;
    app.guard.check_client(&presented.client_id, caller.host())?;
    let mut outcome = proven(app, client.clone(), presented).await?;
    if outcome.is_err()
        && let Some(seen) = &client
        && let Some(now) = clients::changed_since(app, seen).await?
    {
        outcome = proven(app, Some(now), presented).await?;
    }
    match outcome {
        Ok(authenticated) => {
            app.usage
                .note(app, Used::Application, authenticated.application().id.into());
            Ok(authenticated)
        }
        // It is who it says: no guess at who it is.
        Err(cause) if cause.reason == Reason::SeveralMechanisms => Err(OAuthError::invalid_request(
            "The application authenticates by its certificate alone; send no secret and no Basic header beside it",
        )
        .because(cause.reason)
        .with_cause(cause.cause)
        .into()),
        Err(cause) => {
            app.guard
                .count_client_failure(&presented.client_id, caller.host());
            let detail = Detail {
                reason: Some(cause.reason.as_str()),
                ..Detail::default()
            };
            let event = Event::new(EventName::ClientAuthenticationFailed)
                .application(client.map(|client| client.application.id))
                .detail(detail);
            audit::failed(app, caller, &event);
            Err(refused(cause).into())
        }
    }
}

/// One answer for an unknown, disabled or wrongly authenticated client. The cause is for the log alone.
fn refused(cause: NotProven) -> OAuthError {
    OAuthError::invalid_client(
        "Unknown client, or its secret or certificate is missing or wrong; check client_id and client_secret, or \
         which certificate is presented where",
    )
    .because(cause.reason)
    .with_cause(cause.cause)
    .seeing(cause.seen)
}

/// Why a client is not who it says: for whoever runs the application, and for the log.
struct NotProven {
    reason: Reason,
    cause: &'static str,
    /// What a certificate says that is not what is registered.
    seen: Option<String>,
}

fn unproven<T>(reason: Reason, cause: &'static str) -> Result<T, NotProven> {
    Err(NotProven {
        reason,
        cause,
        seen: None,
    })
}

async fn proven(
    app: &App,
    client: Option<Arc<Client>>,
    presented: &Presented,
) -> Result<Result<Authenticated, NotProven>, Refusal> {
    let Some(client) = client else {
        // The same work as for a wrong secret, so that time does not tell which clients there are.
        let _ = presented.secrets.iter().map(Secret::hash).next();
        return Ok(unproven(Reason::ClientUnknown, "unknown client"));
    };
    if !client.application.is_enabled() {
        return Ok(unproven(
            Reason::ApplicationDisabled,
            "the application is disabled",
        ));
    }
    let settings = &client.application.settings;
    if !settings.confidential {
        if !presented.secrets.is_empty() {
            return Ok(unproven(
                Reason::SecretUnexpected,
                "a public application has no secret, but one was sent",
            ));
        }
        let by = AuthMethod::None.as_str();
        return Ok(Ok(authenticated(&client, by, None, presented)));
    }
    if settings.authentication.is_by_certificate() {
        return Ok(by_certificate(app, &client, presented));
    }
    if presented.secrets.is_empty() {
        return Ok(unproven(
            Reason::SecretMissing,
            "a confidential application sent no secret",
        ));
    }
    let only = settings.authentication.token_endpoint_auth_method;
    if only.is_some_and(|only| only != presented.method) {
        return Ok(unproven(
            Reason::MethodDiffers,
            "the application is set to another way of authentication",
        ));
    }
    let now = app.now();
    for secret in client.secrets.iter().filter(|secret| secret.is_live(now)) {
        if opens(app, secret, &presented.secrets).await? {
            app.usage.note(app, Used::Secret, secret.id.into());
            let by = secret.id.to_string();
            let generated_secret = generated(&client, secret, &presented.secrets);
            return Ok(Ok(authenticated(&client, &by, generated_secret, presented)));
        }
    }
    Ok(unproven(Reason::SecretWrong, "wrong secret"))
}

fn authenticated(
    client: &Arc<Client>,
    way: &str,
    generated_secret: Option<Secret>,
    presented: &Presented,
) -> Authenticated {
    let certificate = match &presented.certificate {
        ClientCertificate::Presented(certificate) => Some(certificate.thumbprint()),
        ClientCertificate::Absent | ClientCertificate::Unreadable => None,
    };
    let binds = client.application.settings.authentication.binds();
    Authenticated {
        client: Arc::clone(client),
        by: proven_by(way, certificate.as_ref().filter(|_| binds)),
        certificate,
        unreadable: matches!(presented.certificate, ClientCertificate::Unreadable),
        generated_secret,
    }
}

/// By the certificate alone: a secret beside it is a second mechanism, and so is a Basic header without one. Whose
/// certificate does not fit is told of that alone: [`Reason::SeveralMechanisms`] is of a client that is proven.
fn by_certificate(
    app: &App,
    client: &Arc<Client>,
    presented: &Presented,
) -> Result<Authenticated, NotProven> {
    let certificate = match &presented.certificate {
        ClientCertificate::Presented(certificate) => certificate,
        ClientCertificate::Unreadable => {
            return unproven(Reason::CertificateUnreadable, "the certificate cannot be read");
        }
        ClientCertificate::Absent => {
            return unproven(
                Reason::CertificateMissing,
                "the connection has no client certificate",
            );
        }
    };
    let registered = &client.application.settings.authentication;
    mtls::prove(registered, certificate, &app.client_anchors, app.now()).map_err(|why| NotProven {
        reason: why.reason,
        cause: why.reason.as_str(),
        seen: why.seen,
    })?;
    if presented.was_basic || !presented.secrets.is_empty() {
        return unproven(
            Reason::SeveralMechanisms,
            "the application authenticates by a certificate, but a secret or a Basic header was sent",
        );
    }
    let method = registered.token_endpoint_auth_method.unwrap_or(AuthMethod::None);
    Ok(authenticated(client, method.as_str(), None, presented))
}

fn generated(client: &Client, secret: &ApplicationSecret, presented: &[Secret]) -> Option<Secret> {
    match &secret.digest {
        SecretDigest::Generated(hash) if client.application.settings.reuse_access_token => {
            presented.iter().find(|sent| sent.hash() == *hash).cloned()
        }
        _ => None,
    }
}

async fn opens(app: &App, secret: &ApplicationSecret, candidates: &[Secret]) -> Result<bool, Refusal> {
    match &secret.digest {
        SecretDigest::Generated(hash) => Ok(candidates
            .iter()
            .fold(false, |found, candidate| found | (candidate.hash() == *hash))),
        SecretDigest::Chosen(phc) => {
            for candidate in candidates {
                if app.clients.was_verified(secret.id, candidate) {
                    return Ok(true);
                }
                if app.passwords.verify(candidate.clone(), Some(phc.clone())).await? {
                    app.clients.remember_verified(secret.id, candidate);
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}
