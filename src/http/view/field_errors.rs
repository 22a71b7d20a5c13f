//! What is wrong with a form, field by field, for the summary on top and the line beside each field.

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name, which is also its id on the page; empty where the whole form is meant.
    pub field: String,
    /// What is wrong and what would be right, as a sentence.
    pub message: String,
}

/// The errors of a form, in the order of its fields: one a field, the first told stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an error of `field`, unless it has one.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        let field = field.into();
        if field.is_empty() || !self.has(&field) {
            self.0.push(FieldError {
                field,
                message: message.into(),
            });
        }
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

    pub fn get(&self, field: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|error| error.field == field)
            .map(|error| error.message.as_str())
    }

    pub fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
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
    fn a_field_keeps_its_first_error() {
        let errors = FieldErrors::from_iter([("name", "Give it a name."), ("name", "Too long.")]);
        assert_eq!(errors.get("name"), Some("Give it a name."));
        assert_eq!(errors.iter().count(), 1);
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
