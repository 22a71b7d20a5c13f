//! Names that stand for many: `user:*` for every `user:SOMETHING`.

/// `user:` for `user:*`; `None` for a name that stands for itself.
pub fn prefix(name: &str) -> Option<&str> {
    name.strip_suffix('*').filter(|prefix| prefix.ends_with(':'))
}

/// Whether all that `other` stands for, `name` stands for too. SOMETHING has one character or more, and no
/// `*` among them.
pub fn covers(name: &str, other: &str) -> bool {
    if name == other {
        return true;
    }
    let other = prefix(other).unwrap_or(other);
    prefix(name)
        .and_then(|prefix| other.strip_prefix(prefix))
        .is_some_and(|rest| !rest.is_empty() && !rest.contains('*'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_stands_for_whatever_follows_its_colon() {
        for other in ["user:1", "user:*", "user:a:b", "user:a:*", "user::"] {
            assert!(covers("user:*", other), "{other}");
        }
        for other in [
            "user:", "user", "users:1", "USER:1", "user:*1", "user:1*", "user:**", "user:*:*", "*", "",
        ] {
            assert!(!covers("user:*", other), "{other}");
        }
    }

    #[test]
    fn no_other_star_means_anything() {
        for name in ["*", "user*", "us*er", "user:x*", "user.*"] {
            assert_eq!(prefix(name), None, "{name}");
            assert!(covers(name, name) && !covers(name, "user:x"), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_covered_by_what_is_covered_is_covered(
            a in "[ab:*]{1,4}", b in "[ab:*]{1,6}", c in "[ab:*]{1,8}"
        ) {
            let chained = covers(&a, &b) && covers(&b, &c);
            prop_assert!(!chained || covers(&a, &c));
        }
    }
}
