//! An empty database for one test, deleted with it.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use url::Url;

use super::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// Where the test's database is.
pub(super) struct Store {
    pub(super) url: String,
    /// A folder of the test's own: the SQLite file, and where the `tegata` command runs.
    pub(super) folder: Arc<TempDir>,
    postgres: Option<String>,
}

impl Store {
    pub(super) async fn create(database: Database) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        match database {
            Database::Sqlite => {
                let url = format!("sqlite://{}", folder.path().join("tegata.db").display());
                Self {
                    url,
                    folder,
                    postgres: None,
                }
            }
            Database::Postgres => {
                let name = unused_name();
                execute(format!("CREATE DATABASE {name}")).await;
                let mut url = server();
                url.set_path(&name);
                Self {
                    url: url.into(),
                    folder,
                    postgres: Some(name),
                }
            }
        }
    }

    pub(super) async fn delete(self) {
        if let Some(name) = self.postgres {
            execute(format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

fn unused_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let chance = u64::from_be_bytes(tegata::base::entropy::Entropy::System.bytes());
    format!(
        "tegata_{}_{}_{chance:x}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

async fn execute(statement: String) {
    let mut connection = PgConnection::connect(server().as_str())
        .await
        .expect("TEGATA_TEST_POSTGRES can be reached");
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

fn server() -> Url {
    let url = env::var("TEGATA_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "TEGATA_TEST_POSTGRES is not set: run `scripts/test`, which starts a PostgreSQL for the tests, \
             or point the variable at one: postgres://USER:PASSWORD@HOST/DATABASE"
        )
    });
    Url::parse(&url).expect("TEGATA_TEST_POSTGRES is a URL")
}

/// The store behind the server's back.
impl World {
    pub(crate) fn is_on_sqlite(&self) -> bool {
        self.database_url.starts_with("sqlite:")
    }

    /// Runs a statement and tells how many rows it changed.
    pub(crate) async fn change_rows(&self, statement: &str) -> u64 {
        let (url, statement) = (&self.database_url, AssertSqlSafe(statement.to_owned()));
        if self.is_on_sqlite() {
            let mut connection = SqliteConnection::connect(url).await.unwrap();
            let done = sqlx::query(statement).execute(&mut connection).await.unwrap();
            return done.rows_affected();
        }
        let mut connection = PgConnection::connect(url).await.unwrap();
        let done = sqlx::query(statement).execute(&mut connection).await.unwrap();
        done.rows_affected()
    }

    /// The one number that `query` gives.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        let (url, query) = (&self.database_url, AssertSqlSafe(query.to_owned()));
        if self.is_on_sqlite() {
            let mut connection = SqliteConnection::connect(url).await.unwrap();
            return sqlx::query_scalar(query)
                .fetch_one(&mut connection)
                .await
                .unwrap();
        }
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::query_scalar(query)
            .fetch_one(&mut connection)
            .await
            .unwrap()
    }
}
