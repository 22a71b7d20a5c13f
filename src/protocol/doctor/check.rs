//! A rule, what came of looking, and the report.

use serde::Serialize;

/// In characters: what a report repeats of an answer.
const LONGEST: usize = 200;

/// Who has to mend what is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    AuthorizationServer,
    Resource,
    /// Whoever configured the client: with what this command was given.
    Client,
}

impl Side {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationServer => "authorization server",
            Self::Resource => "resource",
            Self::Client => "client",
        }
    }
}

/// What came of looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Pass,
    /// Against a MUST, or refused by clients.
    Fail,
    /// Against a SHOULD, or less safe than it could be.
    Warn,
    /// It cannot be told from what there is.
    NotTried,
}

/// A sentence that an answer keeps or breaks.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    pub name: &'static str,
    /// Where it is said, as `RFC 8414 §3.3`.
    pub section: &'static str,
    /// What is so where the rule is kept.
    pub says: &'static str,
    pub mend: &'static str,
    pub side: Side,
    /// What it comes to where it is broken.
    pub broken: Outcome,
}

impl Rule {
    /// One that an authorization server has to keep.
    pub(super) const fn of_server(
        broken: Outcome,
        section: &'static str,
        name: &'static str,
        says: &'static str,
        mend: &'static str,
    ) -> Self {
        Self {
            name,
            section,
            says,
            mend,
            side: Side::AuthorizationServer,
            broken,
        }
    }

    pub fn kept(&self) -> Check {
        self.check(Outcome::Pass, None)
    }

    /// `saw` is made fit to be shown.
    pub fn broken(&self, saw: impl AsRef<str>) -> Check {
        Check {
            side: Some(self.side),
            mend: Some(self.mend),
            ..self.check(self.broken, Some(saw.as_ref()))
        }
    }

    /// `why` it was not.
    pub fn not_tried(&self, why: impl AsRef<str>) -> Check {
        self.check(Outcome::NotTried, Some(why.as_ref()))
    }

    pub fn judge(&self, kept: bool, saw: impl FnOnce() -> String) -> Check {
        if kept { self.kept() } else { self.broken(saw()) }
    }

    fn check(&self, outcome: Outcome, saw: Option<&str>) -> Check {
        Check {
            rule: self.name,
            outcome,
            side: None,
            section: self.section,
            says: self.says,
            saw: saw.map(|text| shown(text, LONGEST)),
            mend: None,
        }
    }
}

/// One rule, looked at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub rule: &'static str,
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    pub section: &'static str,
    pub says: &'static str,
    /// What was seen instead, or why nothing was: printable, no longer than a line or two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saw: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<&'static str>,
}

impl Check {
    /// The same finding, which somebody else has to mend, another way.
    #[must_use]
    pub fn mended(self, side: Side, mend: &'static str) -> Self {
        Self {
            side: Some(side),
            mend: Some(mend),
            ..self
        }
    }
}

/// One request, or why there was none, and what its answer was looked at for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was to be found out.
    pub about: &'static str,
    /// Method and URL; `None`: nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    pub checks: Vec<Check>,
}

/// All that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What was asked for.
    pub target: String,
    pub steps: Vec<Step>,
    pub passed: usize,
    pub failed: usize,
    pub warned: usize,
    pub not_tried: usize,
}

impl Report {
    pub fn new(target: String, steps: Vec<Step>) -> Self {
        let count = |outcome| {
            let checks = steps.iter().flat_map(|step| &step.checks);
            checks.filter(|check| check.outcome == outcome).count()
        };
        Self {
            target,
            passed: count(Outcome::Pass),
            failed: count(Outcome::Fail),
            warned: count(Outcome::Warn),
            not_tried: count(Outcome::NotTried),
            steps,
        }
    }
}

/// A stranger's text as a terminal may show it: no control characters, and no more than `longest` others.
pub fn shown(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for (at, character) in text.chars().enumerate() {
        if at == longest {
            shown.push('…');
            break;
        }
        if character.is_control() || is_reordering(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Marks that make the reader see text in another order than it is in.
const fn is_reordering(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule {
        name: "sound",
        section: "RFC 1 §1",
        says: "It is sound.",
        mend: "Make it so.",
        side: Side::Resource,
        broken: Outcome::Warn,
    };

    #[test]
    fn only_what_is_broken_has_somebody_to_mend_it() {
        let broken = RULE.judge(false, || "cracks".into());
        assert_eq!(
            (broken.outcome, broken.side),
            (Outcome::Warn, Some(Side::Resource))
        );
        assert_eq!(
            (broken.saw.as_deref(), broken.mend),
            (Some("cracks"), Some("Make it so."))
        );
        let kept = RULE.judge(true, || "cracks".into());
        assert_eq!(
            (kept.outcome, kept.side, kept.saw, kept.mend),
            (Outcome::Pass, None, None, None)
        );
        let not_tried = RULE.not_tried("no client");
        assert_eq!(
            (not_tried.side, not_tried.saw.as_deref()),
            (None, Some("no client"))
        );
    }

    #[test]
    fn a_strangers_text_cannot_drive_the_terminal() {
        assert_eq!(shown("a\u{1b}[2J\u{202e}b", LONGEST), "a\\u{1b}[2J\\u{202e}b");
        assert_eq!(shown(&"é".repeat(500), LONGEST).chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_report_counts_its_outcomes() {
        let step = |checks| Step {
            about: "",
            request: None,
            status: None,
            checks,
        };
        let steps = vec![
            step(vec![RULE.kept(), RULE.broken("x")]),
            step(vec![RULE.kept(), RULE.not_tried("y")]),
        ];
        let report = Report::new("https://id.example".into(), steps);
        assert_eq!(
            (report.passed, report.failed, report.warned, report.not_tried),
            (2, 0, 1, 1)
        );
    }
}
