//! The authorization request (RFC 6749 §4.1.1), in two stages.
//!
//! First the application and the redirect URI are proven; whatever fails before that is shown on a page,
//! since a redirect would go to whom an attacker chose (RFC 6749 §3.1.2.4). Only a proven [`Target`] can
//! make a redirect. Then the checks, in an order that anybody can read.

mod response;

use serde::{Deserialize, Serialize};

pub use self::response::{ResponseMode, ResponseType};
use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use super::pkce::CodeChallenge;
use super::reason::{Fault, Reason};
use super::resource;
use super::scope::{Catalog, ScopeRules};
use super::token::{TokenResponse, TokenType};
use crate::model::application::{Application, ApplicationSettings};
use crate::model::grant_type::GrantType;
use crate::model::redirect_uri::{self, RedirectUri};
use crate::model::resource::Resources;
use crate::model::scope::Scopes;

/// Longest `state` that is kept and given back, in bytes.
const MAX_STATE: usize = 8 * 1024;

/// Where the answer goes: a redirect URI that the application has registered, and what the answer
/// carries whatever it says. Can be made by [`Target::identify`] alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    redirect_uri: String,
    /// Whether the request named it; then the token request must, too (RFC 6749 §4.1.3).
    redirect_uri_sent: bool,
    state: Option<String>,
    send_iss: bool,
    #[serde(default)]
    mode: ResponseMode,
}

/// Why application or redirect URI could not be proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unproven {
    MissingClientId,
    /// Unknown, deleted or disabled: told alike.
    UnknownClient,
    /// `client_id` or `redirect_uri` came twice.
    Repeated(&'static str),
    /// Not named, and not exactly one is registered.
    MissingRedirectUri,
    Mismatch {
        sent: String,
    },
}

impl Unproven {
    /// What is to be told to whoever runs the application; `None` where no application is known.
    pub fn fault(&self, application: &Application) -> Option<Fault> {
        match self {
            Self::Repeated("client_id") | Self::MissingClientId => None,
            Self::UnknownClient if application.is_enabled() => None,
            Self::UnknownClient => Some(Reason::ApplicationDisabled.into()),
            Self::Repeated(name) => Some(Reason::ParameterRepeated.at(name)),
            Self::MissingRedirectUri => Some(Reason::RedirectUriMissing.into()),
            Self::Mismatch { .. } => Some(Reason::RedirectUriMismatch.into()),
        }
    }

    /// The same, whether an application is known or not.
    pub fn fault_of_any(&self, application: Option<&Application>) -> Fault {
        let of_known = application.and_then(|application| self.fault(application));
        of_known.unwrap_or_else(|| match self {
            Self::MissingClientId => Reason::ParameterMissing.at("client_id"),
            Self::Repeated(name) => Reason::ParameterRepeated.at(name),
            Self::UnknownClient | Self::MissingRedirectUri | Self::Mismatch { .. } => {
                Reason::ClientUnknown.into()
            }
        })
    }
}

impl Target {
    /// The first stage. `application` is the one that `client_id` names, if there is one.
    pub fn identify(params: &Params, application: Option<&Application>) -> Result<Self, Unproven> {
        for name in ["client_id", "redirect_uri"] {
            if params.repeated(name) {
                return Err(Unproven::Repeated(name));
            }
        }
        if params.get("client_id").is_none() {
            return Err(Unproven::MissingClientId);
        }
        let application = application
            .filter(|found| found.is_enabled())
            .ok_or(Unproven::UnknownClient)?;
        let settings = &application.settings;
        let sent = params.get("redirect_uri");
        let redirect_uri = match (sent, settings.redirect_uris.as_slice()) {
            (Some(asked), _) if settings.redirect_uri(asked).is_some() => asked,
            (Some(asked), _) => {
                return Err(Unproven::Mismatch {
                    sent: asked.to_owned(),
                });
            }
            (None, [only]) => only.as_str(),
            (None, _) => return Err(Unproven::MissingRedirectUri),
        };
        Ok(Self {
            redirect_uri: redirect_uri.to_owned(),
            redirect_uri_sent: sent.is_some(),
            // A repeated state is refused by the second stage; none of its values is given back.
            state: params
                .get("state")
                .filter(|state| state.len() <= MAX_STATE && !params.repeated("state"))
                .map(str::to_owned),
            send_iss: settings.send_iss,
            mode: ResponseMode::of(params, redirect_uri),
        })
    }

    /// Whether it is still registered: it may have been removed while the person was reading.
    pub fn is_registered(&self, settings: &ApplicationSettings) -> bool {
        settings.redirect_uri(&self.redirect_uri).is_some()
    }

    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    pub fn redirect_uri_sent(&self) -> bool {
        self.redirect_uri_sent
    }

    /// Whether the answer is shown to the person instead of redirected.
    pub fn is_native(&self) -> bool {
        self.redirect_uri == RedirectUri::OOB
    }

    /// The answer that carries a code (RFC 6749 §4.1.2, RFC 9207 §2).
    pub fn success(&self, code: &str, issuer: &str) -> Delivery {
        if self.is_native() {
            return Delivery::NativeCode;
        }
        self.deliver(&[("code", code)], issuer)
    }

    /// The answer that carries an access token, and never a refresh token (RFC 6749 §4.2.2).
    pub fn token(&self, token: &TokenResponse, issuer: &str) -> Delivery {
        let token_type = match token.token_type {
            TokenType::Bearer => "Bearer",
        };
        self.deliver(
            &[
                ("access_token", token.access_token.expose()),
                ("token_type", token_type),
                ("expires_in", &token.expires_in.to_string()),
                ("scope", &token.scope),
            ],
            issuer,
        )
    }

    /// The answer that carries an error (RFC 6749 §4.1.2.1).
    pub fn error(&self, error: &OAuthError, issuer: &str) -> Delivery {
        if self.is_native() {
            return Delivery::NativeError {
                code: error.code(),
                description: error.description().to_owned(),
            };
        }
        self.deliver(
            &[
                ("error", error.code().as_str()),
                ("error_description", error.description()),
                ("error_uri", &error.uri(issuer)),
            ],
            issuer,
        )
    }

    fn deliver(&self, answer: &[(&str, &str)], issuer: &str) -> Delivery {
        let mut parameters = answer.to_vec();
        if let Some(state) = &self.state {
            parameters.push(("state", state));
        }
        if self.send_iss {
            parameters.push(("iss", issuer));
        }
        match self.mode {
            ResponseMode::Query => Delivery::Redirect(redirect_uri::append(&self.redirect_uri, &parameters)),
            ResponseMode::Fragment => {
                Delivery::Redirect(redirect_uri::with_fragment(&self.redirect_uri, &parameters))
            }
            ResponseMode::FormPost => Delivery::FormPost {
                action: self.redirect_uri.clone(),
                fields: parameters
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
            },
        }
    }
}

/// How the answer reaches the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// A URL under a registered redirect URI.
    Redirect(String),
    /// A form that the browser sends to a registered redirect URI (OAuth 2.0 Form Post Response Mode §2).
    FormPost {
        action: String,
        fields: Vec<(String, String)>,
    },
    /// The code is shown on our own page.
    NativeCode,
    NativeError {
        code: ErrorCode,
        description: String,
    },
}

/// What may be asked of the person on the way (OpenID Connect Core §3.1.2.1 names the values).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Ask what has to be asked.
    #[default]
    Auto,
    /// Show no page: answer with an error where one would be needed.
    None,
    /// Ask for the password again.
    Login,
    /// Ask for consent even where it is remembered.
    Consent,
    LoginAndConsent,
}

impl Prompt {
    fn parse(text: Option<&str>) -> Result<Self, OAuthError> {
        let words: Vec<&str> = text
            .unwrap_or_default()
            .split(' ')
            .filter(|word| !word.is_empty())
            .collect();
        if words == ["none"] {
            return Ok(Self::None);
        }
        if let Some(other) = words
            .iter()
            .find(|word| !matches!(**word, "login" | "consent" | "select_account"))
        {
            return Err(OAuthError::invalid_request(format!(
                "prompt is none alone, or a list of login, consent and select_account, not {other}"
            ))
            .because(Reason::PromptUnknown));
        }
        // Choosing an account is done on the consent page, which says who is signed in.
        let consent = words.contains(&"consent") || words.contains(&"select_account");
        Ok(match (words.contains(&"login"), consent) {
            (true, true) => Self::LoginAndConsent,
            (true, false) => Self::Login,
            (false, true) => Self::Consent,
            (false, false) => Self::Auto,
        })
    }

    pub fn wants_login(self) -> bool {
        matches!(self, Self::Login | Self::LoginAndConsent)
    }

    pub fn wants_consent(self) -> bool {
        matches!(self, Self::Consent | Self::LoginAndConsent)
    }
}

/// A request that passed every check: what the server keeps until the code is issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub target: Target,
    #[serde(default)]
    pub response_type: ResponseType,
    pub scopes: Scopes,
    /// Those among `scopes` that the person may untick. As they were when it was asked: were they looked up
    /// again after the decision, what was unticked might have become required meanwhile.
    #[serde(default)]
    pub optional: Scopes,
    /// Where the tokens may be used (RFC 8707); empty: anywhere.
    #[serde(default)]
    pub resources: Resources,
    pub code_challenge: Option<String>,
    pub prompt: Prompt,
}

impl AuthorizationRequest {
    /// The same with what is left of its scopes where `ticked` are the optional ones that the person kept:
    /// never more than was asked.
    #[must_use]
    pub fn narrowed(&self, ticked: &Scopes) -> Self {
        let required = self.scopes.difference(&self.optional);
        let kept = self.optional.intersection(ticked).intersection(&self.scopes);
        Self {
            scopes: required.union(&kept),
            ..self.clone()
        }
    }
}

/// What the checks look at.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub params: &'a Params,
    pub application: &'a ApplicationSettings,
    pub catalog: &'a Catalog,
    /// The resources that tokens are given for.
    pub resources: &'a Resources,
    /// The grants that the server offers.
    pub offered: &'a [GrantType],
    /// The server asks for PKCE from confidential applications too.
    pub require_pkce: bool,
}

impl Asked<'_> {
    fn response_type(&self) -> Result<ResponseType, OAuthError> {
        let Some(asked) = self.params.get("response_type") else {
            return Err(
                OAuthError::invalid_request("Missing required parameter: response_type (code)")
                    .because(Reason::ParameterMissing.at("response_type")),
            );
        };
        let offered = |kind: &ResponseType| self.offered.contains(&kind.grant());
        let known = ResponseType::parse(asked);
        known.filter(offered).ok_or_else(|| {
            let all = ResponseType::ALL.into_iter().filter(offered);
            let names: Vec<_> = all.map(ResponseType::as_str).collect();
            OAuthError::unsupported_response_type(if names.is_empty() {
                "This server supports no response_type".to_owned()
            } else {
                format!(
                    "The response_type values that are supported: {}",
                    names.join(", ")
                )
            })
            .because(match known {
                Some(_) => Reason::GrantNotOffered,
                None => Reason::ResponseTypeUnsupported,
            })
        })
    }
}

type Check = fn(&Asked<'_>) -> Result<(), OAuthError>;

/// Every check of the second stage that only refuses, in order: what makes the rest of a request
/// meaningless comes first.
const CHECKS: &[Check] = &[
    nothing_repeated,
    state_fits,
    no_request_object,
    response_type,
    grant_allowed,
    not_bound,
];

/// The second stage.
///
/// # Errors
/// What is to be told to the client through [`Target::error`].
pub fn check(asked: &Asked<'_>, target: Target) -> Result<AuthorizationRequest, (Target, OAuthError)> {
    checked(asked, &target).map_err(|error| (target, error))
}

fn checked(asked: &Asked<'_>, target: &Target) -> Result<AuthorizationRequest, OAuthError> {
    CHECKS.iter().try_for_each(|check| check(asked))?;
    let response_type = asked.response_type()?;
    deliverable(asked, target, response_type)?;
    let rules = ScopeRules::of(asked.application, response_type.grant());
    let scopes = asked.catalog.resolve(rules, asked.params.get("scope"))?;
    Ok(AuthorizationRequest {
        target: target.clone(),
        response_type,
        optional: asked.catalog.optional(rules, &scopes),
        scopes,
        resources: resource::asked(asked.params, asked.resources)?,
        code_challenge: match response_type {
            ResponseType::Code => pkce(asked)?,
            ResponseType::Token => None,
        },
        prompt: Prompt::parse(asked.params.get("prompt"))?,
    })
}

fn nothing_repeated(asked: &Asked<'_>) -> Result<(), OAuthError> {
    asked.params.reject_repeated()
}

fn state_fits(asked: &Asked<'_>) -> Result<(), OAuthError> {
    match asked.params.get("state") {
        Some(state) if state.len() > MAX_STATE => Err(OAuthError::invalid_request(format!(
            "state is longer than {MAX_STATE} bytes"
        ))
        .because(Reason::StateTooLong)),
        _ => Ok(()),
    }
}

/// Request objects (RFC 9101) are not read, and nothing is fetched for them.
fn no_request_object(asked: &Asked<'_>) -> Result<(), OAuthError> {
    if asked.params.get("request").is_some() {
        return Err(OAuthError::new(
            ErrorCode::RequestNotSupported,
            "Send the parameters themselves: request objects are not supported",
        ));
    }
    if asked.params.get("request_uri").is_some() {
        return Err(OAuthError::new(
            ErrorCode::RequestUriNotSupported,
            "Send the parameters themselves: request_uri is not supported",
        ));
    }
    Ok(())
}

fn response_type(asked: &Asked<'_>) -> Result<(), OAuthError> {
    asked.response_type().map(drop)
}

fn grant_allowed(asked: &Asked<'_>) -> Result<(), OAuthError> {
    let grant = asked.response_type()?.grant();
    if asked.application.allows(grant) {
        return Ok(());
    }
    Err(OAuthError::unauthorized_client(format!(
        "This application is not allowed the {grant} grant: an administrator can allow it"
    )))
}

/// A browser brings no certificate of the application's that a token could be bound to (RFC 8705 §3).
fn not_bound(asked: &Asked<'_>) -> Result<(), OAuthError> {
    if asked.response_type()? == ResponseType::Code || !asked.application.authentication.binds() {
        return Ok(());
    }
    Err(OAuthError::unauthorized_client(
        "The tokens of this application are bound to its certificate (RFC 8705), which a browser does not have: use \
         response_type=code",
    )
    .because(Reason::TokenInAddress))
}

/// The answer can travel as it was asked for, and there is somewhere for it to go.
fn deliverable(asked: &Asked<'_>, target: &Target, response_type: ResponseType) -> Result<(), OAuthError> {
    if response_type == ResponseType::Token && target.is_native() {
        return Err(
            OAuthError::invalid_request("A token is never shown on a page: use response_type=code")
                .because(Reason::ResponseTypeUnsupported),
        );
    }
    let Some(mode) = asked.params.get("response_mode") else {
        return Ok(());
    };
    if mode == target.mode.as_str() {
        return Ok(());
    }
    let description = if mode == ResponseMode::FormPost.as_str() {
        "A form can be posted to a redirect URI of http or https only".to_owned()
    } else {
        let modes = response_type.modes().iter().map(|mode| mode.as_str());
        format!(
            "The response_mode values that are supported for response_type={}: {}",
            response_type.as_str(),
            modes.collect::<Vec<_>>().join(", ")
        )
    };
    Err(OAuthError::invalid_request(description).because(Reason::ResponseModeUnsupported))
}

fn pkce(asked: &Asked<'_>) -> Result<Option<String>, OAuthError> {
    let challenge = CodeChallenge::parse(
        asked.params.get("code_challenge"),
        asked.params.get("code_challenge_method"),
    )?;
    let required = asked.require_pkce || asked.application.require_pkce || !asked.application.confidential;
    if required && challenge.is_none() {
        return Err(OAuthError::invalid_request(
            "Missing required parameter: code_challenge, with code_challenge_method=S256 (RFC 7636)",
        )
        .because(Reason::PkceMissing));
    }
    Ok(challenge.map(|challenge| challenge.as_str().to_owned()))
}

#[cfg(test)]
mod tests;
