//! A scope as people read it.

/// A scope on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeLine {
    pub name: String,
    /// What it lets an application do; may be empty.
    pub description: String,
    /// Asked for now and never before: marked on the consent page.
    pub is_new: bool,
    /// On the consent page: whether one that may be unticked is ticked. `None`: it comes with the rest.
    pub ticked: Option<bool>,
}

impl ScopeLine {
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            is_new: false,
            ticked: None,
        }
    }

    /// Marks it as asked for the first time.
    #[must_use]
    pub fn new_this_time(mut self) -> Self {
        self.is_new = true;
        self
    }

    /// Lets people leave it out.
    #[must_use]
    pub fn optional(mut self, ticked: bool) -> Self {
        self.ticked = Some(ticked);
        self
    }

    /// The description, or the name where nobody wrote one.
    pub fn sentence(&self) -> &str {
        if self.description.is_empty() {
            &self.name
        } else {
            &self.description
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_without_words_is_told_by_its_name() {
        assert_eq!(
            ScopeLine::new("read", "Read your memos").sentence(),
            "Read your memos"
        );
        assert_eq!(ScopeLine::new("read", "").sentence(), "read");
    }
}
