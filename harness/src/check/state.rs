//! `state`: in which state the subject ends up.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::DeValue;

use super::{Breach, Expectation, Kind, Outcome, Places, Reading, Wants, broken_by_end, one};
use crate::scenario::Written;
use crate::scenario::value::Pattern;
use crate::timeline::{Timeline, What};

pub const KIND: Kind = Kind {
    key: "state",
    summary: "ends up running, exited, or refused by the engine, perhaps in these words",
    example: "state = \"running\"",
    schema: AsWritten::json_schema,
    read: |written, reading: &mut Reading<'_>| one(read(written, reading)),
    unsaid: Some(|said| match said.ends || !said.ready {
        true => Box::new(Unsaid::Starts { refused: said.refused }),
        false => Box::new(Unsaid::StaysUp { becomes_ready: !said.ready_within }),
    }),
    places: Places::Everywhere,
};

/// As it is written in a table.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct RefusedWith {
    /// What the engine's words match.
    /// Example: `state = { refused = "no such file" }`.
    refused: Pattern,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Option<State> {
    if let DeValue::Table(_) = written.value.get_ref() {
        let words: RefusedWith = written.read("[expect]", reading.problems)?;
        return Some(State::RefusedWith(words.refused));
    }
    written.read("[expect]", reading.problems)
}

/// A word, or a refusal with the engine's words.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes it as it comes")]
enum AsWritten {
    /// The state.
    Word(StateWord),
    /// The engine could not start it, in words that match.
    Refused(RefusedWith),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema alone knows it")]
enum StateWord {
    /// Alive when everything else has been decided.
    Running,
    /// Dead, and nobody starts it again.
    Exited,
    /// The engine could not start its process.
    Refused,
}

/// A state to end up in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Alive when everything else has been decided.
    Running,
    /// Dead, and nobody starts it again.
    Exited,
    /// The engine could not start its process.
    Refused,
    /// And these are its words for why.
    #[serde(skip)]
    RefusedWith(Pattern),
}

impl Expectation for State {
    fn words(&self) -> String {
        match self {
            Self::Running => "is running at the end",
            Self::Exited => "has exited at the end",
            Self::Refused => "cannot be started",
            Self::RefusedWith(words) => return format!("cannot be started, because of /{words}/"),
        }
        .to_owned()
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        if let (Self::RefusedWith(words), Some((event, reason))) = (self, timeline.refusal()) {
            return match words.matches(reason) {
                true => Outcome::Holds,
                false => Outcome::Broken(Breach::by(event, format!("the engine's words are others: {reason}"))),
            };
        }
        let started = timeline.find(|what| *what == What::Started).next();
        match (self, broken_by_end(timeline)) {
            (Self::Refused, _) if timeline.refusal().is_some() => Outcome::Holds,
            (Self::Refused | Self::RefusedWith(_), _) => match started {
                Some((event, _)) => Outcome::Broken(Breach::by(event, "it was started")),
                None => Outcome::Waiting(None),
            },
            (Self::Exited, Some(_)) if timeline.final_death().is_some() => Outcome::Holds,
            (Self::Exited, None) => Outcome::Waiting(None),
            // A part of a run may begin in the midst of a boot.
            (Self::Running, None) if timeline.boots() == 0 => Outcome::Waiting(None),
            (Self::Running, None) => Outcome::Unbroken,
            // A stop that the harness itself has asked for is not the subject's doing.
            (Self::Running, Some(breach)) if asked_to_end(timeline, &breach) => Outcome::Holds,
            (Self::Running | Self::Exited, Some(breach)) => Outcome::Broken(breach),
        }
    }

    fn wants(&self) -> Wants {
        Wants {
            ready_sign: *self == Self::Running,
            decides: true,
            ends: *self != Self::Running,
            refused: *self == Self::Refused,
            ..Wants::default()
        }
    }
}

/// Whether a step ended the life whose death breaks the claim.
fn asked_to_end(timeline: &Timeline, breach: &Breach) -> bool {
    breach.decided_by.is_some_and(|death| timeline.is_asked_for(death))
}

/// What is claimed of every subject of which nobody says otherwise.
#[derive(Debug)]
enum Unsaid {
    /// The engine can start it.
    Starts {
        /// But for these steps, which are expected to be refused.
        refused: Vec<u32>,
    },
    /// And once it is ready it does not end unasked: a health check that was
    /// green once is not a running app.
    StaysUp {
        /// And it becomes ready at all, where nothing else says so.
        becomes_ready: bool,
    },
}

impl Expectation for Unsaid {
    fn words(&self) -> String {
        match self {
            Self::Starts { .. } => "can be started",
            Self::StaysUp { becomes_ready: true } => "becomes ready, and then stays up",
            Self::StaysUp { becomes_ready: false } => "stays up once it is ready",
        }
        .to_owned()
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let is_expected = |event: usize| {
            let step = timeline.step_of(event);
            matches!(self, Self::Starts { refused } if refused.contains(&step))
        };
        if let Some((event, reason)) = timeline.refusal().filter(|(event, _)| !is_expected(*event)) {
            return Outcome::Broken(Breach::by(event, format!("it could not be started: {reason}")));
        }
        if timeline.boots() == 0 {
            return Outcome::Waiting(None);
        }
        let was_ready = timeline.ready_in(timeline.boots()).is_some();
        match (self, timeline.final_death()) {
            (Self::StaysUp { .. }, Some(death)) if was_ready => {
                let breach = Breach::by(death.event, format!("it was ready, and then ended: {death}"));
                if asked_to_end(timeline, &breach) { Outcome::Holds } else { Outcome::Broken(breach) }
            }
            (Self::StaysUp { becomes_ready: true }, _) if !was_ready && timeline.is_over() => {
                Outcome::Broken(never_ready(timeline))
            }
            (Self::StaysUp { .. }, _) => Outcome::Unbroken,
            (Self::Starts { .. }, _) => Outcome::Holds,
        }
    }
}

fn never_ready(timeline: &Timeline) -> Breach {
    broken_by_end(timeline).unwrap_or_else(|| Breach::by_absence("it never became ready"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_unsaid, state, step};
    use super::What::{Died, Over, Refused, Started};
    use crate::timeline::Verb;

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
        let events = [(0, Started), (5, step(Verb::Stop)), (9, Died { code: 0 }), (9, state("exited", 0))];
        check("state = \"running\"", &events, "holds");
    }

    #[test]
    fn a_subject_has_exited_when_nobody_starts_it_again() {
        let exited = "state = \"exited\"";
        check(exited, &[(0, Started), (9, Died { code: 0 }), (9, state("restarting", 1))], "waiting");
        check(exited, &[(0, Started), (9, Died { code: 0 }), (9, state("exited", 1))], "holds");
    }

    #[test]
    fn a_subject_that_was_ready_does_not_end_unasked_unless_its_end_is_expected() {
        let ready = || super::What::Ready { sign: "it logs /up/".to_owned() };
        let ended = [(0, Started), (5, ready()), (9, Died { code: 0 }), (9, state("exited", 0))];
        let breach = "it was ready, and then ended: exit 0 0.01 s after it started";
        check_unsaid("state", "ready_within = \"1s\"", &ended, breach);
        check_unsaid("state", "exit_code = 0", &ended, "holds");
        check_unsaid("state", "ready_within = \"1s\"", &ended[..2], "unbroken");
        check_unsaid("state", "restarts = 0", &[(0, Started), (9, Over)], "it never became ready");
        let stopped =
            [(0, Started), (5, ready()), (6, step(Verb::Stop)), (9, Died { code: 0 }), (9, state("exited", 0))];
        check_unsaid("state", "ready_within = \"1s\"", &stopped, "holds");
    }

    #[test]
    fn a_refusal_is_told_from_a_start() {
        let refused = Refused { reason: "no such file".to_owned(), again: false };
        check("state = \"refused\"", &[(0, refused.clone())], "holds");
        check("state = \"refused\"", &[(0, Started)], "it was started");
        check("state = \"running\"", &[(0, refused.clone())], "it could not be started: no such file");
        check("state = { refused = \"such file\" }", &[(0, refused.clone())], "holds");
        let others = "the engine's words are others: no such file";
        check("state = { refused = \"permission\" }", &[(0, refused)], others);
        check("state = { refused = \"permission\" }", &[(0, Started)], "it was started");
    }
}
