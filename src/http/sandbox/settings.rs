//! What worlds of one process may differ in.

use crate::base::config::Config;

macro_rules! of_a_world {
    ($($name:ident,)+) => {
        /// Names of settings.
        pub(super) const NAMES: &[&str] = &[$(stringify!($name)),+];

        /// These of `own`, and all others of the process.
        pub(super) fn over(process: &Config, own: Config) -> Config {
            Config {
                $($name: own.$name,)+
                ..process.clone()
            }
        }
    };
}

of_a_world! {
    access_token_ttl,
    access_token_ttl_by_grant,
    authorization_code_ttl,
    default_scopes,
    device_code_ttl,
    grants,
    oauth1,
    oauth1_access_token_ttl,
    oauth1_clock_skew,
    oauth1_timestamp_window,
    optional_scopes,
    rate_limits,
    refresh_token_max_ttl,
    refresh_token_retry_window,
    refresh_token_ttl,
    require_pkce,
    resources,
    scopes,
    scopes_by_grant,
    session_max_ttl,
    session_ttl,
    user_applications,
}
