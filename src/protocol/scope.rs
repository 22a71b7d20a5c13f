//! Which scopes a request gets (RFC 6749 §3.3).

use crate::model::scope::{Scope, Scopes};

use super::error::OAuthError;
use super::reason::Reason;

/// The scope that lets an administrator's token manage applications. Known to every server, never a
/// default, and only for an application that names it.
pub const APPLICATIONS: &str = "applications";

/// The scopes that this server knows, each with a sentence for people.
#[derive(Clone, Debug)]
pub struct Catalog {
    described: Vec<(Scope, String)>,
    default: Scopes,
}

impl Catalog {
    /// `described` in the order in which people are to read them; `default` is what a request without
    /// `scope` asks for.
    pub fn new(described: Vec<(Scope, String)>, default: Scopes) -> Self {
        Self { described, default }
    }

    /// The configured scopes.
    pub fn configured(&self) -> Scopes {
        self.described.iter().map(|(scope, _)| scope.clone()).collect()
    }

    /// All that an application may be allowed: the configured scopes and [`APPLICATIONS`].
    pub fn known(&self) -> Vec<(&str, &str)> {
        let configured = self
            .described
            .iter()
            .map(|(scope, text)| (scope.as_str(), text.as_str()));
        let own = (!self
            .described
            .iter()
            .any(|(scope, _)| scope.as_str() == APPLICATIONS))
        .then_some((APPLICATIONS, APPLICATIONS_DESCRIPTION));
        configured.chain(own).collect()
    }

    pub fn knows(&self, name: &str) -> bool {
        self.known().iter().any(|(known, _)| *known == name)
    }

    /// What a person reads for a scope; a scope that is no longer configured is its own description.
    pub fn describe<'a>(&'a self, name: &'a str) -> &'a str {
        self.known()
            .into_iter()
            .find(|(known, _)| *known == name)
            .map_or(name, |(_, text)| text)
    }

    /// What an application whose registered scopes are `registered` (`None`: all that is configured)
    /// may be granted at most.
    pub fn allowed(&self, registered: Option<&Scopes>) -> Scopes {
        match registered {
            Some(scopes) => scopes
                .iter()
                .filter(|scope| self.knows(scope.as_str()))
                .cloned()
                .collect(),
            None => self.configured(),
        }
    }

    /// The scopes of a request.
    ///
    /// # Errors
    /// `invalid_scope` for a malformed list, for a scope that the application is not allowed, and where
    /// nothing is left.
    pub fn resolve(&self, registered: Option<&Scopes>, asked: Option<&str>) -> Result<Scopes, OAuthError> {
        let allowed = self.allowed(registered);
        let Some(asked) = asked else {
            return self.default_for(registered, &allowed);
        };
        let asked = Scopes::parse(asked).map_err(|_| {
            OAuthError::invalid_scope(
                "scope is a list of names separated by single spaces (RFC 6749, section 3.3)",
            )
            .because(Reason::ScopeMalformed)
        })?;
        if asked.is_empty() {
            return self.default_for(registered, &allowed);
        }
        if let Some(refused) = asked.iter().find(|scope| !allowed.contains(scope.as_str())) {
            return Err(OAuthError::invalid_scope(format!(
                "The scope {refused} is not one that this application may ask for; it may ask for: {allowed}"
            ))
            .because(Reason::ScopeNotAllowed));
        }
        Ok(asked)
    }

    fn default_for(&self, registered: Option<&Scopes>, allowed: &Scopes) -> Result<Scopes, OAuthError> {
        let default = self.default.intersection(allowed);
        if !default.is_empty() {
            return Ok(default);
        }
        match registered {
            Some(_) if !allowed.is_empty() && !allowed.contains(APPLICATIONS) => Ok(allowed.clone()),
            _ => Err(OAuthError::invalid_scope(
                "Name the scopes with the parameter scope: none is granted by default to this application",
            )
            .because(Reason::ScopeMissing)),
        }
    }
}

const APPLICATIONS_DESCRIPTION: &str = "Register, change and delete applications";

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        let scope = |name: &str, text: &str| (Scope::parse(name).unwrap(), text.to_owned());
        Catalog::new(
            vec![scope("read", "Read your memos"), scope("write", "Write memos")],
            Scopes::parse("read").unwrap(),
        )
    }

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).unwrap()
    }

    #[test]
    fn without_scope_the_default_is_granted() {
        assert_eq!(catalog().resolve(None, None).unwrap(), scopes("read"));
        assert_eq!(
            catalog()
                .resolve(Some(&scopes("read write")), Some("  "))
                .unwrap(),
            scopes("read")
        );
    }

    #[test]
    fn without_scope_an_application_outside_the_default_gets_its_own() {
        assert_eq!(
            catalog().resolve(Some(&scopes("write")), None).unwrap(),
            scopes("write")
        );
    }

    #[test]
    fn an_application_gets_no_scope_that_it_is_not_allowed() {
        assert!(
            catalog()
                .resolve(Some(&scopes("read")), Some("read write"))
                .is_err()
        );
        assert!(catalog().resolve(None, Some("unknown")).is_err());
        assert!(catalog().resolve(None, Some("read\nwrite")).is_err());
    }

    #[test]
    fn managing_applications_is_never_implied() {
        assert!(catalog().resolve(None, Some("applications")).is_err());
        assert!(catalog().resolve(Some(&scopes("applications")), None).is_err());
        assert_eq!(
            catalog()
                .resolve(Some(&scopes("applications")), Some("applications"))
                .unwrap(),
            scopes("applications")
        );
    }

    #[test]
    fn order_and_repetition_mean_nothing() {
        assert_eq!(
            catalog().resolve(None, Some("write read write")).unwrap(),
            scopes("read write")
        );
    }
}
