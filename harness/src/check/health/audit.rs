//! Whether the health check leaves a boot as much time as it takes.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::DeValue;

use crate::check::{Breach, Expectation, Outcome, Wants, broken_by_end};
use crate::scenario::Written;
use crate::scenario::problem::{Problem, Problems};
use crate::timeline::{HealthCheckSeen, Look, Seconds, Seen, Timeline, What, between};

/// The health check of the subject, compared with the boots that were measured.
#[derive(Debug)]
pub struct Audit {
    /// How many times as long as a boot takes it has to wait before it gives up.
    margin: f64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct AsWritten {
    /// How many times the measured time it leaves, from 1 up.
    margin: f64,
}

impl Audit {
    /// Reads `true` or `{ margin = 1.5 }`.
    pub fn read(written: Written<'_>, place: &str, problems: &mut Problems) -> Option<Self> {
        let (key, span) = (written.key.clone(), written.value.span());
        let margin = match written.value.get_ref() {
            DeValue::Table(_) => written.read::<AsWritten>(place, problems)?.margin,
            // Whoever does not want it leaves it out.
            _ => {
                if written.read::<bool>(place, problems)? {
                    1.0
                } else {
                    0.0
                }
            }
        };
        if margin >= 1.0 && margin.is_finite() {
            return Some(Self { margin });
        }
        let title = format!("`{key}` of {place} is `true`, or a margin of 1 or more");
        problems.add(Problem::new(Some(span), title).help("write { margin = 1.5 }"));
        None
    }

    fn judge_boot(&self, boot: u32, timeline: &Timeline) -> Option<Outcome> {
        let (event, ready) = timeline.ready_in(boot)?;
        let start = timeline.start_of(boot)?;
        let took = between(start.at, ready.at);
        let check = match check_of(boot, timeline)? {
            (_, Seen::HealthCheck(check)) if !check.test.is_empty() => check,
            (place, _) => return Some(Outcome::Broken(Breach::by(place, "there is no health check"))),
        };
        let gives_up = gives_up(check);
        if took.mul_f64(self.margin) < gives_up {
            return Some(Outcome::Unbroken);
        }
        let factor = gives_up.as_secs_f64() / took.as_secs_f64().max(f64::EPSILON);
        let saw = format!(
            "boot {boot} takes {}, and its health check gives up after {}: {factor:.1} times that",
            Seconds(took),
            Seconds(gives_up)
        );
        let detail = vec![format!("its health check: {}", Seen::HealthCheck(check.clone()))];
        Some(Outcome::Broken(Breach { saw, decided_by: Some(event), detail }))
    }
}

impl Expectation for Audit {
    fn words(&self) -> String {
        match self.margin > 1.0 {
            true => format!("has a health check that waits {} times as long as a boot takes", self.margin),
            false => "has a health check that waits longer than a boot takes".to_owned(),
        }
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let judged: Vec<Outcome> = timeline.begun().filter_map(|boot| self.judge_boot(boot, timeline)).collect();
        let broken = judged.iter().find(|outcome| matches!(outcome, Outcome::Broken(_)));
        match (broken, judged.is_empty(), broken_by_end(timeline)) {
            (Some(broken), ..) => broken.clone(),
            (None, false, _) => Outcome::Unbroken,
            (None, true, Some(breach)) => Outcome::Broken(breach),
            (None, true, None) if timeline.is_over() => Outcome::Broken(Breach::by_absence("it was never ready")),
            (None, true, None) => Outcome::Waiting(None),
        }
    }

    fn wants(&self) -> Wants {
        Wants { ready_sign: true, decides: true, looks: vec![Look::HealthCheck], ..Wants::default() }
    }
}

/// The health check of the container that a boot is of: the last that was seen before it.
fn check_of(boot: u32, timeline: &Timeline) -> Option<(usize, &Seen)> {
    let started = timeline.find(|what| *what == What::Started).find(|(_, event)| event.boot == boot)?.0;
    let looked = timeline.events()[..started].iter().enumerate().rev();
    looked.into_iter().find_map(|(place, event)| match &event.what {
        What::Looked { look: Look::HealthCheck, saw, .. } => Some((place, saw)),
        _ => None,
    })
}

/// How long after the start the engine calls it unhealthy at the earliest, if each
/// check fails at once. The first check comes an interval after the start; those
/// that begin within the start period do not count.
fn gives_up(check: &HealthCheckSeen) -> Duration {
    let interval = check.interval_ms.max(1);
    let first_that_counts = check.start_period_ms.div_ceil(interval).max(1);
    let last = first_that_counts + u64::from(check.retries.max(1)) - 1;
    Duration::from_millis(last.saturating_mul(interval))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{check, looked};
    use crate::timeline::What::{Over, Ready, Started};
    use crate::timeline::When;

    fn seen(start_period_ms: u64, interval_ms: u64, retries: u32) -> HealthCheckSeen {
        HealthCheckSeen { test: vec!["CMD".to_owned()], interval_ms, timeout_ms: 1000, start_period_ms, retries }
    }

    #[test]
    fn an_engine_gives_up_after_so_many_checks_that_count() {
        let after = |start_period, interval, retries| gives_up(&seen(start_period, interval, retries)).as_millis();
        assert_eq!(after(0, 1000, 2), 2000);
        assert_eq!(after(0, 30_000, 3), 90_000);
        // The checks at 1, 2 and 3 s begin within 3.5 s.
        assert_eq!(after(3500, 1000, 1), 4000);
        assert_eq!(after(3000, 1000, 1), 3000);
        assert_eq!(after(60_000, 5000, 3), 70_000);
    }

    #[test]
    fn a_boot_that_takes_too_long_is_told_with_the_margin() {
        let events = |took: i64| {
            let check = looked(Look::HealthCheck, Seen::HealthCheck(seen(0, 1000, 2)), When::Before);
            [(0, check), (0, Started), (took, Ready { sign: "it logs /up/".to_owned() })]
        };
        check("health = { audit = true }", &events(1500), "unbroken");
        let slow = "boot 1 takes 2.50 s, and its health check gives up after 2.00 s: 0.8 times that";
        check("health = { audit = true }", &events(2500), slow);
        let narrow = "boot 1 takes 1.50 s, and its health check gives up after 2.00 s: 1.3 times that";
        check("health = { audit = { margin = 1.5 } }", &events(1500), narrow);
        check("health = { audit = true }", &events(1500)[..2], "waiting");
        check("health = { audit = true }", &[(0, Started), (9, Over)], "it was never ready");
    }

    #[test]
    fn there_has_to_be_a_health_check() {
        let none = looked(Look::HealthCheck, Seen::HealthCheck(HealthCheckSeen::default()), When::Before);
        let events = [(0, none), (0, Started), (9, Ready { sign: "it logs /up/".to_owned() })];
        check("health = { audit = true }", &events, "there is no health check");
    }
}
