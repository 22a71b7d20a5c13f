//! What OAuth is about, each happy flow with its refusals beside it.

mod client_authentication;
mod client_credentials;
mod code;
mod code_errors;
mod consent;
mod device;
mod device_errors;
mod device_races;
mod introspect;
mod introspect_errors;
mod old_passwords;
mod pkce;
mod races;
mod refresh;
mod refresh_errors;
mod refresh_scopes;
mod resources;
mod revoke;
mod revoke_errors;
mod secrets;
mod token_errors;
