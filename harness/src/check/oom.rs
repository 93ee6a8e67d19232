//! `oom`: whether the kernel killed a process of the subject for memory.
//!
//! The engine's event stream decides. Its state does not: after a restart it
//! still says `OOMKilled` of a healthy boot.

use super::{Breach, Expectation, Kind, Outcome, Places, Wants, one};
use crate::timeline::{Timeline, What};

pub const KIND: Kind = Kind {
    key: "oom",
    summary: "loses a process to the kernel for memory, or never does; unsaid: never",
    example: "oom = false",
    read: |written, reading| one(written.read("[expect]", reading.problems).map(Oom)),
    unsaid: Some(|_| Box::new(Oom(false))),
    places: Places::Boot,
};

#[derive(Debug)]
struct Oom(bool);

impl Expectation for Oom {
    fn words(&self) -> String {
        match self.0 {
            true => "runs out of memory and is killed by the kernel",
            false => "never runs out of memory",
        }
        .to_owned()
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let killed = timeline.find(|what| *what == What::OutOfMemory).next();
        match (self.0, killed) {
            (true, Some(_)) => Outcome::Holds,
            (false, None) => Outcome::Unbroken,
            (false, Some((event, _))) => {
                Outcome::Broken(Breach::by(event, "the kernel killed a process of it for memory"))
            }
            (true, None) => match super::broken_by_end(timeline) {
                Some(breach) => {
                    Outcome::Broken(Breach { saw: format!("it ended otherwise: {}", breach.saw), ..breach })
                }
                None => Outcome::Waiting(None),
            },
        }
    }

    fn wants(&self) -> Wants {
        Wants { decides: self.0, ends: self.0, ..Wants::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, state};
    use crate::timeline::What::{Died, OutOfMemory, Started};

    #[test]
    fn the_event_decides_and_not_the_exit_code() {
        let died = |code| [(0, Started), (9, Died { code }), (9, state("exited", 0))];
        let otherwise = "it ended otherwise: killed by SIGKILL (exit 137) 0.01 s after it started";
        check("oom = true", &died(137), otherwise);
        check("oom = true", &[&[(0, Started), (5, OutOfMemory)], &died(0)[1..]].concat(), "holds");
        check("oom = false", &[(0, Started), (5, OutOfMemory)], "the kernel killed a process of it for memory");
        check("oom = false", &died(137), "unbroken");
    }
}
