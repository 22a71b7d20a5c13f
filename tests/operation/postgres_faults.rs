//! PostgreSQL goes away: everybody is told to come back later, nobody is told a lie, and it heals by
//! itself.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::proxy::{Commit, Proxy, Wire};
use crate::form::Form;
use crate::world::{Answer, Application, Ask, Browser, Database, Request, Tokens, User, World, at_once};

/// The three seconds that a request waits for its store, and what a loaded machine needs beside.
const PATIENCE: Duration = Duration::from_secs(5);
/// Less than a request waits for its store: clients with this patience leave in the midst of it.
const HASTE: Duration = Duration::from_millis(500);
/// Until the first good answer after the store is back.
const HEALING: Duration = Duration::from_secs(4);

/// A server behind a wire, with somebody and something to ask it for.
struct Scene {
    /// Reaches the store without the wire.
    direct: World,
    /// Reaches it over the wire.
    world: World,
    proxy: Proxy,
    user: User,
    app: Application,
    tokens: Tokens,
    code: String,
    browser: Browser,
}

impl Scene {
    async fn set(direct: World) -> Self {
        let proxy = Proxy::to(&direct.database_url).await;
        let world = direct.second_node_with(&[("database_url", &proxy.url)]).await;
        let user = world.administrator("alice").await;
        let app = world.application().create().await;
        let browser = world.signed_in(&user).await;
        let tokens = world.tokens(&user, &app).await;
        let code = browser.authorize(&Ask::of(&app)).await.code();
        Self {
            direct,
            world,
            proxy,
            user,
            app,
            tokens,
            code,
            browser,
        }
    }

    /// A request to everything that needs the store.
    fn requests(&self) -> Vec<(&'static str, Request)> {
        let (world, app, access) = (&self.world, &self.app, self.tokens.access.as_str());
        let memo = serde_json::json!({"message": "ふじ"});
        vec![
            ("code", world.redeem(app, &self.code)),
            ("refresh", world.refresh(app, self.tokens.refresh())),
            ("client_credentials", world.client_credentials(app)),
            (
                "wrong secret",
                world
                    .token(&[("grant_type", "client_credentials")])
                    .basic(&app.client_id, "wrong"),
            ),
            (
                "unknown client",
                world
                    .token(&[("grant_type", "client_credentials")])
                    .basic("nobody", "wrong"),
            ),
            ("introspect", world.introspect(access).by(app)),
            ("revoke", world.revoke(access).by(app)),
            ("token info", world.get("/oauth/token/info").bearer(access)),
            ("memos", world.memos(access)),
            ("unknown token", world.memos(&format!("tga_{}", "A".repeat(43)))),
            (
                "new memo",
                world.request("POST", "/api/memos").bearer(access).json(&memo),
            ),
            ("authorize", self.browser.get(&Ask::of(app).path())),
            ("authorize, nobody", world.get(&Ask::of(app).path())),
            ("sign-in page", world.get("/login")),
            ("applications", self.browser.get("/oauth/applications")),
            ("account", self.browser.get("/account")),
            ("set-up", world.get("/setup?token=x")),
        ]
    }

    /// Asks everything at once: 503 with `Retry-After`, and soon.
    async fn everything_is_unavailable(&self) {
        let asked = self.requests().into_iter().map(|(name, request)| {
            tokio::spawn(async move {
                let started = Instant::now();
                (name, request.await, started.elapsed())
            })
        });
        let asked: Vec<_> = asked.collect();
        for asked in asked {
            let (name, answer, took) = asked.await.unwrap();
            assert_eq!(answer.status, 503, "{name}: {answer}");
            assert!(!answer.header("retry-after").is_empty(), "{name}: {answer}");
            assert!(took < PATIENCE, "{name} took {took:?}");
        }
        self.is_alive_and_not_ready().await;
    }

    async fn is_alive_and_not_ready(&self) {
        let started = Instant::now();
        assert_eq!(self.world.get("/healthz").await.status, 200);
        assert_eq!(
            self.world
                .get("/.well-known/oauth-authorization-server")
                .await
                .status,
            200
        );
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "what needs no store does not wait for it"
        );
        assert_eq!(self.world.get("/readyz").await.status, 503);
    }

    /// From some moment soon on, every request is good.
    async fn heals(&self) {
        let started = Instant::now();
        loop {
            let answer = self.world.get("/readyz").await;
            if answer.status == 200 {
                break;
            }
            assert!(started.elapsed() < HEALING, "it does not heal: {answer}");
        }
        while self.world.memos(&self.tokens.access).await.status == 503 {
            assert!(started.elapsed() < HEALING, "it does not heal");
        }
        let answers: Vec<Answer> =
            at_once(20, |_| self.world.client_credentials(&self.app).into_future()).await;
        for answer in answers {
            answer.tokens();
        }
        self.nothing_was_lost().await;
    }

    /// What was there before the fault is there after it.
    async fn nothing_was_lost(&self) {
        assert!(self.world.is_active(&self.app, &self.tokens.access).await);
        let next = self
            .world
            .refresh(&self.app, self.tokens.refresh())
            .await
            .tokens();
        assert!(self.world.is_active(&self.app, &next.access).await);
        assert_eq!(
            self.browser.get("/account").await.status,
            200,
            "nobody was signed out"
        );
        self.world.signed_in(&self.user).await;
    }
}

fn on_postgres<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(Scene) -> F + Send + 'static) {
    let settings = [("refresh_token_retry_window", "1m")];
    crate::world::run(Database::Postgres, &settings, |world| async move {
        test(Scene::set(world).await).await;
    });
}

#[test]
fn a_store_that_is_gone() {
    on_postgres(|scene| async move {
        for _ in 0..2 {
            scene.proxy.take_away().await;
            scene.everything_is_unavailable().await;
            scene.proxy.mend().await;
            scene.heals().await;
        }
    });
}

#[test]
fn a_store_that_hangs_up() {
    on_postgres(|scene| async move {
        scene.proxy.set(Wire::Cut);
        scene.everything_is_unavailable().await;
        scene.proxy.mend().await;
        scene.heals().await;
    });
}

#[test]
fn a_store_that_falls_silent() {
    on_postgres(|scene| async move {
        scene.proxy.set(Wire::Held);
        scene.everything_is_unavailable().await;
        scene.proxy.mend().await;
        scene.heals().await;
    });
}

/// What was asked for before the silence is given up too; nothing hangs when the wire is cut in the end.
#[test]
fn a_silent_store_that_comes_back_as_another() {
    on_postgres(|scene| async move {
        scene.proxy.set(Wire::Held);
        scene.everything_is_unavailable().await;
        scene.proxy.take_away().await;
        scene.proxy.mend().await;
        scene.heals().await;
    });
}

#[test]
fn a_crowd_before_a_silent_store_is_sent_away_soon() {
    on_postgres(|scene| async move {
        scene.proxy.set(Wire::Held);
        let started = Instant::now();
        let crowd = tokio::spawn(at_once(100, {
            let (world, app) = (scene.world.clone(), scene.app.clone());
            move |_| world.client_credentials(&app).into_future()
        }));
        scene.is_alive_and_not_ready().await;
        for answer in crowd.await.unwrap() {
            assert_eq!(answer.status, 503, "{answer}");
        }
        assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
        scene.proxy.mend().await;
        scene.heals().await;
    });
}

/// Connections that were cut while nobody used them cost a few requests a 503 at most, never more.
#[test]
fn idle_connections_that_were_cut_are_replaced() {
    on_postgres(|scene| async move {
        for answer in at_once(30, |_| scene.world.client_credentials(&scene.app).into_future()).await {
            answer.tokens();
        }
        scene.proxy.set(Wire::Cut);
        scene.proxy.mend().await;
        for _ in 0..10 {
            let answer = scene.world.client_credentials(&scene.app).await;
            assert!(matches!(answer.status, 200 | 503), "{answer}");
        }
        scene.heals().await;
    });
}

async fn lose_a_commit(scene: &Scene, commit: Commit, request: impl Fn() -> Request) -> Answer {
    scene.proxy.cut_at(commit);
    let answer = request().await;
    assert!(scene.proxy.has_cut(), "it commits");
    assert_eq!(answer.status, 503, "{answer}");
    request().await
}

#[test]
fn a_refresh_cut_off_at_its_commit_is_done_when_it_is_repeated() {
    on_postgres(|scene| async move {
        let mut tokens = scene.tokens.clone();
        for commit in [Commit::Lost, Commit::Unanswered, Commit::Unanswered, Commit::Lost] {
            let request = || scene.world.refresh(&scene.app, tokens.refresh());
            let next = lose_a_commit(&scene, commit, request).await.tokens();
            assert!(
                scene.world.is_active(&scene.app, &next.access).await,
                "{commit:?}"
            );
            tokens = next;
        }
        scene.world.refresh(&scene.app, tokens.refresh()).await.tokens();
    });
}

#[test]
fn a_code_cut_off_at_its_commit_is_redeemed_once_or_not_at_all() {
    on_postgres(|scene| async move {
        let request = || scene.world.redeem(&scene.app, &scene.code);
        let tokens = lose_a_commit(&scene, Commit::Lost, request).await.tokens();
        assert!(scene.world.is_active(&scene.app, &tokens.access).await);

        let code = scene.browser.authorize(&Ask::of(&scene.app)).await.code();
        let request = || scene.world.redeem(&scene.app, &code);
        let second = lose_a_commit(&scene, Commit::Unanswered, request).await;
        second.refused(400, "invalid_grant");
    });
}

#[test]
fn a_revocation_cut_off_is_never_called_done() {
    on_postgres(|scene| async move {
        let refresh = scene.tokens.refresh();
        let request = || scene.world.revoke(refresh).by(&scene.app);
        scene.proxy.take_away().await;
        assert_eq!(request().await.status, 503);
        assert!(
            scene.direct.is_active(&scene.app, &scene.tokens.access).await,
            "nothing was done"
        );
        scene.proxy.mend().await;
        scene.world.soon(200, || scene.world.get("/readyz")).await;
        assert_eq!(lose_a_commit(&scene, Commit::Lost, request).await.status, 200);
        assert!(!scene.direct.is_active(&scene.app, &scene.tokens.access).await);
    });
}

#[test]
fn a_sign_in_during_a_fault_is_neither_wrong_nor_counted() {
    on_postgres(|scene| async move {
        let browser = scene.world.browser();
        let page = browser.get("/login").await;
        let form = crate::world::filled_in(&page, &scene.user.username, &scene.user.password);
        scene.proxy.take_away().await;
        assert_eq!(browser.submit(&page, &form).await.status, 503);
        let account = scene.direct.signed_in(&scene.user).await.get("/account").await;
        assert!(
            Form::with_id(&account.body, "change-password").is_some(),
            "{account}"
        );
        scene.proxy.mend().await;
        scene.world.soon(200, || scene.world.get("/readyz")).await;
        assert_eq!(
            browser.submit(&page, &form).await.status,
            303,
            "the same form is still good"
        );
    });
}

impl Scene {
    /// A crowd hangs up on a silent store, before anybody noticed that it is.
    async fn hang_up_in_silence(&self) {
        at_once(40, |_| self.world.client_credentials(&self.app).into_future()).await;
        self.proxy.set(Wire::Held);
        let requests: Vec<_> = (0..10).flat_map(|_| self.requests()).collect();
        let clients: Vec<_> = requests
            .into_iter()
            .map(|(_, request)| tokio::spawn(timeout(HASTE, request.into_future())))
            .collect();
        for client in clients {
            assert!(client.await.unwrap().is_err(), "it was answered");
        }
    }
}

#[test]
fn who_hangs_up_on_a_silent_store_leaves_nothing_behind() {
    on_postgres(|scene| async move {
        for _ in 0..2 {
            scene.hang_up_in_silence().await;
            scene.proxy.set(Wire::Whole);
            scene.heals().await;
        }
    });
}

/// Nobody waited long enough to notice that the store does not answer.
#[test]
fn a_silent_store_that_comes_back_as_another_after_everybody_hung_up() {
    on_postgres(|mut scene| async move {
        scene.hang_up_in_silence().await;
        scene.proxy.replace_the_silent().await;
        scene.heals().await;
    });
}
