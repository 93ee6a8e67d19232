//! The append-only list of events of one run. Everything known about the run is in it.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// All events of one run, in the order they were recorded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timeline {
    events: Vec<Event>,
}

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

/// The end of one boot.
#[derive(Debug, Clone, PartialEq)]
pub struct Death {
    /// The index of the event.
    pub event: usize,
    /// The exit code of its process.
    pub code: i32,
    /// The signal that the engine was asked to send before, if it was.
    pub signalled: Option<i32>,
    /// Whether the kernel killed one of its processes for memory.
    pub out_of_memory: bool,
    /// How long it had lived.
    pub after: Duration,
}

impl Timeline {
    /// Appends one event.
    pub fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Takes in the complete output, of which some lines may be known already,
    /// and puts everything into the order of boots and time. A line belongs to the boot
    /// that was the last to begin before the next death.
    pub fn complete(&mut self, lines: Vec<Event>) {
        let known: HashSet<(Timestamp, String)> = self
            .events
            .iter()
            .filter(|event| event.is_line())
            .map(|event| (event.at, event.what.to_string()))
            .collect();
        self.events.extend(lines.into_iter().filter(|line| !known.contains(&(line.at, line.what.to_string()))));
        let deaths: Vec<Timestamp> =
            self.find(|what| matches!(what, What::Died { .. })).map(|(_, event)| event.at).collect();
        let boots = self.boots();
        for event in &mut self.events {
            if event.is_line() {
                let before = deaths.iter().filter(|death| **death < event.at).count();
                event.boot = boots.min(u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1));
            }
        }
        // The engine tells of a start a little after the process wrote its first line.
        self.events.sort_by_key(|event| (event.boot, event.what != What::Started, event.at));
    }

    /// All events, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Events with their places, those first that `what` accepts.
    pub fn find<'a>(
        &'a self,
        what: impl Fn(&What) -> bool + 'a,
    ) -> impl DoubleEndedIterator<Item = (usize, &'a Event)> {
        self.events.iter().enumerate().filter(move |(_, event)| what(&event.what))
    }

    /// The lines of one stream with their places; of both when it is `None`.
    pub fn lines(&self, of: Option<Stdio>) -> impl DoubleEndedIterator<Item = (usize, &str)> {
        self.events.iter().enumerate().filter_map(move |(place, event)| match &event.what {
            What::Log { stream, text } if of.is_none_or(|of| of == *stream) => Some((place, text.as_str())),
            _ => None,
        })
    }

    /// How many times the subject's process was started.
    #[must_use]
    pub fn boots(&self) -> u32 {
        self.events.iter().map(|event| event.boot).max().unwrap_or(0)
    }

    /// The start of a boot.
    #[must_use]
    pub fn start_of(&self, boot: u32) -> Option<&Event> {
        self.events.iter().find(|event| event.boot == boot && event.what == What::Started)
    }

    /// The moment a boot became ready.
    #[must_use]
    pub fn ready_in(&self, boot: u32) -> Option<(usize, &Event)> {
        self.find(|what| matches!(what, What::Ready { .. })).find(|(_, event)| event.boot == boot)
    }

    /// The end of a boot, with what led to it.
    #[must_use]
    pub fn death_of(&self, boot: u32) -> Option<Death> {
        let (event, died) =
            self.find(|what| matches!(what, What::Died { .. })).find(|(_, event)| event.boot == boot)?;
        let What::Died { code } = died.what else { return None };
        let before = || self.events.iter().filter(|event| event.boot == boot && event.at <= died.at);
        let mut signalled = before().filter_map(|event| match event.what {
            What::Signalled { signal } => Some(signal),
            _ => None,
        });
        Some(Death {
            event,
            code,
            signalled: signalled.next_back(),
            out_of_memory: before().any(|event| event.what == What::OutOfMemory),
            after: self.start_of(boot).map_or(Duration::ZERO, |start| between(start.at, died.at)),
        })
    }

    /// The end of the last boot, once the engine has said that no other follows.
    #[must_use]
    pub fn final_death(&self) -> Option<Death> {
        let death = self.death_of(self.boots())?;
        let after = self.events[death.event..].iter().rev().find_map(|event| match &event.what {
            What::State { status, .. } => Some(status.as_str()),
            _ => None,
        })?;
        matches!(after, "exited" | "dead" | "removing").then_some(death)
    }

    /// The refusal to start it, if it was refused.
    #[must_use]
    pub fn refusal(&self) -> Option<(usize, &str)> {
        self.events.iter().enumerate().find_map(|(place, event)| match &event.what {
            What::Refused { reason } => Some((place, reason.as_str())),
            _ => None,
        })
    }

    /// Whether nothing more can happen: it is dead for good, or never lived.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.refusal().is_some() || self.final_death().is_some()
    }

    /// Whether recording has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.events.iter().any(|event| event.what == What::Over)
    }

    /// How far the engine's clock is known to have come.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.events.iter().map(|event| event.at).max()
    }

    /// The time of the first start, from which a reader counts.
    #[must_use]
    pub fn origin(&self) -> Option<Timestamp> {
        self.start_of(1).or_else(|| self.events.first()).map(|event| event.at)
    }

    /// How long after the first start an event came; nothing before it.
    #[must_use]
    pub fn offset(&self, event: &Event) -> Duration {
        self.origin().map_or(Duration::ZERO, |origin| between(origin, event.at))
    }
}

impl Event {
    fn is_line(&self) -> bool {
        matches!(self.what, What::Log { .. })
    }
}

/// The time from one moment to a later one; zero where clocks disagree.
#[must_use]
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
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

impl fmt::Display for Death {
    /// The cause in words, never a bare number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let killed = self.code - 128;
        match self {
            Self { out_of_memory: true, code: 137, .. } => write!(f, "killed by the kernel: out of memory")?,
            Self { out_of_memory: true, code, .. } => {
                write!(f, "exit {code}, after the kernel killed one of its processes: out of memory")?;
            }
            Self { signalled: Some(9), code: 137, .. } => write!(f, "killed with SIGKILL through the engine")?,
            Self { signalled: Some(signal), code, .. } => write!(f, "exit {code} after {}", signal_name(*signal))?,
            Self { code, .. } if (1..=64).contains(&killed) => {
                write!(f, "killed by {} (exit {code})", signal_name(killed))?;
            }
            Self { code, .. } => write!(f, "exit {code}")?,
        }
        write!(f, " {} after it started", Seconds(self.after))
    }
}

/// A time as a reader takes it in: `0.61 s`.
#[derive(Debug, Clone, Copy)]
pub struct Seconds(pub Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s", self.0.as_secs_f64())
    }
}

/// The name of a signal on Linux; its number where it has none here.
#[must_use]
pub fn signal_name(number: i32) -> String {
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        18 => "SIGCONT",
        19 => "SIGSTOP",
        28 => "SIGWINCH",
        31 => "SIGSYS",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}
