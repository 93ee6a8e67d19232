//! `oom`: whether the kernel killed a process of the subject for memory, and which.
//!
//! The engine's event stream decides. Its state does not: after a restart it
//! still says `OOMKilled` of a healthy boot.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::DeValue;

use super::{Breach, Expectation, Kind, Outcome, Places, Reading, Wants, broken_by_end, one};
use crate::scenario::Written;
use crate::timeline::{Timeline, What, later};

pub const KIND: Kind = Kind {
    key: "oom",
    summary: "loses a process to the kernel for memory: `main` is PID 1, `child` another; or never does",
    example: "oom = false",
    schema: AsWritten::json_schema,
    read: |written, reading| one(read(written, reading)),
    unsaid: Some(|_| Box::new(Oom::Never)),
    places: Places::Boot,
};

/// Which process, or whether any.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes it as it comes")]
enum AsWritten {
    /// Whether any.
    Any(bool),
    /// Which.
    Which(WhichProcess),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema alone knows it")]
enum WhichProcess {
    /// PID 1.
    Main,
    /// Another one.
    Child,
}

/// What a process ends with that was killed with SIGKILL.
const KILLED: i32 = 137;

/// The death of a PID 1 that the kernel has killed is told within this time.
const AT_ONCE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Oom {
    /// No process is killed.
    #[serde(skip)]
    Never,
    /// Some process is.
    #[serde(skip)]
    Some,
    /// PID 1 is, with which the boot ends.
    Main,
    /// Another one is, and the boot goes on or ends otherwise.
    Child,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Option<Oom> {
    if let DeValue::String(_) = written.value.get_ref() {
        return written.read("[expect]", reading.problems);
    }
    written.read("[expect]", reading.problems).map(|some| if some { Oom::Some } else { Oom::Never })
}

impl Expectation for Oom {
    fn words(&self) -> String {
        match self {
            Self::Never => "never runs out of memory",
            Self::Some => "runs out of memory and is killed by the kernel",
            Self::Main => "runs out of memory, and the kernel kills its PID 1",
            Self::Child => "runs out of memory, and the kernel kills another process than PID 1",
        }
        .to_owned()
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let killed = timeline.find(|what| *what == What::OutOfMemory).next();
        let Some((event, killed)) = killed else {
            return match (self, broken_by_end(timeline)) {
                (Self::Never, _) => Outcome::Unbroken,
                (_, Some(breach)) => {
                    Outcome::Broken(Breach { saw: format!("it ended otherwise: {}", breach.saw), ..breach })
                }
                (_, None) => Outcome::Waiting(None),
            };
        };
        let limit = later(killed.at, AT_ONCE);
        let is_late = timeline.is_over() || timeline.now().is_some_and(|now| now >= limit);
        let death = timeline.death_of(killed.boot).filter(|death| timeline.events()[death.event].at < limit);
        match (self, death) {
            (Self::Never, _) => Outcome::Broken(Breach::by(event, "the kernel killed a process of it for memory")),
            (Self::Some, _) => Outcome::Holds,
            (Self::Main, Some(death)) if death.code == KILLED => Outcome::Holds,
            (Self::Child, Some(death)) if death.code == KILLED => {
                Outcome::Broken(Breach::by(death.event, death.to_string()))
            }
            (Self::Main, Some(death)) => {
                Outcome::Broken(Breach::by(death.event, format!("it was not PID 1 that was killed: {death}")))
            }
            (Self::Main, None) if is_late => {
                Outcome::Broken(Breach::by(event, "it was not PID 1 that was killed: it lives on"))
            }
            (Self::Main, None) => Outcome::Waiting(Some(limit)),
            (Self::Child, Some(_)) => Outcome::Holds,
            (Self::Child, None) if is_late => Outcome::Holds,
            (Self::Child, None) => Outcome::Unbroken,
        }
    }

    fn wants(&self) -> Wants {
        let ends = matches!(self, Self::Some | Self::Main);
        Wants { decides: *self != Self::Never, ends, ..Wants::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, state};
    use crate::timeline::What::{self, Died, OutOfMemory, Over, Started};

    fn died(code: i32) -> Vec<(i64, What)> {
        vec![(0, Started), (9, Died { code }), (9, state("exited", 0))]
    }

    fn exhausted(code: i32) -> Vec<(i64, What)> {
        [&[(0, Started), (5, OutOfMemory)], &died(code)[1..]].concat()
    }

    #[test]
    fn the_event_decides_and_not_the_exit_code() {
        let otherwise = "it ended otherwise: killed by SIGKILL (exit 137) 0.01 s after it started";
        check("oom = true", &died(137), otherwise);
        check("oom = true", &exhausted(137), "holds");
        check("oom = false", &exhausted(137)[..2], "the kernel killed a process of it for memory");
        check("oom = false", &died(137), "unbroken");
    }

    #[test]
    fn pid_1_is_told_from_its_children() {
        check("oom = \"main\"", &exhausted(137)[..2], "waiting");
        check("oom = \"main\"", &exhausted(137), "holds");
        let child = "it was not PID 1 that was killed: exit 0, after the kernel killed one of its processes: \
                     out of memory 0.01 s after it started";
        check("oom = \"main\"", &exhausted(0), child);
        let lives = [(0, Started), (5, OutOfMemory), (9, Over)];
        check("oom = \"main\"", &lives, "it was not PID 1 that was killed: it lives on");
        check("oom = \"child\"", &lives[..2], "unbroken");
        check("oom = \"child\"", &lives, "holds");
        check("oom = \"child\"", &exhausted(0), "holds");
        check("oom = \"child\"", &exhausted(137), "killed by the kernel: out of memory 0.01 s after it started");
        check("oom = \"child\"", &[(0, Started)], "waiting");
    }
}
