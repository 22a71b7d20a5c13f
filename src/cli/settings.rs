//! Every setting as a flag of every command, before or after its name.

use clap::{Arg, ArgMatches, Command};

use crate::base::config::{SETTINGS, Setting};

const HEADING: &str = "Settings";

/// `command` and all its subcommands with a flag for every setting. Where a command has a flag of that
/// name itself, as `application create --access-token-ttl`, its own is meant after its name and the
/// setting before it. Only the outermost `--help` lists the settings.
pub fn with_settings(command: Command) -> Command {
    with_flags(command, false)
}

/// The settings among `matches`, by their names, the outermost first.
pub fn given(matches: &ArgMatches) -> Vec<(String, String)> {
    let mut given = Vec::new();
    let mut level = Some(matches);
    while let Some(matches) = level {
        for setting in SETTINGS {
            if let Ok(Some(value)) = matches.try_get_one::<String>(&id(setting)) {
                given.push((setting.name.to_owned(), value.clone()));
            }
        }
        level = matches.subcommand().map(|(_, inner)| inner);
    }
    given
}

fn with_flags(command: Command, hidden: bool) -> Command {
    let taken: Vec<String> = command
        .get_arguments()
        .filter_map(|arg| arg.get_long().map(ToOwned::to_owned))
        .collect();
    let free = SETTINGS.iter().filter(|setting| !taken.contains(&setting.flag()));
    let flags: Vec<Arg> = free.map(|setting| flag(setting, hidden)).collect();
    command
        .args(flags)
        .mut_subcommands(|inner| with_flags(inner, true))
}

fn flag(setting: &Setting, hidden: bool) -> Arg {
    Arg::new(id(setting))
        .long(setting.flag())
        .value_name("VALUE")
        .help(format!(
            "{} [default: {}] [env: {}]",
            setting.help,
            setting.default_text(),
            setting.variable()
        ))
        .help_heading(HEADING)
        .hide(hidden)
}

/// Apart from the ids of the commands' own flags.
fn id(setting: &Setting) -> String {
    format!("setting:{}", setting.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        let create = Command::new("create").arg(Arg::new("ttl").long("access-token-ttl"));
        with_settings(
            Command::new("tegata")
                .subcommand(Command::new("serve"))
                .subcommand(Command::new("application").subcommand(create)),
        )
    }

    fn pairs(words: &[&str]) -> Vec<(String, String)> {
        given(&command().try_get_matches_from(words).unwrap())
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_setting_may_stand_before_or_after_the_command() {
        let log = [pair("log_format", "json")];
        assert_eq!(pairs(&["tegata", "--log-format", "json", "serve"]), log);
        assert_eq!(pairs(&["tegata", "serve", "--log-format=json"]), log);
        assert_eq!(
            pairs(&["tegata", "application", "--log-format", "json", "create"]),
            log
        );
        assert_eq!(pairs(&["tegata"]), []);
    }

    #[test]
    fn the_innermost_comes_last_and_an_empty_value_is_kept() {
        let words = ["tegata", "--log", "warn", "serve", "--log", ""];
        assert_eq!(pairs(&words), [pair("log", "warn"), pair("log", "")]);
    }

    #[test]
    fn a_flag_of_the_command_itself_is_not_the_setting() {
        let words = [
            "tegata",
            "--access-token-ttl",
            "1h",
            "application",
            "create",
            "--access-token-ttl",
            "5m",
        ];
        let matches = command().try_get_matches_from(words).unwrap();
        assert_eq!(given(&matches), [pair("access_token_ttl", "1h")]);
        let create = matches.subcommand().unwrap().1.subcommand().unwrap().1;
        assert_eq!(create.get_one::<String>("ttl").unwrap(), "5m");
    }

    #[test]
    fn the_help_names_every_setting_with_its_default() {
        let help = command().render_long_help().to_string();
        for setting in SETTINGS {
            assert!(
                help.contains(&format!("--{} ", setting.flag())),
                "{}",
                setting.name
            );
            assert!(help.contains(&setting.variable()), "{}", setting.name);
            assert!(help.contains(setting.default_text()), "{}", setting.name);
        }
        let mut command = command();
        command.build();
        let serve = command
            .find_subcommand_mut("serve")
            .unwrap()
            .render_long_help()
            .to_string();
        assert!(!serve.contains("--listen"));
    }

    #[test]
    fn the_flags_are_a_sound_command_line() {
        command().debug_assert();
    }
}
