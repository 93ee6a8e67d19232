//! `exit_code`: the code with which the subject ends for good.

use schemars::JsonSchema;

use super::{Breach, Expectation, Kind, Outcome, Places, Wants, broken_by_end, one};
use crate::timeline::Timeline;

pub const KIND: Kind = Kind {
    key: "exit_code",
    summary: "ends for good with this exit code",
    example: "exit_code = 78",
    schema: u8::json_schema,
    read: |written, reading| one(written.read("[expect]", reading.problems).map(ExitCode)),
    unsaid: None,
    places: Places::Boot,
};

#[derive(Debug)]
struct ExitCode(u8);

impl Expectation for ExitCode {
    fn words(&self) -> String {
        format!("ends with exit code {}", self.0)
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        match timeline.final_death() {
            Some(death) if death.code == i32::from(self.0) => Outcome::Holds,
            Some(death) => Outcome::Broken(Breach::by(death.event, death.to_string())),
            None => broken_by_end(timeline).map_or(Outcome::Waiting(None), Outcome::Broken),
        }
    }

    fn wants(&self) -> Wants {
        Wants { decides: true, ends: true, ..Wants::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, state};
    use crate::timeline::What::{Died, OutOfMemory, Signalled, Started};

    #[test]
    fn only_the_last_exit_code_counts() {
        let first = [(0, Started), (9, Died { code: 3 }), (9, state("restarting", 0))];
        check("exit_code = 3", &first, "waiting");
        let both = [&first[..], &[(20, Started), (29, Died { code: 0 }), (29, state("exited", 1))]].concat();
        check("exit_code = 0", &both, "holds");
        check("exit_code = 3", &both, "exit 0 0.01 s after it started");
    }

    #[test]
    fn a_death_is_told_by_its_cause() {
        let end = |before, code| [(0, Started), (8, before), (9, Died { code }), (9, state("exited", 0))];
        let oom = "killed by the kernel: out of memory 0.01 s after it started";
        check("exit_code = 0", &end(OutOfMemory, 137), oom);
        let killed = "killed with SIGKILL through the engine 0.01 s after it started";
        check("exit_code = 0", &end(Signalled { signal: 9 }, 137), killed);
        check("exit_code = 0", &end(state("running", 0), 139), "killed by SIGSEGV (exit 139) 0.01 s after it started");
    }
}
