//! Scopes: a list reads back as written, and no request gets more than its application may have.

use tegata::model::grant_type::GrantType;
use tegata::model::scope::{Scope, Scopes};
use tegata::protocol::error::{ErrorCode, OAuthError};
use tegata::protocol::grant::refresh;
use tegata::protocol::scope::ScopeRules;

use super::{assert_plain, assert_printable, sample, text_lines};

/// What is registered or granted, and what is asked for.
pub fn holds(input: &[u8]) {
    let Some([registered, asked]) = text_lines(input) else {
        return;
    };
    reads_back(asked);
    let registered = Scopes::parse(registered).ok();
    is_allowed(registered.as_ref(), asked);
    if let Some(granted) = registered {
        narrows(&granted, asked);
    }
}

fn reads_back(text: &str) {
    let scopes = match Scopes::parse(text) {
        Ok(scopes) => scopes,
        Err(error) => return assert_printable(&error.to_string()),
    };
    assert_eq!(Scopes::parse(&scopes.to_string()).as_ref(), Ok(&scopes));
    let json = serde_json::to_string(&scopes).unwrap();
    assert_eq!(serde_json::from_str::<Scopes>(&json).unwrap(), scopes);
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    assert!(words.iter().all(|word| scopes.contains(word)));
    assert!(scopes.iter().all(|scope| words.contains(&scope.as_str())));
    for scope in &words {
        assert!(scope.len() <= 128 && scope.bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(!scope.contains(['"', '\\']));
    }
}

fn is_allowed(registered: Option<&Scopes>, asked: &str) {
    let catalog = sample::catalog();
    let allowed = catalog.allowed(registered);
    let rules = ScopeRules {
        grant: GrantType::AuthorizationCode,
        registered,
        default: None,
        optional: None,
    };
    for sent in [None, Some(asked)] {
        match catalog.resolve(rules, sent) {
            Ok(scopes) => {
                assert!(!scopes.is_empty() && scopes.beyond(&allowed).is_empty());
                assert_eq!(scopes.without_patterns(), scopes);
                let backwards: Vec<&str> = asked.rsplit(' ').collect();
                let again = sent.map(|_| backwards.join(" "));
                assert_eq!(catalog.resolve(rules, again.as_deref()), Ok(scopes.clone()));
                let named = registered.is_some_and(|scopes| scopes.contains("applications"));
                assert!(named || !scopes.contains("applications"));
            }
            Err(error) => refused(&error),
        }
    }
}

fn narrows(granted: &Scopes, asked: &str) {
    match refresh::scopes(granted, Some(asked)) {
        Ok(scopes) => {
            assert!(scopes.is_subset(granted));
            assert_eq!(
                refresh::scopes(&scopes, Some(&scopes.to_string())),
                Ok(scopes.clone())
            );
        }
        Err(error) => refused(&error),
    }
    assert_eq!(refresh::scopes(granted, None).as_ref(), Ok(granted));
    if let Ok(outside) = Scope::parse(asked)
        && !granted.contains(asked)
    {
        let wider: Scopes = granted.iter().cloned().chain([outside]).collect();
        assert!(refresh::scopes(granted, Some(&wider.to_string())).is_err());
    }
}

fn refused(error: &OAuthError) {
    assert_eq!(error.code(), ErrorCode::InvalidScope);
    assert_plain(error.description());
}
