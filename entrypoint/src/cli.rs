//! The command line as written.

use std::ffi::OsString;

use lexopt::Arg;

use crate::error::{Exit, Failure};
use crate::help;
use crate::log::Line;
use crate::nearest::nearest;
use crate::settings::{self, Setting};

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// Print this text and be done.
    Text(String),
    /// Run a command as the app.
    Run(Run),
}

/// The arguments of `entrypoint run`.
#[derive(Debug)]
pub struct Run {
    /// Settings given as options, in order.
    pub options: Vec<(&'static Setting, OsString)>,
    /// The app and its arguments; never empty.
    pub command: Vec<OsString>,
}

/// Reads the command line, program name first.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, Failure> {
    let mut parser = lexopt::Parser::from_iter(arguments);
    match parser.next().map_err(|error| unreadable(&error))? {
        None => Err(usage("no command was given", HOW_TO_RUN)),
        Some(Arg::Long("help") | Arg::Short('h')) => Ok(Request::Text(help::overview())),
        Some(Arg::Long("version") | Arg::Short('V')) => Ok(Request::Text(help::version())),
        Some(Arg::Value(word)) if word == "run" => parse_run(&mut parser),
        Some(Arg::Value(word)) => {
            let word = word.to_string_lossy();
            let way_out = match nearest(&word, ["run"]) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("to start `{word}` as the app, write `entrypoint run -- {word}`"),
            };
            Err(usage(&format!("there is no command `{word}`"), &way_out))
        }
        Some(other) => Err(unknown_option(&other, &["--help", "--version"])),
    }
}

fn parse_run(parser: &mut lexopt::Parser) -> Result<Request, Failure> {
    let mut options = Vec::new();
    loop {
        if let Some(mut rest) = parser.try_raw_args()
            && rest.peek().is_some_and(|word| word == "--")
        {
            rest.next();
            return command(rest.collect()).map(|command| Request::Run(Run { options, command }));
        }
        match parser.next().map_err(|error| unreadable(&error))? {
            None => return Err(usage("`run` has no `--` and no command after it", HOW_TO_RUN)),
            Some(Arg::Long("help") | Arg::Short('h')) => return Ok(Request::Text(help::run())),
            Some(Arg::Value(word)) => {
                let word = word.to_string_lossy();
                return Err(usage(
                    &format!("`{word}` stands before `--`"),
                    &format!("write `entrypoint run -- {word}`: the app comes after `--`"),
                ));
            }
            Some(Arg::Long(name)) if known(name).is_some() => {
                let setting = known(name).unwrap_or(settings::ALL[0]);
                let value = parser.value().map_err(|error| unreadable(&error))?;
                options.push((setting, value));
            }
            Some(other) => {
                let known: Vec<String> = settings::ALL.iter().map(|setting| format!("--{}", setting.option)).collect();
                let known: Vec<&str> = known.iter().map(String::as_str).chain(["--help"]).collect();
                return Err(unknown_option(&other, &known));
            }
        }
    }
}

fn command(words: Vec<OsString>) -> Result<Vec<OsString>, Failure> {
    if words.first().is_none_or(|program| program.is_empty()) {
        return Err(usage(
            "there is no command after `--`",
            "give the image a CMD, such as CMD [\"node\", \"server.js\"]; Docker puts it after the \
             ENTRYPOINT. A CMD that the base image had is dropped when ENTRYPOINT is set",
        ));
    }
    Ok(words)
}

fn known(name: &str) -> Option<&'static Setting> {
    settings::ALL.into_iter().find(|setting| setting.option == name)
}

const HOW_TO_RUN: &str = "write `entrypoint run -- COMMAND [ARGS...]`; `entrypoint --help` shows an example";

fn unknown_option(seen: &Arg<'_>, known: &[&str]) -> Failure {
    let seen = match seen {
        Arg::Long(name) => format!("--{name}"),
        Arg::Short(letter) => format!("-{letter}"),
        Arg::Value(word) => word.to_string_lossy().into_owned(),
    };
    let way_out = match nearest(&seen, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}; the app's own options come after `--`", known.join(", ")),
    };
    usage(&format!("there is no option `{seen}`"), &way_out)
}

fn unreadable(error: &lexopt::Error) -> Failure {
    usage(&error.to_string(), HOW_TO_RUN)
}

fn usage(what: &str, way_out: &str) -> Failure {
    let line = Line::error(format!("cannot understand the command line: {what}"));
    Failure::new(Exit::Usage, line.with("suggestion", way_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<Request, Failure> {
        parse(["entrypoint"].into_iter().chain(words.split_whitespace()).map(OsString::from))
    }

    #[track_caller]
    fn check_error(words: &str, expected: &str) {
        let failure = parse_words(words).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        let said = failure.lines[0].message().to_owned();
        let way_out = failure.lines[0].field("suggestion").unwrap();
        let told = format!("{said}: {}", way_out.as_str().unwrap());
        assert!(told.contains(expected), "`{words}` said: {told}");
    }

    #[test]
    fn everything_after_the_dashes_is_the_apps() {
        let words = "run --log-level=debug --data-dir /a -- node --log-level=x -- --help";
        let Ok(Request::Run(run)) = parse_words(words) else { panic!("not understood") };
        assert_eq!(run.command, ["node", "--log-level=x", "--", "--help"]);
        let options: Vec<_> = run.options.iter().map(|(s, value)| (s.option, value.to_str())).collect();
        assert_eq!(options, [("log-level", Some("debug")), ("data-dir", Some("/a"))]);
    }

    #[test]
    fn each_usage_error_shows_the_way_out() {
        check_error("", "no command was given");
        check_error("rnu -- node", "did you mean `run`?");
        check_error("node server.js", "write `entrypoint run -- node`");
        check_error("run", "`run` has no `--`");
        check_error("run --", "there is no command after `--`: give the image a CMD");
        check_error("run node", "write `entrypoint run -- node`");
        check_error("run --log-lvl debug -- node", "there is no option `--log-lvl`: did you mean `--log-level`?");
        check_error("run --frobnicate -- node", "the app's own options come after `--`");
        check_error("run --log-level", "missing argument for option '--log-level'");
        check_error("--verison", "did you mean `--version`?");
    }
}
