//! What the pages show: one struct a page, each rendered by the template of the same name.
//!
//! A view holds text that is ready to be read and decides nothing. Templates escape whatever they
//! print; addresses in links are made by us, never taken from a registration.

pub mod account;
pub mod applications;
pub mod assets;
pub mod audit;
pub mod authentication;
pub mod authorized;
pub mod chrome;
pub mod consent;
pub mod debugger;
pub mod device;
pub mod error;
pub mod explanation;
pub mod failed_requests;
pub mod families;
pub mod field_errors;
pub mod form_post;
pub mod login;
pub mod native;
pub mod sample;
pub mod scope;
pub mod setup;
pub mod users;
pub mod when;

pub use chrome::{Chrome, Link};
pub use field_errors::{FieldError, FieldErrors};
pub use scope::ScopeLine;
pub use when::When;

/// `1 user`, `3 users`, `1,204 users`.
pub(in crate::http) fn counted(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{} {many}", grouped(count)),
    }
}

fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_like_prose() {
        assert_eq!(counted(0, "user", "users"), "0 users");
        assert_eq!(counted(1, "user", "users"), "1 user");
        assert_eq!(counted(999, "user", "users"), "999 users");
        assert_eq!(counted(1_204, "user", "users"), "1,204 users");
        assert_eq!(counted(1_000_000, "user", "users"), "1,000,000 users");
    }
}
