//! What is less safe than it could be, of the server and of every application.

use super::App;
use super::error::Refusal;
use crate::protocol::departure::{self, Departure};
use crate::store::applications as rows;

/// First the server's, then those of the applications that are enabled, by `client_id`.
///
/// # Errors
/// That the store did not do it.
pub async fn departures(app: &App) -> Result<Vec<Departure>, Refusal> {
    let now = app.now();
    let mut found = departure::of_server(&app.config);
    for client in rows::all_clients(&app.db).await? {
        if client.application.is_enabled() {
            found.extend(departure::of_application(&client, app.config.require_pkce, now));
        }
    }
    Ok(found)
}
