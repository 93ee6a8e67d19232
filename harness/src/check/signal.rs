//! `signal`: that the subject dies of a signal that nobody here sent.

use schemars::JsonSchema;

use super::{Breach, Expectation, Kind, Outcome, Places, Reading, Wants, broken_by_end, one};
use crate::scenario::Written;
use crate::scenario::read::unknown_word;
use crate::scenario::value::Signal;
use crate::timeline::{SIGNALS, Timeline, signal_name};

pub const KIND: Kind = Kind {
    key: "signal",
    summary: "is ended by this signal, which neither the harness nor the kernel's memory limit sent",
    example: "signal = \"SIGSEGV\"",
    schema: Signal::json_schema,
    read: |written, reading| one(read(written, reading)),
    unsaid: None,
    places: Places::Boot,
};

/// How many more than a signal's number a process ends with that dies of it.
const OF_A_SIGNAL: i32 = 128;

#[derive(Debug)]
struct KilledBy(Signal);

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Option<KilledBy> {
    let span = written.value.span();
    let signal: Signal = written.read("[expect]", reading.problems)?;
    let known = SIGNALS.map(|(_, name)| name);
    if known.contains(&signal.name()) {
        return Some(KilledBy(signal));
    }
    reading.problems.add(unknown_word("signal", signal.name(), "`signal` of [expect]", &known, span));
    None
}

impl Expectation for KilledBy {
    fn words(&self) -> String {
        format!("dies of {}, sent by nobody here", self.0)
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let Some(death) = timeline.final_death() else {
            return broken_by_end(timeline).map_or(Outcome::Waiting(None), Outcome::Broken);
        };
        let asked = death.signalled.is_some() || timeline.is_asked_for(death.event);
        let of_signal = signal_name(death.code - OF_A_SIGNAL) == self.0.name();
        let saw = match (of_signal, asked, death.out_of_memory) {
            (true, false, false) => return Outcome::Holds,
            (true, true, _) => format!("it was the harness that ended it: {death}"),
            (true, false, true) | (false, ..) => death.to_string(),
        };
        Outcome::Broken(Breach::by(death.event, saw))
    }

    fn wants(&self) -> Wants {
        Wants { decides: true, ends: true, ..Wants::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, state, step};
    use crate::timeline::What::{self, Died, OutOfMemory, Signalled, Started};
    use crate::timeline::{Stdio, Verb};

    fn end(before: What, code: i32) -> [(i64, What); 4] {
        [(0, Started), (8, before), (9, Died { code }), (9, state("exited", 0))]
    }

    #[test]
    fn a_signal_counts_that_nobody_here_has_sent() {
        let nothing = || What::line(Stdio::Stdout, "up");
        check("signal = \"SIGSEGV\"", &end(nothing(), 139), "holds");
        let other = "killed by SIGSEGV (exit 139) 0.01 s after it started";
        check("signal = \"SIGABRT\"", &end(nothing(), 139), other);
        check("signal = \"SIGSEGV\"", &end(nothing(), 1), "exit 1 0.01 s after it started");
        let ours = "it was the harness that ended it: exit 143 after SIGTERM 0.01 s after it started";
        check("signal = \"SIGTERM\"", &end(Signalled { signal: 15 }, 143), ours);
        let crashed = "it was the harness that ended it: killed by SIGKILL (exit 137) 0.01 s after it started";
        check("signal = \"SIGKILL\"", &end(step(Verb::Crash), 137), crashed);
        let memory = "killed by the kernel: out of memory 0.01 s after it started";
        check("signal = \"SIGKILL\"", &end(OutOfMemory, 137), memory);
    }
}
