//! One store, two databases: an enum of pools behind a statement builder.
//!
//! Each statement is written once, with `$1` placeholders, in a text that means the same to SQLite and
//! to Postgres. A store function is then the SQL and nothing else.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::sqlite::{
    Sqlite, SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Encode, FromRow, Transaction, Type};
use tokio::time::timeout;

use super::error::{Result, StoreError};
use super::faults::{Faults, Patience, silent};
use super::migrate;
use crate::base::config::Database;

/// How long a request waits for a connection before it is answered with 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections to Postgres for each core of ours. More would only wait for one another, and a burst on a cold pool
/// opens them all at once, each at the cost of a handshake that is dear on purpose (SCRAM, RFC 7677).
const CONNECTIONS_PER_CORE: usize = 4;
/// How long the start waits for Postgres.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long SQLite waits for another process (a backup, a command) that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Of a store in memory, in bytes. Its tables are small and many, and each takes at least a page.
const MEMORY_PAGE_SIZE: u32 = 1024;

/// The store's pools. Cloning is cheap and shares them.
#[derive(Clone, Debug)]
pub enum Db {
    /// One writer connection: SQLite has one writer, and the pool queues fairly.
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
        file: Option<DbFile>,
    },
    Postgres {
        pool: PgPool,
        faults: Arc<Faults>,
    },
}

/// Between 8 and 32.
fn most_connections() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = cores.saturating_mul(CONNECTIONS_PER_CORE).clamp(8, 32);
    u32::try_from(wanted).unwrap_or(8)
}

impl Db {
    /// Opens and migrates.
    pub async fn open(database: &Database) -> Result<Self> {
        match database {
            Database::SqliteMemory => Self::open_memory().await,
            Database::SqliteFile(path) => Self::open_sqlite(path).await,
            Database::Postgres(url) => Self::open_postgres(url.expose()).await,
        }
    }

    async fn open_memory() -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .in_memory(true)
            .page_size(MEMORY_PAGE_SIZE);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(sqlite(options))
            .await?;
        let mut connection = pool.acquire().await?;
        migrate::sqlite(&mut connection).await?;
        drop(connection);
        Ok(Self::Sqlite {
            readers: pool.clone(),
            writer: pool,
            file: None,
        })
    }

    async fn open_sqlite(path: &Path) -> Result<Self> {
        let lock = migrate::lock_directory(path)?;
        let options = sqlite(SqliteConnectOptions::new().filename(path));
        migrate::make_file(path)?;
        let mut first = options.clone().connect().await?;
        migrate::sqlite(&mut first).await?;
        first.close().await?;
        drop(lock);

        let pool = || {
            SqlitePoolOptions::new()
                .idle_timeout(None)
                .max_lifetime(None)
                .acquire_timeout(ACQUIRE_TIMEOUT)
        };
        let writer = pool()
            .max_connections(1)
            .min_connections(1)
            .connect_with(options.clone())
            .await?;
        let readers = pool()
            .max_connections(4)
            .min_connections(1)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self::Sqlite {
            readers,
            writer,
            file: Some(DbFile::of(path)?),
        })
    }

    async fn open_postgres(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("tegata")
            .options([
                ("statement_timeout", "10s"),
                ("idle_in_transaction_session_timeout", "15s"),
            ])
            .disable_statement_logging();
        // By itself, since a pool would only tell that it ran out of time, not why.
        let connecting = timeout(CONNECT_TIMEOUT, options.connect()).await;
        let mut first = connecting.map_err(silent)??;
        migrate::postgres(&mut first).await?;
        first.close().await?;

        let faults = Arc::new(Faults::new());
        let (seen, left) = (Arc::clone(&faults), Arc::clone(&faults));
        // The pool's own ping before every use doubles the cost of a select, so it is off; instead a
        // connection is tried out only while it may be left over from a fault.
        let pool = PgPoolOptions::new()
            .max_connections(most_connections())
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                let suspect = seen.suspects(meta.age);
                Box::pin(async move {
                    if suspect {
                        writable(connection).await
                    } else {
                        Ok(true)
                    }
                })
            })
            // A connection on which nobody answers would keep its place in the pool until TCP gives up.
            .after_release(move |connection, meta| {
                let suspect = left.doubts_returned(meta.age);
                Box::pin(async move {
                    if suspect {
                        timeout(ACQUIRE_TIMEOUT, connection.ping())
                            .await
                            .map_err(silent)??;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Ok(Self::Postgres { pool, faults })
    }

    /// A transaction for several reads. SQLite refuses it a write.
    pub async fn read(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { readers, .. } => Ok(Tx::Sqlite(readers.begin().await?)),
            Self::Postgres { pool, faults } => {
                let begun = faults.patient().wait(pool.begin()).await?;
                Ok(Tx::Postgres(begun, Arc::clone(faults)))
            }
        }
    }

    /// A transaction that writes. On SQLite it takes the write lock at once (`BEGIN IMMEDIATE`): a
    /// transaction that reads first and writes later fails when another wrote in between.
    pub async fn write(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { writer, .. } => Ok(Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)),
            Self::Postgres { .. } => self.read().await,
        }
    }

    /// One reading statement, in one round trip.
    pub fn query(&self, text: &'static str) -> Statement<'_> {
        match self {
            Self::Sqlite { readers, .. } => Statement::SqlitePool(readers, logged(text)),
            Self::Postgres { pool, faults } => Statement::PostgresPool(pool, logged(text), faults.patient()),
        }
    }

    /// One writing statement that is a transaction of its own, in one round trip.
    pub fn command(&self, text: &'static str) -> Statement<'_> {
        match self {
            Self::Sqlite { writer, .. } => Statement::SqlitePool(writer, logged(text)),
            Self::Postgres { .. } => self.query(text),
        }
    }

    /// Whether the store can be reached, still is the one that was opened, and has the schema of this
    /// version.
    pub async fn ready(&self) -> Result<()> {
        if let Self::Sqlite { file: Some(file), .. } = self {
            file.still_there()?;
        }
        let (version,): (Option<i64>,) = self
            .query("SELECT max(version) FROM tegata_migrations")
            .one()
            .await?;
        match version.unwrap_or(0).cmp(&migrate::newest()) {
            Ordering::Equal => Ok(()),
            Ordering::Less => Err(StoreError::refused(
                "the schema is not current: run tegata migrate",
            )),
            Ordering::Greater => Err(StoreError::refused(
                "the schema is newer than this Tegata: start the one that migrated it",
            )),
        }
    }

    /// Closes every connection; SQLite folds its log into the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }
}

/// An open transaction; dropped without [`Tx::commit`] it rolls back.
#[derive(Debug)]
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>, Arc<Faults>),
}

impl Tx {
    /// `&'static`: a text put together from input does not type-check.
    pub fn sql(&mut self, text: &'static str) -> Statement<'_> {
        match self {
            Self::Sqlite(tx) => Statement::Sqlite(tx, logged(text)),
            Self::Postgres(tx, faults) => Statement::Postgres(tx, logged(text), faults.patient()),
        }
    }

    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => Ok(tx.commit().await?),
            Self::Postgres(tx, faults) => faults.patient().wait(tx.commit()).await,
        }
    }
}

/// A statement on its way to either database.
#[expect(
    missing_debug_implementations,
    reason = "holds bound values, which may be secrets' hashes"
)]
pub enum Statement<'t> {
    Sqlite(&'t mut SqliteConnection, Query<'static, Sqlite, SqliteArguments>),
    Postgres(
        &'t mut PgConnection,
        Query<'static, Postgres, PgArguments>,
        Patience<'t>,
    ),
    SqlitePool(&'t SqlitePool, Query<'static, Sqlite, SqliteArguments>),
    PostgresPool(&'t PgPool, Query<'static, Postgres, PgArguments>, Patience<'t>),
}

macro_rules! on {
    ($statement:expr, ($target:ident, $query:ident) => $run:expr) => {
        match $statement {
            Statement::Sqlite($target, $query) => Ok($run.await?),
            Statement::SqlitePool($target, $query) => Ok($run.await?),
            Statement::Postgres($target, $query, patience) => patience.wait($run).await,
            Statement::PostgresPool($target, $query, patience) => patience.wait($run).await,
        }
    };
}

impl Statement<'_> {
    #[must_use]
    pub fn bind<'v>(self, value: impl Value<'v>) -> Self {
        match self {
            Self::Sqlite(target, query) => Self::Sqlite(target, query.bind(value)),
            Self::SqlitePool(target, query) => Self::SqlitePool(target, query.bind(value)),
            Self::Postgres(target, query, patience) => Self::Postgres(target, query.bind(value), patience),
            Self::PostgresPool(target, query, patience) => {
                Self::PostgresPool(target, query.bind(value), patience)
            }
        }
    }

    /// May take its time: no request waits for it.
    #[must_use]
    pub fn unhurried(mut self) -> Self {
        if let Self::Postgres(.., patience) | Self::PostgresPool(.., patience) = &mut self {
            patience.is_unhurried();
        }
        self
    }

    /// The number of rows changed.
    pub async fn execute(self) -> Result<u64> {
        match self {
            Self::Sqlite(target, query) => Ok(query.execute(target).await?.rows_affected()),
            Self::SqlitePool(target, query) => Ok(query.execute(target).await?.rows_affected()),
            Self::Postgres(target, query, patience) => {
                let done = patience.wait(query.execute(target)).await?;
                Ok(done.rows_affected())
            }
            Self::PostgresPool(target, query, patience) => {
                let done = patience.wait(query.execute(target)).await?;
                Ok(done.rows_affected())
            }
        }
    }

    pub async fn one<T: Record>(self) -> Result<T> {
        on!(self, (target, query) => query.try_map(|row| T::from_row(&row)).fetch_one(target))
    }

    pub async fn optional<T: Record>(self) -> Result<Option<T>> {
        on!(self, (target, query) => query.try_map(|row| T::from_row(&row)).fetch_optional(target))
    }

    pub async fn all<T: Record>(self) -> Result<Vec<T>> {
        on!(self, (target, query) => query.try_map(|row| T::from_row(&row)).fetch_all(target))
    }
}

/// The finest log shows which statements a request takes; what is bound to them is never shown.
fn logged<D: sqlx::Database>(text: &'static str) -> Query<'static, D, D::Arguments> {
    tracing::trace!(text, "statement");
    sqlx::query(text)
}

/// A value both databases take.
pub trait Value<'v>: Encode<'v, Sqlite> + Type<Sqlite> + Encode<'v, Postgres> + Type<Postgres> {}
impl<'v, T: Encode<'v, Sqlite> + Type<Sqlite> + Encode<'v, Postgres> + Type<Postgres>> Value<'v> for T {}

/// A type that a row of either database gives.
pub trait Record: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Record for T {}

/// Whether the server behind this connection answers and takes writes: after a failover the old one
/// may live on as a read-only standby.
async fn writable(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let (standby,): (bool,) = sqlx::query_as("SELECT pg_is_in_recovery()")
        .fetch_one(connection)
        .await?;
    Ok(!standby)
}

fn sqlite(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

/// The SQLite file as it was opened, to notice when it is taken away.
#[derive(Clone, Debug)]
pub struct DbFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl DbFile {
    fn of(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(path)?,
        })
    }

    fn still_there(&self) -> Result<()> {
        if identity(&self.path)? == self.identity {
            return Ok(());
        }
        Err(StoreError::refused(format!(
            "{} was replaced while it was in use",
            self.path.display()
        )))
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path)
        .map_err(|error| StoreError::refused(format!("{}: {error}", path.display())))?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Result<(u64, u64)> {
    std::fs::metadata(path).map_err(|error| StoreError::refused(format!("{}: {error}", path.display())))?;
    Ok((0, 0))
}
