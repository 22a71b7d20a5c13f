//! Brings a database up to date: one set of migrations for both kinds.

use std::fs::File;
use std::path::Path;
use std::sync::LazyLock;

use sqlx::migrate::Migrator;
use sqlx::{PgConnection, SqliteConnection};

use super::error::{Result, StoreError};

/// The table that remembers which migrations ran. Its name is ours, so that another program's
/// migrations are told from our own.
const TABLE: &str = "tegata_migrations";

pub(super) async fn sqlite(connection: &mut SqliteConnection) -> Result<()> {
    let (ours, foreign): (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE name = $1), count(*) FILTER (WHERE name <> $1 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\')
         FROM sqlite_master WHERE type = 'table'",
    )
    .bind(TABLE)
    .fetch_one(&mut *connection)
    .await?;
    refuse_foreign(ours, foreign)?;
    Ok(migrator().run_direct(None, connection, false).await?)
}

pub(super) async fn postgres(connection: &mut PgConnection) -> Result<()> {
    let (ours, foreign): (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE table_name = $1), count(*) FILTER (WHERE table_name <> $1)
         FROM information_schema.tables WHERE table_schema = current_schema()",
    )
    .bind(TABLE)
    .fetch_one(&mut *connection)
    .await?;
    refuse_foreign(ours, foreign)?;
    Ok(migrator().run_direct(None, connection, false).await?)
}

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!();
    migrator.dangerous_set_table_name(TABLE);
    migrator
}

fn refuse_foreign(ours: i64, foreign: i64) -> Result<()> {
    if ours == 0 && foreign > 0 {
        return Err(StoreError::refused(format!(
            "the database already holds {foreign} tables that are not Tegata's: give Tegata a database of its own"
        )));
    }
    Ok(())
}

/// Makes the directory of a SQLite file where it is missing (for the owner alone) and locks it until the
/// handle is dropped, so that two processes do not both migrate a new file.
pub(super) fn lock_directory(file: &Path) -> Result<Option<File>> {
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make_directory(directory).map_err(|error| {
        StoreError::refused(format!(
            "cannot make the directory {} for the database: {error}",
            directory.display()
        ))
    })?;
    Ok(File::open(directory).ok().filter(|handle| handle.lock().is_ok()))
}

/// Makes an empty SQLite file for the owner alone where there is none. Its log gets the same permissions.
pub(super) fn make_file(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|error| StoreError::refused(format!("cannot open the database {}: {error}", path.display())))
}

/// Makes a SQLite file that is not there yet, for the owner alone: it holds password hashes. SQLite gives
/// its log files the same mode.
pub(super) fn make_private(file: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(StoreError::refused(format!(
            "cannot make the database {}: {error}",
            file.display()
        ))),
        _ => Ok(()),
    }
}

/// The version that a current schema has.
pub(super) fn newest() -> i64 {
    static NEWEST: LazyLock<i64> = LazyLock::new(|| {
        migrator()
            .iter()
            .map(|migration| migration.version)
            .max()
            .unwrap_or(0)
    });
    *NEWEST
}

fn make_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
