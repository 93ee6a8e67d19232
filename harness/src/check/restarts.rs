//! `restarts`: how often the restart policy has to start the subject again.
//!
//! More than that is a restart loop, and none is allowed where nothing is said.

use schemars::JsonSchema;

use super::{Breach, Expectation, Kind, Outcome, Places, Wants, one};
use crate::timeline::{Timeline, What};

pub const KIND: Kind = Kind {
    key: "restarts",
    summary: "is started again by its restart policy exactly so often; more is a restart loop",
    example: "restarts = 1",
    schema: u32::json_schema,
    read: |written, reading| {
        one(written.read("[expect]", reading.problems).map(|n| Restarts { expected: n, said: true }))
    },
    unsaid: Some(|_| Box::new(Restarts { expected: 0, said: false })),
    places: Places::Everywhere,
};

#[derive(Debug)]
struct Restarts {
    expected: u32,
    said: bool,
}

impl Expectation for Restarts {
    fn words(&self) -> String {
        match self.expected {
            0 => "is never restarted".to_owned(),
            n => format!("is restarted {}", times(n)),
        }
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let restarts = timeline.restarts();
        let seen = u32::try_from(restarts.len()).unwrap_or(u32::MAX);
        if seen > self.expected {
            return Outcome::Broken(self.too_many(&restarts, timeline));
        }
        if seen == self.expected {
            return Outcome::Unbroken;
        }
        if timeline.is_dead() || timeline.is_over() {
            return Outcome::Broken(self.too_few(seen, timeline));
        }
        Outcome::Waiting(None)
    }

    fn wants(&self) -> Wants {
        Wants { decides: self.said && self.expected > 0, restarts: self.expected > 0, ..Wants::default() }
    }
}

impl Restarts {
    fn too_many(&self, restarts: &[u32], timeline: &Timeline) -> Breach {
        // Each of them followed the death of the boot before.
        let before = restarts.iter().map(|boot| boot.saturating_sub(1));
        let deaths: Vec<_> = before.filter_map(|boot| Some((boot, timeline.death_of(boot)?))).collect();
        let last_words = deaths.first().and_then(|(boot, _)| Some((boot, timeline.last_words(*boot)?)));
        let mut detail: Vec<String> = deaths.iter().map(|(boot, death)| format!("boot {boot}: {death}")).collect();
        detail.extend(last_words.map(|(boot, words)| format!("last words of boot {boot}: {}", words.what)));
        let seen = u32::try_from(restarts.len()).unwrap_or(u32::MAX);
        let saw = format!("restart loop: restarted {}, where {} allowed", times(seen), allowed(self.expected));
        let decider = deaths.get(self.expected as usize).or(deaths.last()).map(|(_, death)| death.event);
        Breach { saw, decided_by: decider, detail }
    }

    fn too_few(&self, seen: u32, timeline: &Timeline) -> Breach {
        let of_subject = |what: &What| {
            !matches!(
                what,
                What::Over | What::Step { .. } | What::State { .. } | What::Looked { .. } | What::Elapsed { .. }
            )
        };
        let saw = match seen {
            0 => "it was never restarted".to_owned(),
            seen => format!("it was restarted only {}", times(seen)),
        };
        Breach { saw, decided_by: timeline.find(of_subject).next_back().map(|(event, _)| event), detail: Vec::new() }
    }
}

fn times(count: u32) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

fn allowed(count: u32) -> String {
    match count {
        0 => "no restart is".to_owned(),
        1 => "one restart is".to_owned(),
        n => format!("{n} restarts are"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, line, state};
    use crate::timeline::What::{Died, Over, Started};

    #[test]
    fn a_loop_is_more_restarts_than_allowed() {
        let once = [(0, Started), (9, Died { code: 1 }), (9, state("restarting", 0)), (20, Started)];
        check("restarts = 0", &once, "restart loop: restarted once, where no restart is allowed");
        check("restarts = 1", &once, "unbroken");
        check("restarts = 2", &once, "waiting");
    }

    #[test]
    fn a_restart_that_was_expected_and_did_not_come_is_a_breach() {
        let healthy = [(0, Started), (5, line("ready")), (9, Over)];
        check("restarts = 1", &healthy, "it was never restarted");
    }

    #[test]
    fn a_loop_is_told_with_the_cause_of_each_death() {
        let events = [
            (0, Started),
            (5, line("no config")),
            (9, Died { code: 1 }),
            (20, Started),
            (29, Died { code: 2 }),
            (40, Started),
        ];
        let timeline = super::super::testing::timeline(&events);
        let outcome = super::super::testing::claim("restarts = 0").judge(&timeline);
        let super::Outcome::Broken(breach) = outcome else { panic!("a loop was not seen") };
        assert_eq!(
            breach.detail,
            [
                "boot 1: exit 1 0.01 s after it started",
                "boot 2: exit 2 0.01 s after it started",
                "last words of boot 1: stdout: no config"
            ]
        );
        assert_eq!(breach.decided_by, Some(2));
    }
}
