//! `phases`: how long each phase of a startup may take, where the subject tells
//! of them as the entrypoint's contract says.

use std::collections::BTreeMap;
use std::time;

use jiff::Timestamp;
use schemars::JsonSchema;

use super::{Breach, Expectation, Kind, Outcome, Places, Reading, Wants, boxed, broken_by_end};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::scenario::value::Duration;
use crate::timeline::phase::{self, BEGUN, ENDED, PhaseLine};
use crate::timeline::{Seconds, Timeline, What, between, later};

pub const KIND: Kind = Kind {
    key: "phases",
    summary: "takes no longer than this in each of these phases, of which it has to tell",
    example: "phases = { migrate = \"30s\" }",
    schema: BTreeMap::<String, Duration>::json_schema,
    read,
    unsaid: None,
    places: Places::Boot,
};

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    let span = written.span.clone();
    let Some(phases) = written.read::<BTreeMap<String, Duration>>("[expect]", reading.problems) else {
        return Vec::new();
    };
    if phases.is_empty() {
        let problem = Problem::new(Some(span), "`phases` names none").help("write { migrate = \"30s\" }");
        reading.problems.add(problem);
    }
    phases.into_iter().map(|(name, within)| boxed(Phase { name, within })).collect()
}

#[derive(Debug)]
struct Phase {
    name: String,
    within: Duration,
}

impl Expectation for Phase {
    fn words(&self) -> String {
        format!("is through phase {} within {}", self.name, self.within)
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let mut standing = broken_by_end(timeline).map_or(Outcome::Waiting(None), Outcome::Broken);
        for boot in timeline.begun() {
            standing = self.judge_boot(boot, timeline);
            if standing != Outcome::Holds {
                break;
            }
        }
        standing
    }

    fn wants(&self) -> Wants {
        Wants { decides: true, takes: Some(self.within.0), ..Wants::default() }
    }
}

impl Phase {
    fn judge_boot(&self, boot: u32, timeline: &Timeline) -> Outcome {
        let ready = timeline.ready_in(boot).map_or(usize::MAX, |(place, _)| place);
        let told: Vec<(usize, PhaseLine)> = told_in(boot, timeline).collect();
        let of_phase =
            |event: &'static str| told.iter().find(move |(_, line)| line.phase == self.name && line.event == event);
        // Once it is ready, its startup is over.
        let Some((begun, _)) = of_phase(BEGUN).filter(|(place, _)| *place < ready) else {
            let over =
                [Some(ready).filter(|place| *place < usize::MAX), timeline.death_of(boot).map(|death| death.event)];
            return match over.into_iter().flatten().min() {
                Some(event) => Outcome::Broken(Breach::by(event, self.never_began(boot, &told[..], event))),
                None if timeline.is_over() => {
                    Outcome::Broken(Breach::by_absence(self.never_began(boot, &told[..], usize::MAX)))
                }
                None => Outcome::Waiting(None),
            };
        };
        let begun_at = timeline.events()[*begun].at;
        let limit = later(begun_at, self.within.0);
        let ended = of_phase(ENDED).filter(|(place, _)| begun < place);
        let death = timeline.death_of(boot).map(|death| (death.event, timeline.events()[death.event].at));
        match (ended, death, timeline.now()) {
            (Some((event, line)), ..) => self.judge_end(*event, line, (begun_at, limit), timeline),
            (None, Some((event, at)), _) if at < limit => {
                let death = timeline.death_of(boot).map(|death| death.to_string()).unwrap_or_default();
                Outcome::Broken(Breach::by(event, format!("it ended in phase {}: {death}", self.name)))
            }
            (None, _, Some(now)) if now >= limit || timeline.is_over() => {
                Outcome::Broken(Breach::by_absence(format!("phase {} began and has not ended in time", self.name)))
            }
            _ => Outcome::Waiting(Some(limit)),
        }
    }

    /// It says itself how long it took; but what it tells too late was too late.
    fn judge_end(
        &self,
        event: usize,
        line: &PhaseLine,
        (begun, limit): (Timestamp, Timestamp),
        timeline: &Timeline,
    ) -> Outcome {
        let at = timeline.events()[event].at;
        let said = line.duration_ms.and_then(|millis| time::Duration::try_from_secs_f64(millis / 1000.0).ok());
        let took = said.unwrap_or_else(|| between(begun, at));
        match at < limit && took <= self.within.0 {
            true => Outcome::Holds,
            false => Outcome::Broken(Breach::by(event, format!("phase {} took {}", self.name, Seconds(took)))),
        }
    }

    fn never_began(&self, boot: u32, told: &[(usize, PhaseLine)], before: usize) -> String {
        let begun = told.iter().filter(|(place, line)| *place < before && line.event == BEGUN);
        let names: Vec<&str> = begun.map(|(_, line)| line.phase.as_str()).collect();
        match names.is_empty() {
            true => "it tells of no phase: its PID 1 does not speak the entrypoint's contract".to_owned(),
            false => format!("phase {} never began in boot {boot}; it told of {}", self.name, names.join(", ")),
        }
    }
}

/// What the lines of a boot tell of its phases.
fn told_in(boot: u32, timeline: &Timeline) -> impl Iterator<Item = (usize, PhaseLine)> {
    let lines = timeline.find(|what| matches!(what, What::Log { .. })).filter(move |(_, event)| event.boot == boot);
    lines.filter_map(|(place, event)| match &event.what {
        What::Log { text, .. } => Some((place, phase::read(text)?)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, line, state};
    use crate::timeline::What::{self, Died, Elapsed, Over, Ready, Started};

    fn begun(phase: &str) -> What {
        line(&format!("{{\"event\":\"phase_begun\",\"phase\":\"{phase}\"}}"))
    }

    fn ended(phase: &str, millis: u32) -> What {
        line(&format!("{{\"event\":\"phase_ended\",\"phase\":\"{phase}\",\"duration_ms\":{millis}}}"))
    }

    fn ready() -> What {
        Ready { sign: "it logs /up/".to_owned() }
    }

    const MIGRATE: &str = "phases = { migrate = \"1s\" }";

    #[test]
    fn a_phase_has_a_budget() {
        check(MIGRATE, &[(0, Started)], "waiting");
        check(MIGRATE, &[(0, Started), (5, begun("migrate"))], "waiting");
        check(MIGRATE, &[(0, Started), (5, begun("migrate")), (9, ended("migrate", 4))], "holds");
        let slow = [(0, Started), (5, begun("migrate")), (1600, ended("migrate", 1595))];
        check(MIGRATE, &slow, "phase migrate took 1.59 s");
        let hangs = [(0, Started), (5, begun("migrate")), (1005, Elapsed { limit: "time".to_owned() })];
        check(MIGRATE, &hangs, "phase migrate began and has not ended in time");
        let dies = [(0, Started), (5, begun("migrate")), (9, Died { code: 3 }), (9, state("exited", 0))];
        check(MIGRATE, &dies, "it ended in phase migrate: exit 3 0.01 s after it started");
    }

    #[test]
    fn a_phase_that_never_began_is_told_with_those_that_did() {
        let other = [(0, Started), (5, begun("preflight")), (9, ready()), (9, begun("migrate"))];
        check(MIGRATE, &other, "phase migrate never began in boot 1; it told of preflight");
    }

    #[test]
    fn a_subject_that_tells_of_no_phase_is_named_as_that() {
        let silent = "it tells of no phase: its PID 1 does not speak the entrypoint's contract";
        check(MIGRATE, &[(0, Started), (5, line("up")), (9, ready())], silent);
        check(MIGRATE, &[(0, Started), (5, line("up")), (9, Over)], silent);
        check(MIGRATE, &[(0, Started), (9, Died { code: 0 }), (9, state("exited", 0))], silent);
    }
}
