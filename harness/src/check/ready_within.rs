//! `ready_within`: how long each boot may take to be ready.

use schemars::JsonSchema;

use super::{Breach, Expectation, Kind, Outcome, Places, Wants, broken_by_end, one};
use crate::scenario::value::Duration;
use crate::timeline::{Seconds, Timeline, What, between};
use jiff::{SignedDuration, Timestamp};

pub const KIND: Kind = Kind {
    key: "ready_within",
    summary: "is ready within this time of each of its starts",
    example: "ready_within = \"10s\"",
    schema: Duration::json_schema,
    read: |written, reading| one(written.read("[expect]", reading.problems).map(|within| ReadyWithin { within })),
    unsaid: None,
    places: Places::Boot,
};

#[derive(Debug)]
struct ReadyWithin {
    within: Duration,
}

impl Expectation for ReadyWithin {
    fn words(&self) -> String {
        format!("is ready within {} of each start", self.within)
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
        Wants { ready_sign: true, decides: true, takes: Some(self.within.0), ..Wants::default() }
    }
}

impl ReadyWithin {
    fn judge_boot(&self, boot: u32, timeline: &Timeline) -> Outcome {
        let Some(start) = timeline.start_of(boot) else { return Outcome::Waiting(None) };
        let limit = deadline(start.at, self.within);
        if timeline.ready_in(boot).is_some_and(|(_, ready)| ready.at < limit) {
            return Outcome::Holds;
        }
        // What was too late before it died was too late.
        if let Some(death) = timeline.death_of(boot).filter(|death| timeline.events()[death.event].at < limit) {
            return Outcome::Broken(Breach::by(death.event, format!("boot {boot} was never ready: {death}")));
        }
        match timeline.now() {
            Some(now) if now >= limit => Outcome::Broken(late(boot, start.at, limit, timeline)),
            _ => Outcome::Waiting(Some(limit)),
        }
    }
}

fn deadline(start: Timestamp, within: Duration) -> Timestamp {
    SignedDuration::try_from(within.0).ok().and_then(|within| start.checked_add(within).ok()).unwrap_or(Timestamp::MAX)
}

/// It lived, and was not ready when its time was up: the last answer of a probe
/// says most about why, and that it was ready later says how far it missed.
fn late(boot: u32, start: Timestamp, limit: Timestamp, timeline: &Timeline) -> Breach {
    let mut probes = timeline.find(|what| matches!(what, What::Probe { .. }));
    let probed = probes.rfind(|(_, event)| event.boot == boot && event.at < limit);
    let saw = match (timeline.ready_in(boot), probed) {
        (Some((_, ready)), _) => format!("boot {boot} was ready only after {}", Seconds(between(start, ready.at))),
        (None, Some((_, probe))) => format!("boot {boot} runs but is not ready; the last answer: {}", probe.what),
        (None, None) => format!("boot {boot} runs but shows no sign of being ready"),
    };
    let decided_by = probed.or(timeline.ready_in(boot)).map(|(event, _)| event);
    Breach { saw, decided_by, detail: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, state};
    use crate::timeline::What::{self, Died, Elapsed, Probe, Started};

    fn ready() -> What {
        What::Ready { sign: "it logs /listening/".to_owned() }
    }

    #[test]
    fn every_boot_has_to_be_ready_in_time() {
        check("ready_within = \"1s\"", &[(0, Started), (900, ready())], "holds");
        check("ready_within = \"1s\"", &[(0, Started)], "waiting");
        check("ready_within = \"1s\"", &[(0, Started), (1500, ready())], "boot 1 was ready only after 1.50 s");
        let second = [(0, Started), (9, ready()), (20, Died { code: 3 }), (20, state("restarting", 0)), (30, Started)];
        check("ready_within = \"1s\"", &second, "waiting");
    }

    #[test]
    fn a_boot_that_dies_is_not_waited_for() {
        let died = [(0, Started), (20, Died { code: 3 }), (20, state("restarting", 0))];
        check("ready_within = \"1s\"", &died, "boot 1 was never ready: exit 3 0.02 s after it started");
        check("boot.2.ready_within = \"1s\"", &died, "waiting");
    }

    #[test]
    fn a_subject_that_only_runs_is_late_when_its_time_is_up() {
        let up = Elapsed { limit: "ready_within".to_owned() };
        let sign = "boot 1 runs but shows no sign of being ready";
        check("ready_within = \"1s\"", &[(0, Started), (1000, up.clone())], sign);
        let probe = Probe { asked: "GET /health".to_owned(), answer: "503".to_owned() };
        let answer = "boot 1 runs but is not ready; the last answer: GET /health 503";
        check("ready_within = \"1s\"", &[(0, Started), (100, probe), (1000, up)], answer);
    }
}
