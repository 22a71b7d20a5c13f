//! A refresh token for a new pair (RFC 6749 §6, RFC 9700 §4.14.2), or for an access token alone.

use time::OffsetDateTime;

use super::may_go_on;
use crate::base::secret::{Secret, SecretHash};
use crate::flow::audit::{self, EventName};
use crate::flow::client_auth::Authenticated;
use crate::flow::error::Refusal;
use crate::flow::issue::Minted;
use crate::flow::reuse::{self, Reuse};
use crate::flow::{App, issue, retry};
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::grant::{Family, RevokedReason};
use crate::model::grant_type::GrantType;
use crate::model::resource::Resources;
use crate::model::scope::Scopes;
use crate::model::token::RefreshToken;
use crate::protocol::error::OAuthError;
use crate::protocol::grant::refresh::{MOST_RETRIES, Verdict, judge, refused, scopes};
use crate::protocol::params::Params;
use crate::protocol::reason::Reason;
use crate::protocol::resource;
use crate::protocol::scope::ScopeRules;
use crate::protocol::token::TokenResponse;
use crate::store::refresh_tokens::{self, Retry};
use crate::store::usage::Used;
use crate::store::{self, Tx};

/// One presentation of a refresh token.
struct Presentation<'a> {
    caller: &'a Caller,
    client: &'a Authenticated,
    token: Secret,
    hash: SecretHash,
    params: &'a Params,
    arrival: u64,
    now: OffsetDateTime,
}

pub(super) async fn rotate(
    app: &App,
    caller: &Caller,
    client: &Authenticated,
    params: &Params,
    arrival: u64,
) -> Result<TokenResponse, Refusal> {
    let token = Secret::new(params.require("refresh_token")?);
    let presentation = Presentation {
        caller,
        client,
        hash: token.hash(),
        token,
        params,
        arrival,
        now: app.now(),
    };
    let Some(found) = refresh_tokens::find(&app.db, presentation.hash).await? else {
        return Err(refused()
            .because(Reason::RefreshTokenUnknown)
            .with_cause("unknown refresh token")
            .into());
    };
    client.is_current_for(&found.family)?;
    presentation.settle(app, &found, true).await
}

impl Presentation<'_> {
    /// `may_race`: the verdict may be overtaken by another request, and is then sought once more.
    async fn settle(
        &self,
        app: &App,
        found: &RefreshToken,
        may_race: bool,
    ) -> Result<TokenResponse, Refusal> {
        let verdict = judge(
            found,
            self.client.application().id,
            &self.client.by,
            self.client.certificate(),
            self.now,
        );
        match verdict {
            Verdict::Refresh => {
                may_go_on(app, self.client, found.family.grant_type)?;
                let settled = if self.client.application().settings.reuse_refresh_token {
                    self.keep(app, found).await?
                } else {
                    self.rotate(app, found).await?
                };
                match settled {
                    Some(response) => Ok(response),
                    None if may_race => self.overtaken(app).await,
                    None => Err(refused().with_cause("overtaken twice").into()),
                }
            }
            Verdict::AnswerAgain => {
                may_go_on(app, self.client, found.family.grant_type)?;
                self.answer_again(app, found).await
            }
            Verdict::Replay => Err(self.replayed(app, &found.family).await?),
            Verdict::Refuse(reason) => Err(refused().because(reason).with_cause(reason.as_str()).into()),
        }
    }

    /// What a refresh gives, and where it is good; with `refresh` a refresh token too.
    async fn mint(
        &self,
        app: &App,
        found: &RefreshToken,
        refresh: bool,
    ) -> Result<(Minted, Resources), Refusal> {
        let application = self.client.application();
        let granted = self.still_allowed(app, found)?;
        let asked = scopes(&granted, self.params.get("scope"))?;
        let resources = self.resources(app, found)?;
        let certificate = self.client.binding()?;
        let reuse = Reuse::of(self.client, Some(&found.family), &asked, &resources);
        let grant = found.family.grant_type;
        let again = reuse::find(app, self.client, reuse.as_ref(), grant, self.now).await?;
        let minted = issue::mint(
            app,
            application,
            &asked,
            Some(&found.family),
            refresh,
            certificate,
            self.now,
        )
        .narrowed_to(resources.clone());
        let minted = match again {
            Some(again) => minted.with_access_token(again, self.now),
            None => minted.reusable(app, reuse.as_ref()),
        };
        Ok((minted, resources))
    }

    /// The token presented stays good. `None` where another request rotated it first.
    async fn keep(&self, app: &App, found: &RefreshToken) -> Result<Option<TokenResponse>, Refusal> {
        let (mut minted, _) = self.mint(app, found, false).await?;
        let application = self.client.application();
        let until = issue::idle_end(app, application, &found.family, self.now);
        let mut tx = app.db.write().await?;
        if !refresh_tokens::prolong(&mut tx, self.hash, until).await? {
            return Ok(None);
        }
        self.store(app, tx, found, &minted).await?;
        minted.response.refresh_token = Some(self.token.clone());
        Ok(Some(minted.response))
    }

    /// `None` where another request rotated it first.
    async fn rotate(&self, app: &App, found: &RefreshToken) -> Result<Option<TokenResponse>, Refusal> {
        let refresh = self.client.application().settings.allows(GrantType::RefreshToken);
        let (minted, resources) = self.mint(app, found, refresh).await?;
        let sealed = self.seal(app, found, &resources, &minted.response);
        let kept = sealed.as_deref().map(|sealed| Retry {
            sealed,
            client: &self.client.by,
            until: self.now + app.config.refresh_token_retry_window,
        });

        let mut tx = app.db.write().await?;
        if !refresh_tokens::consume(&mut tx, self.hash, kept.as_ref(), self.now).await? {
            return Ok(None);
        }
        self.store(app, tx, found, &minted).await?;
        Ok(Some(minted.response))
    }

    async fn store(
        &self,
        app: &App,
        mut tx: Tx,
        found: &RefreshToken,
        minted: &Minted,
    ) -> Result<(), Refusal> {
        if let Some(parent) = &found.parent_hash {
            refresh_tokens::erase_retry(&mut tx, parent).await?;
        }
        let application = self.client.application();
        let parent = Some(self.hash);
        issue::keep(app, &mut tx, application, &found.family, minted, parent, self.now).await?;
        tx.commit().await?;
        app.usage.note(app, Used::Grant, found.family.grant_id.into());
        Ok(())
    }

    /// What was granted, less what the application has lost since.
    fn still_allowed(&self, app: &App, found: &RefreshToken) -> Result<Scopes, OAuthError> {
        let settings = &self.client.application().settings;
        let rules = ScopeRules::of(settings, found.family.grant_type);
        let left = found.family.granted.intersection(&app.catalog.grantable(rules));
        if left.is_empty() {
            return Err(OAuthError::invalid_scope(
                "This application is no longer allowed any of the scopes that were granted",
            )
            .because(Reason::ScopesLost));
        }
        Ok(left)
    }

    /// Where the access token is to be good: what is asked, within what was granted.
    fn resources(&self, app: &App, found: &RefreshToken) -> Result<Resources, OAuthError> {
        resource::narrowed(self.params, &app.resources, &found.family.resources)
    }

    fn seal(
        &self,
        app: &App,
        found: &RefreshToken,
        resources: &Resources,
        answer: &TokenResponse,
    ) -> Option<Vec<u8>> {
        if app.config.refresh_token_retry_window.is_zero() {
            return None;
        }
        let bound = retry::Bound::to(&found.family, &found.scopes, resources);
        retry::seal(&app.entropy, &self.token, &bound, answer)
    }

    /// Another request rotated the token between our look and our write: look again.
    async fn overtaken(&self, app: &App) -> Result<TokenResponse, Refusal> {
        let Some(found) = refresh_tokens::find(&app.db, self.hash).await? else {
            return Err(refused()
                .with_cause("the refresh token was deleted meanwhile")
                .into());
        };
        Box::pin(self.settle(app, &found, false)).await
    }

    async fn answer_again(&self, app: &App, found: &RefreshToken) -> Result<TokenResponse, Refusal> {
        let resources = self.resources(app, found)?;
        let bound = retry::Bound::to(&found.family, &found.scopes, &resources);
        let opened = found
            .retry_sealed
            .as_deref()
            .and_then(|sealed| retry::open(&self.token, &bound, sealed));
        let Some(answer) = opened else {
            return Err(refused().with_cause("the kept answer does not open").into());
        };
        if let Some(taken) = refresh_tokens::take_retry(&app.db, self.hash, MOST_RETRIES, self.now).await? {
            if taken == MOST_RETRIES {
                app.retries.used_up(self.hash);
            }
            return Ok(answer);
        }
        let sealed_still = refresh_tokens::find(&app.db, self.hash)
            .await?
            .is_some_and(|found| found.retry_sealed.is_some());
        if !sealed_still || app.retries.came_after(self.hash, self.arrival) {
            return Err(self.replayed(app, &found.family).await?);
        }
        Err(refused()
            .because(Reason::RefreshTokenRetried)
            .with_cause("the answer was given again as often as allowed")
            .into())
    }

    /// It was rotated and comes again: it, or its successor, is in the wrong hands. Committed before it
    /// is refused: an error that rolls back would lose the revocation.
    async fn replayed(&self, app: &App, family: &Family) -> Result<Refusal, Refusal> {
        let mut tx = app.db.write().await?;
        let reason = RevokedReason::RefreshTokenReplayed;
        if store::grants::revoke(&mut tx, family.grant_id, reason, self.now).await? {
            let caller = self.caller.as_application(self.client.application().id);
            let event = Event::of_family(EventName::RefreshTokenReplayed, family);
            audit::record(app, &mut tx, &caller, event).await?;
        }
        tx.commit().await?;
        tracing::warn!(
            event = "refresh_token_replayed",
            grant = %family.grant_id,
            application = %family.application_id,
            user = %family.user_id,
            "a rotated refresh token came again: its grant is revoked"
        );
        Ok(refused()
            .because(Reason::RefreshTokenReplayed)
            .with_cause("the refresh token was rotated before; its grant is revoked")
            .into())
    }
}
