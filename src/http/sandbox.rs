//! The sandbox: the real server as the target of client tests, and what steers it.
//!
//! A world is an authorization server of its own: issuer, users, applications, clock, scripts, record. The root
//! world is at the root, the others at `/s/ID`; the control plane of each lies under `{issuer}/sandbox`. Nothing
//! else of the server knows of this room, and `serve` has none of its routes.

mod applications;
mod authorize;
mod clock;
mod debugger;
mod deed;
mod devices;
mod ending;
mod guard;
mod json;
mod mask;
mod openapi;
mod record;
mod redirects;
mod requests;
mod revoke;
mod script;
mod scripts;
mod seen;
mod sessions;
mod settings;
mod tokens;
mod users;
mod worlds;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use tower::ServiceExt;

use self::authorize::Hint;
use self::clock::Steer;
use self::debugger::Walks;
use self::devices::Devices;
use self::record::Record;
use self::scripts::Scripts;
use super::IsStopping;
use crate::base::clock::{Clock, SteeredClock};
use crate::base::config::{Config, PublicUrl, Sources};
use crate::base::entropy::Entropy;
use crate::base::secret::{Secret, SecretHash};
use crate::flow::sandbox::seeds;
use crate::flow::{App, OpenError, Purpose, sweep};
use crate::protocol::{metadata, resource};

/// Below the root issuer, where worlds stand that were made.
const WORLDS: &str = "/s/";
/// Worlds at a time. A test that forgets to drop its own should learn of it.
const MOST: usize = 2048;

/// One authorization server, apart from all others.
#[derive(Debug)]
pub struct World {
    app: App,
    clock: SteeredClock,
    scripts: Scripts,
    record: Record,
    devices: Devices,
    walks: Walks,
    hint: Hint,
    /// What whoever steers it has to prove; `None` on loopback.
    control_token: Option<SecretHash>,
    /// Empty: the root world.
    id: String,
    begun: Beginning,
    sandboxes: Weak<Inner>,
    /// Whether somebody came since the last look.
    in_use: AtomicBool,
}

impl World {
    /// `path` as it stands under the issuer.
    pub(super) fn path_of<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(self.app.issuer.path()).unwrap_or(path)
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    pub fn clock(&self) -> &SteeredClock {
        &self.clock
    }
}

/// What is said of a world when it is made, and holds again when it is made anew.
#[derive(Clone, Debug, Default)]
struct Beginning {
    steer: Steer,
    /// Others than those of the process, by their names.
    settings: Vec<(String, String)>,
}

/// All worlds of a process. Clones are the same worlds.
#[derive(Clone)]
pub struct Sandboxes(Arc<Inner>);

struct Inner {
    config: Config,
    /// What `config` was read from.
    sources: Sources,
    /// The issuer of the root world.
    issuer: PublicUrl,
    entropy: Entropy,
    stopping: Arc<IsStopping>,
    control_token: Option<SecretHash>,
    worlds: RwLock<HashMap<String, Place>>,
}

/// A world and the way in.
#[derive(Clone)]
struct Place {
    world: Arc<World>,
    routes: Router,
}

impl fmt::Debug for Sandboxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sandboxes")
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inner")
    }
}

impl Inner {
    /// # Errors
    /// What is wrong with the settings.
    fn config_with(&self, settings: &[(String, String)]) -> Result<Config, OpenError> {
        if settings.is_empty() {
            return Ok(self.config.clone());
        }
        let sources = self.sources.clone().with(settings.iter().cloned());
        let own = Config::load(sources).map_err(|faults| OpenError::Setting(faults.to_string()))?;
        // Nothing else of them: a file may have come to name a store since the start.
        Ok(settings::over(&self.config, own))
    }
}

impl Sandboxes {
    /// With the root world.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub async fn open(
        config: Config,
        sources: Sources,
        issuer: PublicUrl,
        entropy: Entropy,
        control_token: Option<&Secret>,
        stopping: Arc<IsStopping>,
    ) -> Result<Self, OpenError> {
        let sandboxes = Self(Arc::new(Inner {
            config,
            sources,
            issuer,
            entropy,
            stopping,
            control_token: control_token.map(|token| SecretHash::of(token.expose())),
            worlds: RwLock::default(),
        }));
        let root = Box::pin(sandboxes.build(String::new(), Beginning::default())).await?;
        sandboxes.put(root);
        Ok(sandboxes)
    }

    /// Every URL of every world.
    pub fn router(&self) -> Router {
        Router::new().fallback(dispatch).with_state(self.clone())
    }

    /// The root world.
    pub fn root(&self) -> Option<Arc<World>> {
        self.world("")
    }

    /// The world of that id.
    pub fn world(&self, id: &str) -> Option<Arc<World>> {
        self.worlds().get(id).map(|place| Arc::clone(&place.world))
    }

    /// Makes another world. `None` where there are too many.
    ///
    /// # Errors
    /// The store's.
    pub async fn make(&self) -> Result<Option<Arc<World>>, OpenError> {
        Box::pin(self.begin(Beginning::default())).await
    }

    async fn begin(&self, begun: Beginning) -> Result<Option<Arc<World>>, OpenError> {
        if self.worlds().len() >= MOST {
            return Ok(None);
        }
        let id = u64::from_be_bytes(self.0.entropy.bytes());
        let place = Box::pin(self.build(format!("{id:016x}"), begun)).await?;
        let world = Arc::clone(&place.world);
        self.put(place);
        Ok(Some(world))
    }

    /// Makes the world of that id anew.
    ///
    /// # Errors
    /// The store's.
    pub async fn reset(&self, id: &str) -> Result<Arc<World>, OpenError> {
        let begun = self.world(id).map(|world| world.begun.clone());
        let place = Box::pin(self.build(id.to_owned(), begun.unwrap_or_default())).await?;
        let world = Arc::clone(&place.world);
        if let Some(old) = self.put(place) {
            old.world.scripts.release();
            old.world.app.close().await;
        }
        Ok(world)
    }

    /// Whether there was such a world. The root world stays.
    pub async fn drop_world(&self, id: &str) -> bool {
        if id.is_empty() {
            return false;
        }
        let dropped = self.worlds_mut().remove(id);
        let Some(place) = dropped else { return false };
        place.world.scripts.release();
        place.world.app.close().await;
        true
    }

    /// Drops the worlds to which nobody came since the last time.
    pub async fn drop_unused(&self) {
        let unused: Vec<String> = self
            .worlds()
            .iter()
            .filter(|(id, place)| !id.is_empty() && !place.world.in_use.swap(false, Ordering::Relaxed))
            .map(|(id, _)| id.clone())
            .collect();
        for id in unused {
            self.drop_world(&id).await;
        }
    }

    /// Housekeeping in every world.
    pub async fn sweep(&self) {
        let worlds: Vec<_> = self
            .worlds()
            .values()
            .map(|place| Arc::clone(&place.world))
            .collect();
        for world in worlds {
            if let Err(error) = sweep::round(&world.app).await {
                tracing::debug!(%error, "a sandbox could not be swept");
            }
        }
    }

    /// Lets go of every request that is held back.
    pub fn release(&self) {
        for place in self.worlds().values() {
            place.world.scripts.release();
        }
    }

    /// Drops everything.
    pub async fn close(&self) {
        let places: Vec<_> = self.worlds_mut().drain().map(|(_, place)| place).collect();
        for place in places {
            place.world.scripts.release();
            place.world.app.close().await;
        }
    }

    async fn build(&self, id: String, begun: Beginning) -> Result<Place, OpenError> {
        let inner = &self.0;
        let issuer = if id.is_empty() {
            inner.issuer.clone()
        } else {
            PublicUrl::parse(&inner.issuer.join(&format!("{WORLDS}{id}"))).map_err(OpenError::Setting)?
        };
        let clock = SteeredClock::default();
        begun.steer.apply(&clock);
        let app = Box::pin(App::open_to(
            Purpose::Sandbox,
            inner.config_with(&begun.settings)?,
            Clock::Steered(clock.clone()),
            inner.entropy.clone(),
            issuer,
        ))
        .await?;
        seeds::plant(&app).await?;
        let world = Arc::new(World {
            app,
            clock,
            scripts: Scripts::default(),
            record: Record::default(),
            devices: Devices::default(),
            walks: Walks::new(&inner.entropy),
            hint: Hint::default(),
            control_token: inner.control_token,
            id,
            begun,
            sandboxes: Arc::downgrade(inner),
            in_use: AtomicBool::new(true),
        });
        let routes = routes(&world, Arc::clone(&inner.stopping));
        Ok(Place { world, routes })
    }

    /// What was there before.
    fn put(&self, place: Place) -> Option<Place> {
        self.worlds_mut().insert(place.world.id.clone(), place)
    }

    /// The world under whose issuer `path` is, or whose metadata is there.
    fn at(&self, path: &str) -> Option<Place> {
        let id = id_in(path, self.0.issuer.path()).unwrap_or_default();
        self.worlds().get(id).cloned()
    }

    fn worlds(&self) -> RwLockReadGuard<'_, HashMap<String, Place>> {
        self.0.worlds.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn worlds_mut(&self) -> RwLockWriteGuard<'_, HashMap<String, Place>> {
        self.0.worlds.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `7f3a…` of `/s/7f3a…/oauth/token` and of `/.well-known/oauth-authorization-server/s/7f3a…`, each below `root`, the
/// path of the first issuer.
fn id_in<'p>(path: &'p str, root: &str) -> Option<&'p str> {
    let path = [metadata::WELL_KNOWN, resource::WELL_KNOWN]
        .into_iter()
        .find_map(|place| path.strip_prefix(place))
        .unwrap_or(path);
    let path = path.strip_prefix(root)?;
    path.strip_prefix(WORLDS)?.split('/').next()
}

async fn dispatch(State(sandboxes): State<Sandboxes>, request: Request) -> Response {
    let Some(place) = sandboxes.at(request.uri().path()) else {
        return json::refused(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such sandbox: it was dropped, or nobody used it for a while",
        );
    };
    place.world.in_use.store(true, Ordering::Relaxed);
    match place.routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The server's own URLs behind what steers them, and the control plane.
fn routes(world: &Arc<World>, stopping: Arc<IsStopping>) -> Router {
    let state = || Arc::clone(world);
    let server = super::router(world.app.clone(), stopping)
        .layer(from_fn_with_state(state(), authorize::by_hint))
        .layer(from_fn_with_state(state(), redirects::learn))
        .layer(from_fn_with_state(state(), devices::poll))
        .layer(from_fn_with_state(state(), scripts::act))
        .layer(from_fn_with_state(state(), record::note));
    let control = Router::new()
        .merge(worlds::routes())
        .merge(clock::routes())
        .merge(users::routes())
        .merge(applications::routes())
        .merge(authorize::routes())
        .merge(tokens::routes())
        .merge(revoke::routes())
        .merge(sessions::routes())
        .merge(devices::routes())
        .merge(scripts::routes())
        .merge(debugger::routes(world))
        .merge(requests::routes())
        .merge(openapi::routes())
        .layer(from_fn_with_state(state(), guard::admit))
        .with_state(state());
    match world.app.issuer.path() {
        "" => control.fallback_service(server),
        prefix => Router::new().nest(prefix, control).fallback_service(server),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_is_named_by_its_issuers_path() {
        for path in [
            "/s/7f3a",
            "/s/7f3a/oauth/token",
            "/.well-known/oauth-authorization-server/s/7f3a",
            "/.well-known/oauth-protected-resource/s/7f3a/api/memos",
            "/s/7f3a/.well-known/oauth-authorization-server",
        ] {
            assert_eq!(id_in(path, ""), Some("7f3a"), "{path}");
        }
        for path in [
            "/auth/s/7f3a/oauth/token",
            "/.well-known/oauth-authorization-server/auth/s/7f3a",
        ] {
            assert_eq!(id_in(path, "/auth"), Some("7f3a"), "{path}");
        }
        for path in [
            "/",
            "/sandbox",
            "/oauth/token",
            "/.well-known/oauth-authorization-server",
        ] {
            assert_eq!(id_in(path, ""), None, "{path}");
        }
    }
}
