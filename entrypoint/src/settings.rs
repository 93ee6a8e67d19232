//! The settings as written: which there are, who gave each, and what they said.

use std::env;
use std::ffi::{OsStr, OsString};

/// One setting: an environment variable and the option of the same name.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable.
    pub variable: &'static str,
    /// The option of `entrypoint run`, without its dashes.
    pub option: &'static str,
    /// What stands for the value in the help.
    pub value: &'static str,
    /// One sentence for the help and for `CONTRACT.md`.
    pub meaning: &'static str,
}

/// Directories to check.
pub const DATA_DIR: Setting = Setting {
    variable: "DATA_DIR",
    option: "data-dir",
    value: "PATH[:PATH...]",
    meaning: "one data directory, or several separated by `:`; each is created when missing and proven writable",
};
/// The database file.
pub const DATABASE_PATH: Setting = Setting {
    variable: "DATABASE_PATH",
    option: "database-path",
    value: "PATH",
    meaning: "the SQLite file; the directory it is in is a data directory too",
};
/// The log file.
pub const LOG_DEST: Setting = Setting {
    variable: "LOG_DEST",
    option: "log-dest",
    value: "PATH",
    meaning: "a file that the entrypoint's log lines are appended to, besides stdout",
};
/// The lowest level that is written.
pub const LOG_LEVEL: Setting = Setting {
    variable: "LOG_LEVEL",
    option: "log-level",
    value: "LEVEL",
    meaning: "debug, info, warn or error; default info",
};
/// How long the app may take to stop.
pub const STOP_GRACE_PERIOD: Setting = Setting {
    variable: "STOP_GRACE_PERIOD",
    option: "stop-grace-period",
    value: "DURATION",
    meaning: "how long the app may take to stop before it is killed, such as 500ms or 1m30s; default 8s, below Docker's own limit of 10s",
};
/// The app's name.
pub const APP_NAME: Setting = Setting {
    variable: "APP_NAME",
    option: "app-name",
    value: "NAME",
    meaning: "the app's name in the banner; default: from package.json, else the command's file name",
};
/// The app's version.
pub const APP_VERSION: Setting = Setting {
    variable: "APP_VERSION",
    option: "app-version",
    value: "VERSION",
    meaning: "the app's version in the banner; default: from package.json, else `unknown`",
};

/// Every setting, in the order of the help.
pub const ALL: [&Setting; 7] =
    [&DATA_DIR, &DATABASE_PATH, &LOG_DEST, &LOG_LEVEL, &STOP_GRACE_PERIOD, &APP_NAME, &APP_VERSION];

/// A value that was given, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Given {
    /// The variable or the option, as the user would write it.
    pub origin: String,
    /// What was written; never empty.
    pub value: OsString,
}

impl Given {
    /// The value for people and for words of a closed vocabulary.
    pub fn text(&self) -> String {
        self.value.to_string_lossy().into_owned()
    }
}

/// What the command line and the environment say.
pub struct Settings {
    options: Vec<(&'static Setting, OsString)>,
    environment: Vec<(OsString, OsString)>,
}

impl Settings {
    /// The command line's options, over this process' environment.
    pub fn new(options: Vec<(&'static Setting, OsString)>) -> Settings {
        Settings { options, environment: env::vars_os().collect() }
    }

    /// The whole environment.
    pub fn environment(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.environment.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// What a setting was given: the command line's word first. An empty value counts as not given,
    /// because `VARIABLE=` in a compose file is how people leave one out.
    pub fn get(&self, setting: &Setting) -> Option<Given> {
        let option = self.options.iter().rev().find(|(known, _)| *known == setting);
        let variable = self.environment.iter().find(|(name, _)| name == setting.variable);
        option
            .map(|(_, value)| (format!("--{}", setting.option), value))
            .into_iter()
            .chain(variable.map(|(_, value)| (setting.variable.to_owned(), value)))
            .find(|(_, value)| !value.is_empty())
            .map(|(origin, value)| Given { origin, value: value.clone() })
    }

    /// Settings from text, so that tests need not touch their own environment.
    #[cfg(test)]
    pub fn of(options: &[(&'static Setting, &str)], environment: &[(&str, &str)]) -> Settings {
        Settings {
            options: options.iter().map(|(setting, value)| (*setting, value.into())).collect(),
            environment: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(option: Option<&str>, variable: Option<&str>, expected: Option<(&str, &str)>) {
        let options: Vec<_> = option.map(|value| (&LOG_LEVEL, value)).into_iter().collect();
        let environment: Vec<_> = variable.map(|value| ("LOG_LEVEL", value)).into_iter().collect();
        let given = Settings::of(&options, &environment).get(&LOG_LEVEL);
        let expected = expected.map(|(origin, value)| Given { origin: origin.to_owned(), value: value.into() });
        assert_eq!(given, expected);
    }

    #[test]
    fn the_command_line_wins_and_empty_counts_as_not_given() {
        check(None, None, None);
        check(None, Some("warn"), Some(("LOG_LEVEL", "warn")));
        check(Some("debug"), Some("warn"), Some(("--log-level", "debug")));
        check(Some(""), Some("warn"), Some(("LOG_LEVEL", "warn")));
        check(None, Some(""), None);
    }

    #[test]
    fn the_contract_lists_the_same_settings() {
        let ours: Vec<String> = ALL
            .iter()
            .map(|s| format!("| `{}` | `--{} {}` | {} |", s.variable, s.option, s.value, s.meaning))
            .collect();
        let theirs: Vec<&str> = include_str!("../CONTRACT.md")
            .lines()
            .skip_while(|line| *line != "## Environment")
            .skip(1)
            .take_while(|line| !line.starts_with("## "))
            .filter(|line| line.starts_with("| `"))
            .collect();
        assert_eq!(theirs, ours);
    }
}
