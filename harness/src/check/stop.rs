//! `stop`: that the subject ends by itself when it is asked to.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::DeValue;

use super::{Breach, Expectation, Kind, Outcome, Places, Reading, Wants, one};
use crate::scenario::Written;
use crate::scenario::forms::Either;
use crate::scenario::value::Duration;
use crate::timeline::{Seconds, Timeline, Verb, What, between};

pub const KIND: Kind = Kind {
    key: "stop",
    summary: "ends within this time of its stop signal, without being killed",
    example: "stop = { within = \"5s\", exit_code = 0 }",
    schema: Either::<Duration, Stop>::json_schema,
    read: |written, reading| one(read(written, reading)),
    unsaid: None,
    places: Places::Everywhere,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct Stop {
    /// How long it may take.
    within: Duration,
    /// The code it ends with.
    exit_code: Option<u8>,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Option<Stop> {
    if let DeValue::Table(_) = written.value.get_ref() {
        return written.read("[expect]", reading.problems);
    }
    written.read("[expect]", reading.problems).map(|within| Stop { within, exit_code: None })
}

impl Expectation for Stop {
    fn words(&self) -> String {
        let code = self.exit_code.map_or(String::new(), |code| format!(" with exit code {code}"));
        format!("stops within {}{code}, without being killed", self.within)
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let step = timeline.find(|what| matches!(what, What::Step { verb: Verb::Stop, .. })).next_back();
        let death = timeline.final_death();
        match (step, death) {
            (None, None) if timeline.refusal().is_none() => Outcome::Unbroken,
            (None, _) => Outcome::Broken(super::broken_by_end(timeline).map_or_else(
                || Breach::by_absence("it was never asked to stop"),
                |breach| Breach { saw: format!("it was not there to be stopped: {}", breach.saw), ..breach },
            )),
            // Without a signal it was not the stop that ended it, however close the two came.
            (Some((event, _)), Some(death)) if death.event < event || death.signalled.is_none() => Outcome::Broken(
                Breach::by(death.event, format!("it ended by itself before it could be stopped: {death}")),
            ),
            (Some((_, step)), Some(death)) => {
                let took = between(step.at, timeline.events()[death.event].at);
                self.judge_death(&death, took)
            }
            (Some(_), None) if timeline.is_over() => {
                Outcome::Broken(Breach::by_absence("it was asked to stop and had not ended when the run did"))
            }
            (Some(_), None) => Outcome::Waiting(None),
        }
    }

    fn wants(&self) -> Wants {
        Wants { stop: true, ready_sign: true, decides: true, ..Wants::default() }
    }
}

impl Stop {
    fn judge_death(&self, death: &crate::timeline::Death, took: std::time::Duration) -> Outcome {
        let took_words = Seconds(took);
        if death.signalled == Some(9) {
            let mut breach =
                Breach::by(death.event, format!("it did not end on its stop signal and was killed after {took_words}"));
            breach.detail.push(
                "if PID 1 is a shell, it does not pass signals on: start the app with `exec`, or under an init"
                    .to_owned(),
            );
            return Outcome::Broken(breach);
        }
        if took > self.within.0 {
            return Outcome::Broken(Breach::by(death.event, format!("it took {took_words} to end")));
        }
        match self.exit_code {
            Some(code) if i32::from(code) != death.code => Outcome::Broken(Breach::by(death.event, death.to_string())),
            _ => Outcome::Holds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, state, step};
    use crate::timeline::Verb;
    use crate::timeline::What::{self, Died, Signalled, Started};

    fn stopped(at: i64, before: What, code: i32) -> Vec<(i64, What)> {
        vec![(0, Started), (1000, step(Verb::Stop)), (at, before), (at, Died { code }), (at, state("exited", 0))]
    }

    #[test]
    fn a_subject_stops_in_time_by_itself() {
        let term = Signalled { signal: 15 };
        check("stop = \"1s\"", &stopped(1500, term.clone(), 0), "holds");
        check("stop = \"1s\"", &stopped(2500, term.clone(), 0), "it took 1.50 s to end");
        let wrong = "exit 143 after SIGTERM 1.50 s after it started";
        check("stop = { within = \"1s\", exit_code = 0 }", &stopped(1500, term, 143), wrong);
    }

    #[test]
    fn a_subject_that_is_killed_did_not_stop() {
        let killed = "it did not end on its stop signal and was killed after 10.00 s";
        check("stop = \"20s\"", &stopped(11_000, Signalled { signal: 9 }, 137), killed);
    }

    #[test]
    fn an_end_that_only_coincides_with_the_stop_is_none() {
        let saw = "it ended by itself before it could be stopped: exit 0 1.50 s after it started";
        check("stop = \"1s\"", &stopped(1500, state("running", 0), 0), saw);
    }

    #[test]
    fn a_subject_that_is_dead_cannot_be_stopped() {
        let dead = [(0, Started), (9, Died { code: 1 }), (9, state("exited", 0))];
        check("stop = \"1s\"", &dead, "it was not there to be stopped: exit 1 0.01 s after it started");
        check("stop = \"1s\"", &[(0, Started)], "unbroken");
    }
}
