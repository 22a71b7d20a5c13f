//! Where the store is. May hold a password, so it is shown in part only.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::super::secret::Secret;

const ALLOWED: &str = "sqlite://PATH, sqlite::memory: or postgres://USER:PASSWORD@HOST/DATABASE is allowed";

/// The database and who named it.
#[derive(Clone)]
pub struct DatabaseUrl {
    database: Database,
    source: String,
}

/// A kind of database and where it is.
#[derive(Clone, Debug)]
pub enum Database {
    SqliteFile(PathBuf),
    SqliteMemory,
    /// The whole URL, password included.
    Postgres(Secret),
}

impl DatabaseUrl {
    /// `source` is where the URL came from, in words.
    ///
    /// # Errors
    /// Words on what is wrong and what is allowed; nothing of `text` is in them.
    pub fn parse(text: &str, source: &str) -> Result<Self, String> {
        Ok(Self {
            database: database(text)?,
            source: source.to_owned(),
        })
    }

    pub(super) fn in_memory() -> Self {
        Self {
            database: Database::SqliteMemory,
            source: "the default".into(),
        }
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The setting, variable or file that named it: `DATABASE_URL`, `--database-url`, `tegata.toml`,
    /// `the default`.
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// What may be told of it: never user, password or parameters.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.database {
            Database::SqliteFile(path) => write!(f, "sqlite://{}", path.display()),
            Database::SqliteMemory => f.write_str("sqlite::memory:"),
            Database::Postgres(url) => write!(f, "postgres://{}", place(url.expose())),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({})", self.source)
    }
}

/// A URL that may be wrong in any way, so that it can be shown in a fault.
pub(super) fn redacted(text: &str) -> String {
    if text.starts_with("sqlite:") {
        return text.to_owned();
    }
    match text.split_once("://") {
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            format!("{scheme}://***")
        }
        _ => "***".into(),
    }
}

fn database(text: &str) -> Result<Database, String> {
    if text == "sqlite::memory:" {
        return Ok(Database::SqliteMemory);
    }
    if let Some(path) = text.strip_prefix("sqlite://") {
        return sqlite_file(path);
    }
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return postgres(text);
    }
    Err(ALLOWED.into())
}

fn sqlite_file(path: &str) -> Result<Database, String> {
    if path.is_empty() || path.starts_with(':') || path.starts_with("file:") || path.ends_with('/') {
        return Err(format!("names no file; {ALLOWED}"));
    }
    if path.contains(['?', '#', '%']) {
        return Err("the path of an SQLite file may have no ?, # and %".into());
    }
    Ok(Database::SqliteFile(Path::new(path).to_owned()))
}

fn postgres(text: &str) -> Result<Database, String> {
    let url = Url::parse(text).map_err(|error| {
        format!(
            "is no URL ({error}); in a password the characters / ? # @ % must be percent-encoded; {ALLOWED}"
        )
    })?;
    // a password with a bare / or # ends up behind the host
    if url.fragment().is_some() || url.path().contains('@') {
        return Err("in a password the characters / ? # @ % must be percent-encoded".into());
    }
    let names_host = url.query_pairs().any(|(name, _)| name == "host");
    if url.host_str().is_none_or(str::is_empty) && !names_host {
        return Err(format!("names no host; {ALLOWED}"));
    }
    Ok(Database::Postgres(Secret::new(text)))
}

/// Host, port and database of a URL that [`postgres`] took.
fn place(url: &str) -> String {
    let Ok(url) = Url::parse(url) else {
        return String::new();
    };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}{}", url.host_str().unwrap_or_default(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DatabaseUrl, String> {
        DatabaseUrl::parse(text, "the default")
    }

    #[test]
    fn sqlite_is_a_file_or_memory() {
        let path = |text| match parse(text).unwrap().database() {
            Database::SqliteFile(path) => path.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(path("sqlite://data/tegata.db"), PathBuf::from("data/tegata.db"));
        assert_eq!(
            path("sqlite:///var/lib/tegata.db"),
            PathBuf::from("/var/lib/tegata.db")
        );
        assert!(matches!(
            parse("sqlite::memory:").unwrap().database(),
            Database::SqliteMemory
        ));
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = parse("postgres://me:hunter2@db.example:5433/tegata?password=hunter2").unwrap();
        assert_eq!(url.to_string(), "postgres://db.example:5433/tegata");
        assert!(!format!("{url:?} {:?}", url.database()).contains("hunter2"));
        let wrong = [
            "mysql://me:hunter2@db/x",
            "postgres://me:hun/ter2@db",
            "postgres://me:1/hunter2@db",
            "hunter2",
        ];
        for text in wrong {
            let reason = parse(text).unwrap_err();
            assert!(!format!("{reason} {}", redacted(text)).contains("ter2"), "{text}");
        }
    }

    #[test]
    fn other_databases_are_refused() {
        let refused = [
            "mysql://db/x",
            "tegata.db",
            "sqlite://",
            "sqlite:tegata.db",
            "sqlite://:memory:",
            "sqlite://file:x",
            "sqlite://a.db?mode=ro",
            "sqlite://data/",
            "postgres://",
            "postgres:///tegata",
            "POSTGRES://db/x",
        ];
        for text in refused {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("postgresql:///tegata?host=/run/postgresql").is_ok());
    }
}
