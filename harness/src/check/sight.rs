//! What is claimed of something that is looked at: at the end, within a time, or
//! all the time. Kinds say what they look at and what would be wrong with it.

use std::fmt;

use jiff::Timestamp;

use super::{Breach, Expectation, Outcome, Reading, Sampled, Wants, broken_by_end};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::scenario::value::Duration;
use crate::timeline::{Look, Seen, Sight, Timeline, later};

/// A claim about what is seen at one look.
pub trait Claimed: fmt::Debug + Send + Sync {
    /// The claim, as the rest of a sentence about the subject.
    fn words(&self) -> String;

    /// What is looked at.
    fn look(&self) -> Look;

    /// What is wrong with what was seen, if something is; with what was seen
    /// there before it all began, if somebody looked.
    fn wrong(&self, saw: &Seen, before: Option<&Seen>) -> Option<Wrong>;
}

/// What is wrong with what was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrong {
    /// What was seen instead, as a sentence without a full stop.
    pub saw: String,
    /// More lines that show it.
    pub detail: Vec<String>,
}

impl From<String> for Wrong {
    fn from(saw: String) -> Self {
        Self { saw, detail: Vec::new() }
    }
}

impl From<&str> for Wrong {
    fn from(saw: &str) -> Self {
        saw.to_owned().into()
    }
}

/// What is wrong where something else was seen than could be judged.
pub fn unseen(saw: &Seen) -> Wrong {
    match saw {
        Seen::Failed(words) => format!("it could not be seen: {words}").into(),
        other => format!("it could not be seen: {other}").into(),
    }
}

/// When a claim has to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Held {
    /// At the end of its window.
    AtTheEnd,
    /// At least once within this time: from the step on, or from when it is ready.
    Within(Duration),
    /// At every look while it is ready.
    Throughout,
}

impl Held {
    /// As the file says it; `within` and all the time exclude each other.
    pub fn read(within: Option<Duration>, written: &Written<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        match (within, reading.throughout) {
            (None, false) => Some(Self::AtTheEnd),
            (None, true) => Some(Self::Throughout),
            (Some(within), false) => Some(Self::Within(within)),
            (Some(_), true) => {
                let title =
                    format!("`{}` in [expect.throughout] has to hold from the start, not `within` a time", written.key);
                reading.problems.add(Problem::new(Some(written.span.clone()), title));
                None
            }
        }
    }
}

/// A claim about a look, and when it has to hold.
#[derive(Debug)]
pub struct Looked<C> {
    /// What is claimed.
    pub claimed: C,
    /// When.
    pub held: Held,
}

impl<C: Claimed> Expectation for Looked<C> {
    fn words(&self) -> String {
        let words = self.claimed.words();
        match self.held {
            Held::AtTheEnd | Held::Throughout => words,
            Held::Within(within) => format!("{words}, within {within}"),
        }
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        match self.held {
            Held::AtTheEnd => self.at_the_end(timeline),
            Held::Within(within) => self.within(within, timeline),
            Held::Throughout => self.throughout(timeline),
        }
    }

    fn wants(&self) -> Wants {
        let looks = vec![self.claimed.look()];
        match self.held {
            Held::AtTheEnd => Wants { looks, ..Wants::default() },
            Held::Within(within) => Wants {
                looks,
                sampled: Sampled::Ready,
                ready_sign: true,
                decides: true,
                takes: Some(within.0),
                ..Wants::default()
            },
            Held::Throughout => Wants { looks, sampled: Sampled::Ready, ready_sign: true, ..Wants::default() },
        }
    }
}

impl<C: Claimed> Looked<C> {
    fn at_the_end(&self, timeline: &Timeline) -> Outcome {
        match timeline.seen_after(&self.claimed.look()) {
            Some(sight) => self.broken_by(&sight, timeline).map_or(Outcome::Holds, Outcome::Broken),
            None if timeline.is_over() => Outcome::Broken(never_seen(timeline)),
            None => Outcome::Unbroken,
        }
    }

    fn throughout(&self, timeline: &Timeline) -> Outcome {
        let look = self.claimed.look();
        let sights = seen(&look, timeline);
        match sights.iter().find_map(|sight| self.broken_by(sight, timeline)) {
            Some(breach) => Outcome::Broken(breach),
            None if sights.is_empty() && timeline.is_over() => Outcome::Broken(never_seen(timeline)),
            None => Outcome::Unbroken,
        }
    }

    fn within(&self, within: Duration, timeline: &Timeline) -> Outcome {
        let Some(from) = timeline.step_or_ready() else {
            return match broken_by_end(timeline) {
                Some(breach) => Outcome::Broken(breach),
                None if timeline.is_over() => Outcome::Broken(never_seen(timeline)),
                None => Outcome::Waiting(None),
            };
        };
        let deadline = later(from, within.0);
        let look = self.claimed.look();
        let sights = seen(&look, timeline);
        let breaches =
            sights.iter().filter(|sight| sight.event.at < deadline).map(|sight| self.broken_by(sight, timeline));
        let breaches: Vec<Option<Breach>> = breaches.collect();
        if breaches.iter().any(Option::is_none) {
            return Outcome::Holds;
        }
        let is_late = |now: Timestamp| now >= deadline;
        if timeline.now().is_some_and(is_late) || timeline.is_over() || timeline.is_dead() {
            let last = breaches.into_iter().next_back().flatten();
            return Outcome::Broken(last.unwrap_or_else(|| never_seen(timeline)));
        }
        Outcome::Waiting(Some(deadline))
    }

    fn broken_by(&self, sight: &Sight<'_>, timeline: &Timeline) -> Option<Breach> {
        let before = timeline.seen_before(&self.claimed.look()).map(|before| before.saw);
        let wrong = match sight.saw {
            saw @ Seen::Failed(_) => Some(unseen(saw)),
            saw => self.claimed.wrong(saw, before),
        };
        wrong.map(|Wrong { saw, detail }| Breach { saw, decided_by: Some(sight.place), detail })
    }
}

/// What was seen while it was ready. Where nothing could be looked at, as while a
/// process ends, nothing was seen.
fn seen<'a>(look: &Look, timeline: &'a Timeline) -> Vec<Sight<'a>> {
    let mut sights = timeline.seen_while_ready(look);
    sights.retain(|sight| !matches!(sight.saw, Seen::Failed(_)));
    sights
}

fn never_seen(timeline: &Timeline) -> Breach {
    let saw = "it was never there to be looked at";
    match broken_by_end(timeline) {
        // The absence of any look decides, however it came to that.
        Some(breach) => Breach::by_absence(format!("{saw}: {}", breach.saw)),
        None => Breach::by_absence(saw),
    }
}
