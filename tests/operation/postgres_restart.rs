//! PostgreSQL itself is restarted under load: whoever asks meanwhile is told to come back, and does so in
//! vain for a moment only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::cluster::Cluster;
use crate::world::{Answer, Application, Database, Tokens, World};

/// What a request waits for its store, and what a loaded machine needs beside.
const PATIENCE: Duration = Duration::from_secs(5);
/// Until the first good answer after the store is back.
const HEALING: Duration = Duration::from_secs(4);

/// What the clients have been told, all together.
#[derive(Default)]
struct Told {
    over: AtomicBool,
    good: AtomicUsize,
    unavailable: AtomicUsize,
}

impl Told {
    /// Whether it was good. A client is told nothing but that, or to come back.
    fn note(&self, answer: &Answer, took: Duration) -> bool {
        assert!(matches!(answer.status, 200 | 503), "{answer}");
        assert!(took < PATIENCE, "{took:?}: {answer}");
        let good = answer.status == 200;
        let count = if good { &self.good } else { &self.unavailable };
        count.fetch_add(1, Ordering::SeqCst);
        good
    }

    /// Waits until one of these was told so once more.
    async fn once_more(&self, count: &AtomicUsize) {
        let (before, started) = (count.load(Ordering::SeqCst), Instant::now());
        while count.load(Ordering::SeqCst) == before {
            assert!(started.elapsed() < HEALING, "nobody is told so");
            tokio::task::yield_now().await;
        }
    }
}

/// Refreshes, introspects and asks for itself until it is over; its last tokens.
async fn work(world: World, app: Application, mut tokens: Tokens, told: Arc<Told>) -> Tokens {
    while !told.over.load(Ordering::SeqCst) {
        let started = Instant::now();
        let answer = world.refresh(&app, tokens.refresh()).await;
        if told.note(&answer, started.elapsed()) {
            tokens = answer.tokens();
        }
        for request in [
            world.client_credentials(&app),
            world.introspect(&tokens.access).by(&app),
        ] {
            let started = Instant::now();
            told.note(&request.await, started.elapsed());
        }
    }
    tokens
}

async fn is_ready_soon(world: &World) {
    let started = Instant::now();
    loop {
        let answer = world.get("/readyz").await;
        if answer.status == 200 {
            return;
        }
        assert!(started.elapsed() < HEALING, "it does not heal: {answer}");
    }
}

async fn restart(world: &World, cluster: &Arc<Cluster>, mode: &'static str, told: &Told) {
    on(cluster, move |cluster| cluster.stop(mode)).await;
    told.once_more(&told.unavailable).await;
    assert_eq!(world.get("/readyz").await.status, 503);
    assert_eq!(world.get("/healthz").await.status, 200);
    on(cluster, Cluster::start_again).await;
    is_ready_soon(world).await;
    told.once_more(&told.good).await;
}

/// What takes its time, beside the workers.
async fn on(cluster: &Arc<Cluster>, deed: impl FnOnce(&Cluster) + Send + 'static) {
    let cluster = cluster.clone();
    tokio::task::spawn_blocking(move || deed(&cluster)).await.unwrap();
}

#[test]
fn a_restart_of_postgres_under_load_costs_a_moment_and_nobodys_tokens() {
    let settings = [("refresh_token_retry_window", "5m")];
    crate::world::run(Database::Sqlite, &settings, |host| async move {
        let cluster = tokio::task::spawn_blocking(Cluster::start).await.unwrap();
        let world = host.second_node_with(&[("database_url", &cluster.url)]).await;
        let cluster = Arc::new(cluster);
        let alice = world.user("alice").await;
        let app = world.application().create().await;
        let told = Arc::<Told>::default();
        let mut clients = JoinSet::new();
        for _ in 0..4 {
            let tokens = world.tokens(&alice, &app).await;
            clients.spawn(work(world.clone(), app.clone(), tokens, told.clone()));
        }
        for mode in ["immediate", "fast", "immediate"] {
            restart(&world, &cluster, mode, &told).await;
        }
        told.over.store(true, Ordering::SeqCst);
        for tokens in clients.join_all().await {
            assert!(world.is_active(&app, &tokens.access).await, "it was answered 200");
            let next = world.refresh(&app, tokens.refresh()).await.tokens();
            assert!(world.is_active(&app, &next.access).await);
        }
        world.signed_in(&alice).await;
        // Nobody is left on the store when it goes for good.
        host.stop().await;
    });
}
