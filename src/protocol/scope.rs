//! Which scopes a request gets (RFC 6749 §3.3).

use std::collections::BTreeMap;

use crate::base::{config, pattern};
use crate::model::application::ApplicationSettings;
use crate::model::grant_type::GrantType;
use crate::model::scope::{Scope, Scopes};

use super::error::OAuthError;
use super::reason::Reason;

/// The scope that lets an administrator's token manage applications. Known to every server, never a
/// default, and only for an application that names it.
pub const APPLICATIONS: &str = config::APPLICATIONS_SCOPE;

/// The scopes that this server knows, each with a sentence for people, and which of them are for whom.
///
/// One whose name ends in `:*` stands for many (see [`Scope::is_pattern`]): an application may be allowed
/// it as it stands or narrowed, a token only ever carries what it stands for.
#[derive(Clone, Debug)]
pub struct Catalog {
    described: Vec<(Scope, String)>,
    default: Scopes,
    optional: Scopes,
    by_grant: BTreeMap<GrantType, Scopes>,
}

/// What decides about a request's scopes beside the server: who asks, and by which grant.
#[derive(Clone, Copy, Debug)]
pub struct ScopeRules<'a> {
    pub grant: GrantType,
    /// `None`: all that is configured.
    pub registered: Option<&'a Scopes>,
    /// `None`: the server's.
    pub default: Option<&'a Scopes>,
    /// `None`: the server's.
    pub optional: Option<&'a Scopes>,
}

impl<'a> ScopeRules<'a> {
    pub fn of(application: &'a ApplicationSettings, grant: GrantType) -> Self {
        Self {
            grant,
            registered: application.scopes.as_ref(),
            default: application.default_scopes.as_ref(),
            optional: application.optional_scopes.as_ref(),
        }
    }
}

impl Catalog {
    /// `described` in the order in which people are to read them; `default` is what a request without
    /// `scope` asks for.
    pub fn new(described: Vec<(Scope, String)>, default: Scopes) -> Self {
        Self {
            described,
            default,
            optional: Scopes::default(),
            by_grant: BTreeMap::new(),
        }
    }

    /// With the scopes that a person may untick.
    #[must_use]
    pub fn with_optional(self, optional: Scopes) -> Self {
        Self { optional, ..self }
    }

    /// With grants that give some scopes only; the others give all.
    #[must_use]
    pub fn with_grants(self, by_grant: BTreeMap<GrantType, Scopes>) -> Self {
        Self { by_grant, ..self }
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
        self.known().iter().any(|(known, _)| pattern::covers(known, name))
    }

    /// What a person reads for a scope. One that a pattern stands for is told with its value; one that is
    /// no longer configured is its own description.
    pub fn describe(&self, name: &str) -> String {
        let known = self.known();
        if let Some((_, text)) = known.iter().find(|(known, _)| *known == name) {
            return (*text).to_owned();
        }
        let covering = known
            .iter()
            .filter(|(known, _)| pattern::covers(known, name))
            .max_by_key(|(known, _)| known.len());
        let told = covering.and_then(|(known, text)| {
            let value = name.strip_prefix(pattern::prefix(known)?)?;
            Some(format!("{text}: {value}"))
        });
        told.unwrap_or_else(|| name.to_owned())
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

    /// The same, by one grant.
    pub fn grantable(&self, rules: ScopeRules<'_>) -> Scopes {
        let allowed = self.allowed(rules.registered);
        match self.by_grant.get(&rules.grant) {
            Some(given) => allowed.intersection(given),
            None => allowed,
        }
    }

    /// Which of `asked` a person may refuse and still authorize the rest.
    pub fn optional(&self, rules: ScopeRules<'_>, asked: &Scopes) -> Scopes {
        asked.intersection(rules.optional.unwrap_or(&self.optional))
    }

    /// The scopes of a request.
    ///
    /// # Errors
    /// `invalid_scope` for a malformed list, for a scope that the application is not allowed by this grant,
    /// for a pattern, and where nothing is left.
    pub fn resolve(&self, rules: ScopeRules<'_>, asked: Option<&str>) -> Result<Scopes, OAuthError> {
        let grantable = self.grantable(rules);
        let asked = Scopes::parse(asked.unwrap_or_default()).map_err(|_| {
            OAuthError::invalid_scope(
                "scope is a list of names separated by single spaces (RFC 6749, section 3.3)",
            )
            .because(Reason::ScopeMalformed)
        })?;
        if asked.is_empty() {
            return self.default_for(rules, &grantable);
        }
        let refused = asked
            .iter()
            .find(|scope| scope.is_pattern() || !grantable.covers(scope));
        if let Some(refused) = refused {
            return Err(self
                .refused(rules, refused, &grantable)
                .because(Reason::ScopeNotAllowed));
        }
        Ok(asked)
    }

    fn refused(&self, rules: ScopeRules<'_>, scope: &Scope, grantable: &Scopes) -> OAuthError {
        OAuthError::invalid_scope(if scope.is_pattern() {
            format!("{scope} stands for many scopes: ask for one of them, with a value in place of the star")
        } else if self.allowed(rules.registered).covers(scope) {
            let grant = rules.grant;
            format!("The scope {scope} is not given by the {grant} grant; it gives: {grantable}")
        } else {
            format!(
                "The scope {scope} is not one that this application may ask for; it may ask for: {grantable}"
            )
        })
    }

    fn default_for(&self, rules: ScopeRules<'_>, grantable: &Scopes) -> Result<Scopes, OAuthError> {
        let never: Scopes = Scope::parse(APPLICATIONS).into_iter().collect();
        let default = rules
            .default
            .unwrap_or(&self.default)
            .intersection(grantable)
            .without_patterns()
            .difference(&never);
        if !default.is_empty() {
            return Ok(default);
        }
        // Nobody said what its default is: then it is all that it was registered for.
        let all = grantable.without_patterns();
        if rules.default.is_none()
            && rules.registered.is_some()
            && !all.is_empty()
            && !all.contains(APPLICATIONS)
        {
            return Ok(all);
        }
        Err(OAuthError::invalid_scope(
            "Name the scopes with the parameter scope: none is granted by default to this application",
        )
        .because(Reason::ScopeMissing))
    }
}

const APPLICATIONS_DESCRIPTION: &str = "Register, change and delete applications";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn catalog() -> Catalog {
        let scope = |name: &str, text: &str| (Scope::parse(name).unwrap(), text.to_owned());
        Catalog::new(
            vec![
                scope("read", "Read your memos"),
                scope("write", "Write memos"),
                scope("user:*", "Act for one user"),
            ],
            scopes("read"),
        )
    }

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).unwrap()
    }

    fn resolve(
        catalog: &Catalog,
        registered: Option<&str>,
        default: Option<&str>,
        asked: Option<&str>,
    ) -> Option<String> {
        let (registered, default) = (registered.map(scopes), default.map(scopes));
        let rules = ScopeRules {
            grant: GrantType::AuthorizationCode,
            registered: registered.as_ref(),
            default: default.as_ref(),
            optional: None,
        };
        catalog
            .resolve(rules, asked)
            .ok()
            .map(|scopes| scopes.to_string())
    }

    fn asks(registered: Option<&str>, asked: Option<&str>) -> Option<String> {
        resolve(&catalog(), registered, None, asked)
    }

    #[test]
    fn without_scope_the_default_is_granted() {
        assert_eq!(asks(None, None).as_deref(), Some("read"));
        assert_eq!(asks(Some("read write"), Some("  ")).as_deref(), Some("read"));
    }

    #[test]
    fn without_scope_an_application_outside_the_default_gets_its_own() {
        assert_eq!(asks(Some("write"), None).as_deref(), Some("write"));
        assert_eq!(asks(Some("write user:*"), None).as_deref(), Some("write"));
        assert_eq!(asks(Some("user:*"), None), None, "a pattern is never granted");
    }

    #[test]
    fn an_applications_own_default_comes_before_the_servers() {
        let by_default = |registered, default| resolve(&catalog(), registered, Some(default), None);
        assert_eq!(by_default(None, "write").as_deref(), Some("write"));
        assert_eq!(
            by_default(Some("read write"), "read write").as_deref(),
            Some("read write")
        );
        assert_eq!(by_default(None, "user:me read").as_deref(), Some("read user:me"));
        assert_eq!(
            by_default(Some("read"), "read write").as_deref(),
            Some("read"),
            "no more than it may ask for"
        );
        assert_eq!(
            by_default(Some("read"), "write"),
            None,
            "nor anything that nobody named"
        );
        assert_eq!(by_default(None, "user:*"), None);
        assert_eq!(by_default(Some("applications"), "applications"), None);
    }

    #[test]
    fn an_application_gets_no_scope_that_it_is_not_allowed() {
        assert_eq!(asks(Some("read"), Some("read write")), None);
        assert_eq!(asks(None, Some("unknown")), None);
        assert_eq!(asks(None, Some("read\nwrite")), None);
    }

    #[test]
    fn managing_applications_is_never_implied() {
        assert_eq!(asks(None, Some("applications")), None);
        assert_eq!(asks(Some("applications"), None), None);
        assert_eq!(
            asks(Some("applications"), Some("applications")).as_deref(),
            Some("applications")
        );
    }

    #[test]
    fn order_and_repetition_mean_nothing() {
        assert_eq!(
            asks(None, Some("write read write")).as_deref(),
            Some("read write")
        );
    }

    #[test]
    fn a_pattern_allows_what_it_stands_for_and_is_never_granted_itself() {
        assert_eq!(asks(None, Some("user:1 read")).as_deref(), Some("read user:1"));
        assert_eq!(asks(Some("user:*"), Some("user:1")).as_deref(), Some("user:1"));
        assert_eq!(asks(Some("user:1"), Some("user:1")).as_deref(), Some("user:1"));
        assert_eq!(
            asks(Some("user:1"), Some("user:2")),
            None,
            "registered for one of them"
        );
        for asked in ["user:*", "user:", "user:1*", "user:**", "users:1"] {
            assert_eq!(asks(None, Some(asked)), None, "{asked}");
        }
    }

    #[test]
    fn what_a_pattern_stands_for_is_told_with_its_value() {
        assert_eq!(catalog().describe("user:1"), "Act for one user: 1");
        assert_eq!(catalog().describe("user:*"), "Act for one user");
        assert_eq!(catalog().describe("read"), "Read your memos");
        assert_eq!(catalog().describe("gone"), "gone");
    }

    #[test]
    fn a_grant_gives_no_more_than_the_server_says() {
        let by_grant = [(GrantType::ClientCredentials, scopes("read user:1"))];
        let catalog = catalog().with_grants(by_grant.into_iter().collect());
        let resolve = |grant, asked| {
            let registered = scopes("read write user:*");
            let rules = ScopeRules {
                grant,
                registered: Some(&registered),
                default: None,
                optional: None,
            };
            catalog
                .resolve(rules, asked)
                .map_err(|error| error.description().to_owned())
        };
        let (own, code) = (GrantType::ClientCredentials, GrantType::AuthorizationCode);
        assert_eq!(resolve(own, Some("read user:1")).unwrap(), scopes("read user:1"));
        assert_eq!(
            resolve(code, Some("write user:2")).unwrap(),
            scopes("write user:2")
        );
        let told = resolve(own, Some("write")).unwrap_err();
        assert!(
            told.contains("client_credentials") && told.contains("read user:1"),
            "{told}"
        );
        assert!(resolve(own, Some("user:2")).is_err());
        assert_eq!(resolve(own, None).unwrap(), scopes("read"));
    }

    #[test]
    fn what_may_be_unticked_is_the_applications_or_else_the_servers() {
        let catalog = catalog().with_optional(scopes("write user:*"));
        let optional = |own: Option<&Scopes>, asked| {
            let rules = ScopeRules {
                grant: GrantType::AuthorizationCode,
                registered: None,
                default: None,
                optional: own,
            };
            catalog.optional(rules, &scopes(asked))
        };
        assert_eq!(optional(None, "read write user:1"), scopes("user:1 write"));
        assert_eq!(
            optional(Some(&scopes("read user:1")), "read user:1 user:2"),
            scopes("read user:1")
        );
        assert_eq!(optional(None, "read"), Scopes::default());
    }

    proptest! {
        #[test]
        fn what_is_granted_was_asked_for_and_is_allowed(
            registered in proptest::option::of("(read |write |user:\\* |user:[ab] |applications ){0,4}"),
            given in proptest::option::of("(read |write |user:\\* |user:[ab] ){0,3}"),
            asked in "(read |write |user:[*abc]{0,2} |applications ){0,4}",
        ) {
            let catalog = catalog().with_grants(
                given.iter().map(|given| (GrantType::AuthorizationCode, scopes(given))).collect(),
            );
            let registered = registered.as_deref().map(scopes);
            let rules = ScopeRules {
                grant: GrantType::AuthorizationCode,
                registered: registered.as_ref(),
                default: None,
                optional: None,
            };
            if let Ok(granted) = catalog.resolve(rules, Some(&asked)) {
                let asked = scopes(&asked);
                prop_assert!(!granted.is_empty());
                prop_assert!(asked.is_empty() || granted == asked);
                for scope in granted.iter() {
                    prop_assert!(!scope.is_pattern());
                    prop_assert!(catalog.knows(scope.as_str()));
                    prop_assert!(given.as_deref().is_none_or(|given| scopes(given).covers(scope)));
                    prop_assert!(registered.as_ref().map_or(scope.as_str() != APPLICATIONS, |own| own.covers(scope)));
                }
            }
        }
    }
}
