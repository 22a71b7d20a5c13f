//! An access token as the answer itself (RFC 6749 §4.2): the implicit grant.

use time::OffsetDateTime;

use crate::flow::App;
use crate::flow::error::Refusal;
use crate::flow::issue;
use crate::model::application::Application;
use crate::model::ids::GrantId;
use crate::protocol::authorize::{AuthorizationRequest, Delivery};
use crate::store::{self, Tx};

/// `None` where the user is not who they were a moment ago.
pub(super) async fn issue(
    app: &App,
    tx: &mut Tx,
    application: &Application,
    request: &AuthorizationRequest,
    grant: GrantId,
    now: OffsetDateTime,
) -> Result<Option<Delivery>, Refusal> {
    let family = store::grants::family(tx, grant).await?;
    let Some(family) = family.filter(|family| family.live) else {
        return Ok(None);
    };
    // Whoever has its tokens bound to a certificate is refused before.
    let minted = issue::mint(app, application, &request.scopes, Some(&family), false, None, now);
    issue::keep(app, tx, application, &family, &minted, None, now).await?;
    Ok(Some(request.target.token(&minted.response, app.issuer.as_str())))
}
