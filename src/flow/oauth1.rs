//! OAuth 1.0a (RFC 5849), for applications that know nothing newer. Apart from the rest: nothing of OAuth 2.0 uses
//! anything from here.

pub(super) mod nonces;
pub mod verify;

use super::App;

/// Whether this server speaks it at all.
pub fn enabled(app: &App) -> bool {
    app.config.oauth1
}
