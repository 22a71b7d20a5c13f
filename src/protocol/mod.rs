//! The RFCs' rules: pure, total functions from text to types and back. No I/O, no clock, no chance.
//!
//! | source | rule | file |
//! |---|---|---|
//! | RFC 6749 §3.1, §3.2 | parameters: empty is absent, repeated is refused | [`params`] |
//! | RFC 6749 §4.1.2.1, §5.2 | error codes and descriptions | [`error`], explained in [`explanation`], told exactly in [`reason`] |
//! | RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1 | redirect URIs: registration and matching | [`crate::model::redirect_uri`] |
//! | RFC 6749 §3.3 | which scopes a request gets | [`scope`] |
//! | RFC 6749 §4.1.1, §4.1.2, RFC 9207 | the authorization request and where its answer goes | [`authorize`] |
//! | RFC 6749 §4.1.3, §6, RFC 9700 §4.14 | whether a code or refresh token is good | [`grant`] |
//! | RFC 6749 §2.3, RFC 7617 | client authentication | [`client_auth`] |
//! | RFC 8705, RFC 9440 | clients that a certificate proves, and where the certificate comes from | [`client_auth::mtls`], [`client_certificate`] |
//! | RFC 6749 §5.1 | token values and the token answer | [`token`] |
//! | RFC 5849 | OAuth 1.0a, apart from all the rest | [`oauth1`] |
//! | RFC 6750 | bearer credentials and challenges | [`bearer`] |
//! | RFC 7009 | revocation requests | [`revocation`] |
//! | RFC 7636 | proof key for code exchange, S256 only | [`pkce`] |
//! | RFC 7662 | introspection requests and answers | [`introspection`] |
//! | RFC 7239 | where a request comes from by the word of proxies | [`forwarded`] |
//! | RFC 8628 | the device authorization answer; whether a poll is good | [`device`], [`grant::device`] |
//! | RFC 8414, RFC 9207 §3 | server metadata | [`metadata`] |
//! | RFC 9700 | where settings depart from best current practice | [`departure`] |
//! | all of these | what a client may expect of any server, judged from its answers | [`doctor`], [`answer`] |
//! | RFC 9110 §8.3, §12.5.1 | what a body is, and what is wanted back | [`media_type`] |
//! | RFC 8707, RFC 9728 | where a token may be used; how a resource describes itself | [`resource`] |

pub mod answer;
pub mod authorize;
pub mod bearer;
pub mod client_auth;
pub mod client_certificate;
pub mod departure;
pub mod device;
pub mod doctor;
pub mod error;
pub mod explanation;
pub mod forwarded;
pub mod grant;
pub mod introspection;
pub mod media_type;
pub mod metadata;
pub mod oauth1;
pub mod params;
pub mod pkce;
pub mod reason;
pub mod resource;
pub mod revocation;
pub mod scope;
pub mod sent;
pub mod token;
