//! Whether a full store is slower than an empty one: W3 with few and with many access tokens.

use sqlx::{Connection, PgConnection, SqliteConnection};
use tegata::base::entropy::Entropy;
use tegata::base::secret::{Secret, SecretHash};

use super::error::Result;
use super::load::{Watched, drive};
use super::options::{Options, Workload};
use super::postgres::Postgres;
use super::report::Row;
use super::scene::Scene;
use super::server::Server;
use super::store::Store;
use super::worker::Worker;

/// So many tokens are asked with in turn, in both stores: a single one would stay in every cache.
const ASKED: usize = 1_000;

const COPY_ONE: &str =
    "INSERT INTO access_tokens (hash, application_id, grant_id, scopes, created_at, expires_at)
     SELECT $1, application_id, grant_id, scopes, created_at, expires_at FROM access_tokens WHERE hash = $2";
const COPY_MANY_SQLITE: &str =
    "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < $1)
     INSERT INTO access_tokens (hash, application_id, grant_id, scopes, created_at, expires_at)
     SELECT randomblob(32), application_id, grant_id, scopes, created_at, expires_at
     FROM numbers CROSS JOIN access_tokens WHERE hash = $2";
const COPY_MANY_POSTGRES: &str =
    "INSERT INTO access_tokens (hash, application_id, grant_id, scopes, created_at, expires_at)
     SELECT sha256(convert_to(number::text, 'UTF8')), application_id, grant_id, scopes, created_at, expires_at
     FROM generate_series(1, $1) AS numbers (number) CROSS JOIN access_tokens WHERE hash = $2";

/// A server on a store of its own.
struct Side<'p> {
    store: Store<'p>,
    server: Server,
    workers: Vec<Worker>,
}

/// Measures both in turn, round by round, and says it in a sentence.
pub(crate) async fn compare(options: &Options, postgres: Option<&Postgres>, title: &str) -> Result<String> {
    let mut few = Side::prepare(options, postgres, "few", 0).await?;
    let mut many = Side::prepare(options, postgres, "many", options.many_tokens()).await?;
    let (mut with_few, mut with_many) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        eprintln!(
            "{title}, round {round} of {}: W3 with few and many tokens",
            options.rounds
        );
        with_few.push(few.measure(options).await?);
        with_many.push(many.measure(options).await?);
    }
    let is_remote = few.store.is_remote();
    few.end().await?;
    many.end().await?;
    let (few, many) = (Row::of(&with_few, is_remote), Row::of(&with_many, is_remote));
    Ok(format!(
        "W3 with {} access tokens in the store: {:.3} ms CPU, p50 {:.2} ms, {:.0}/s; with {ASKED}: {:.3} ms CPU, \
         p50 {:.2} ms, {:.0}/s. Ratio of the CPU: {:.2}.",
        options.many_tokens(),
        many.cpu(),
        many.p50,
        many.rate,
        few.cpu(),
        few.p50,
        few.rate,
        many.cpu() / few.cpu(),
    ))
}

impl<'p> Side<'p> {
    async fn prepare(
        options: &Options,
        postgres: Option<&'p Postgres>,
        purpose: &str,
        others: i64,
    ) -> Result<Self> {
        let store = Store::create(postgres, purpose, &options.server).await?;
        let scene = Scene::set(&store).await?;
        let server = Server::start(&store, &options.log).await?;
        let mut workers = scene.workers(&server, options.connections).await?;
        let pattern = workers.first().map(Worker::access_token).unwrap_or_default();
        let tokens = fill(&store, SecretHash::of(pattern), others).await?;
        let apart = ASKED / workers.len().max(1);
        for (number, worker) in workers.iter_mut().enumerate() {
            worker.use_tokens(&tokens, number * apart);
        }
        Ok(Self {
            store,
            server,
            workers,
        })
    }

    async fn measure(&mut self, options: &Options) -> Result<super::load::Measured> {
        let watched = Watched {
            server: self.server.processes,
            database: self.store.processes(),
        };
        let workers = std::mem::take(&mut self.workers);
        let times = (options.warming_up(), options.measuring());
        let (workers, measured) = drive(workers, Workload::W3, watched, times).await?;
        self.workers = workers;
        Ok(measured)
    }

    async fn end(self) -> Result<()> {
        drop(self.workers);
        self.server.stop().await?;
        self.store.delete().await
    }
}

/// Copies the token `pattern` to [`ASKED`] new ones, which are given back, and to as many `others`.
async fn fill(store: &Store<'_>, pattern: SecretHash, others: i64) -> Result<Vec<String>> {
    let tokens: Vec<Secret> = (0..ASKED)
        .map(|_| Secret::generate(&Entropy::System, "tga_"))
        .collect();
    if store.url.starts_with("sqlite:") {
        fill_sqlite(&store.url, pattern, others, &tokens).await?;
    } else {
        fill_postgres(&store.url, pattern, others, &tokens).await?;
    }
    Ok(tokens.iter().map(|token| token.expose().to_owned()).collect())
}

async fn fill_sqlite(url: &str, pattern: SecretHash, others: i64, tokens: &[Secret]) -> Result<()> {
    let mut connection = SqliteConnection::connect(url).await?;
    let mut transaction = connection.begin().await?;
    for token in tokens {
        sqlx::query(COPY_ONE)
            .bind(token.hash().to_vec())
            .bind(pattern.to_vec())
            .execute(&mut *transaction)
            .await?;
    }
    if others > 0 {
        sqlx::query(COPY_MANY_SQLITE)
            .bind(others)
            .bind(pattern.to_vec())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

async fn fill_postgres(url: &str, pattern: SecretHash, others: i64, tokens: &[Secret]) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let mut transaction = connection.begin().await?;
    for token in tokens {
        sqlx::query(COPY_ONE)
            .bind(token.hash().to_vec())
            .bind(pattern.to_vec())
            .execute(&mut *transaction)
            .await?;
    }
    if others > 0 {
        sqlx::query(COPY_MANY_POSTGRES)
            .bind(others)
            .bind(pattern.to_vec())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    // what the autovacuum would do in its own time, in the middle of a measurement
    sqlx::query("VACUUM ANALYZE access_tokens")
        .execute(&mut connection)
        .await?;
    sqlx::query("CHECKPOINT").execute(&mut connection).await?;
    Ok(connection.close().await?)
}
