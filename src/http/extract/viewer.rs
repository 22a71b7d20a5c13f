//! Who looks at a page: the session, and the user signed in there.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::response::Response;
use tower_sessions::Session;

use crate::base::secret::{Secret, SecretHash};
use crate::flow::sessions::{SIGNED_IN, SignedIn};
use crate::flow::{App, authorize, sessions, users};
use crate::http::pages::error;
use crate::model::user::User;

/// The name under which the token against CSRF lies in a session.
const CSRF: &str = "csrf";
/// The name under which a line for the next page lies.
const NOTICE: &str = "notice";

/// A browser, and who is signed in there.
#[derive(Clone, Debug)]
pub(in crate::http) struct Viewer {
    pub(in crate::http) session: Session,
    signed_in: Option<(User, SignedIn)>,
}

impl<S: Sync + Send> FromRequestParts<S> for Viewer
where
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let app = App::from_ref(state);
        let Some(session) = parts.extensions.get::<Session>().cloned() else {
            return Err(error::unavailable("a page outside the session layer"));
        };
        let fault = |fault: tower_sessions::session::Error| error::unavailable(&fault.to_string());
        let Some(signed_in) = session.get::<SignedIn>(SIGNED_IN).await.map_err(fault)? else {
            return Ok(Self {
                session,
                signed_in: None,
            });
        };
        let user = users::find(&app, signed_in.user)
            .await
            .map_err(|refusal| error::unavailable(&refusal.to_string()))?;
        let Some(user) = user.filter(|user| user.is_enabled() && user.epoch == signed_in.epoch) else {
            return Ok(Self {
                session,
                signed_in: None,
            });
        };
        let viewer = Self {
            session,
            signed_in: Some((user, signed_in)),
        };
        viewer.stay_alive(&app).await.map_err(fault)?;
        Ok(viewer)
    }
}

impl Viewer {
    pub(in crate::http) fn user(&self) -> Option<&User> {
        self.signed_in.as_ref().map(|(user, _)| user)
    }

    pub(in crate::http) fn for_authorize(&self) -> Option<authorize::Viewer<'_>> {
        let (user, signed_in) = self.signed_in.as_ref()?;
        Some(authorize::Viewer {
            user,
            sign_in: &signed_in.id,
        })
    }

    /// Moves the idle end on, now and then: a write for every page would be one too many.
    async fn stay_alive(&self, app: &App) -> Result<(), tower_sessions::session::Error> {
        let Some((_, signed_in)) = &self.signed_in else {
            return Ok(());
        };
        let now = app.now().unix_timestamp();
        let step = (app.config.session_ttl.whole_seconds() / 24).clamp(1, 300);
        if now - signed_in.seen < step {
            return Ok(());
        }
        self.session
            .insert(
                SIGNED_IN,
                SignedIn {
                    seen: now,
                    ..signed_in.clone()
                },
            )
            .await
    }

    /// Starts a session for `user` under a new id: one that was planted before is worth nothing.
    pub(in crate::http) async fn sign_in(
        &self,
        app: &App,
        user: &User,
        agent: &str,
    ) -> Result<(), tower_sessions::session::Error> {
        let now = app.now().unix_timestamp();
        let signed_in = SignedIn {
            user: user.id,
            epoch: user.epoch,
            at: now,
            seen: now,
            id: Secret::generate(&app.entropy, "").expose().to_owned(),
            agent: agent.chars().filter(|c| !c.is_control()).take(200).collect(),
        };
        self.session.cycle_id().await?;
        self.make_csrf(app).await?;
        self.session.insert(SIGNED_IN, signed_in).await
    }

    /// Goes on after the user's own change of password: under a new id, so that a copy of the old cookie
    /// is worth nothing.
    pub(in crate::http) async fn renew(
        &self,
        app: &App,
        user: &User,
    ) -> Result<(), tower_sessions::session::Error> {
        let Some((_, signed_in)) = &self.signed_in else {
            return Ok(());
        };
        self.session.cycle_id().await?;
        self.make_csrf(app).await?;
        let renewed = SignedIn {
            epoch: user.epoch,
            ..signed_in.clone()
        };
        self.session.insert(SIGNED_IN, renewed).await
    }

    /// Made as the session begins: two pages opened at once would each make their own, and one be lost.
    async fn make_csrf(&self, app: &App) -> Result<Secret, tower_sessions::session::Error> {
        let token = Secret::generate(&app.entropy, "");
        self.session.insert(CSRF, token.expose()).await?;
        Ok(token)
    }

    /// The token that every form of this session carries.
    pub(in crate::http) async fn csrf(&self, app: &App) -> Result<Secret, Response> {
        let fault = |fault: tower_sessions::session::Error| error::unavailable(&fault.to_string());
        if let Some(token) = self.session.get::<String>(CSRF).await.map_err(fault)? {
            return Ok(Secret::new(token));
        }
        self.make_csrf(app).await.map_err(fault)
    }

    /// Whether `sent` is this session's token.
    pub(in crate::http) async fn csrf_matches(&self, sent: &str) -> bool {
        let kept = self.session.get::<String>(CSRF).await.ok().flatten();
        kept.is_some_and(|kept| SecretHash::of(&kept) == SecretHash::of(sent))
    }

    /// Leaves a line for the next page.
    pub(in crate::http) async fn leave_notice(&self, text: &str) {
        if let Err(error) = self.session.insert(NOTICE, text).await {
            tracing::warn!(%error, "a notice was lost");
        }
    }

    pub(in crate::http) async fn take_notice(&self) -> Option<String> {
        // Looked at first: removing what is not there would count as a change, and be saved.
        self.session.get::<String>(NOTICE).await.ok().flatten()?;
        self.session.remove::<String>(NOTICE).await.ok().flatten()
    }

    /// The hash under which this session rests.
    pub(in crate::http) fn session_hash(&self) -> SecretHash {
        self.session
            .id()
            .map_or_else(|| SecretHash::of(""), sessions::hash)
    }
}
