//! What is wrong with the settings, said so that it can be put right.

use std::error::Error;
use std::fmt;

use super::source::Origin;

const SHOWN: usize = 100;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(String);

impl Fault {
    /// A value that cannot be taken. `shown` is the value as it may be seen; never a secret.
    pub(super) fn value(name: &str, shown: &str, origin: &Origin, reason: &str) -> Self {
        Self(format!("{name} = {} ({origin}): {reason}", quoted(shown)))
    }

    /// A name that is no setting. Its value is not shown: it may be anything.
    pub(super) fn unknown(name: &str, origin: &Origin, reason: &str) -> Self {
        Self(format!("{} ({origin}): {reason}", name.escape_debug()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything that is wrong; prints one line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl Error for Faults {}

/// In quotes, control characters escaped, long values cut.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_escaped_and_cut() {
        let fault = Fault::value("log", "a\u{1b}[2J\nb", &Origin::Default, "no");
        assert_eq!(fault.to_string(), r#"log = "a\u{1b}[2J\nb" (the default): no"#);
        let long = Fault::value("log", &"é".repeat(1000), &Origin::Default, "no");
        assert!(long.to_string().chars().count() < 140);
    }

    #[test]
    fn faults_are_one_line_each() {
        let mut faults = Faults::default();
        faults.add(Fault::unknown("a", &Origin::Default, "x"));
        faults.add(Fault::unknown("b", &Origin::Default, "y"));
        assert_eq!(faults.to_string().lines().count(), 2);
    }
}
