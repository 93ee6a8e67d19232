//! One timestamped fact, and the kinds there are.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::look::{Look, Seen};
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
        /// Whether a step will start it again: then this is not the end.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        again: bool,
    },
    /// The subject wrote a line.
    Log {
        /// Where.
        stream: Stdio,
        /// The line, without its newline.
        text: String,
        /// It had no newline, and nothing followed: a question, or a line torn by the end.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unfinished: bool,
        /// It held a secret of the scenario.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        leaked: bool,
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
        /// Whether a step will start it again: then a death is not its last.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        again: bool,
    },
    /// Something that an expectation speaks of was looked at.
    Looked {
        /// What was looked at.
        look: Look,
        /// Tells it from others, also where a secret was taken out of its words.
        mark: u32,
        /// What was there.
        saw: Seen,
        /// At which time of the run.
        when: When,
    },
    /// What stands at a path that a trigger waits for was seen to change.
    Watched {
        /// The absolute path in the subject.
        path: String,
        /// How.
        change: Change,
    },
    /// The harness acted on the subject's life cycle.
    Step {
        /// Its place among the steps, from 1. A stop that only an expectation
        /// asks for comes after the last of the file's.
        number: u32,
        /// What it does.
        verb: Verb,
    },
    /// A fault was injected.
    Fault {
        /// Its place among the faults of the file, from 1.
        number: u32,
        /// What it does, such as `delete /data/app.db`.
        doing: String,
    },
    /// A fault was seen to have taken effect.
    Bit {
        /// Its place among the faults of the file.
        number: u32,
        /// What was seen of it from the subject's side.
        proof: String,
    },
    /// A fault has been undone.
    Undone {
        /// Its place among the faults of the file.
        number: u32,
    },
    /// Something happened to a service.
    Service {
        /// Its name in the file.
        name: String,
        /// What.
        is: ServiceState,
    },
    /// A service wrote a line.
    ServiceLine {
        /// Its name in the file.
        name: String,
        /// The line, without its newline.
        text: String,
    },
    /// What a link did to the connections through it.
    Link {
        /// The name of its service.
        name: String,
        /// Its counters, in words.
        did: String,
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

/// An act of a life cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// The subject is started: for the first time, or again after it was stopped.
    Start,
    /// It is asked to stop, and killed when its grace is over.
    Stop,
    /// Its PID 1 is killed from outside, so that the restart policy acts.
    Crash,
    /// It is killed as an operator does, so that the restart policy does not act.
    Kill,
    /// The same container is stopped and started: its file system stays.
    Restart,
    /// A new container of the same image over the same volumes.
    Recreate,
    /// A new container of another image over the same volumes.
    Upgrade,
    /// Nothing is done for a while.
    Soak,
    /// A service is stopped.
    StopService,
    /// A service is started again.
    StartService,
}

impl Verb {
    /// Whether the subject's process is started by it.
    #[must_use]
    pub fn starts(self) -> bool {
        matches!(self, Self::Start | Self::Restart | Self::Recreate | Self::Upgrade)
    }

    /// Whether the subject's process is ended by it, if it runs.
    #[must_use]
    pub fn ends(self) -> bool {
        matches!(self, Self::Stop | Self::Crash | Self::Kill | Self::Restart | Self::Recreate | Self::Upgrade)
    }
}

/// How what stands at a path changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was not there and is now.
    Appeared,
    /// It is another file, or has another size or time.
    Changed,
    /// It is not there any more.
    Gone,
}

/// What becomes of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// Its process was started.
    Started,
    /// It showed the sign of being ready.
    Ready,
    /// Its process ended.
    Exited,
}

/// A time of a run at which something is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Before the first start, or at the beginning of a step.
    Before,
    /// Again and again while the subject lives.
    During,
    /// At the end of this step.
    Step(u32),
    /// At the end of the run.
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

impl What {
    /// A line that is whole and holds no secret.
    #[must_use]
    pub fn line(stream: Stdio, text: impl Into<String>) -> Self {
        Self::Log { stream, text: text.into(), unfinished: false, leaked: false }
    }

    /// What was seen at a look.
    #[must_use]
    pub fn looked(look: Look, saw: Seen, when: When) -> Self {
        let mark = look.mark();
        Self::Looked { look, mark, saw, when }
    }
}

impl Event {
    /// The line it is, if it is one.
    pub(super) fn line(&self) -> Option<(Timestamp, Stdio, &str)> {
        match &self.what {
            What::Log { stream, text, .. } => Some((self.at, *stream, text)),
            _ => None,
        }
    }
}

impl fmt::Display for What {
    /// One line, as reports show it and as a control's `because` matches it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => write!(f, "started"),
            Self::Refused { reason, .. } => write!(f, "could not be started: {reason}"),
            Self::Log { stream, text, .. } => write!(f, "{stream}: {text}"),
            Self::Probe { asked, answer } => write!(f, "{asked} {answer}"),
            Self::Ready { sign } => write!(f, "ready: {sign}"),
            Self::Health { status } => write!(f, "health {status}"),
            Self::Signalled { signal } => write!(f, "signal {}", signal_name(*signal)),
            Self::OutOfMemory => write!(f, "out of memory: the kernel killed a process"),
            Self::Died { code } => write!(f, "exit {code}"),
            Self::State { status, restarts, .. } => write!(f, "state {status}, {restarts} restarts"),
            Self::Looked { look, saw, .. } => write!(f, "{look}{saw}"),
            Self::Watched { path, change } => write!(f, "file {path} {change}"),
            Self::Step { number, verb } => write!(f, "step {number}: {verb}"),
            Self::Fault { number, doing } => write!(f, "fault {number}: {doing}"),
            Self::Bit { number, proof } => write!(f, "fault {number} took effect: {proof}"),
            Self::Undone { number } => write!(f, "fault {number} is over"),
            Self::Service { name, is } => write!(f, "service {name} {is}"),
            Self::ServiceLine { name, text } => write!(f, "service {name}: {text}"),
            Self::Link { name, did } => write!(f, "link to {name}: {did}"),
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

/// The word that a closed vocabulary has for a value in files and reports: serde's.
macro_rules! shown_as_written {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.serialize(f)
            }
        }
    )*};
}
shown_as_written!(Verb, Change, ServiceState);
