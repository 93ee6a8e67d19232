//! How a run ends: the exit codes, the failures that lead to them, and the last log line.

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::log::{Line, Log};

/// The entrypoint's own reasons to end. The app's codes are not here: they pass through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Something outside of the program's vocabulary, such as no memory to start a process.
    General = 1,
    /// The command line cannot be understood.
    Usage = 64,
    /// A bug of ours: a panic that was caught.
    Internal = 70,
    /// A data directory is missing and cannot be made, or something else is in its place.
    NoDirectory = 73,
    /// Asked to stop before the app ran. Never 0: nothing was served.
    Stopped = 76,
    /// A data directory is there and cannot be written to.
    NotWritable = 77,
    /// The configuration has problems.
    Config = 78,
    /// The command was found and cannot be executed.
    NotExecutable = 126,
    /// The command was not found.
    NotFound = 127,
}

/// One row of the table in `CONTRACT.md` and in `--help`.
pub struct Row {
    /// The code, or a formula for the app's codes.
    pub code: &'static str,
    /// What it tells.
    pub meaning: &'static str,
}

const fn row(code: &'static str, meaning: &'static str) -> Row {
    Row { code, meaning }
}

/// Every exit code there is. Those marked "later" are kept free for phases that are not there yet.
pub const TABLE: [Row; 15] = [
    row("0", "the app ended with 0"),
    row("1", "general: the app could not be started for lack of memory or processes"),
    row("2", "later: the database did not become ready"),
    row("3", "later: a migration failed"),
    row("64", "usage: the command line cannot be understood"),
    row("70", "internal: a bug of the entrypoint, with its place in the log"),
    row("73", "a data directory is missing and cannot be created, or is not a directory"),
    row("74", "later: the backup failed"),
    row("75", "later: another start holds the lock"),
    row("76", "stopped by a signal before the app ran"),
    row("77", "a data directory cannot be written to"),
    row("78", "configuration: at least one setting has a problem"),
    row("126", "the command was found and cannot be executed"),
    row("127", "the command was not found"),
    row("n, 128+n", "the app ended with n, or was ended by signal n"),
];

/// Why the startup cannot go on: one exit code, and every line that explains it.
#[derive(Debug)]
pub struct Failure {
    /// The code to end with.
    pub exit: Exit,
    /// All problems, until they are told.
    pub lines: Vec<Line>,
}

impl Failure {
    /// A failure that one line explains.
    pub fn new(exit: Exit, line: Line) -> Failure {
        Failure { exit, lines: vec![line] }
    }

    /// Writes the lines, once.
    pub fn tell(&mut self, log: &Log) {
        self.lines.drain(..).for_each(|line| log.write(line));
    }
}

/// The code that the process ends with, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    code: u8,
    source: &'static str,
}

impl Ending {
    /// The app ran, and this is its own code.
    pub fn of_app(code: u8) -> Ending {
        Ending { code, source: "app" }
    }

    /// Tells the failure, if it is one, and writes the last log line.
    pub fn of(result: Result<Ending, Failure>, log: &Log) -> Ending {
        // A log file that is still waiting for its directory gets its last chance here.
        log.settle();
        let ending = result.unwrap_or_else(|mut failure| {
            failure.tell(log);
            Ending { code: failure.exit as u8, source: "entrypoint" }
        });
        let line = if ending.code == 0 { Line::info("exiting") } else { Line::error("exiting") };
        log.write_whatever_the_level(
            line.word("event", "exiting")
                .with("exit_code", ending.code)
                .word("exit_source", ending.source)
                .duration(log.age()),
        );
        ending
    }

    /// For `main`.
    pub fn exit(self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

/// Runs `work`; a panic in it becomes a failure with a code, a message and a place.
///
/// A panic that aborts would show as 139 when we are PID 1 and say nothing in the log.
pub fn catching_panics(work: impl FnOnce() -> Result<Ending, Failure>) -> Result<Ending, Failure> {
    let place = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&place);
    panic::set_hook(Box::new(move |info| {
        *told.lock().unwrap_or_else(PoisonError::into_inner) = info.to_string();
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    drop(panic::take_hook());
    result.unwrap_or_else(|_| {
        let place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let line = Line::error(format!("a bug in the entrypoint: {place}"))
            .with("suggestion", "please report this line together with the lines before it");
        Err(Failure::new(Exit::Internal, line))
    })
}

/// Milliseconds with three decimals: a phase of half a millisecond is not nothing.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_lists_the_same_exit_codes() {
        let ours: Vec<String> = TABLE.iter().map(|row| format!("| {} | {} |", row.code, row.meaning)).collect();
        let theirs: Vec<&str> = include_str!("../CONTRACT.md")
            .lines()
            .skip_while(|line| *line != "## Exit codes")
            .filter(|line| line.starts_with("| "))
            .skip(1)
            .collect();
        assert_eq!(theirs, ours);
    }

    #[test]
    fn every_code_of_ours_is_in_the_table_and_clear_of_signals_and_shells() {
        use Exit::*;
        for exit in [General, Usage, Internal, NoDirectory, Stopped, NotWritable, Config, NotExecutable, NotFound] {
            let code = exit as u8;
            assert!(TABLE.iter().any(|row| row.code == code.to_string()), "{code} is not listed");
            assert!(code < 124 || matches!(exit, NotExecutable | NotFound), "{code} is taken");
        }
    }

    #[test]
    fn a_panic_becomes_code_70_with_message_and_place() {
        let failure = catching_panics(|| panic!("the moon is full")).unwrap_err();
        assert_eq!(failure.exit, Exit::Internal);
        let text = format!("{:?}", failure.lines);
        assert!(text.contains("the moon is full") && text.contains("error.rs"), "{text}");
    }
}
