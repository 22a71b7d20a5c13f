//! What can be said on the command line.

mod authentication;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use self::authentication::Authentication;
use super::output::Format;
use super::settings;
use crate::base::sealing::KeyId;
use crate::model::ids::GrantId;

const SEE_SETTINGS: &str = "The settings that `tegata --help` lists may be given here too.";

/// A command line that was understood.
#[derive(Debug)]
pub struct Arguments {
    pub command: Command,
    pub(super) format: Format,
    /// Names and texts of the settings that were given, the last of a name counts.
    pub settings: Vec<(String, String)>,
}

/// A self-hosted OAuth 2.0 authorization server.
///
/// Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "tegata", version)]
struct Cli {
    /// Print the result as one JSON document
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Migrate the database and serve until told to stop (the default)
    Serve,
    /// Run a target for the tests of OAuth clients: the same server with known credentials, steered over HTTP,
    /// that forgets everything when it stops
    Sandbox(Sandbox),
    /// Bring the database up to date and exit
    Migrate,
    /// Users: the people who can sign in
    #[command(subcommand)]
    User(UserCommand),
    /// Applications: the registered OAuth clients
    #[command(subcommand)]
    Application(ApplicationCommand),
    /// Tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Grants: what people have authorized, and what came of it
    #[command(subcommand)]
    Grant(GrantCommand),
    /// A TLS certificate for trying out
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// List the settings and applications that depart from best current practice (RFC 9700)
    Check(Check),
    /// Act as a client against any authorization server or resource, and tell which side breaks which rule
    Doctor(Doctor),
    /// Print the audit log, the newest first: a JSON document a line
    Audit(AuditSearch),
    /// The key that secrets of OAuth 1.0a rest sealed under
    #[command(subcommand)]
    SealingKey(SealingKeyCommand),
    /// Delete everything that has expired
    Sweep,
}

#[derive(Debug, Args)]
pub struct Sandbox {
    /// Let others than this machine reach it; wants a control token in `TEGATA_CONTROL_TOKEN`
    #[arg(long)]
    pub beyond_loopback: bool,
}

/// `tegata certificate …`
#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// Make a self-signed certificate and its key, for trying out: nobody but you knows that it is to be trusted
    Create(NewCertificate),
}

#[derive(Debug, Args)]
pub struct NewCertificate {
    /// A host name or address that it is for; may be repeated [default: localhost and its addresses]
    #[arg(long, value_name = "HOST", value_parser = NonEmptyStringValueParser::new())]
    pub name: Vec<String>,
    /// The certificate's file, which must not be there [default: the setting `tls_certificate`, or tegata.pem]
    #[arg(long, value_name = "PATH")]
    pub certificate: Option<PathBuf>,
    /// The key's file, which must not be there [default: the setting `tls_key`, or tegata.key]
    #[arg(long, value_name = "PATH")]
    pub key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Check {
    /// Exit with 1 where anything is listed
    #[arg(long)]
    pub strict: bool,
}

/// `tegata doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// The issuer of an authorization server, or the URL of a resource
    #[arg(value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub url: String,
    /// A client that is registered there, to try more as
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub client_id: Option<String>,
    /// A redirect URI that is registered for the client; nobody is sent there
    #[arg(long, value_name = "URI", requires = "client_id", value_parser = NonEmptyStringValueParser::new())]
    pub redirect_uri: Option<String>,
    /// What the client asks for
    #[arg(long, value_name = "SCOPE", requires = "client_id", value_parser = NonEmptyStringValueParser::new())]
    pub scope: Option<String>,
    /// Read the client's secret from standard input, get a token by it and revoke that
    #[arg(long, requires = "client_id")]
    pub client_secret_stdin: bool,
}

/// `tegata sealing-key …`
#[derive(Debug, Subcommand)]
pub enum SealingKeyCommand {
    /// Put a fresh key first in the key file and seal everything anew under it; for one server
    Rotate,
    /// Seal everything anew under the first key of the file; after every node was given that key
    Reseal,
    /// Let servers start without a key whose file is lost; its id stands in what the start says
    Forget(ForgottenKey),
}

#[derive(Debug, Args)]
pub struct ForgottenKey {
    /// The key's id, 16 hexadecimal digits
    #[arg(value_name = "ID")]
    pub id: KeyId,
    /// Give up what is sealed under it: its applications need new consumer secrets, its users authorize anew
    #[arg(long)]
    pub lost: bool,
}

/// `tegata audit`
#[derive(Debug, Args)]
pub struct AuditSearch {
    /// Only events of this name, as `application_changed`
    #[arg(long, value_name = "EVENT", value_parser = NonEmptyStringValueParser::new())]
    pub event: Option<String>,
    /// Only what this user did, or what was done to them; a name or an id
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,
    /// Only what concerns this application; its `client_id` or its id
    #[arg(long, value_name = "CLIENT_ID", value_parser = NonEmptyStringValueParser::new())]
    pub application: Option<String>,
    /// Only what came from this address
    #[arg(long, value_name = "ADDRESS", value_parser = NonEmptyStringValueParser::new())]
    pub address: Option<String>,
    /// Not before: a day, a moment, or how long ago, as 2026-01-31, 2026-01-31T09:00:00Z or 7d
    #[arg(long, value_name = "TIME", value_parser = NonEmptyStringValueParser::new())]
    pub since: Option<String>,
    /// Not after, as --since; a day is included
    #[arg(long, value_name = "TIME", value_parser = NonEmptyStringValueParser::new())]
    pub until: Option<String>,
}

/// `tegata user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Create a user; without --password-stdin a password is generated and printed once
    Create(NewUser),
    /// List all users
    List,
    /// Set a new password; sessions end and grants are revoked
    Password(NewPassword),
    /// Show or replace a user's groups; what the user may no longer use ends at once
    Groups(UserGroups),
    /// Forbid a user to sign in; sessions end and grants are revoked
    Disable(Name),
    /// Allow a disabled user to sign in again
    Enable(Name),
    /// Delete a user and revoke all that the user has granted
    Delete(Name),
}

#[derive(Debug, Args)]
pub struct Name {
    /// The username, in any spelling of it
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub name: String,
}

#[derive(Debug, Args)]
pub struct NewUser {
    /// The username: letters, digits and . _ - @ +
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub name: String,
    /// May manage everything
    #[arg(long)]
    pub admin: bool,
    /// An address, for people to know the user by
    #[arg(long, value_name = "EMAIL", value_parser = NonEmptyStringValueParser::new())]
    pub email: Option<String>,
    /// A group that the user is in: letters, digits and - _ . ; may be repeated
    #[arg(long, value_name = "GROUP", value_parser = NonEmptyStringValueParser::new())]
    pub group: Vec<String>,
    /// Read the password from standard input
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Debug, Args)]
pub struct UserGroups {
    #[command(flatten)]
    pub user: Name,
    /// All groups that the user is to have; without any they are shown
    #[arg(value_name = "GROUP", value_parser = NonEmptyStringValueParser::new())]
    pub groups: Vec<String>,
    /// Take the user out of every group
    #[arg(long, conflicts_with = "groups")]
    pub none: bool,
}

#[derive(Debug, Args)]
pub struct NewPassword {
    #[command(flatten)]
    pub user: Name,
    /// Read the password from standard input instead of generating one
    #[arg(long)]
    pub password_stdin: bool,
}

/// `tegata application …`
#[derive(Debug, Subcommand)]
pub enum ApplicationCommand {
    /// Register an application; a secret is generated and printed once
    Create(Box<NewApplication>),
    /// List all applications
    List,
    /// Show an application
    Show(ClientId),
    /// Stop an application; what it holds is dead while it is disabled
    Disable(ClientId),
    /// Let a disabled application go on; what has not expired works again
    Enable(ClientId),
    /// Delete an application and revoke all that was granted to it
    Delete(ClientId),
    /// Generate another secret; the one before it goes on working until the next rotation
    RotateSecret(ClientId),
    /// Generate another consumer secret of OAuth 1.0a in place of the one before
    RotateConsumerSecret(ClientId),
    /// Show what its requests were refused for in the last 30 days
    Failures(ClientId),
}

#[derive(Debug, Args)]
pub struct ClientId {
    /// The application's `client_id`
    #[arg(value_name = "CLIENT_ID", value_parser = NonEmptyStringValueParser::new())]
    pub client_id: String,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one a flag")]
pub struct NewApplication {
    /// What people read when they are asked to allow it
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Where the browser may be sent back to; may be repeated
    #[arg(long, value_name = "URI")]
    pub redirect_uri: Vec<String>,
    /// What it may ask for; may be repeated, or a list in quotes [default: all that is configured]
    #[arg(long, value_name = "SCOPE", value_parser = NonEmptyStringValueParser::new())]
    pub scope: Vec<String>,
    /// How it may get tokens; may be repeated [default: `authorization_code` and `refresh_token`, and
    /// `client_credentials` unless --public]
    #[arg(long, value_name = "GRANT", value_parser = NonEmptyStringValueParser::new())]
    pub grant: Vec<String>,
    /// It cannot keep a secret: a native or single-page application
    #[arg(long)]
    pub public: bool,
    /// People are not asked whether they allow it
    #[arg(long)]
    pub trusted: bool,
    /// Refuse authorization requests without PKCE; public applications always need it
    #[arg(long)]
    pub require_pkce: bool,
    /// May introspect other applications' tokens: it is a resource server
    #[arg(long)]
    pub introspect: bool,
    /// Also speaks OAuth 1.0a (RFC 5849), where the setting oauth1 is on; a consumer secret is printed once
    #[arg(long)]
    pub oauth1: bool,
    /// A file with the public key or certificate (PEM) of its RSA-SHA1 signatures
    #[arg(long, value_name = "FILE", requires = "oauth1")]
    pub oauth1_rsa_public_key: Option<PathBuf>,
    /// Leave `iss` out of redirects, for a client that refuses it
    #[arg(long)]
    pub no_iss: bool,
    /// How long its access tokens live, as 60s, 15m, 1h or 30d [default: the server's]
    #[arg(long, value_name = "DURATION", value_parser = NonEmptyStringValueParser::new())]
    pub access_token_ttl: Option<String>,
    /// How long its access tokens of one grant live, as `client_credentials=15m`; may be repeated
    #[arg(long, value_name = "GRANT=DURATION", value_parser = by_grant)]
    pub access_token_ttl_by_grant: Vec<(String, String)>,
    /// What a request without a scope gets; may be repeated [default: the server's]
    #[arg(long, value_name = "SCOPE", value_parser = NonEmptyStringValueParser::new())]
    pub default_scope: Vec<String>,
    /// What people may untick on the consent page; may be repeated [default: the server's]
    #[arg(long, value_name = "SCOPE", value_parser = NonEmptyStringValueParser::new())]
    pub optional_scope: Vec<String>,
    /// By `client_credentials` and by a refresh, give the access token again that is good for half its life
    #[arg(long)]
    pub reuse_access_token: bool,
    /// By a refresh, let it keep its refresh token instead of a new one; not for a public application
    #[arg(long)]
    pub reuse_refresh_token: bool,
    /// A new authorization ends the earlier ones of the same user
    #[arg(long)]
    pub revoke_previous_tokens: bool,
    /// From where a browser may call the token endpoint, as `https://app.example`; may be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = NonEmptyStringValueParser::new())]
    pub allowed_origin: Vec<String>,
    /// The user who may manage it beside the administrators, where `user_applications` is on
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub owner: Option<String>,
    /// For this user, and whoever else is named, alone; may be repeated [default: everybody]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub allow_user: Vec<String>,
    /// For users in this group, and whoever else is named, alone; may be repeated [default: everybody]
    #[arg(long, value_name = "GROUP", value_parser = NonEmptyStringValueParser::new())]
    pub allow_group: Vec<String>,
    #[command(flatten)]
    pub authentication: Authentication,
    /// A chosen `client_id`: letters, digits and - _ . [default: generated]
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub client_id: Option<String>,
    /// Read a chosen secret of at least 32 characters from standard input
    #[arg(long)]
    pub client_secret_stdin: bool,
}

fn by_grant(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(grant, ttl)| !grant.is_empty() && !ttl.is_empty())
        .map(|(grant, ttl)| (grant.to_owned(), ttl.to_owned()))
        .ok_or_else(|| "write it as client_credentials=15m".to_owned())
}

/// `tegata token …`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Revoke the token on standard input with its whole grant, or all of a user or an application
    Revoke(Revoke),
    /// Show what the token on standard input is: whose, for what, and whether it is live or why not
    Show,
    /// List the live tokens of an application or a user, newest first, by fingerprint
    List(Listing),
}

/// `tegata grant …`
#[derive(Debug, Subcommand)]
pub enum GrantCommand {
    /// List the live grants of an application or a user, newest first
    List(Listing),
    /// Show a grant and what happened to it, from consent to its end
    Show(ShownGrant),
    /// Revoke a grant with all its tokens
    Revoke(Grant),
}

#[derive(Debug, Args)]
pub struct Listing {
    #[command(flatten)]
    pub whose: Whose,
    /// List no more than so many
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=MOST_LISTED))]
    pub limit: i64,
}

/// Rows of a list, all of which are in memory at once.
const MOST_LISTED: i64 = 100_000;

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Whose {
    /// Of this application; with --user, only that user's
    #[arg(long, value_name = "CLIENT_ID", value_parser = NonEmptyStringValueParser::new())]
    pub application: Option<String>,
    /// Of this user
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,
}

#[derive(Debug, Args)]
pub struct Grant {
    /// The grant's id, which `tegata grant list` and `tegata token show` tell
    #[arg(value_name = "ID")]
    pub id: GrantId,
}

#[derive(Debug, Args)]
pub struct ShownGrant {
    #[command(flatten)]
    pub grant: Grant,
    /// Which page of a long history to show [default: the last]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    pub page: Option<i64>,
}

#[derive(Debug, Args)]
pub struct Revoke {
    /// All that this user has granted
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,
    /// All that was granted to this application; with --user, only by that user
    #[arg(long, value_name = "CLIENT_ID", value_parser = NonEmptyStringValueParser::new())]
    pub application: Option<String>,
}

impl Command {
    /// Whether it needs the sealing keys, where OAuth 1.0a is on.
    pub(super) fn seals(&self) -> bool {
        match self {
            Self::SealingKey(command) => !matches!(command, SealingKeyCommand::Forget(_)),
            Self::Application(ApplicationCommand::Create(new)) => new.oauth1,
            Self::Application(command) => matches!(command, ApplicationCommand::RotateConsumerSecret(_)),
            _ => false,
        }
    }

    /// What is to be read from standard input.
    pub(super) fn reads(&self) -> Option<&'static str> {
        match self {
            Self::User(
                UserCommand::Create(NewUser { password_stdin, .. })
                | UserCommand::Password(NewPassword { password_stdin, .. }),
            ) => password_stdin.then_some("password"),
            Self::Application(ApplicationCommand::Create(new)) if new.client_secret_stdin => {
                Some("client secret")
            }
            Self::Token(
                TokenCommand::Show
                | TokenCommand::Revoke(Revoke {
                    user: None,
                    application: None,
                }),
            ) => Some("token"),
            _ => None,
        }
    }
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// What clap has to say instead: help, the version, or what is wrong with the usage.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Arguments, clap::Error> {
    let matches = command().try_get_matches_from(words)?;
    let cli = Cli::from_arg_matches(&matches)?;
    Ok(Arguments {
        command: cli.command.unwrap_or(Command::Serve),
        format: if cli.json { Format::Json } else { Format::Plain },
        settings: settings::given(&matches),
    })
}

fn command() -> clap::Command {
    settings::with_settings(Cli::command().mut_subcommands(pointing_at_settings))
}

fn pointing_at_settings(command: clap::Command) -> clap::Command {
    command
        .after_help(SEE_SETTINGS)
        .mut_subcommands(pointing_at_settings)
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    fn parsed(line: &str) -> Result<Arguments, clap::Error> {
        parse(line.split(' ').map(OsString::from))
    }

    fn refused(line: &str) -> clap::Error {
        parsed(line).unwrap_err()
    }

    fn new_application(line: &str) -> NewApplication {
        match parsed(line).unwrap().command {
            Command::Application(ApplicationCommand::Create(new)) => *new,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn without_a_command_it_serves() {
        assert!(matches!(parsed("tegata").unwrap().command, Command::Serve));
        let arguments = parsed("tegata --listen 127.0.0.1:0").unwrap();
        assert!(matches!(arguments.command, Command::Serve));
        assert_eq!(
            arguments.settings,
            [("listen".to_owned(), "127.0.0.1:0".to_owned())]
        );
    }

    #[test]
    fn json_may_stand_before_or_after_the_command() {
        for line in [
            "tegata --json user list",
            "tegata user --json list",
            "tegata user list --json",
        ] {
            assert_eq!(parsed(line).unwrap().format, Format::Json, "{line}");
        }
        assert_eq!(parsed("tegata user list").unwrap().format, Format::Plain);
    }

    #[test]
    fn wrong_usage_is_exit_2_and_help_is_exit_0() {
        for line in [
            "tegata nonsense",
            "tegata user",
            "tegata user create",
            "tegata user create a b",
            "tegata application create",
            "tegata application create --name a --name b",
            "tegata application show",
            "tegata token",
            "tegata migrate --unknown",
            "tegata application create --name a --client-id=",
            "tegata application create --name a --grant=",
            "tegata sweep sweep",
            "tegata token list",
            "tegata token list --application web --limit 0",
            "tegata grant list",
            "tegata grant show nonsense",
            "tegata grant revoke",
            "tegata certificate",
            "tegata certificate create --name=",
            "tegata sealing-key forget",
            "tegata sealing-key forget 0123",
            "tegata doctor",
            "tegata doctor https://id.example --redirect-uri https://app.example/",
        ] {
            assert_eq!(refused(line).exit_code(), 2, "{line}");
        }
        for line in [
            "tegata --help",
            "tegata --version",
            "tegata user --help",
            "tegata help application create",
        ] {
            assert_eq!(refused(line).exit_code(), 0, "{line}");
        }
        assert_eq!(refused("tegata -V").kind(), ErrorKind::DisplayVersion);
    }

    #[test]
    fn an_application_is_described_by_its_flags() {
        let new = new_application(
            "tegata application create --name N --redirect-uri https://a.example/ --redirect-uri https://b.example/ \
             --scope read --scope write --grant refresh_token --public --trusted --require-pkce --introspect --oauth1 \
             --no-iss --client-id my.app --client-secret-stdin",
        );
        assert_eq!(new.name, "N");
        assert_eq!(new.redirect_uri, ["https://a.example/", "https://b.example/"]);
        assert_eq!(new.scope, ["read", "write"]);
        assert_eq!(new.grant, ["refresh_token"]);
        assert!(new.public && new.trusted && new.require_pkce && new.introspect && new.oauth1 && new.no_iss);
        assert_eq!(new.client_id.as_deref(), Some("my.app"));
        assert!(new.client_secret_stdin);
    }

    #[test]
    fn the_lifetime_after_its_name_is_the_applications_own() {
        let line = "tegata --access-token-ttl 1h application create --name N --access-token-ttl 5m";
        assert_eq!(new_application(line).access_token_ttl.as_deref(), Some("5m"));
        assert_eq!(
            parsed(line).unwrap().settings,
            [("access_token_ttl".to_owned(), "1h".to_owned())]
        );
    }

    #[test]
    fn the_sealing_keys_are_for_what_seals_alone() {
        for (line, seals) in [
            ("tegata migrate", false),
            ("tegata user create alice", false),
            ("tegata application create --name N", false),
            ("tegata application create --name N --oauth1", true),
            ("tegata application rotate-secret web", false),
            ("tegata application rotate-consumer-secret web", true),
            ("tegata sealing-key rotate", true),
            ("tegata sealing-key reseal", true),
            ("tegata sealing-key forget 0123456789abcdef --lost", false),
        ] {
            assert_eq!(parsed(line).unwrap().command.seals(), seals, "{line}");
        }
    }

    #[test]
    fn standard_input_is_read_only_where_it_was_asked_for() {
        let reads = |line: &str| parsed(line).unwrap().command.reads();
        assert_eq!(reads("tegata user create alice"), None);
        assert_eq!(
            reads("tegata user create alice --password-stdin"),
            Some("password")
        );
        assert_eq!(
            reads("tegata user password alice --password-stdin"),
            Some("password")
        );
        assert_eq!(reads("tegata application create --name N"), None);
        assert_eq!(
            reads("tegata application create --name N --client-secret-stdin"),
            Some("client secret")
        );
        assert_eq!(reads("tegata token revoke"), Some("token"));
        assert_eq!(reads("tegata token show"), Some("token"));
        assert_eq!(reads("tegata token list --user alice"), None);
        assert_eq!(reads("tegata token revoke --user alice"), None);
        assert_eq!(reads("tegata token revoke --application web"), None);
    }
}
