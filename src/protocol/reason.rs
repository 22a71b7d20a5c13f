//! Exactly what was wrong with a request, for whoever runs the application that sent it.
//!
//! The client is told less: one answer for every bad code, so that nobody learns which codes there are
//! (RFC 6749 §5.2). A reason holds nothing of the request.

use super::error::ErrorCode;

macro_rules! reasons {
    ($($name:ident $parameter:tt $text:literal $section:literal $sentence:literal)+) => {
        /// One thing that can be wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($name),+
        }

        impl Reason {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name under which it is stored and read by programs.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text),+
                }
            }

            /// What is wrong and what would be right, in words for people.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => $sentence),+
                }
            }

            /// Where it is written that this is wrong.
            pub const fn section(self) -> &'static str {
                match self {
                    $(Self::$name => $section),+
                }
            }

            /// The parameter that is at fault, where it is always the same.
            const fn parameter(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => reasons!(@ $parameter)),+
                }
            }
        }
    };
    (@ _) => { None };
    (@ $parameter:literal) => { Some($parameter) };
}

reasons! {
    RedirectUriMismatch "redirect_uri" "redirect_uri_mismatch" "RFC 9700 §2.1"
        "The redirect URI that was sent is not registered. Register it, or have the client send one that is."
    RedirectUriMissing "redirect_uri" "redirect_uri_missing" "RFC 6749 §3.1.2.3"
        "No redirect URI was sent, and not exactly one is registered. Have the client send the one it means."
    ApplicationDisabled _ "application_disabled" "RFC 6749 §5.2"
        "The application is disabled. Enable it to let it work again."
    ParameterRepeated _ "parameter_repeated" "RFC 6749 §3.1"
        "A parameter was sent more than once. Send each one once."
    ParameterMissing _ "parameter_missing" "RFC 6749 §3.1"
        "A required parameter is missing or empty. Send it."
    StateTooLong "state" "state_too_long" "RFC 6749 §4.1.1"
        "The parameter state is too long. Keep what it stands for in the client and send a short name of it."
    RequestObject _ "request_object" "RFC 9101 §6"
        "The parameters came as a request object. Send them one by one."
    ResponseTypeUnsupported "response_type" "response_type_unsupported" "RFC 6749 §3.1.1"
        "This response_type is not supported. Use code, or another that the server's metadata lists."
    ResponseModeUnsupported "response_mode" "response_mode_unsupported" "OAuth 2.0 Multiple Response Type Encoding Practices §2.1"
        "This response_mode is not supported for what was asked. Leave it out to get the usual one."
    GrantNotAllowed _ "grant_not_allowed" "RFC 6749 §5.2"
        "The application is not allowed this grant. Tick the grant among those of the application."
    GrantNotOffered _ "grant_not_offered" "RFC 6749 §5.2"
        "This server does not offer the grant. The setting grants says which it does."
    PkceMissing "code_challenge" "pkce_missing" "RFC 7636 §4.4.1"
        "The request came without PKCE. Send code_challenge, with code_challenge_method=S256."
    PkceMethodUnsupported "code_challenge_method" "pkce_method_unsupported" "RFC 7636 §4.3"
        "The code_challenge_method is not S256; left out, it means plain. Send S256."
    CodeChallengeMalformed "code_challenge" "code_challenge_malformed" "RFC 7636 §4.2"
        "The code_challenge is not a SHA-256 of 43 base64url characters. Leave out the padding."
    PromptUnknown "prompt" "prompt_unknown" "OpenID Connect Core 1.0 §3.1.2.1"
        "The value of prompt is not one that is known. Use none alone, or login, consent and select_account."
    LoginRequired "prompt" "login_required" "OpenID Connect Core 1.0 §3.1.2.6"
        "Nobody was signed in, and prompt=none allows no page. Ask again without it."
    ConsentRequired "prompt" "consent_required" "OpenID Connect Core 1.0 §3.1.2.6"
        "The user has not allowed this yet, and prompt=none allows no page. Ask again without it."
    UserDenied _ "user_denied" "RFC 6749 §4.1.2.1"
        "The user said no. Nothing is wrong with the request."
    UserNotAllowed _ "user_not_allowed" "RFC 6749 §4.1.2.1"
        "The user is not among those who may use the application. Name the user, or a group of theirs, on its page."
    ScopeMalformed "scope" "scope_malformed" "RFC 6749 §3.3"
        "The scope is not a list of names between single spaces. Commas do not separate."
    ScopeNotAllowed "scope" "scope_not_allowed" "RFC 6749 §3.3"
        "The request asks for a scope that the application may not have. Allow it, or ask for less."
    ScopeMissing "scope" "scope_missing" "RFC 6749 §3.3"
        "The request names no scope, and there is none by default. Have the client name what it needs."
    ScopeWidened "scope" "scope_widened" "RFC 6749 §6"
        "A refresh asked for more than the user had granted. Send the user through authorization again."
    ScopesLost _ "scopes_lost" "RFC 6749 §6"
        "The application is no longer allowed any of the scopes that were granted. Send the user through authorization again."
    ResourceUnknown "resource" "resource_unknown" "RFC 8707 §2"
        "The resource is none that this application may ask for."
    ClientUnknown "client_id" "client_unknown" "RFC 6749 §2.2"
        "The client_id is none that is registered here. Compare it with the one the application was given."
    SecretWrong _ "secret_wrong" "RFC 6749 §2.3.1"
        "The client secret is wrong. Compare it with the one the application was given, or make a new one."
    SecretMissing _ "secret_missing" "RFC 6749 §2.3.1"
        "A confidential application sent no secret. Have the client send it, in the Authorization header or the body."
    SecretUnexpected _ "secret_unexpected" "RFC 6749 §2.1"
        "A public application has no secret, but the client sent one. Have it send its client_id alone."
    SeveralMechanisms _ "several_mechanisms" "RFC 6749 §2.3"
        "The client authenticated in more than one way at once. Let it use one of them."
    CredentialsMalformed _ "credentials_malformed" "RFC 6749 §2.3.1"
        "The client's credentials cannot be read. Form-encode both halves, join them by a colon, and encode that in base64."
    AssertionUnsupported _ "assertion_unsupported" "RFC 7523 §2.2"
        "The client authenticated by an assertion, which is not supported here. Let it use its secret."
    MethodDiffers _ "method_differs" "RFC 7591 §2"
        "The client authenticated in another way than the one that the application is set to."
    CertificateMissing _ "certificate_missing" "RFC 8705 §2"
        "The application authenticates by a certificate, and the connection had none. Have the client present it, at the address that mtls_endpoint_aliases of the server's metadata names."
    CertificateUnreadable _ "certificate_unreadable" "RFC 8705 §2"
        "The certificate cannot be read. Behind a proxy, see that it sends the whole certificate, once, in the header of the setting client_certificate_header. Envoy does with SANITIZE_SET, and Cert or Chain among set_current_client_cert_details."
    CertificateExpired _ "certificate_expired" "RFC 5280 §4.1.2.5"
        "The certificate, or one between it and its authority, has expired or is not valid yet. Renew it, and compare the clocks."
    CertificateUntrusted _ "certificate_untrusted" "RFC 8705 §2.1"
        "No path leads from the certificate to an authority of the setting tls_client_ca. Have the client send the certificates between, or add its authority."
    CertificatePurpose _ "certificate_purpose" "RFC 5280 §4.2.1.12"
        "The certificate is not for the authentication of clients. Issue one with the extended key usage clientAuth, or with none."
    CertificateSubject _ "certificate_subject" "RFC 8705 §2.1.2"
        "The certificate is another subject's than the one that is registered. Compare the two; RFC 4514 writes the most specific part first."
    CertificateUnknown _ "certificate_unknown" "RFC 8705 §2.2"
        "The certificate is none of those that are registered. Register it, or have the client present one that is."
    CertificateNeeded _ "certificate_needed" "RFC 8705 §3"
        "The application's tokens are bound to a certificate, and the connection had none. Have the client present one, at the address that mtls_endpoint_aliases of the server's metadata names."
    CertificateDiffers _ "certificate_differs" "RFC 8705 §4"
        "The refresh token, or the answer that it brought, is bound to another certificate than the connection had. Refresh with the one it was issued for, or send the user through authorization again."
    TokenInAddress "response_type" "token_in_address" "RFC 8705 §3"
        "The application's tokens are bound to a certificate, and a browser brings none of the application's. Use response_type=code."
    GrantTypeUnsupported "grant_type" "grant_type_unsupported" "RFC 6749 §5.2"
        "This grant_type is not supported. The server's metadata lists those that are."
    PublicClientCredentials "grant_type" "public_client_credentials" "RFC 6749 §4.4"
        "A public application cannot prove who it is, so it cannot use client_credentials."
    CodeUnknown _ "code_unknown" "RFC 6749 §4.1.3"
        "The authorization code is none that was issued to this application, or is long gone."
    CodeExpired _ "code_expired" "RFC 6749 §4.1.2"
        "The authorization code came too late. Redeem it at once, and compare the clocks."
    CodeUsed _ "code_used" "RFC 6749 §4.1.2"
        "The authorization code was redeemed before. Something sends it twice: a page that is loaded again, a retry, or a thief."
    CodeBurnt _ "code_burnt" "RFC 6749 §10.10"
        "The authorization code came with wrong proofs too often, and is dead."
    CodeRedirectUriMissing "redirect_uri" "code_redirect_uri_missing" "RFC 6749 §4.1.3"
        "The authorization request named a redirect URI, the token request does not. Send the same one."
    CodeRedirectUriDiffers "redirect_uri" "code_redirect_uri_differs" "RFC 6749 §4.1.3"
        "The token request names another redirect URI than the authorization request did. Send the same one."
    CodeRedirectUriGone _ "code_redirect_uri_gone" "RFC 9700 §4.1"
        "The redirect URI was taken from the application while the authorization code was on its way."
    VerifierMissing _ "verifier_missing" "RFC 7636 §4.5"
        "The authorization request had a code_challenge, the token request has no code_verifier. Send it."
    VerifierDiffers _ "verifier_differs" "RFC 7636 §4.6"
        "The code_verifier is not the one that the code_challenge was made from. Often two requests of one user share a place to keep it."
    VerifierUnexpected _ "verifier_unexpected" "RFC 9700 §2.1.1"
        "A code_verifier came, but the authorization request had no code_challenge: it was forgotten, or taken out on the way."
    PasswordWrong _ "password_wrong" "RFC 6749 §4.3.2"
        "The user name or the password is wrong, or the user is disabled."
    GrantEnded _ "grant_ended" "RFC 6749 §5.2"
        "What the user had granted is over: revoked, withdrawn or at its end. Send the user through authorization again."
    RefreshTokenUnknown _ "refresh_token_unknown" "RFC 6749 §6"
        "The refresh token is none that was issued to this application, or is long gone."
    RefreshTokenExpired _ "refresh_token_expired" "RFC 6749 §6"
        "The refresh token was not used for too long. Send the user through authorization again."
    RefreshTokenReplayed _ "refresh_token_replayed" "RFC 9700 §4.14.2"
        "A refresh token came again after it was rotated, so its grant is revoked. Keep the newest one, and refresh from one place."
    RefreshTokenRetried _ "refresh_token_retried" "RFC 9700 §4.14.2"
        "A refresh was retried more often than a lost answer explains. Keep the answer, and refresh from one place."
    PublicIntrospection _ "public_introspection" "RFC 7662 §2.1"
        "A public application cannot introspect, since it cannot prove who it is. Register the resource server as a confidential one."
    PollingTooFast _ "polling_too_fast" "RFC 8628 §3.5"
        "The device asks too often. Wait the interval between two requests, and five seconds more after each slow_down."
    DeviceCodeExpired _ "device_code_expired" "RFC 8628 §3.5"
        "The device code came to its end before the user had decided. Start again."
    TokenTypeUnsupported _ "token_type_unsupported" "RFC 7009 §2.2.1"
        "The server does not revoke tokens of this kind."
    ConsumerUnknown "oauth_consumer_key" "consumer_unknown" "RFC 5849 §3.2"
        "A signed request named this application, which is not allowed OAuth 1.0a. Allow it, or have the client use OAuth 2.0."
    SignatureWrong "oauth_signature" "signature_wrong" "RFC 5849 §3.2"
        "The signature does not belong to the request. Compare the consumer secret and the token secret, then the text that the client signed with debug_base_string in the answer."
    SignatureMethodUnsupported "oauth_signature_method" "signature_method_unsupported" "RFC 5849 §3.4"
        "The request was signed in a way that is not taken. Sign by HMAC-SHA1 or HMAC-SHA256; for RSA-SHA1 register the public key first."
    TimestampRefused "oauth_timestamp" "timestamp_refused" "RFC 5849 §3.3"
        "The timestamp of a signed request is too old or ahead. Set the client's clock, and sign each request when it is sent."
    NonceUsed "oauth_nonce" "nonce_used" "RFC 5849 §3.3"
        "A signed request came a second time: a retry that was not signed anew, a nonce made without chance, or a thief."
    SignedTokenRefused "oauth_token" "signed_token_refused" "RFC 5849 §3.2"
        "The token of a signed request is unknown, used, expired or revoked, or another application's. Send the user through authorization again."
    RequestRefused _ "request_refused" "RFC 6749 §5.2"
        "The request is malformed: a parameter is missing, repeated, or holds what it may not hold."
    ClientRefused _ "client_refused" "RFC 6749 §5.2"
        "The client did not authenticate as this application must."
    GrantRefused _ "grant_refused" "RFC 6749 §5.2"
        "What the client presented is unknown, used, expired or revoked, or belongs to another application."
    ScopeRefused "scope" "scope_refused" "RFC 6749 §3.3"
        "The scope is malformed, or more than the application may have."
    Other _ "other" "RFC 6749 §5.2"
        "The request was refused. The error's own page says what it means."
}

/// The parameters whose value may be kept beside a reason. None is a secret, and none is free text:
/// never the state, a code, a token, a verifier, an assertion or a password.
const SHOWN: [&str; 8] = [
    "code_challenge_method",
    "grant_type",
    "prompt",
    "redirect_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
];

/// Parameters that a reason may name.
const NAMED: [&str; 20] = [
    "authorization",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_verifier",
    "device_code",
    "oauth_consumer_key",
    "oauth_nonce",
    "oauth_signature",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_token",
    "password",
    "refresh_token",
    "state",
    "token",
    "token_type_hint",
    "user_code",
    "username",
];

impl Reason {
    /// The reason of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == text)
    }

    /// What an error says by its code alone.
    pub(super) const fn of(code: ErrorCode) -> Self {
        match code {
            ErrorCode::InvalidRequest => Self::RequestRefused,
            ErrorCode::InvalidClient => Self::ClientRefused,
            ErrorCode::InvalidGrant => Self::GrantRefused,
            ErrorCode::UnauthorizedClient => Self::GrantNotAllowed,
            ErrorCode::UnsupportedGrantType => Self::GrantTypeUnsupported,
            ErrorCode::InvalidScope => Self::ScopeRefused,
            ErrorCode::AccessDenied => Self::UserDenied,
            ErrorCode::UnsupportedResponseType => Self::ResponseTypeUnsupported,
            ErrorCode::InvalidTarget => Self::ResourceUnknown,
            ErrorCode::LoginRequired => Self::LoginRequired,
            ErrorCode::ConsentRequired | ErrorCode::InteractionRequired => Self::ConsentRequired,
            ErrorCode::RequestNotSupported | ErrorCode::RequestUriNotSupported => Self::RequestObject,
            ErrorCode::SlowDown => Self::PollingTooFast,
            ErrorCode::ExpiredToken => Self::DeviceCodeExpired,
            ErrorCode::UnsupportedTokenType => Self::TokenTypeUnsupported,
            ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable | ErrorCode::AuthorizationPending => {
                Self::Other
            }
        }
    }

    /// The same, of the parameter `name` where that is one of ours: another name is the request's own text.
    pub fn at(self, name: &str) -> Fault {
        let known = SHOWN.iter().chain(&NAMED).find(|known| **known == name);
        Fault {
            reason: self,
            parameter: known.copied(),
        }
    }
}

/// A reason and the parameter at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub reason: Reason,
    pub parameter: Option<&'static str>,
}

impl Fault {
    /// The parameter, where its value may be kept.
    pub fn shown_parameter(&self) -> Option<&'static str> {
        self.parameter.filter(|name| SHOWN.contains(name))
    }
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            parameter: reason.parameter(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_name_of_its_own_and_is_found_by_it() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
            assert!(reason.sentence().ends_with('.'), "{reason:?}");
            assert!(reason.section().contains('§'), "{reason:?}");
        }
        assert_eq!(Reason::parse("unheard_of"), None);
    }

    #[test]
    fn a_parameter_is_named_only_where_it_is_ours() {
        assert_eq!(Reason::ParameterRepeated.at("scope").parameter, Some("scope"));
        assert_eq!(Reason::ParameterRepeated.at("tgs_hidden").parameter, None);
        for reason in Reason::ALL {
            let fault = Fault::from(*reason);
            assert_eq!(
                fault.parameter.map(|name| reason.at(name)),
                fault.parameter.map(|_| fault)
            );
        }
    }

    #[test]
    fn the_value_of_a_secret_is_never_shown() {
        for name in NAMED {
            assert_eq!(
                Reason::ParameterMissing.at(name).shown_parameter(),
                None,
                "{name}"
            );
        }
        assert_eq!(Fault::from(Reason::PkceMissing).shown_parameter(), None);
        assert_eq!(
            Fault::from(Reason::ScopeNotAllowed).shown_parameter(),
            Some("scope")
        );
    }
}
