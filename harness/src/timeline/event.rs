//! One timestamped fact, and the kinds there are.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::signal_name;

/// One timestamped fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, by the engine's clock.
    pub at: Timestamp,
    /// In which life of the subject's process, from 1; 0 is before the first.
    pub boot: u32,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// The subject's process was started.
    Started,
    /// It could not be started; the engine's words say why.
    Refused {
        /// The engine's words.
        reason: String,
    },
    /// The subject wrote a line.
    Log {
        /// Where.
        stream: Stdio,
        /// The line, without its newline.
        text: String,
    },
    /// A probe was answered otherwise than before.
    Probe {
        /// What was asked, such as `GET /health`.
        asked: String,
        /// What came back, such as `200`, or why nothing did.
        answer: String,
    },
    /// The subject showed the sign of being ready.
    Ready {
        /// The sign.
        sign: String,
    },
    /// Its health check changed.
    Health {
        /// To this: `healthy` or `unhealthy`.
        status: String,
    },
    /// A signal was sent to it through the engine.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// The kernel killed one of its processes for memory.
    OutOfMemory,
    /// Its process ended.
    Died {
        /// The exit code; a signal is 128 and its number.
        code: i32,
    },
    /// What the engine says of it.
    State {
        /// Docker's word: `running`, `restarting`, `exited`, …
        status: String,
        /// How often the restart policy has acted.
        restarts: i64,
    },
    /// A file that some expectation speaks of was looked at.
    File {
        /// Its absolute path in the subject.
        path: String,
        /// Its size in bytes, if it exists.
        size: Option<u64>,
        /// At which end of the run.
        when: When,
    },
    /// The harness acted on the subject's life cycle.
    Step {
        /// The verb, such as `stop`.
        verb: String,
    },
    /// A limit of time was reached.
    Elapsed {
        /// Which.
        limit: String,
    },
    /// The engine said that it does not do all that was asked.
    Warning {
        /// Its words.
        text: String,
    },
    /// Nothing more is recorded.
    Over,
}

/// One of the two ends of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Before the first start.
    Before,
    /// After the last thing that was waited for.
    After,
}

/// One of the two output streams. The order between them is not known: Docker
/// does not keep it (moby#31706).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stdio {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Event {
    /// The line it is, if it is one.
    pub(super) fn line(&self) -> Option<(Timestamp, Stdio, &str)> {
        match &self.what {
            What::Log { stream, text } => Some((self.at, *stream, text)),
            _ => None,
        }
    }
}

impl fmt::Display for What {
    /// One line, as reports show it and as a control's `because` matches it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => write!(f, "started"),
            Self::Refused { reason } => write!(f, "could not be started: {reason}"),
            Self::Log { stream, text } => write!(f, "{stream}: {text}"),
            Self::Probe { asked, answer } => write!(f, "{asked} {answer}"),
            Self::Ready { sign } => write!(f, "ready: {sign}"),
            Self::Health { status } => write!(f, "health {status}"),
            Self::Signalled { signal } => write!(f, "signal {}", signal_name(*signal)),
            Self::OutOfMemory => write!(f, "out of memory: the kernel killed a process"),
            Self::Died { code } => write!(f, "exit {code}"),
            Self::State { status, restarts } => write!(f, "state {status}, {restarts} restarts"),
            Self::File { path, size: Some(size), .. } => write!(f, "file {path}: {size} bytes"),
            Self::File { path, size: None, .. } => write!(f, "file {path}: absent"),
            Self::Step { verb } => write!(f, "step {verb}"),
            Self::Elapsed { limit } => write!(f, "time is up: {limit}"),
            Self::Warning { text } => write!(f, "the engine warns: {text}"),
            Self::Over => write!(f, "over"),
        }
    }
}

impl fmt::Display for Stdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        })
    }
}
