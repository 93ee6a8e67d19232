//! How a boot ended, and why.

use std::fmt;
use std::time::Duration;

use super::Seconds;

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

/// The signals of Linux by number.
pub const SIGNALS: [(i32, &str); 31] = [
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (10, "SIGUSR1"),
    (11, "SIGSEGV"),
    (12, "SIGUSR2"),
    (13, "SIGPIPE"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
    (16, "SIGSTKFLT"),
    (17, "SIGCHLD"),
    (18, "SIGCONT"),
    (19, "SIGSTOP"),
    (20, "SIGTSTP"),
    (21, "SIGTTIN"),
    (22, "SIGTTOU"),
    (23, "SIGURG"),
    (24, "SIGXCPU"),
    (25, "SIGXFSZ"),
    (26, "SIGVTALRM"),
    (27, "SIGPROF"),
    (28, "SIGWINCH"),
    (29, "SIGIO"),
    (30, "SIGPWR"),
    (31, "SIGSYS"),
];

/// The name of a signal on Linux; its number where it has none here.
#[must_use]
pub fn signal_name(number: i32) -> String {
    let known = SIGNALS.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| format!("signal {number}"), |(_, name)| (*name).to_owned())
}
