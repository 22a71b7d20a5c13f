//! The nouns: newtypes, records and states. The only thing of the databases known here is how a noun
//! is read from a row.

/// The names of the settings that are compared, those of a `nested` one after them; one that is left out does
/// not compile.
macro_rules! differing {
    ($before:expr, $after:expr, $($field:ident),+ $(; $nested:ident)?) => {{
        let Self { $($field,)+ $($nested)? } = $before;
        let mut names = Vec::new();
        $(if *$field != $after.$field {
            names.push(stringify!($field));
        })+
        $(names.extend($nested.differing(&$after.$nested));)?
        names
    }};
}

pub mod access;
pub mod application;
pub mod audit;
pub mod caller;
pub mod certificate;
pub mod client_authentication;
pub mod client_id;
pub mod device;
pub mod failed_request;
pub mod family;
pub mod grant;
pub mod grant_kind;
pub mod grant_type;
pub mod ids;
pub mod memo;
pub mod oauth1;
pub mod origin;
pub mod redirect_uri;
pub mod resource;
pub mod rsa_public_key;
pub mod scope;
pub mod session;
pub mod token;
pub mod user;
