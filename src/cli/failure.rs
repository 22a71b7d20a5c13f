//! Why a command was not done: a line for the operator.

use std::fmt;

use crate::base::config::{DatabaseUrl, Faults};
use crate::flow::applications::NotSaved;
use crate::flow::error::Refusal;
use crate::flow::users::NewUserRefused;

/// What is wrong and what to do about it. One line, save where several settings are wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure(String);

impl Failure {
    pub(super) fn new(message: impl AsRef<str>) -> Self {
        Self(format!("tegata: {}", one_line(message.as_ref())))
    }

    /// All that is wrong with the settings, a line each.
    pub(super) fn settings(faults: &Faults) -> Self {
        Self(faults.to_string())
    }

    /// The store that `url` names cannot be opened.
    pub(super) fn store(url: &DatabaseUrl, cause: &str) -> Self {
        Self::new(format!(
            "database_url = {url} ({}) cannot be used: {cause}: put that right, or name another database with \
             --database-url",
            url.source()
        ))
    }

    pub(super) fn no_user(name: &str) -> Self {
        Self::new(format!("there is no user {name}: `tegata user list` shows all"))
    }

    pub(super) fn no_application(client_id: &str) -> Self {
        Self::new(format!(
            "there is no application {client_id}: `tegata application list` shows all"
        ))
    }

    /// What is wrong with what was typed, by the flags' names.
    pub(super) fn fields<'a>(faults: impl Iterator<Item = (&'static str, &'a str)>) -> Self {
        let faults: Vec<String> = faults
            .map(|(field, sentence)| format!("{}: {sentence}", argument(field)))
            .collect();
        Self::new(faults.join(" "))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(match refusal {
            Refusal::Unavailable(cause) => {
                format!("the database did not do it: {cause}: try again")
            }
            other => other.to_string(),
        })
    }
}

impl From<NotSaved> for Failure {
    fn from(refused: NotSaved) -> Self {
        match refused {
            NotSaved::Fields(faults) => Self::fields(faults.iter()),
            NotSaved::Conflict => {
                Self::new("somebody else changed the application in the meantime: try again")
            }
            NotSaved::Gone => {
                Self::new("the application was deleted in the meantime: nothing is left to be done")
            }
            NotSaved::Already(id) => Self::new(format!("the application {id} is registered already")),
            NotSaved::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<NewUserRefused> for Failure {
    fn from(refused: NewUserRefused) -> Self {
        match refused {
            NewUserRefused::Fields(faults) => {
                let of_user = |field| if field == "groups" { "group" } else { field };
                Self::fields(
                    faults
                        .iter()
                        .map(|(field, sentence)| (of_user(*field), sentence.as_str())),
                )
            }
            NewUserRefused::Gone => {
                Self::new("the user was deleted in the meantime: nothing is left to be done")
            }
            NewUserRefused::Refused(refusal) => refusal.into(),
        }
    }
}

/// What the command line calls a field.
fn argument(field: &str) -> String {
    match field {
        "username" => "NAME".into(),
        "password" => "--password-stdin".into(),
        "client_secret" => "--client-secret-stdin".into(),
        "redirect_uris" => "--redirect-uri".into(),
        "scopes" => "--scope".into(),
        "grants" => "--grant".into(),
        "users" => "--allow-user".into(),
        "groups" => "--allow-group".into(),
        other => format!("--{}", other.replace('_', "-")),
    }
}

/// Control characters escaped.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_faults_are_one_line_and_name_the_arguments() {
        let refused = NewUserRefused::Fields(vec![
            ("username", "No\nspaces.".into()),
            ("password", "Too short.".into()),
        ]);
        assert_eq!(
            Failure::from(refused).to_string(),
            "tegata: NAME: No\\nspaces. --password-stdin: Too short."
        );
        assert_eq!(argument("access_token_ttl"), "--access-token-ttl");
    }

    #[test]
    fn a_store_that_cannot_be_opened_is_named_without_its_password() {
        let url = DatabaseUrl::parse("postgres://tegata:hunter2@db.example/tegata", "DATABASE_URL").unwrap();
        let line = Failure::store(&url, "connection refused").to_string();
        assert!(
            line.contains("database_url") && line.contains("(DATABASE_URL)"),
            "{line}"
        );
        assert!(line.contains("db.example") && !line.contains("hunter2"), "{line}");
    }
}
