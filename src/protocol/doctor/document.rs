//! What the two metadata documents have in common (RFC 8414 §3.2, RFC 9728 §3.2).

use std::net::IpAddr;

use serde_json::{Map, Value};
use url::{Host, Url};

use super::check::{Check, Outcome, Rule, Side};
use crate::protocol::answer::Answer;

/// The members of a JSON object.
pub(super) type Members = Map<String, Value>;

/// The rules, as one of the two RFCs says them.
#[derive(Debug)]
pub(super) struct Document {
    found: Rule,
    no_redirect: Rule,
    media_type: Rule,
    object: Rule,
    no_null: Rule,
    no_empty: Rule,
    types: Rule,
    urls: Rule,
    /// Names of members, with the type each must have.
    kinds: &'static [(&'static str, Kind)],
    /// Members that are there even where they are empty.
    required: &'static [&'static str],
}

/// What a member must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A URL that a client calls or compares: https, or on a loopback address http, where the document comes from one.
    Url,
    List,
    /// A list of such URLs.
    Urls,
    Flag,
}

impl Document {
    /// `section` is where the answer is laid down, `members` where what is in it is.
    pub(super) const fn of(
        side: Side,
        section: &'static str,
        members: &'static str,
        kinds: &'static [(&'static str, Kind)],
        required: &'static [&'static str],
    ) -> Self {
        Self {
            found: must(
                side,
                section,
                "metadata_found",
                "The metadata are where a client looks for them, with status 200.",
                "Serve the document at the well-known path: the well-known name goes between host and path, and a proxy in front has to let it through.",
            ),
            no_redirect: must(
                side,
                section,
                "metadata_no_redirect",
                "The metadata are answered in place, not by a redirect.",
                "Answer 200 at the well-known path itself; a client that followed would trust whoever it was led to, so most do not.",
            ),
            media_type: must(
                side,
                section,
                "metadata_media_type",
                "The metadata come as application/json.",
                "Send Content-Type: application/json.",
            ),
            object: must(
                side,
                section,
                "metadata_object",
                "The metadata are one JSON object.",
                "Serve one JSON object; an HTML page here is often a single-page application that answers every path.",
            ),
            no_null: must(
                side,
                section,
                "metadata_no_null",
                "No member of the metadata is null.",
                "Leave out what is not there; typed clients refuse the whole document for a null.",
            ),
            no_empty: must(
                side,
                section,
                "metadata_no_empty_list",
                "A list without elements is left out.",
                "Leave the member out instead of listing nothing.",
            ),
            types: must(
                side,
                members,
                "metadata_types",
                "Every member has the type that is laid down for it.",
                "Write lists as arrays of strings, switches as true and false, the rest as strings.",
            ),
            urls: must(
                side,
                members,
                "metadata_https",
                "Every URL is absolute, https and has no fragment; loopback addresses, by http too, are named by servers on one alone.",
                "Name https URLs without fragment that others reach; behind a proxy, tell the server its public URL.",
            ),
            kinds,
            required,
        }
    }

    /// What is to be said of `answer` by the server at `asked`, and its members where they can be read.
    pub(super) fn read(&self, answer: &Answer, asked: &str) -> (Vec<Check>, Option<Members>) {
        if answer.is_redirect() {
            let to = answer.header("location").unwrap_or("nowhere");
            return (
                vec![self.no_redirect.broken(format!("{} to {to}", answer.status))],
                None,
            );
        }
        if answer.status != 200 {
            return (vec![self.found.broken(format!("status {}", answer.status))], None);
        }
        let kind = answer.header("content-type").unwrap_or("no Content-Type");
        let mut checks = vec![
            self.found.kept(),
            self.no_redirect.kept(),
            self.media_type.judge(answer.is_json(), || kind.to_owned()),
        ];
        let Some(members) = answer.object() else {
            checks.push(self.object.broken("something else"));
            return (checks, None);
        };
        checks.push(self.object.kept());
        checks.extend(self.members(&members, asked));
        (checks, Some(members))
    }

    fn members(&self, members: &Members, asked: &str) -> [Check; 4] {
        let nulls = named(members, |_, value| value.is_null());
        let empty = named(members, |name, value| {
            !self.required.contains(&name) && value.as_array().is_some_and(Vec::is_empty)
        });
        let wrong = self.named_of_kind(members, |kind, value| !value.is_null() && !kind.fits(value));
        let insecure = self.named_of_kind(members, |kind, value| {
            kind.fits(value) && !kind.is_safe(value, asked)
        });
        [
            self.no_null.judge(nulls.is_empty(), || nulls),
            self.no_empty.judge(empty.is_empty(), || empty),
            self.types.judge(wrong.is_empty(), || wrong),
            self.urls.judge(insecure.is_empty(), || insecure),
        ]
    }

    fn named_of_kind(&self, members: &Members, is_bad: impl Fn(Kind, &Value) -> bool) -> String {
        named(members, |name, value| {
            let kind = self.kinds.iter().find(|(known, _)| *known == name);
            kind.is_some_and(|(_, kind)| is_bad(*kind, value))
        })
    }
}

const fn must(
    side: Side,
    section: &'static str,
    name: &'static str,
    says: &'static str,
    mend: &'static str,
) -> Rule {
    Rule {
        name,
        section,
        says,
        mend,
        side,
        broken: Outcome::Fail,
    }
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text | Self::Url => value.is_string(),
            Self::List | Self::Urls => value
                .as_array()
                .is_some_and(|list| list.iter().all(Value::is_string)),
            Self::Flag => value.is_boolean(),
        }
    }

    fn is_safe(self, value: &Value, asked: &str) -> bool {
        let is_safe = |text| is_safe(text, asked);
        match self {
            Self::Url => value.as_str().is_some_and(is_safe),
            Self::Urls => {
                let mut texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                texts.all(is_safe)
            }
            Self::Text | Self::List | Self::Flag => true,
        }
    }
}

/// Whether whoever called `caller` may call this too. After http anything but a loopback address goes, as inside a
/// network of containers: that it is http is told all the same.
pub(super) fn is_callable(text: &str, caller: &str) -> bool {
    let is_plain = |text| Url::parse(text).is_ok_and(|url| url.scheme() == "http" && url.has_host());
    is_safe(text, caller) || is_plain(text) && is_plain(caller) && !is_loopback(text)
}

/// Whether a client that was told so by `caller` may call it: https, or on a loopback address http, without
/// fragment. A server elsewhere leads nobody to a loopback address: what listens there is the client's own.
pub(super) fn is_safe(text: &str, caller: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    if url.fragment().is_some() || !url.has_host() {
        return false;
    }
    match url.scheme() {
        "https" => !is_loopback(text) || is_loopback(caller),
        "http" => is_loopback(text) && is_loopback(caller),
        _ => false,
    }
}

fn is_loopback(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => is_own(address.into()),
        Some(Host::Ipv6(address)) => is_own(address.to_canonical()),
        None => false,
    }
}

/// An unspecified address leads to the loopback one.
fn is_own(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}

/// The names of the members that are `so`, with commas between.
pub(super) fn named(members: &Members, so: impl Fn(&str, &Value) -> bool) -> String {
    let names = members.iter().filter(|(name, value)| so(name, value));
    names
        .map(|(name, _)| name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The text of a member.
pub(super) fn text<'a>(members: &'a Members, name: &str) -> Option<&'a str> {
    members.get(name)?.as_str()
}

/// The texts of a list; `None` where there is no list.
pub(super) fn list<'a>(members: &'a Members, name: &str) -> Option<Vec<&'a str>> {
    let list = members.get(name)?.as_array()?;
    Some(list.iter().filter_map(Value::as_str).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELSEWHERE: &str = "https://id.example";
    const HERE: &str = "http://127.0.0.1:3801";

    #[test]
    fn a_server_elsewhere_leads_nobody_to_a_loopback_address() {
        for local in [
            "http://localhost:8080/token",
            "http://127.0.0.1/token",
            "http://127.9.9.9/token",
            "http://[::1]:1/token",
            "http://[::ffff:127.0.0.1]/token",
            "https://localhost/token",
            "http://a.localhost/token",
            "http://localhost.:80/token",
            "http://0.0.0.0:8080/token",
            "http://0/token",
            "http://[::]/token",
            "http://[::ffff:0.0.0.0]/token",
        ] {
            assert!(!is_callable(local, ELSEWHERE), "{local}");
            assert!(!is_callable(local, "http://tegata:3801"), "{local}");
            assert!(is_callable(local, HERE) && is_safe(local, HERE), "{local}");
        }
    }

    #[test]
    fn http_leads_on_to_http_and_https_does_not() {
        assert!(is_callable("http://tegata:3801/token", "http://tegata:3801"));
        assert!(!is_safe("http://tegata:3801/token", "http://tegata:3801"));
        assert!(!is_callable("http://id.example/token", ELSEWHERE));
        for caller in [ELSEWHERE, HERE] {
            assert!(is_safe("https://id.example/token", caller));
            for wrong in ["https://id.example/#a", "ftp://id.example/", "/token", "https:"] {
                assert!(!is_callable(wrong, caller), "{wrong}");
            }
        }
    }
}
