//! The settings resolved: valid by construction, or all their problems at once.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::duration;
use crate::error::{Exit, Failure};
use crate::log::{Level, Line};
use crate::nearest::nearest;
use crate::settings::{self, Given, Settings};

/// Below the 10 s after which Docker kills by itself: we want to be the ones who say what happened.
const DEFAULT_GRACE: Duration = Duration::from_secs(8);

/// What a run needs to know.
#[derive(Debug)]
pub struct Config {
    /// Directories that must exist and be writable, absolute, each once.
    pub data_directories: Vec<PathBuf>,
    /// How long the app may take to stop.
    pub stop_grace_period: Duration,
    /// The app's name, where the settings say it.
    pub app_name: Option<String>,
    /// The app's version, where the settings say it.
    pub app_version: Option<String>,
    /// The app and its arguments; never empty.
    pub command: Vec<OsString>,
}

impl Config {
    /// Resolves the settings, or tells every problem.
    pub fn resolve(settings: &Settings, command: Vec<OsString>) -> Result<Config, Failure> {
        let mut problems = Vec::new();
        if let Some(given) = settings.get(&settings::LOG_LEVEL) {
            // The log has taken its level already, leniently, to be able to tell this.
            if Level::parse(&given.text()).is_none() {
                problems.push(unknown_level(&given));
            }
        }
        let stop_grace_period = match settings.get(&settings::STOP_GRACE_PERIOD) {
            None => DEFAULT_GRACE,
            Some(given) => duration::parse(&given.text()).unwrap_or_else(|| {
                problems.push(problem(&given, duration::ALLOWED, None));
                DEFAULT_GRACE
            }),
        };
        let data_directories = data_directories(settings, &mut problems);
        if !problems.is_empty() {
            return Err(Failure { exit: Exit::Config, lines: problems });
        }
        Ok(Config {
            data_directories,
            stop_grace_period,
            app_name: settings.get(&settings::APP_NAME).map(|given| given.text()),
            app_version: settings.get(&settings::APP_VERSION).map(|given| given.text()),
            command,
        })
    }
}

fn data_directories(settings: &Settings, problems: &mut Vec<Line>) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    if let Some(given) = settings.get(&settings::DATA_DIR) {
        for entry in given.value.as_bytes().split(|byte| *byte == b':') {
            if entry.is_empty() {
                problems.push(problem(
                    &given,
                    "paths separated by single `:`, none of them empty",
                    Some("remove the `:` that stands at an end or twice"),
                ));
                break;
            }
            found.push(PathBuf::from(OsStr::from_bytes(entry)));
        }
    }
    if let Some(given) = settings.get(&settings::DATABASE_PATH) {
        match database_directory(&given) {
            Ok(directory) => found.extend(directory),
            Err(line) => problems.push(line),
        }
    }
    let mut directories: Vec<PathBuf> = Vec::new();
    for directory in found {
        // Absolute, because messages must make sense to somebody who does not know our directory.
        let directory = std::path::absolute(&directory).unwrap_or(directory);
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    directories
}

fn database_directory(given: &Given) -> Result<Option<PathBuf>, Line> {
    let bytes = given.value.as_bytes();
    if bytes == b":memory:" {
        return Ok(None);
    }
    let plain = Some("write the plain path, such as /data/app.db");
    if bytes.starts_with(b"file:") || bytes.starts_with(b"sqlite:") {
        return Err(problem(given, "the path of a file, not a URL", plain));
    }
    if bytes.ends_with(b"/") {
        return Err(problem(given, "the path of a file, not of a directory", plain));
    }
    let parent = Path::new(&given.value).parent().unwrap_or(Path::new("/"));
    // The parent of a bare file name is the empty path; it means the working directory.
    Ok(Some(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() }))
}

fn unknown_level(given: &Given) -> Line {
    let near = nearest(&given.text(), Level::WORDS).map(|word| format!("did you mean `{word}`?"));
    problem(given, "debug, info, warn or error", near.as_deref())
}

fn problem(given: &Given, allowed: &str, suggestion: Option<&str>) -> Line {
    let seen = given.text();
    let line = Line::error(format!("{} is `{seen}`; allowed is {allowed}", given.origin))
        .with("variable", given.origin.as_str())
        .with("seen", seen)
        .with("allowed", allowed);
    match suggestion {
        Some(suggestion) => line.with("suggestion", suggestion),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(environment: &[(&str, &str)]) -> Result<Config, Failure> {
        Config::resolve(&Settings::of(&[], environment), vec!["app".into()])
    }

    #[track_caller]
    fn check_directories(environment: &[(&str, &str)], expected: &[&str]) {
        let config = resolve(environment).unwrap();
        let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
        assert_eq!(config.data_directories, expected, "{environment:?}");
    }

    #[test]
    fn data_directories_come_from_both_variables_each_once() {
        check_directories(&[], &[]);
        check_directories(&[("DATA_DIR", "/a:/b")], &["/a", "/b"]);
        check_directories(&[("DATABASE_PATH", "/data/app.db")], &["/data"]);
        check_directories(&[("DATABASE_PATH", "/app.db")], &["/"]);
        check_directories(&[("DATABASE_PATH", ":memory:")], &[]);
        check_directories(&[("DATA_DIR", "/a:/b"), ("DATABASE_PATH", "/b/app.db")], &["/a", "/b"]);
    }

    #[test]
    fn relative_paths_are_made_absolute() {
        let here = std::env::current_dir().unwrap();
        let config = resolve(&[("DATABASE_PATH", "app.db")]).unwrap();
        assert_eq!(config.data_directories, [here]);
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let failure = resolve(&[
            ("LOG_LEVEL", "inof"),
            ("STOP_GRACE_PERIOD", "8 parsecs"),
            ("DATA_DIR", "/a::/b"),
            ("DATABASE_PATH", "sqlite:///data/app.db"),
        ])
        .unwrap_err();
        assert_eq!(failure.exit, Exit::Config);
        let messages: Vec<&str> = failure.lines.iter().map(Line::message).collect();
        assert_eq!(
            messages,
            [
                "LOG_LEVEL is `inof`; allowed is debug, info, warn or error",
                "STOP_GRACE_PERIOD is `8 parsecs`; allowed is a duration such as 8s, 500ms or 1m30s \
                 (units: h, m, s, ms, us)",
                "DATA_DIR is `/a::/b`; allowed is paths separated by single `:`, none of them empty",
                "DATABASE_PATH is `sqlite:///data/app.db`; allowed is the path of a file, not a URL",
            ]
        );
    }
}
