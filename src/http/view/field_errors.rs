//! What is wrong with a form, field by field, for the summary on top and the line beside each field.

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name, which is also its id on the page; empty where the whole form is meant.
    pub field: String,
    /// What is wrong and what would be right, as a sentence; what stands between backticks is code.
    pub message: String,
}

/// A run of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<'a> {
    pub text: &'a str,
    pub is_code: bool,
}

impl FieldError {
    /// The message, taken apart at its backticks; one without a partner is a character like any other.
    pub fn runs(&self) -> Vec<Run<'_>> {
        let mut runs = Vec::new();
        let mut rest = self.message.as_str();
        while let Some((before, code, after)) = next_code(rest) {
            runs.push(Run {
                text: before,
                is_code: false,
            });
            runs.push(Run {
                text: code,
                is_code: true,
            });
            rest = after;
        }
        runs.push(Run {
            text: rest,
            is_code: false,
        });
        runs.retain(|run| !run.text.is_empty());
        runs
    }
}

fn next_code(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    Some((before, code, after))
}

/// The errors of a form, in the order of its fields; a field may have several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an error of `field`.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
    }

    /// Adds an error of the form as a whole.
    pub fn add_general(&mut self, message: impl Into<String>) {
        self.add("", message);
    }

    /// The same, for building in one expression.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.add(field, message);
        self
    }

    /// What is wrong with `field`.
    pub fn of<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a FieldError> {
        self.0.iter().filter(move |error| error.field == field)
    }

    pub fn has(&self, field: &str) -> bool {
        self.of(field).next().is_some()
    }

    /// Whether `field` is the first wrong one: it takes the focus.
    pub fn is_first(&self, field: &str) -> bool {
        self.0
            .iter()
            .find(|error| !error.field.is_empty())
            .is_some_and(|error| error.field == field)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, FieldError> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a FieldErrors {
    type Item = &'a FieldError;
    type IntoIter = std::slice::Iter<'a, FieldError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<F: Into<String>, M: Into<String>> FromIterator<(F, M)> for FieldErrors {
    fn from_iter<I: IntoIterator<Item = (F, M)>>(pairs: I) -> Self {
        pairs.into_iter().fold(Self::new(), |errors, (field, message)| {
            errors.with(field, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_told_all_that_is_wrong_with_it() {
        let errors =
            FieldErrors::from_iter([("uris", "One."), ("name", "Give it a name."), ("uris", "Two.")]);
        let told: Vec<_> = errors.of("uris").map(|error| &*error.message).collect();
        assert_eq!(told, ["One.", "Two."]);
        assert!(!errors.has("uri"));
    }

    /// Text as it is, code in brackets.
    fn read(message: &str) -> String {
        let errors = FieldErrors::new().with("f", message);
        let runs = errors.iter().flat_map(FieldError::runs);
        runs.map(|run| {
            if run.is_code {
                format!("[{}]", run.text)
            } else {
                run.text.to_owned()
            }
        })
        .collect()
    }

    #[test]
    fn what_stands_between_backticks_is_code() {
        assert_eq!(
            read("`http://a` is not allowed: leave out `#`"),
            "[http://a] is not allowed: leave out [#]"
        );
        assert_eq!(read("Give it a name."), "Give it a name.");
        assert_eq!(read("five o`clock"), "five o`clock");
        assert_eq!(read(""), "");
    }

    #[test]
    fn the_first_wrong_field_is_never_the_form_itself() {
        let mut errors = FieldErrors::new();
        errors.add_general("Somebody else changed it meanwhile.");
        errors.add("scopes", "Choose one.");
        errors.add("name", "Give it a name.");
        assert!(errors.is_first("scopes"));
        assert!(!errors.is_first("name") && !errors.is_first(""));
    }
}
