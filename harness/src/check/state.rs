//! `state`: in which state the subject ends up.

use serde::Deserialize;

use super::{Breach, Expectation, Kind, Outcome, Reading, Wants, broken_by_end, one};
use crate::scenario::Written;
use crate::timeline::{Timeline, What};

pub const KIND: Kind = Kind {
    key: "state",
    summary: "ends up running, exited, or refused by the engine",
    example: "state = \"running\"",
    read: |written, reading: &mut Reading<'_>| one(read(written, reading)),
    unsaid: Some(|| Box::new(Started)),
};

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Option<State> {
    written.read("[expect]", reading.problems)
}

/// A state to end up in.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Alive when everything else has been decided.
    Running,
    /// Dead, and nobody starts it again.
    Exited,
    /// The engine could not start its process.
    Refused,
}

impl Expectation for State {
    fn words(&self) -> String {
        match self {
            Self::Running => "is running at the end",
            Self::Exited => "has exited at the end",
            Self::Refused => "cannot be started",
        }
        .to_owned()
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let started = timeline.find(|what| *what == What::Started).next();
        match (self, broken_by_end(timeline)) {
            (Self::Refused, _) if timeline.refusal().is_some() => Outcome::Holds,
            (Self::Refused, _) => match started {
                Some((event, _)) => Outcome::Broken(Breach::by(event, "it was started")),
                None => Outcome::Waiting(None),
            },
            (Self::Exited, Some(_)) if timeline.final_death().is_some() => Outcome::Holds,
            (Self::Exited, None) => Outcome::Waiting(None),
            (Self::Running, None) if started.is_none() => Outcome::Waiting(None),
            (Self::Running, None) => Outcome::Unbroken,
            // A stop that the harness itself has asked for is not the subject's doing.
            (Self::Running, Some(breach)) if stopped_before(timeline, &breach) => Outcome::Holds,
            (Self::Running | Self::Exited, Some(breach)) => Outcome::Broken(breach),
        }
    }

    fn wants(&self) -> Wants {
        Wants { ready_sign: *self == Self::Running, decides: true, ..Wants::default() }
    }
}

fn stopped_before(timeline: &Timeline, breach: &Breach) -> bool {
    let stop = timeline.find(|what| matches!(what, What::Step { .. })).next();
    stop.is_some_and(|(step, _)| breach.decided_by.is_some_and(|death| step < death))
}

/// What is claimed of every subject: that the engine could start it.
#[derive(Debug)]
struct Started;

impl Expectation for Started {
    fn words(&self) -> String {
        "can be started".to_owned()
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        match timeline.refusal() {
            Some((event, reason)) => Outcome::Broken(Breach::by(event, format!("it could not be started: {reason}"))),
            None if timeline.boots() > 0 => Outcome::Holds,
            None => Outcome::Waiting(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, state};
    use super::What::{Died, Refused, Started, Step};

    #[test]
    fn a_subject_is_running_until_it_is_dead_for_good() {
        let running = "state = \"running\"";
        check(running, &[], "waiting");
        check(running, &[(0, Started)], "unbroken");
        check(running, &[(0, Started), (9, Died { code: 1 }), (9, state("restarting", 0))], "unbroken");
        let dead = [(0, Started), (9, Died { code: 1 }), (9, state("exited", 0))];
        check(running, &dead, "exit 1 0.01 s after it started");
    }

    #[test]
    fn a_stop_by_the_harness_does_not_break_running() {
        let stop = Step { verb: "stop".to_owned() };
        let events = [(0, Started), (5, stop), (9, Died { code: 0 }), (9, state("exited", 0))];
        check("state = \"running\"", &events, "holds");
    }

    #[test]
    fn a_subject_has_exited_when_nobody_starts_it_again() {
        let exited = "state = \"exited\"";
        check(exited, &[(0, Started), (9, Died { code: 0 }), (9, state("restarting", 1))], "waiting");
        check(exited, &[(0, Started), (9, Died { code: 0 }), (9, state("exited", 1))], "holds");
    }

    #[test]
    fn a_refusal_is_told_from_a_start() {
        let refused = Refused { reason: "no such file".to_owned() };
        check("state = \"refused\"", &[(0, refused.clone())], "holds");
        check("state = \"refused\"", &[(0, Started)], "it was started");
        check("state = \"running\"", &[(0, refused)], "it could not be started: no such file");
    }
}
