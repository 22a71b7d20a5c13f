//! `tegata grant …`

use super::arguments::{GrantCommand, Listing, ShownGrant};
use super::failure::Failure;
use super::output::{Format, RevokedGrant};
use super::token::{tell_of_more, whose};
use crate::flow::App;
use crate::flow::families::{self, Told};
use crate::model::caller::Caller;
use crate::model::ids::GrantId;

pub(super) async fn run(app: &App, command: GrantCommand, format: Format) -> Result<String, Failure> {
    match command {
        GrantCommand::List(listing) => list(app, &listing, format).await,
        GrantCommand::Show(shown) => show(app, &shown, format).await,
        GrantCommand::Revoke(grant) => revoke(app, grant.id, format).await,
    }
}

async fn list(app: &App, listing: &Listing, format: Format) -> Result<String, Failure> {
    let found = families::list(app, whose(app, &listing.whose).await?, listing.limit).await?;
    tell_of_more(&found);
    format.render(found.rows.as_slice())
}

async fn show(app: &App, shown: &ShownGrant, format: Format) -> Result<String, Failure> {
    let page = shown.page.map(|number| number - 1);
    let family = families::family(app, shown.grant.id, page).await?;
    let family = family.ok_or_else(|| no_such_grant(shown.grant.id))?;
    format.render(&Told::from(family))
}

async fn revoke(app: &App, id: GrantId, format: Format) -> Result<String, Failure> {
    let grant = families::find(app, id).await?.ok_or_else(|| no_such_grant(id))?;
    let revoked = families::revoke(app, &Caller::OPERATOR, grant.application_id, id).await?;
    format.render(&RevokedGrant { id, revoked })
}

fn no_such_grant(id: GrantId) -> Failure {
    Failure::new(format!(
        "there is no grant {id}: it never was, or it ended and was deleted since; `tegata grant list` shows live ones"
    ))
}
