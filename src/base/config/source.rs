//! Where settings come from, and which of several values of one setting counts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::fault::{Fault, Faults};
use super::table::{self, SETTINGS};
use super::value::Value;

const PREFIX: &str = "TEGATA_";
const DEFAULT_FILE: &str = "tegata.toml";
const SEE_HELP: &str = "there is no such setting; `tegata --help` lists them";

/// Where to look.
#[derive(Clone, Default)]
pub struct Sources {
    /// Setting names (`access_token_ttl`) and texts from the command line. The last of a name counts.
    pub flags: Vec<(String, String)>,
    /// Environment variables; those that are neither `TEGATA_*` nor `DATABASE_URL` are not looked at.
    pub environment: Vec<(String, String)>,
    /// What stands in for the defaults.
    pub defaults: Vec<(&'static str, &'static str)>,
    /// The file where neither `--config` nor `TEGATA_CONFIG` names one.
    pub file: FileSource,
}

/// Which file to read.
#[derive(Clone, Debug, Default)]
pub enum FileSource {
    #[default]
    None,
    /// `tegata.toml` in the working directory, if it is there.
    Default,
    /// This one, which must be there.
    Explicit(PathBuf),
}

/// The names only: a value may be a password.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names =
            |pairs: &[(String, String)]| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        f.debug_struct("Sources")
            .field("flags", &names(&self.flags))
            .field("environment", &names(&self.environment))
            .field("defaults", &self.defaults)
            .field("file", &self.file)
            .finish()
    }
}

impl Sources {
    /// With `settings` as if they stood on the command line.
    #[must_use]
    pub fn with(mut self, settings: impl IntoIterator<Item = (String, String)>) -> Self {
        self.flags.extend(settings);
        self
    }

    /// What a process started by hand looks at: its flags, its environment, `tegata.toml`.
    pub fn of_process(flags: Vec<(String, String)>) -> Self {
        let text = |text: &OsStr| text.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (text(&name), text(&value)));
        Self {
            flags,
            environment: environment.filter(|(name, _)| is_ours(name)).collect(),
            defaults: Vec::new(),
            file: FileSource::Default,
        }
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Flag(String),
    Variable(String),
    File(String),
    Default,
}

impl Origin {
    /// A short name for it: `--listen`, `TEGATA_LISTEN`, `tegata.toml`.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Flag(name) | Self::Variable(name) | Self::File(name) => name,
            Self::Default => "the default",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => write!(f, "from {name}"),
            Self::File(path) => write!(f, "from {}", path.escape_debug()),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// A value that somebody gave.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The values that count, by the name of their setting.
pub(super) type GivenValues = BTreeMap<&'static str, Given>;

/// Reads every source. What is unknown or unreadable goes to `faults`.
pub(super) fn gather(sources: Sources, faults: &mut Faults) -> GivenValues {
    let mut over_file = GivenValues::new();
    take_environment(&sources.environment, &mut over_file, faults);
    take_flags(sources.flags, &mut over_file, faults);

    let default = |(name, text): (&'static str, &str)| {
        let value = Value::One(text.to_owned());
        let origin = Origin::Default;
        (name, Given { value, origin })
    };
    let mut given: GivenValues = sources.defaults.into_iter().map(default).collect();
    take_file(over_file.get("config"), sources.file, &mut given, faults);
    for (name, value) in sources.environment {
        if name == "DATABASE_URL" && !given.contains_key("database_url") {
            let origin = Origin::Variable(name);
            given.insert(
                "database_url",
                Given {
                    value: Value::One(value),
                    origin,
                },
            );
        }
    }
    given.append(&mut over_file);
    given
}

fn is_ours(variable: &str) -> bool {
    variable.starts_with(PREFIX) || variable == "DATABASE_URL"
}

fn take_environment(variables: &[(String, String)], given: &mut GivenValues, faults: &mut Faults) {
    for (variable, value) in variables {
        let Some(name) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        let origin = Origin::Variable(variable.clone());
        let known = SETTINGS
            .iter()
            .find(|setting| setting.name.to_ascii_uppercase() == name);
        match known {
            Some(setting) => {
                given.insert(
                    setting.name,
                    Given {
                        value: Value::One(value.clone()),
                        origin,
                    },
                );
            }
            None => faults.add(Fault::unknown(
                variable,
                &Origin::Variable("the environment".into()),
                hint(name),
            )),
        }
    }
}

/// Kubernetes puts the address of a Service called "tegata" into variables that look like settings.
fn hint(name: &str) -> &'static str {
    if name.starts_with("SERVICE_") || name == "PORT" || name.starts_with("PORT_") {
        "there is no such setting; Kubernetes sets it for a Service named \"tegata\": \
         put `enableServiceLinks: false` into the pod"
    } else {
        SEE_HELP
    }
}

fn take_flags(flags: Vec<(String, String)>, given: &mut GivenValues, faults: &mut Faults) {
    for (name, value) in flags {
        let origin = Origin::Flag(format!("--{}", name.replace('_', "-")));
        match table::named(&name) {
            Some(setting) => {
                given.insert(
                    setting.name,
                    Given {
                        value: Value::One(value),
                        origin,
                    },
                );
            }
            None => faults.add(Fault::unknown(
                &name,
                &Origin::Flag("the command line".into()),
                SEE_HELP,
            )),
        }
    }
}

fn take_file(named: Option<&Given>, fallback: FileSource, given: &mut GivenValues, faults: &mut Faults) {
    let (path, origin) = match (named, fallback) {
        (
            Some(Given {
                value: Value::One(path),
                ..
            }),
            _,
        ) if path.trim().is_empty() => return,
        (Some(named), _) => (PathBuf::from(named.value.shown()), Some(named.origin.clone())),
        (None, FileSource::Explicit(path)) => (path, Some(Origin::Flag("--config".into()))),
        (None, FileSource::Default) => (PathBuf::from(DEFAULT_FILE), None),
        (None, FileSource::None) => return,
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if origin.is_none() && error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => {
            let reason = format!("the file cannot be read: {error}");
            let origin = origin.unwrap_or(Origin::Default);
            return faults.add(Fault::value("config", &path.to_string_lossy(), &origin, &reason));
        }
    };
    parse_file(&path, &text, given, faults);
}

fn parse_file(path: &Path, text: &str, given: &mut GivenValues, faults: &mut Faults) {
    let origin = Origin::File(path.to_string_lossy().into_owned());
    let entries = match text.parse::<toml::Table>() {
        Ok(entries) => entries,
        Err(error) => {
            // the error's own text quotes the line, which may hold a password
            let before = error
                .span()
                .and_then(|span| text.get(..span.start))
                .unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let reason = format!("line {line} is not TOML: {}", error.message().replace('\n', " "));
            return faults.add(Fault::unknown(
                &path.to_string_lossy(),
                &Origin::File("the file".into()),
                &reason,
            ));
        }
    };
    for (name, entry) in entries {
        let setting = match table::named(&name) {
            Some(setting) if setting.name != "config" => setting,
            _ => {
                faults.add(Fault::unknown(&name, &origin, SEE_HELP));
                continue;
            }
        };
        match Value::from_toml(entry) {
            Ok(value) => {
                given.insert(
                    setting.name,
                    Given {
                        value,
                        origin: origin.clone(),
                    },
                );
            }
            Err(reason) => faults.add(Fault::unknown(&name, &origin, reason)),
        }
    }
}
