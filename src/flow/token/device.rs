//! A device code for tokens, once a person has decided (RFC 8628 §3.4).

use time::OffsetDateTime;

use crate::base::secret::{Secret, SecretHash};
use crate::flow::App;
use crate::flow::client_auth::Authenticated;
use crate::flow::error::Refusal;
use crate::flow::issue;
use crate::flow::reuse::Reuse;
use crate::model::grant_type::GrantType;
use crate::model::ids::GrantId;
use crate::protocol::grant::device::{
    SLOWER_BY, Verdict, denied, expired, judge, pending, refused, too_early,
};
use crate::protocol::params::Params;
use crate::protocol::resource;
use crate::protocol::token::TokenResponse;
use crate::store::{self, devices};

pub(super) async fn redeem(
    app: &App,
    client: &Authenticated,
    params: &Params,
) -> Result<TokenResponse, Refusal> {
    let hash = Secret::new(params.require("device_code")?).hash();
    let Some(code) = devices::find(&app.db, hash).await? else {
        return Err(refused().with_cause("unknown device code").into());
    };
    let application = client.application();
    if code.application_id == application.id {
        client.is_current(code.application_version)?;
    }
    let now = app.now();
    match judge(&code, application.id, now) {
        Verdict::Wait => Err(wait(app, hash, now).await?),
        Verdict::Redeem(grant) => exchange(app, client, params, (hash, grant), now).await,
        Verdict::Denied => Err(denied().into()),
        Verdict::Expired => Err(expired().into()),
        Verdict::Refuse => Err(refused().with_cause("used, or of another client").into()),
    }
}

async fn wait(app: &App, hash: SecretHash, now: OffsetDateTime) -> Result<Refusal, Refusal> {
    if devices::poll(&app.db, hash, now).await? {
        return Ok(pending().into());
    }
    devices::slow_down(&app.db, hash, SLOWER_BY, now).await?;
    Ok(too_early().into())
}

/// Of polls in parallel one redeems. The others are no replay: a device may well ask twice.
async fn exchange(
    app: &App,
    client: &Authenticated,
    params: &Params,
    (hash, grant): (SecretHash, GrantId),
    now: OffsetDateTime,
) -> Result<TokenResponse, Refusal> {
    let application = client.application();
    let certificate = client.binding()?;
    let mut tx = app.db.write().await?;
    if !devices::consume(&mut tx, hash, now).await? {
        return Err(refused().with_cause("another poll was faster").into());
    }
    let family = store::grants::family(&mut tx, grant).await?;
    let Some(family) = family.filter(|family| family.live) else {
        return Err(refused()
            .with_cause("its grant was withdrawn, or its user changed")
            .into());
    };
    client.is_current_for(&family)?;
    let resources = resource::narrowed(params, &app.resources, &family.resources)?;
    let refresh = application.settings.allows(GrantType::RefreshToken) && app.offers(GrantType::RefreshToken);
    let reuse = Reuse::of(client, Some(&family), &family.granted, &resources);
    let minted = issue::mint(
        app,
        application,
        &family.granted,
        Some(&family),
        refresh,
        certificate,
        now,
    )
    .narrowed_to(resources)
    .reusable(app, reuse.as_ref());
    issue::keep(app, &mut tx, application, &family, &minted, None, now).await?;
    tx.commit().await?;
    Ok(minted.response)
}
