//! What `tegata doctor` found.

use super::Plain;
use crate::protocol::doctor::{Check, Outcome, Report, Step};

impl Plain for Report {
    fn plain(&self) -> String {
        let steps = self.steps.iter().map(step).collect::<Vec<_>>().join("\n\n");
        format!(
            "{steps}\n\n{}: {} kept, {} broken, {} could be better, {} not tried.",
            self.target, self.passed, self.failed, self.warned, self.not_tried
        )
    }
}

fn step(step: &Step) -> String {
    let mut lines = vec![step.about.to_owned()];
    lines.extend(step.request.as_ref().map(|request| match step.status {
        Some(status) => format!("  {request} -> {status}"),
        None => format!("  {request} -> no answer"),
    }));
    lines.extend(step.checks.iter().map(check));
    lines.join("\n")
}

fn check(check: &Check) -> String {
    let (mark, saw) = match check.outcome {
        Outcome::Pass => ("ok  ", "saw"),
        Outcome::Fail => ("FAIL", "saw"),
        Outcome::Warn => ("warn", "saw"),
        Outcome::NotTried => ("-   ", "not tried"),
    };
    let mut lines = vec![format!(
        "  {mark}  {} [{}; {}]",
        check.says, check.section, check.rule
    )];
    lines.extend(check.saw.as_ref().map(|text| format!("        {saw}: {text}")));
    lines.extend(
        check
            .side
            .map(|side| format!("        whose: the {}", side.name())),
    );
    lines.extend(check.mend.map(|mend| format!("        mend: {mend}")));
    lines.join("\n")
}
