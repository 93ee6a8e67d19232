//! `logger`: that no logger fails, in any language we have met.
//!
//! A logger's death is the commonest cause of a crash that says nothing of its
//! cause. So this is checked of every scenario, unless it says `unchecked`.

use std::sync::LazyLock;

use schemars::JsonSchema;

use super::signatures::{self, AsWritten, Row, Set, Watch};
use super::{Breach, Expectation, Kind, Outcome, Places, one};
use crate::timeline::Timeline;

pub const KIND: Kind = Kind {
    key: "logger",
    summary: "shows no sign of a failed logger, nor what a scenario adds; `unchecked` turns this off",
    example: "logger = { also = [\"lost [0-9]+ log lines\"] }",
    schema: Intact::json_schema,
    read: |written, reading| one(Watch::read(written, "intact", reading).map(Logger)),
    unsaid: Some(|_| Box::new(Logger(Watch::For(Vec::new())))),
    places: Places::Boot,
};

#[derive(Debug)]
struct Logger(Watch);

/// The words of it.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the schema alone knows it; `Watch` reads it")]
enum Intact {
    /// As if nothing were said, or not looked for.
    Word(IntactWord),
    /// What else is a sign of it.
    Also(AsWritten),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema alone knows it")]
enum IntactWord {
    /// No line is a known sign of a failed logger.
    Intact,
    /// It is not looked for.
    Unchecked,
}

/// What a failed logger writes, and what that means. Rows are only ever added.
const SIGNATURES: [Row; 16] = [
    (r"sonic boom is not ready yet", "pino's file stream was flushed before it was open; the line is lost"),
    (r"SonicBoom destroyed", "pino wrote to a stream that was closed"),
    (
        r"the worker (?:thread )?(?:has )?exited|the worker is ending",
        "pino's transport thread died; its lines are lost",
    ),
    (r"(?:EACCES|EROFS|ENOSPC|ENOENT|EISDIR|ENOTDIR)\b.*\bopen '[^']*\.log'", "Node could not open the log file"),
    (r"ENOSPC: no space left on device, write", "Node could not write: the disk is full"),
    (
        r"Error \[ERR_STREAM_DESTROYED\]|ERR_STREAM_WRITE_AFTER_END|write after end",
        "a stream was written to after its end",
    ),
    (r"^--- Logging error ---", "Python's logging could not emit a record"),
    (r"ValueError: Unable to configure (?:handler|formatter|logger)", "Python's logging could not be configured"),
    (
        r"(?:PermissionError|FileNotFoundError|OSError|IsADirectoryError): \[Errno \d+\][^:]*: '[^']*\.log'",
        "Python could not open the log file",
    ),
    (r"failed printing to std(?:out|err)", "a Rust program panicked as its output was closed"),
    (r"log4j:ERROR|ERROR (?:Unable to create file|Could not create \w*Appender)", "Log4j could not open its appender"),
    (r"openFile\(.*\) call failed|Failed to create parent directories for \[", "Logback could not open the log file"),
    (r"log writing failed\.|log shifting failed\.", "Ruby's logger could not write"),
    (r#"open sink ".*": |can't open new logfile|couldn't open sink"#, "a Go logger could not open its sink"),
    (
        r"\[alert\].*could not open error log file|AH00091|\(\d+\)[^:]*: AH0\d+: could not open (?:error )?log file",
        "the web server could not open its log file",
    ),
    (r#""event":"log_degraded""#, "the entrypoint could not write its log file and went on without it"),
];

static PATTERNS: Set = LazyLock::new(|| signatures::set(&SIGNATURES));

impl Expectation for Logger {
    fn words(&self) -> String {
        self.0.words("shows no logger failure", "may show logger failures")
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        if matches!(self.0, Watch::Unchecked) {
            return Outcome::Holds;
        }
        let meaning = |line: &str| self.0.meaning(line, &SIGNATURES, &PATTERNS);
        match timeline.lines(None).find_map(|(event, line)| Some((event, line, meaning(line)?))) {
            Some((event, line, meaning)) => {
                Outcome::Broken(Breach { saw: meaning, decided_by: Some(event), detail: vec![line.trim().to_owned()] })
            }
            None => Outcome::Unbroken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, line};
    use super::*;

    /// A line of each failure, in the order of the table.
    const SAMPLES: [&str; 16] = [
        "Error: sonic boom is not ready yet",
        "Error: SonicBoom destroyed",
        "Error: the worker has exited",
        "Error: EROFS: read-only file system, open '/data/app.log'",
        "Error: ENOSPC: no space left on device, write",
        "Error [ERR_STREAM_DESTROYED]: Cannot call write after a stream was destroyed",
        "--- Logging error ---",
        "ValueError: Unable to configure handler 'file'",
        "PermissionError: [Errno 13] Permission denied: '/logs/app.log'",
        "thread 'main' panicked at library/std/src/io/stdio.rs: failed printing to stdout: Broken pipe (os error 32)",
        "log4j:ERROR setFile(null,true) call failed.",
        "java.io.FileNotFoundException: openFile(/logs/app.log,true) call failed.",
        "log writing failed. No space left on device",
        "panic: open sink \"/logs/app.log\": permission denied",
        "nginx: [alert] could not open error log file: open() \"/var/log/nginx/error.log\" failed",
        r#"{"level":"warn","message":"cannot write","event":"log_degraded"}"#,
    ];

    fn meaning(line: &str) -> Option<String> {
        Watch::For(Vec::new()).meaning(line, &SIGNATURES, &PATTERNS)
    }

    #[test]
    fn each_signature_recognises_its_sample_and_no_other_row_takes_it() {
        assert_eq!(PATTERNS.len(), SIGNATURES.len(), "every row is a pattern");
        for (sample, (_, expected)) in SAMPLES.iter().zip(SIGNATURES) {
            assert_eq!(meaning(sample).as_deref(), Some(expected), "{sample}");
        }
    }

    #[test]
    fn ordinary_lines_are_no_logger_failure() {
        for ordinary in
            ["listening on 3000", "Error: connect ECONNREFUSED 127.0.0.1:5432", "opened /data/app.log", "exit 1"]
        {
            assert_eq!(meaning(ordinary), None, "{ordinary}");
        }
    }

    #[test]
    fn a_scenario_can_turn_it_off() {
        check("logger = \"unchecked\"", &[(0, line(SAMPLES[0]))], "holds");
        check("logger = \"intact\"", &[(0, line(SAMPLES[0]))], SIGNATURES[0].1);
    }

    #[test]
    fn a_scenario_can_add_signatures_of_its_own() {
        let also = "logger = { also = [\"lost [0-9]+ lines\"] }";
        check(also, &[(0, line("lost 3 lines"))], "a line matches /lost [0-9]+ lines/");
        check(also, &[(0, line(SAMPLES[0]))], SIGNATURES[0].1);
        check(also, &[(0, line("lost lines"))], "unbroken");
    }
}
