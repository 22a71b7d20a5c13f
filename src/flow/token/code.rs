//! An authorization code for tokens (RFC 6749 §4.1.3).

use time::OffsetDateTime;

use crate::base::secret::{Secret, SecretHash};
use crate::flow::App;
use crate::flow::audit::{self, EventName};
use crate::flow::client_auth::Authenticated;
use crate::flow::error::Refusal;
use crate::flow::issue;
use crate::flow::reuse::Reuse;
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::grant::{Family, RevokedReason};
use crate::model::grant_type::GrantType;
use crate::model::token::AuthorizationCode;
use crate::protocol::grant::code::{Presented, Verdict, judge, refused};
use crate::protocol::params::Params;
use crate::protocol::reason::Reason;
use crate::protocol::resource;
use crate::protocol::token::TokenResponse;
use crate::store;

pub(super) async fn redeem(
    app: &App,
    caller: &Caller,
    client: &Authenticated,
    params: &Params,
) -> Result<TokenResponse, Refusal> {
    let hash = Secret::new(params.require("code")?).hash();
    let Some(code) = store::codes::find(&app.db, hash).await? else {
        return Err(refused()
            .because(Reason::CodeUnknown)
            .with_cause("unknown code")
            .into());
    };
    client.is_current_for(&code.family)?;
    let now = app.now();
    match judge(&code, client.application().id, Presented::of(params), now) {
        Verdict::Redeem => match exchange(app, client, params, &code, hash, now).await? {
            Some(response) => Ok(response),
            None => Err(replayed(app, caller, client, &code.family, now).await?),
        },
        Verdict::Replay => Err(replayed(app, caller, client, &code.family, now).await?),
        Verdict::Fail(reason) => {
            store::codes::count_failure(&app.db, hash).await?;
            Err(refused().because(reason).with_cause(reason.as_str()).into())
        }
        Verdict::Refuse(reason) => Err(refused().because(reason).with_cause(reason.as_str()).into()),
    }
}

/// `None` where another request redeemed it first.
async fn exchange(
    app: &App,
    client: &Authenticated,
    params: &Params,
    code: &AuthorizationCode,
    hash: SecretHash,
    now: OffsetDateTime,
) -> Result<Option<TokenResponse>, Refusal> {
    let application = client.application();
    // Removed from the application while the code was out: whoever waits there is no longer trusted.
    if application.settings.redirect_uri(&code.redirect_uri).is_none() {
        return Err(refused()
            .because(Reason::CodeRedirectUriGone)
            .with_cause("the redirect URI is no longer registered")
            .into());
    }
    let certificate = client.binding()?;
    let resources = resource::narrowed(params, &app.resources, &code.family.resources)?;
    let refresh = application.settings.allows(GrantType::RefreshToken) && app.offers(GrantType::RefreshToken);
    let reuse = Reuse::of(client, Some(&code.family), &code.family.granted, &resources);
    let minted = issue::mint(
        app,
        application,
        &code.family.granted,
        Some(&code.family),
        refresh,
        certificate,
        now,
    )
    .narrowed_to(resources)
    .reusable(app, reuse.as_ref());
    let mut tx = app.db.write().await?;
    if !store::codes::consume(&mut tx, hash, now).await? {
        return Ok(None);
    }
    issue::keep(app, &mut tx, application, &code.family, &minted, None, now).await?;
    tx.commit().await?;
    Ok(Some(minted.response))
}

/// Two had the same code and the same proofs; one of them stole them, so what came of it dies
/// (RFC 6749 §4.1.2). Committed before it is refused: an error that rolls back would lose the revocation.
async fn replayed(
    app: &App,
    caller: &Caller,
    client: &Authenticated,
    family: &Family,
    now: OffsetDateTime,
) -> Result<Refusal, Refusal> {
    let grant = family.grant_id;
    let mut tx = app.db.write().await?;
    if store::grants::revoke(&mut tx, grant, RevokedReason::CodeReplayed, now).await? {
        let caller = caller.as_application(client.application().id);
        let event = Event::of_family(EventName::CodeReplayed, family);
        audit::record(app, &mut tx, &caller, event).await?;
    }
    tx.commit().await?;
    tracing::warn!(event = "code_replayed", %grant, "an authorization code came twice: its grant is revoked");
    Ok(refused()
        .because(Reason::CodeUsed)
        .with_cause("the code was used before; its grant is revoked")
        .into())
}
