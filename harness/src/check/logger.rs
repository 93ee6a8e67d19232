//! `logger`: that no logger fails, in any language we have met.
//!
//! A logger's death is the commonest cause of a crash that says nothing of its
//! cause. So this is checked of every scenario, unless it says `unchecked`.

use std::sync::LazyLock;

use regex::RegexSet;
use serde::Deserialize;

use super::{Breach, Expectation, Kind, Outcome, Places, one};
use crate::timeline::Timeline;

pub const KIND: Kind = Kind {
    key: "logger",
    summary: "shows no sign of a failed logger; `unchecked` turns this off",
    example: "logger = \"unchecked\"",
    read: |written, reading| one(written.read::<Logger>("[expect]", reading.problems)),
    unsaid: Some(|_| Box::new(Logger::Intact)),
    places: Places::Boot,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Logger {
    Intact,
    Unchecked,
}

/// What a failed logger writes, and what that means. Rows are only ever added.
const SIGNATURES: [(&str, &str); 16] = [
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

/// All patterns in one: a line is looked at once, however many there are.
static PATTERNS: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(SIGNATURES.map(|(pattern, _)| pattern)).unwrap_or_else(|_| RegexSet::empty()));

impl Expectation for Logger {
    fn words(&self) -> String {
        match self {
            Self::Intact => "shows no logger failure",
            Self::Unchecked => "may show logger failures",
        }
        .to_owned()
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        if matches!(self, Self::Unchecked) {
            return Outcome::Holds;
        }
        let failure = timeline.lines(None).find_map(|(event, line)| Some((event, line, meaning(line)?)));
        match failure {
            Some((event, line, meaning)) => Outcome::Broken(Breach {
                saw: meaning.to_owned(),
                decided_by: Some(event),
                detail: vec![line.trim().to_owned()],
            }),
            None => Outcome::Unbroken,
        }
    }
}

fn meaning(line: &str) -> Option<&'static str> {
    PATTERNS.matches(line).iter().next().map(|row| SIGNATURES[row].1)
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

    #[test]
    fn each_signature_recognises_its_sample_and_no_other_row_takes_it() {
        assert_eq!(PATTERNS.len(), SIGNATURES.len(), "every row is a pattern");
        for (sample, (_, expected)) in SAMPLES.iter().zip(SIGNATURES) {
            assert_eq!(meaning(sample), Some(expected), "{sample}");
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
}
