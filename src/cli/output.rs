//! What the commands print: every JSON shape, and its plain lines.

mod certificates;
mod doctor;
mod families;

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write};

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::failure::Failure;
use crate::base::config::words;
use crate::base::sealing::KeyId;
use crate::base::secret::Secret;
use crate::flow::applications::described::{Described, Summary};
use crate::flow::failed_requests::Failure as FailedRequest;
use crate::flow::users::Grouped;
use crate::model::client_authentication::AuthMethod;
use crate::model::ids::UserId;
use crate::model::user::User;
use crate::protocol::client_auth::mtls;
use crate::protocol::departure::Departure;

pub(super) use certificates::CreatedCertificate;
pub(super) use families::RevokedGrant;

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Lines for people.
    Plain,
    /// One JSON document.
    Json,
}

impl Format {
    /// `result` in this format, without a final newline.
    pub(super) fn render<T: Plain + Serialize + ?Sized>(self, result: &T) -> Result<String, Failure> {
        match self {
            Self::Plain => Ok(result.plain()),
            Self::Json => serde_json::to_string(result).map_err(|error| {
                Failure::new(format!(
                    "the result cannot be written as JSON: {error}: leave --json out"
                ))
            }),
        }
    }
}

/// Prints a result. A reader that has seen enough (`| head`) is no failure.
///
/// # Errors
/// When it cannot be written.
pub(super) fn print(result: &str) -> Result<(), Failure> {
    print_some(result).map(drop)
}

/// Prints a part of a result. False where the reader has seen enough.
///
/// # Errors
/// When it cannot be written.
pub(super) fn print_some(part: &str) -> Result<bool, Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(format!("{part}\n").as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(format!(
            "it is done, but its result cannot be written to standard output: {error}: make room there"
        ))),
    }
}

/// As one JSON document in one line.
pub(super) fn document<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|error| Failure::new(format!("the result cannot be written as JSON: {error}")))
}

/// Says something to the operator. One write, so that a log record does not end up in the middle.
pub(super) fn tell(message: &str) {
    // with stderr gone there is nobody to tell
    let _ = io::stderr().write_all(format!("{message}\n").as_bytes());
}

/// A result as lines for people.
pub(super) trait Plain {
    /// Without a final newline.
    fn plain(&self) -> String;
}

/// `user create`.
#[derive(Debug, Serialize)]
pub(super) struct CreatedUser {
    id: UserId,
    username: String,
    /// Null where it was chosen.
    #[serde(serialize_with = "expose")]
    password: Option<Secret>,
    admin: bool,
    email: Option<String>,
    groups: Vec<String>,
}

impl CreatedUser {
    /// `generated` is the password, where nobody chose it.
    pub(super) fn new(user: User, groups: Vec<String>, generated: Option<Secret>) -> Self {
        Self {
            id: user.id,
            username: user.username,
            password: generated,
            admin: user.admin,
            email: user.email,
            groups,
        }
    }
}

impl Plain for CreatedUser {
    fn plain(&self) -> String {
        let mut rows = vec![
            row("username", self.username.as_str()),
            row("id", self.id.to_string()),
            row("administrator", yes_no(self.admin)),
            row("email", self.email.as_deref().unwrap_or("-")),
        ];
        rows.extend((!self.groups.is_empty()).then(|| row("groups", self.groups.join(" "))));
        rows.extend(
            self.password
                .as_ref()
                .map(|password| row("password", password.expose())),
        );
        table(rows)
    }
}

/// An entry of `user list`.
#[derive(Debug, Serialize)]
pub(super) struct ListedUser {
    id: UserId,
    username: String,
    email: Option<String>,
    admin: bool,
    disabled: bool,
    groups: Vec<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Grouped> for ListedUser {
    fn from(Grouped { user, groups }: Grouped) -> Self {
        Self {
            groups: groups.into_vec(),
            id: user.id,
            disabled: !user.is_enabled(),
            username: user.username,
            email: user.email,
            admin: user.admin,
            created_at: user.created_at,
        }
    }
}

impl Plain for [ListedUser] {
    fn plain(&self) -> String {
        let head = ["USERNAME", "ADMINISTRATOR", "DISABLED", "CREATED", "EMAIL"]
            .map(str::to_owned)
            .to_vec();
        let users = self.iter().map(|user| {
            vec![
                user.username.clone(),
                yes_no(user.admin).to_owned(),
                yes_no(user.disabled).to_owned(),
                when(user.created_at),
                user.email.clone().unwrap_or_else(|| "-".to_owned()),
            ]
        });
        table(std::iter::once(head).chain(users))
    }
}

/// `user groups`.
#[derive(Debug, Serialize)]
pub(super) struct GroupsOfUser {
    pub(super) username: String,
    pub(super) groups: Vec<String>,
    /// How many grants ended, where the groups were replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revoked: Option<u64>,
}

impl Plain for GroupsOfUser {
    fn plain(&self) -> String {
        let mut line = if self.groups.is_empty() {
            format!("{} is in no group.", self.username)
        } else {
            format!("{} is in: {}.", self.username, self.groups.join(", "))
        };
        if let Some(revoked) = self.revoked.filter(|revoked| *revoked > 0) {
            let _ = write!(line, " Revoked: {revoked}.");
        }
        line
    }
}

/// `user password`.
#[derive(Debug, Serialize)]
pub(super) struct ChangedPassword {
    pub(super) username: String,
    /// Null where it was chosen.
    #[serde(serialize_with = "expose")]
    pub(super) password: Option<Secret>,
}

impl Plain for ChangedPassword {
    fn plain(&self) -> String {
        match &self.password {
            Some(password) => table([
                row("username", self.username.as_str()),
                row("password", password.expose()),
            ]),
            None => format!("{} has a new password.", self.username),
        }
    }
}

/// `user disable` and `user enable`.
#[derive(Debug, Serialize)]
pub(super) struct SwitchedUser {
    pub(super) username: String,
    pub(super) disabled: bool,
}

impl Plain for SwitchedUser {
    fn plain(&self) -> String {
        format!(
            "{} is {}.",
            self.username,
            if self.disabled { "disabled" } else { "enabled" }
        )
    }
}

/// `user delete`.
#[derive(Debug, Serialize)]
pub(super) struct DeletedUser {
    username: String,
    deleted: bool,
}

impl DeletedUser {
    pub(super) fn new(username: String) -> Self {
        Self {
            username,
            deleted: true,
        }
    }
}

impl Plain for DeletedUser {
    fn plain(&self) -> String {
        format!("{} is deleted.", self.username)
    }
}

/// `application create` and `application show`.
impl Plain for Described {
    fn plain(&self) -> String {
        let application = &self.summary;
        let mut rows = vec![row("client_id", application.client_id.as_str())];
        rows.extend(
            self.client_secret
                .as_ref()
                .map(|secret| row("client_secret", secret.expose())),
        );
        rows.extend(
            self.consumer_secret
                .as_ref()
                .map(|secret| row("consumer_secret", secret.expose())),
        );
        rows.extend([
            row("name", application.name.as_str()),
            row("id", application.id.to_string()),
            row("confidential", yes_no(application.confidential)),
            row("redirect_uris", application.redirect_uris.join(" ")),
            row("scopes", application.scopes.to_string()),
            row("grants", names(application)),
            row("trusted", yes_no(application.trusted)),
            row("require_pkce", yes_no(application.require_pkce)),
            row("introspect", yes_no(application.introspect)),
            row("send_iss", yes_no(application.send_iss)),
            row("access_token_ttl", lifetime(application.access_token_ttl)),
            row("refresh_token_ttl", lifetime(application.refresh_token_ttl)),
            row(
                "refresh_token_max_ttl",
                lifetime(application.refresh_token_max_ttl),
            ),
            row("created_at", when(application.created_at)),
        ]);
        rows.extend(policies(application));
        table(rows)
    }
}

/// What differs from the usual, and nothing where nothing does.
fn policies(application: &Summary) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    rows.extend(application.owner.as_deref().map(|name| row("owner", name)));
    for (grant, seconds) in &application.access_token_ttls {
        rows.push(row(
            "access_token_ttl_by_grant",
            format!("{grant}={}", lifetime(Some(*seconds))),
        ));
    }
    for (name, scopes) in [
        ("default_scopes", &application.default_scopes),
        ("optional_scopes", &application.optional_scopes),
    ] {
        rows.extend(scopes.as_ref().map(|scopes| row(name, scopes.to_string())));
    }
    for (name, on) in [
        ("disabled", application.disabled),
        ("oauth1", application.oauth1),
        ("reuse_access_token", application.reuse_access_token),
        ("reuse_refresh_token", application.reuse_refresh_token),
        ("revoke_previous_tokens", application.revoke_previous_tokens),
    ] {
        rows.extend(on.then(|| row(name, yes_no(on))));
    }
    rows.extend(authentication(application));
    if application.restricted {
        rows.push(row("allowed_users", application.users.join(" ")));
        rows.push(row("allowed_groups", application.groups.join(" ")));
    }
    for origin in &application.allowed_origins {
        rows.push(row("allowed_origin", origin.as_str()));
    }
    rows
}

fn authentication(application: &Summary) -> Vec<Vec<String>> {
    let own = &application.authentication;
    let mut rows = Vec::new();
    let method = own.token_endpoint_auth_method.map(AuthMethod::as_str);
    rows.extend(method.map(|method| row("token_endpoint_auth_method", method)));
    rows.extend(
        own.subject
            .iter()
            .map(|(field, subject)| row(field, subject.as_str())),
    );
    for known in own.certificates.iter().filter_map(mtls::facts) {
        rows.push(row(
            "certificate",
            format!(
                "{} SHA-256 {} until {}",
                known.subject,
                known.thumbprint,
                when(known.not_after)
            ),
        ));
    }
    rows.extend(own.jwks.as_ref().map(|set| row("jwks", set.to_string())));
    if own.tls_client_certificate_bound_access_tokens {
        rows.push(row("tls_client_certificate_bound_access_tokens", yes_no(true)));
    }
    rows
}

/// `application list`.
impl Plain for [Summary] {
    fn plain(&self) -> String {
        let head = ["CLIENT_ID", "NAME", "OWNER", "CONFIDENTIAL", "DISABLED", "GRANTS"]
            .map(str::to_owned)
            .to_vec();
        let applications = self.iter().map(|application| {
            vec![
                application.client_id.to_string(),
                application.name.clone(),
                application.owner.clone().unwrap_or_else(|| "-".to_owned()),
                yes_no(application.confidential).to_owned(),
                yes_no(application.disabled).to_owned(),
                names(application),
            ]
        });
        table(std::iter::once(head).chain(applications))
    }
}

/// `application rotate-consumer-secret`.
#[derive(Debug, Serialize)]
pub(super) struct RotatedConsumerSecret {
    pub(super) client_id: String,
    #[serde(serialize_with = "expose")]
    pub(super) consumer_secret: Option<Secret>,
}

impl Plain for RotatedConsumerSecret {
    fn plain(&self) -> String {
        let secret = self.consumer_secret.as_ref().map_or("", Secret::expose);
        table([
            row("client_id", self.client_id.as_str()),
            row("consumer_secret", secret),
        ])
    }
}

/// `sealing-key rotate` and `sealing-key reseal`.
#[derive(Debug, Serialize)]
pub(super) struct Resealed {
    /// The id of the key that everything rests under now.
    key: String,
    file: Option<String>,
    #[serde(rename = "resealed")]
    values: u64,
    /// What could not be opened, and rests as it was.
    unreadable: u64,
    /// Keys of the file that nothing rests under.
    unused: Vec<UnusedKey>,
}

#[derive(Debug, Serialize)]
struct UnusedKey {
    key: String,
    line: usize,
}

impl From<crate::flow::sealing::Resealed> for Resealed {
    fn from(done: crate::flow::sealing::Resealed) -> Self {
        let unused = done.unused.iter().map(|(key, line)| UnusedKey {
            key: key.to_string(),
            line: *line,
        });
        Self {
            key: done.key.to_string(),
            file: done.file.as_ref().map(|file| file.display().to_string()),
            values: done.values,
            unreadable: done.unreadable,
            unused: unused.collect(),
        }
    }
}

impl Plain for Resealed {
    fn plain(&self) -> String {
        let mut lines = vec![format!(
            "Sealed anew under the key {}: {}.",
            self.key, self.values
        )];
        if self.unreadable > 0 {
            lines.push(format!(
                "Could not be opened, and rest as they were: {}. Their keys are not in the file.",
                self.unreadable
            ));
        }
        for unused in &self.unused {
            lines.push(format!(
                "Nothing rests under the key {} any more: line {} of {} may be deleted. A server that runs may have \
                 been sealing with it just now: run `tegata sealing-key reseal` once more before.",
                unused.key,
                unused.line,
                self.file.as_deref().unwrap_or("the file")
            ));
        }
        lines.join("\n")
    }
}

/// `sealing-key forget`.
#[derive(Debug, Serialize)]
pub(super) struct ForgottenKey {
    forgotten: String,
    /// How many secrets rest under it, which nothing opens any more.
    given_up: i64,
}

impl ForgottenKey {
    pub(super) fn new(key: KeyId, given_up: i64) -> Self {
        Self {
            forgotten: key.to_string(),
            given_up,
        }
    }
}

impl Plain for ForgottenKey {
    fn plain(&self) -> String {
        let told = format!("Forgot the key {}.", self.forgotten);
        if self.given_up == 0 {
            return told;
        }
        format!(
            "{told} Secrets that nothing opens any more: {}. Give their applications new ones by `tegata application \
             rotate-consumer-secret`, and have their users authorize them anew.",
            self.given_up
        )
    }
}

/// `application failures`.
impl Plain for [FailedRequest] {
    fn plain(&self) -> String {
        if self.is_empty() {
            return "Nothing was refused in the last 30 days.".to_owned();
        }
        let blocks = self.iter().map(|failure| {
            let mut rows = vec![
                row("refused", failure.description),
                row("section", failure.section),
                row("endpoint", failure.endpoint.as_str()),
                row("error", failure.error.as_str()),
            ];
            rows.extend(failure.parameter.as_deref().map(|name| row("parameter", name)));
            rows.extend(failure.value.as_deref().map(|value| row("sent", value)));
            rows.extend(
                failure
                    .registered
                    .iter()
                    .map(|text| row("registered", text.as_str())),
            );
            if !failure.difference.is_empty() {
                rows.push(row("differs in", failure.difference.join(", ")));
            }
            rows.extend([
                row("count", failure.count.to_string()),
                row("last_seen_at", when(failure.last_seen_at)),
                row("request_id", failure.request_id.as_str()),
            ]);
            table(rows)
        });
        blocks.collect::<Vec<_>>().join("\n\n")
    }
}

/// `application disable` and `application enable`.
#[derive(Debug, Serialize)]
pub(super) struct SwitchedApplication {
    pub(super) client_id: String,
    pub(super) disabled: bool,
}

impl Plain for SwitchedApplication {
    fn plain(&self) -> String {
        format!(
            "{} is {}.",
            self.client_id,
            if self.disabled { "disabled" } else { "enabled" }
        )
    }
}

/// `check`.
impl Plain for [Departure] {
    fn plain(&self) -> String {
        if self.is_empty() {
            return "Nothing departs from best current practice.".to_owned();
        }
        let blocks = self.iter().map(|departure| {
            let whose = match &departure.application {
                Some(client_id) => format!("application {client_id}"),
                None => "this server".to_owned(),
            };
            table([
                row(
                    "departs",
                    format!("{whose}: {} = {}", departure.setting, departure.value),
                ),
                row("why", departure.why),
                row("mend", departure.mend),
                row("section", departure.section),
            ])
        });
        blocks.collect::<Vec<_>>().join("\n\n")
    }
}

/// `application delete`.
#[derive(Debug, Serialize)]
pub(super) struct DeletedApplication {
    client_id: String,
    deleted: bool,
}

impl DeletedApplication {
    pub(super) fn new(client_id: String) -> Self {
        Self {
            client_id,
            deleted: true,
        }
    }
}

impl Plain for DeletedApplication {
    fn plain(&self) -> String {
        format!("{} is deleted.", self.client_id)
    }
}

/// `application rotate-secret`.
#[derive(Debug, Serialize)]
pub(super) struct RotatedSecret {
    client_id: String,
    #[serde(serialize_with = "expose")]
    client_secret: Option<Secret>,
}

impl RotatedSecret {
    pub(super) fn new(client_id: String, secret: Secret) -> Self {
        Self {
            client_id,
            client_secret: Some(secret),
        }
    }
}

impl Plain for RotatedSecret {
    fn plain(&self) -> String {
        let secret = self.client_secret.as_ref().map_or("-", Secret::expose);
        table([
            row("client_id", self.client_id.as_str()),
            row("client_secret", secret),
        ])
    }
}

/// `token revoke`.
#[derive(Debug, Serialize)]
pub(super) struct Revoked {
    pub(super) revoked: RevokedWhat,
}

/// What there was to revoke.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum RevokedWhat {
    /// Whether the one token is known.
    Token(bool),
    /// How many grants, and tokens that an application has on its own behalf, were alive.
    Grants(u64),
}

impl Plain for Revoked {
    fn plain(&self) -> String {
        match self.revoked {
            RevokedWhat::Token(true) => "The token and its grant are revoked.".into(),
            RevokedWhat::Token(false) => "No such token is known; nothing was revoked.".into(),
            RevokedWhat::Grants(count) => format!("Revoked: {count}."),
        }
    }
}

/// `sweep`.
#[derive(Debug, Serialize)]
pub(super) struct Swept {
    deleted: u64,
}

impl Swept {
    pub(super) fn new(rows: u64) -> Self {
        Self { deleted: rows }
    }
}

impl Plain for Swept {
    fn plain(&self) -> String {
        format!("Deleted what has expired: {} rows.", self.deleted)
    }
}

/// `migrate`.
#[derive(Debug, Serialize)]
pub(super) struct Migrated {
    migrated: bool,
    #[serde(skip)]
    database: String,
}

impl Migrated {
    /// `database` as it may be shown.
    pub(super) fn new(database: String) -> Self {
        Self {
            migrated: true,
            database,
        }
    }
}

impl Plain for Migrated {
    fn plain(&self) -> String {
        format!("{} is up to date.", self.database)
    }
}

/// The one line of `serve`, once it serves.
#[derive(Debug, Serialize)]
pub(super) struct Ready {
    event: &'static str,
    listen: String,
    issuer: String,
    pid: u32,
}

impl Ready {
    pub(super) fn new(listen: String, issuer: String) -> Self {
        Self {
            event: "ready",
            listen,
            issuer,
            pid: std::process::id(),
        }
    }
}

/// The same in either format.
impl Plain for Ready {
    fn plain(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn expose<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(serializer)
}

fn row(name: &str, value: impl Into<String>) -> Vec<String> {
    vec![name.to_owned(), value.into()]
}

fn yes_no(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

fn when(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

fn lifetime(seconds: Option<i64>) -> String {
    seconds.map_or_else(
        || "the server's".to_owned(),
        |seconds| words(time::Duration::seconds(seconds)),
    )
}

fn names(application: &Summary) -> String {
    application
        .grants
        .iter()
        .map(|grant| grant.name())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Columns under one another, two spaces apart.
fn table(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "018bcfe5-6800-7000-8000-000000000001";

    fn user() -> User {
        User {
            id: ID.parse().unwrap(),
            username: "alice".into(),
            email: None,
            epoch: 0,
            admin: true,
            created_at: OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap(),
            signed_in_at: None,
            disabled_at: None,
        }
    }

    fn as_json<T: Plain + Serialize + ?Sized>(result: &T) -> Value {
        let text = Format::Json.render(result).unwrap();
        assert!(!text.contains('\n'), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_created_user_shows_a_generated_password_and_never_a_chosen_one() {
        let generated = CreatedUser::new(user(), vec!["staff".into()], Some(Secret::new("pa-ss")));
        let expected = json!({"id": ID, "username": "alice", "password": "pa-ss", "admin": true, "email": null,
                "groups": ["staff"]});
        assert_eq!(as_json(&generated), expected);
        assert!(
            generated.plain().contains("\npassword       pa-ss"),
            "{}",
            generated.plain()
        );
        assert!(!format!("{generated:?}").contains("pa-ss"));

        let chosen = CreatedUser::new(user(), Vec::new(), None);
        assert_eq!(as_json(&chosen)["password"], Value::Null);
        assert!(!chosen.plain().contains("password"));
    }

    #[test]
    fn a_list_is_an_array_and_an_empty_one_too() {
        let users = [ListedUser::from(Grouped {
            user: user(),
            groups: "dev\nstaff".to_owned().into(),
        })];
        let expected = json!([{
            "id": ID, "username": "alice", "email": null, "admin": true, "disabled": false,
            "groups": ["dev", "staff"], "created_at": "2023-11-14T22:13:20Z"
        }]);
        assert_eq!(as_json(&users[..]), expected);
        assert_eq!(as_json::<[ListedUser]>(&[]), json!([]));
        assert_eq!(as_json::<[Summary]>(&[]), json!([]));
        assert_eq!(
            users[..].plain(),
            "USERNAME  ADMINISTRATOR  DISABLED  CREATED               EMAIL\n\
             alice     yes            no        2023-11-14T22:13:20Z  -"
        );
    }

    #[test]
    fn small_results_have_their_members_and_no_others() {
        let rotated = RotatedSecret::new("web".into(), Secret::new("tgs_x"));
        assert_eq!(
            as_json(&rotated),
            json!({"client_id": "web", "client_secret": "tgs_x"})
        );
        let changed = ChangedPassword {
            username: "alice".into(),
            password: None,
        };
        assert_eq!(as_json(&changed), json!({"username": "alice", "password": null}));
        let switched = SwitchedUser {
            username: "alice".into(),
            disabled: true,
        };
        assert_eq!(as_json(&switched), json!({"username": "alice", "disabled": true}));
        assert_eq!(
            as_json(&DeletedUser::new("alice".into())),
            json!({"username": "alice", "deleted": true})
        );
        assert_eq!(
            as_json(&DeletedApplication::new("web".into())),
            json!({"client_id": "web", "deleted": true})
        );
        assert_eq!(
            as_json(&Revoked {
                revoked: RevokedWhat::Token(false)
            }),
            json!({"revoked": false})
        );
        assert_eq!(
            as_json(&Revoked {
                revoked: RevokedWhat::Grants(3)
            }),
            json!({"revoked": 3})
        );
        assert_eq!(as_json(&Swept::new(7)), json!({"deleted": 7}));
        assert_eq!(
            as_json(&Migrated::new("sqlite::memory:".into())),
            json!({"migrated": true})
        );
    }

    #[test]
    fn the_ready_line_is_the_same_json_in_either_format() {
        let ready = Ready::new("127.0.0.1:3801".into(), "http://localhost:3801".into());
        let pid = std::process::id();
        let line = format!(
            r#"{{"event":"ready","listen":"127.0.0.1:3801","issuer":"http://localhost:3801","pid":{pid}}}"#
        );
        assert_eq!(ready.plain(), line);
        assert_eq!(Format::Json.render(&ready).unwrap(), line);
    }
}
