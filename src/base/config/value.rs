//! A value as it was given, and the readings of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use time::Duration;

use super::{LogFormat, ScopeEntry};
use crate::base::uri;

const LONGEST_SCOPE: usize = 100;
const LONGEST_DESCRIPTION: usize = 200;
const GRANTS: [&str; 6] = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "device_code",
    "password",
    "implicit",
];
const DEVICE_CODE_URN: &str = "urn:ietf:params:oauth:grant-type:device_code";
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What is wrong with a value and what is allowed, in words.
pub(super) type Reading<T> = Result<T, String>;

/// The text or texts of a setting.
#[derive(Clone)]
pub(super) enum Value {
    One(String),
    /// An array of the file.
    Many(Vec<String>),
}

/// Values may hold passwords.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Value {
    /// # Errors
    /// For dates, fractions, and lists of anything but texts.
    pub(super) fn from_toml(entry: toml::Value) -> Result<Self, &'static str> {
        match entry {
            toml::Value::String(text) => Some(Self::One(text)),
            toml::Value::Integer(number) => Some(Self::One(number.to_string())),
            toml::Value::Boolean(yes) => Some(Self::One(yes.to_string())),
            toml::Value::Array(entries) => entries
                .into_iter()
                .map(text_of)
                .collect::<Option<_>>()
                .map(Self::Many),
            toml::Value::Table(entries) => entries
                .into_iter()
                .map(|(name, entry)| Some(format!("{name}={}", text_of(entry)?)))
                .collect::<Option<_>>()
                .map(Self::Many),
            toml::Value::Float(_) | toml::Value::Datetime(_) => None,
        }
        .ok_or("a text, a whole number, true, false or a list of texts is allowed")
    }

    /// The value as people wrote it, lists with commas.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::One(text) => text.clone(),
            Self::Many(texts) => texts.join(","),
        }
    }

    /// Not empty, and nothing in it that belongs into no setting.
    pub(super) fn check(&self) -> Reading<()> {
        let texts = match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        };
        if texts.is_empty() || texts.iter().any(|text| text.trim().is_empty()) {
            return Err("is empty; leave it out to have the default".into());
        }
        if texts
            .iter()
            .any(|text| text.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER))
        {
            return Err("has control characters or is not UTF-8".into());
        }
        Ok(())
    }

    pub(super) fn text(&self) -> Reading<&str> {
        match self {
            Self::One(text) => Ok(text),
            Self::Many(_) => Err("one value is allowed, not a list".into()),
        }
    }

    /// The pieces of a list, white space around them gone, none empty.
    fn pieces(&self) -> Reading<Vec<&str>> {
        let pieces: Vec<&str> = match self {
            Self::One(text) => text.split(',').map(str::trim).collect(),
            Self::Many(texts) => texts.iter().map(|text| text.trim()).collect(),
        };
        if pieces.iter().any(|piece| piece.is_empty()) {
            return Err("a piece of the list is empty".into());
        }
        Ok(pieces)
    }

    pub(super) fn switch(&self) -> Reading<bool> {
        self.text()?
            .parse()
            .map_err(|_| "true or false is allowed".into())
    }

    pub(super) fn path(&self) -> Reading<PathBuf> {
        self.text().map(PathBuf::from)
    }

    pub(super) fn duration(&self, allowed: &RangeInclusive<Duration>) -> Reading<Duration> {
        seconds(self.text()?)
            .map(Duration::seconds)
            .filter(|duration| allowed.contains(duration))
            .ok_or_else(|| {
                let (from, to) = (words(*allowed.start()), words(*allowed.end()));
                format!(
                    "a duration from {from} to {to} is allowed, as 60s, 15m, 1h, 30d or a number of seconds"
                )
            })
    }

    pub(super) fn addresses(&self) -> Reading<Vec<SocketAddr>> {
        let mut addresses = Vec::new();
        for piece in self.pieces()? {
            let address: SocketAddr = piece.parse().map_err(|_| {
                format!("{piece:?} is no address; as 127.0.0.1:3801 or [::1]:3801 is allowed")
            })?;
            if address.port() != 0 && addresses.contains(&address) {
                return Err(format!("{address} is named twice"));
            }
            addresses.push(address);
        }
        Ok(addresses)
    }

    /// A list of things that say themselves what is wrong with them.
    pub(super) fn list<T: FromStr<Err = String>>(&self, allowed: &str) -> Reading<Vec<T>> {
        let read = |piece: &str| piece.parse().map_err(|reason| format!("{reason}; {allowed}"));
        self.pieces()?.into_iter().map(read).collect()
    }

    pub(super) fn grants(&self) -> Reading<BTreeSet<String>> {
        self.pieces()?.into_iter().map(grant).collect()
    }

    pub(super) fn scopes(&self) -> Reading<Vec<ScopeEntry>> {
        let mut scopes: Vec<ScopeEntry> = Vec::new();
        for piece in self.pieces()? {
            let scope = scope(piece)?;
            if scopes.iter().any(|other| other.name == scope.name) {
                return Err(format!("the scope {:?} is named twice", scope.name));
            }
            scopes.push(scope);
        }
        Ok(scopes)
    }

    pub(super) fn scope_names(&self) -> Reading<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        for piece in self.pieces()? {
            let name = scope_name(piece)?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Every name after a grant's, and of a grant that comes more than once all of them.
    pub(super) fn scopes_by_grant(&self) -> Reading<BTreeMap<String, BTreeSet<String>>> {
        let mut by_grant = BTreeMap::<_, BTreeSet<_>>::new();
        for (grant, names) in self.by_grant("client_credentials=read write")? {
            for name in names.split_whitespace() {
                by_grant
                    .entry(grant.clone())
                    .or_default()
                    .insert(scope_name(name)?);
            }
        }
        Ok(by_grant)
    }

    pub(super) fn durations_by_grant(
        &self,
        allowed: &RangeInclusive<Duration>,
    ) -> Reading<BTreeMap<String, Duration>> {
        let mut by_grant = BTreeMap::new();
        for (grant, text) in self.by_grant("client_credentials=15m")? {
            let duration = Self::One(text.to_owned()).duration(allowed)?;
            if by_grant.insert(grant.clone(), duration).is_some() {
                return Err(format!("the {grant} grant is named twice"));
            }
        }
        Ok(by_grant)
    }

    /// What stands before and after the `=` of each piece.
    fn by_grant(&self, example: &str) -> Reading<Vec<(String, &str)>> {
        let read = |piece| {
            let (name, text) = str::split_once(piece, '=')
                .map(|(name, text)| (name.trim(), text.trim()))
                .filter(|(_, text)| !text.is_empty())
                .ok_or_else(|| format!("{piece:?} is not allowed; as {example} is"))?;
            if name == "refresh_token" {
                return Err("what is refreshed has what its own grant gives: name that one".into());
            }
            Ok((grant(name)?, text))
        };
        self.pieces()?.into_iter().map(read).collect()
    }

    pub(super) fn resources(&self) -> Reading<Vec<String>> {
        let bare = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
        let mut resources: Vec<String> = Vec::new();
        for piece in self.pieces()? {
            uri::absolute(piece).map_err(|why| {
                format!("{piece:?} {why}; absolute URIs are allowed, as https://api.example.com")
            })?;
            if resources.iter().any(|other| bare(other) == bare(piece)) {
                return Err(format!("the resource {piece} is named twice"));
            }
            resources.push(piece.to_owned());
        }
        Ok(resources)
    }

    /// In lower case (RFC 9110 §5.1).
    pub(super) fn header_name(&self) -> Reading<String> {
        let text = self.text()?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let of_another_kind = [
            "authorization",
            "cookie",
            "host",
            "forwarded",
            "client-cert-chain",
        ];
        let name = text.to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(is_token) || of_another_kind.contains(&name.as_str()) {
            return Err(
                "the name of a header that carries a certificate is allowed, as Client-Cert, \
                        X-SSL-Client-Cert or X-Forwarded-Client-Cert"
                    .into(),
            );
        }
        Ok(name)
    }

    pub(super) fn log_filter(&self) -> Reading<String> {
        let pieces = self.pieces()?;
        match pieces.iter().find(|piece| !is_directive(piece)) {
            None => Ok(pieces.join(",")),
            Some(wrong) => Err(format!(
                "{wrong:?} is neither a level nor target=level; the levels are {}",
                LEVELS.join(", ")
            )),
        }
    }

    pub(super) fn log_format(&self) -> Reading<LogFormat> {
        match self.text()? {
            "pretty" => Ok(LogFormat::Pretty),
            "json" => Ok(LogFormat::Json),
            _ => Err("pretty or json is allowed".into()),
        }
    }
}

fn text_of(entry: toml::Value) -> Option<String> {
    match entry {
        toml::Value::String(text) => Some(text),
        _ => None,
    }
}

/// `90`, `90s`, `15m`, `1h` or `30d` in seconds.
pub fn seconds(text: &str) -> Option<i64> {
    let (digits, unit) = match text.char_indices().last()? {
        (_, '0'..='9') => (text, 1),
        (at, 's') => (text.get(..at)?, 1),
        (at, 'm') => (text.get(..at)?, 60),
        (at, 'h') => (text.get(..at)?, 3600),
        (at, 'd') => (text.get(..at)?, 86_400),
        _ => return None,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<i64>().ok()?.checked_mul(unit)
}

/// In the largest unit that needs no fraction.
pub fn words(duration: Duration) -> String {
    let seconds = duration.whole_seconds();
    for (unit, size) in [("d", 86_400), ("h", 3600), ("m", 60)] {
        if seconds > 0 && seconds % size == 0 {
            return format!("{}{unit}", seconds / size);
        }
    }
    format!("{seconds}s")
}

fn grant(name: &str) -> Reading<String> {
    let name = if name == DEVICE_CODE_URN {
        "device_code"
    } else {
        name
    };
    if GRANTS.contains(&name) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "{name:?} is no grant; the grants are {}",
        GRANTS.join(", ")
    ))
}

fn scope(text: &str) -> Reading<ScopeEntry> {
    let (name, description) = text.split_once('=').unwrap_or((text, text));
    let (name, description) = (scope_name(name.trim())?, description.trim());
    if description.is_empty() || description.chars().count() > LONGEST_DESCRIPTION {
        return Err(format!(
            "the scope {name:?} needs a description of 1 to {LONGEST_DESCRIPTION} characters"
        ));
    }
    Ok(ScopeEntry {
        name,
        description: description.to_owned(),
    })
}

/// A scope token (RFC 6749 §3.3) without the characters that separate scopes in a setting.
fn scope_name(name: &str) -> Reading<String> {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'=' | b',');
    if !name.is_empty() && name.len() <= LONGEST_SCOPE && name.bytes().all(allowed) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "{name:?} is no scope; 1 to {LONGEST_SCOPE} visible ASCII characters but \" \\ = and the comma are allowed"
    ))
}

fn is_directive(piece: &str) -> bool {
    let (target, level) = piece.split_once('=').unwrap_or(("any", piece));
    let in_target = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    LEVELS.contains(&level) && !target.is_empty() && target.bytes().all(in_target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_exactly() {
        let read = [
            ("60s", 60),
            ("15m", 900),
            ("1h", 3600),
            ("30d", 2_592_000),
            ("90", 90),
            ("0s", 0),
        ];
        for (text, expected) in read {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        let refused = [
            "", "s", "1x", "-1s", "+1", "1.5h", " 1s", "1 s", "1h30m", "٣s", "1é",
        ];
        for text in refused {
            assert_eq!(seconds(text), None, "{text:?}");
        }
        assert_eq!(seconds("9223372036854775807d"), None);
        assert_eq!(seconds("99999999999999999999"), None);
    }

    #[test]
    fn durations_are_said_in_the_largest_unit() {
        let said = [
            (0, "0s"),
            (59, "59s"),
            (600, "10m"),
            (5400, "90m"),
            (7200, "2h"),
            (86_400, "1d"),
        ];
        for (seconds, expected) in said {
            assert_eq!(words(Duration::seconds(seconds)), expected);
        }
    }

    #[test]
    fn scope_tokens_follow_the_rfc() {
        for name in ["read", "memos:write", "a/b", "!#~", "user.email"] {
            assert!(scope_name(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "a\"b", "a\\b", "é", "a\u{7f}", "a,b", "a=b"] {
            assert!(scope_name(name).is_err(), "{name:?}");
        }
        assert!(scope_name(&"a".repeat(LONGEST_SCOPE + 1)).is_err());
    }

    #[test]
    fn a_description_may_hold_an_equals_sign() {
        let read = scope("math=1 + 1 = 2").unwrap();
        assert_eq!(
            (read.name.as_str(), read.description.as_str()),
            ("math", "1 + 1 = 2")
        );
    }

    #[test]
    fn log_directives_are_levels_or_targets_with_levels() {
        for piece in ["info", "off", "tegata=debug", "sqlx::query=warn"] {
            assert!(is_directive(piece), "{piece}");
        }
        for piece in [
            "inof",
            "tegata",
            "=info",
            "tegata=",
            "tegata[span]=info",
            "a b=info",
        ] {
            assert!(!is_directive(piece), "{piece}");
        }
    }
}
