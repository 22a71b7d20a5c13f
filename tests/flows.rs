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
mod lifetimes;
mod old_passwords;
mod optional_scopes;
mod pkce;
mod races;
mod refresh;
mod refresh_errors;
mod refresh_scopes;
mod resources;
mod reuse;
mod revoke;
mod revoke_errors;
mod scopes;
mod secrets;
mod supersede;
mod token_errors;
