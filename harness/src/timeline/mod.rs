//! The append-only list of events of one run. Everything known about the run is in it.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

mod death;
mod event;
mod look;
mod looked;
mod narrow;
pub mod phase;

pub use death::{Death, SIGNALS, signal_name};
pub use event::{Change, Event, ServiceState, Stdio, Verb, What, When};
pub use look::{Answer, FileSeen, HealthCheckSeen, Look, Origin, ProcessSeen, Request, Seen, UsageSeen};
pub use looked::Sight;
pub use narrow::{Narrowed, Window};

/// All events of one run, in the order they were recorded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timeline {
    events: Vec<Arc<Event>>,
    /// The part of a run that it holds; `None` is all of it.
    #[serde(skip)]
    window: Option<Window>,
}

impl Timeline {
    /// Appends one event.
    pub fn push(&mut self, event: Event) {
        self.events.push(Arc::new(event));
    }

    /// Takes in the complete output, of which some lines may be known already,
    /// and puts everything into the order of boots and time. A line belongs to the boot
    /// that was the last to begin before the next death.
    pub fn complete(&mut self, lines: Vec<Event>) {
        let known: HashSet<(Timestamp, Stdio, &str)> = self.events.iter().filter_map(|event| event.line()).collect();
        let unknown = |line: &Event| line.line().is_none_or(|line| !known.contains(&line));
        let missing: Vec<Event> = lines.into_iter().filter(unknown).collect();
        self.events.extend(missing.into_iter().map(Arc::new));
        let deaths: Vec<Timestamp> =
            self.find(|what| matches!(what, What::Died { .. })).map(|(_, event)| event.at).collect();
        let boots = self.boots();
        for event in self.events.iter_mut().map(Arc::make_mut) {
            if event.line().is_some() || matches!(event.what, What::Ready { .. }) {
                let before = deaths.iter().filter(|death| **death < event.at).count();
                event.boot = boots.min(u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1));
            }
        }
        // The engine tells of a start a little after the process wrote its first line.
        self.events.sort_by_key(|event| (event.boot, event.what != What::Started, event.at));
    }

    /// All events, in order.
    #[must_use]
    pub fn events(&self) -> &[Arc<Event>] {
        &self.events
    }

    /// Events with their places, those first that `what` accepts.
    pub fn find<'a>(
        &'a self,
        what: impl Fn(&What) -> bool + 'a,
    ) -> impl DoubleEndedIterator<Item = (usize, &'a Event)> {
        self.events.iter().map(|event| &**event).enumerate().filter(move |(_, event)| what(&event.what))
    }

    /// The lines of one stream with their places; of both when it is `None`.
    pub fn lines(&self, of: Option<Stdio>) -> impl DoubleEndedIterator<Item = (usize, &str)> {
        self.events.iter().enumerate().filter_map(move |(place, event)| match &event.what {
            What::Log { stream, text, .. } if of.is_none_or(|of| of == *stream) => Some((place, text.as_str())),
            _ => None,
        })
    }

    /// The number of the last boot; 0 when there was none.
    #[must_use]
    pub fn boots(&self) -> u32 {
        let of_boots = self.events.iter().filter(|event| event.what != What::Over);
        of_boots.map(|event| event.boot).max().unwrap_or(0)
    }

    /// The numbers of the boots that began here, in order.
    pub fn begun(&self) -> impl DoubleEndedIterator<Item = u32> {
        self.find(|what| *what == What::Started).map(|(_, event)| event.boot)
    }

    /// The boots that no step asked for: those that the restart policy made, in order.
    #[must_use]
    pub fn restarts(&self) -> Vec<u32> {
        let mut asked = 0_usize;
        let mut restarts = Vec::new();
        // A timeline without steps is an old one, or a part that begins within one.
        let first_is_asked = !self.events.iter().any(|event| matches!(event.what, What::Step { .. }));
        for event in &self.events {
            match event.what {
                What::Step { verb, .. } if verb.starts() => asked = 1,
                What::Started if asked > 0 || (first_is_asked && event.boot == 1) => asked = 0,
                What::Started => restarts.push(event.boot),
                _ => {}
            }
        }
        restarts
    }

    /// The start of a boot.
    #[must_use]
    pub fn start_of(&self, boot: u32) -> Option<&Event> {
        self.find(|what| *what == What::Started).map(|(_, event)| event).find(|event| event.boot == boot)
    }

    /// The moment a step was taken.
    #[must_use]
    pub fn step(&self, wanted: u32) -> Option<(usize, &Event)> {
        self.find(move |what| matches!(what, What::Step { number, .. } if *number == wanted)).next()
    }

    /// The step that was the last before an event; 0 is before the first.
    #[must_use]
    pub fn step_of(&self, event: usize) -> u32 {
        let steps = self.events[..event].iter().rev();
        let numbers = steps.filter_map(|event| match event.what {
            What::Step { number, .. } => Some(number),
            _ => None,
        });
        numbers.max().unwrap_or(0)
    }

    /// How many steps have been taken.
    #[must_use]
    pub fn steps(&self) -> u32 {
        let numbers = self.events.iter().filter_map(|event| match event.what {
            What::Step { number, .. } => Some(number),
            _ => None,
        });
        numbers.max().unwrap_or(0)
    }

    /// The moment a fault was injected.
    #[must_use]
    pub fn fault(&self, wanted: u32) -> Option<(usize, &Event)> {
        self.find(move |what| matches!(what, What::Fault { number, .. } if *number == wanted)).next()
    }

    /// Whether a fault has been undone.
    #[must_use]
    pub fn is_undone(&self, wanted: u32) -> bool {
        self.find(move |what| matches!(what, What::Undone { number } if *number == wanted)).next().is_some()
    }

    /// The last step that ends the subject's life and came before this event.
    #[must_use]
    pub fn ending_before(&self, event: usize) -> Option<(usize, &Event)> {
        self.find(|what| matches!(what, What::Step { verb, .. } if verb.ends())).rfind(|(step, _)| *step < event)
    }

    /// Whether a step has ended the life that this death is the end of.
    #[must_use]
    pub fn is_asked_for(&self, death: usize) -> bool {
        let started = self.find(|what| *what == What::Started).rfind(|(start, _)| *start < death);
        let from = started.map_or(0, |(start, _)| start);
        self.ending_before(death).is_some_and(|(step, _)| from < step)
    }

    /// The moment a boot became ready.
    #[must_use]
    pub fn ready_in(&self, boot: u32) -> Option<(usize, &Event)> {
        self.find(|what| matches!(what, What::Ready { .. })).find(|(_, event)| event.boot == boot)
    }

    /// The end of a boot, with what led to it.
    #[must_use]
    pub fn death_of(&self, boot: u32) -> Option<Death> {
        let (event, died) =
            self.find(|what| matches!(what, What::Died { .. })).find(|(_, event)| event.boot == boot)?;
        let What::Died { code } = died.what else { return None };
        // The engine may tell of a signal or of memory a little after the death.
        let of_boot = || self.events.iter().filter(|event| event.boot == boot);
        let mut signalled = of_boot().filter_map(|event| match event.what {
            What::Signalled { signal } => Some(signal),
            _ => None,
        });
        Some(Death {
            event,
            code,
            signalled: signalled.next_back(),
            out_of_memory: of_boot().any(|event| event.what == What::OutOfMemory),
            after: self.start_of(boot).map_or(Duration::ZERO, |start| between(start.at, died.at)),
        })
    }

    /// The end of the last boot, once the engine has said that no other follows.
    #[must_use]
    pub fn final_death(&self) -> Option<Death> {
        let death = self.death_of(self.boots())?;
        let (down, again) = self.state_after(death.event);
        let is_final = match self.window {
            Some(Window::Boot(_)) => true,
            Some(Window::Step(_)) => down && !self.is_starting(),
            None => down && !again,
        };
        is_final.then_some(death)
    }

    /// Whether the engine starts nothing more after this event, and whether a step will.
    fn state_after(&self, event: usize) -> (bool, bool) {
        let state = self.events[event..].iter().rev().find_map(|event| match &event.what {
            What::State { status, again, .. } => Some((status.as_str(), *again)),
            _ => None,
        });
        state.map_or((false, false), |(status, again)| (matches!(status, "exited" | "dead" | "removing"), again))
    }

    /// Whether the last step is to start the subject, and has not yet come to that.
    #[must_use]
    pub fn is_starting(&self) -> bool {
        let Some((from, event)) = self.step(self.steps()) else { return false };
        let came = |event: &Arc<Event>| matches!(event.what, What::Started | What::Refused { .. });
        matches!(event.what, What::Step { verb, .. } if verb.starts()) && !self.events[from..].iter().any(came)
    }

    /// The last thing a boot wrote before its end: what it complained of, if it did.
    #[must_use]
    pub fn last_words(&self, boot: u32) -> Option<&Event> {
        let last = |stream| {
            let of = move |what: &What| matches!(what, What::Log { stream: s, text, .. } if *s == stream && !text.trim().is_empty());
            self.find(of).rfind(|(_, event)| event.boot == boot).map(|(_, event)| event)
        };
        last(Stdio::Stderr).or_else(|| last(Stdio::Stdout))
    }

    /// The refusal to start it, if it was refused for good.
    #[must_use]
    pub fn refusal(&self) -> Option<(usize, &str)> {
        self.events.iter().enumerate().find_map(|(place, event)| match &event.what {
            What::Refused { reason, again } if !again || self.window.is_some() => Some((place, reason.as_str())),
            _ => None,
        })
    }

    /// Whether nothing more can happen: it is dead for good, or never lived.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.refusal().is_some() || self.final_death().is_some()
    }

    /// Whether no process of it runs and its restart policy starts none; a step
    /// still may.
    #[must_use]
    pub fn is_down(&self) -> bool {
        let refused = self.find(|what| matches!(what, What::Refused { .. })).next_back();
        let started = self.find(|what| *what == What::Started).next_back();
        if refused.map(|(place, _)| place) > started.map(|(place, _)| place) {
            return true;
        }
        self.death_of(self.boots()).is_some_and(|death| self.state_after(death.event).0)
    }

    /// Whether recording has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.events.iter().any(|event| event.what == What::Over)
    }

    /// How far the engine's clock is known to have come.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.events.iter().map(|event| event.at).max()
    }

    /// The time of the first start, from which a reader counts.
    #[must_use]
    pub fn origin(&self) -> Option<Timestamp> {
        self.start_of(1).or_else(|| self.events.first().map(|event| &**event)).map(|event| event.at)
    }

    /// How long after the first start an event came; nothing before it.
    #[must_use]
    pub fn offset(&self, event: &Event) -> Duration {
        self.origin().map_or(Duration::ZERO, |origin| between(origin, event.at))
    }
}

/// The time from one moment to a later one; zero where clocks disagree.
#[must_use]
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}

/// The moment that comes `by` after `from`.
#[must_use]
pub fn later(from: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| from.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

/// A time as a reader takes it in: `0.61 s`.
#[derive(Debug, Clone, Copy)]
pub struct Seconds(pub Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(millis: i64, boot: u32, what: What) -> Event {
        Event { at: Timestamp::from_millisecond(millis).unwrap(), boot, what }
    }

    fn line(millis: i64, text: &str) -> Event {
        // A line that is read after the run does not know its boot.
        event(millis, 2, What::line(Stdio::Stdout, text))
    }

    fn two_boots() -> Timeline {
        let mut timeline = Timeline::default();
        timeline.push(event(10, 1, What::Started));
        timeline.push(line(12, "one"));
        timeline.push(event(20, 1, What::Died { code: 1 }));
        timeline.push(event(30, 2, What::Started));
        timeline
    }

    #[test]
    fn the_complete_output_adds_what_was_not_followed_and_nothing_twice() {
        let mut timeline = two_boots();
        // The first line of a boot may be older than the engine's word that it began.
        timeline.complete(vec![line(9, "zero"), line(12, "one"), line(19, "last"), line(28, "again")]);
        let seen: Vec<String> =
            timeline.events().iter().map(|event| format!("{} {}", event.boot, event.what)).collect();
        assert_eq!(
            seen,
            [
                "1 started",
                "1 stdout: zero",
                "1 stdout: one",
                "1 stdout: last",
                "1 exit 1",
                "2 started",
                "2 stdout: again"
            ]
        );
    }

    #[test]
    fn a_sign_of_readiness_belongs_to_the_boot_that_showed_it() {
        let mut timeline = two_boots();
        // Read from the first boot's last line, when the second had begun.
        timeline.push(event(18, 2, What::Ready { sign: "it logs /one/".to_owned() }));
        timeline.complete(Vec::new());
        assert!(timeline.ready_in(1).is_some());
        assert_eq!(timeline.ready_in(2), None);
    }

    #[test]
    fn a_death_is_final_only_when_the_engine_says_that_no_boot_follows() {
        let mut timeline = two_boots();
        timeline.push(event(40, 2, What::Died { code: 3 }));
        assert_eq!(timeline.final_death(), None);
        timeline.push(event(41, 2, What::State { status: "restarting".to_owned(), restarts: 1, again: false }));
        assert_eq!(timeline.final_death(), None);
        timeline.push(event(42, 2, What::State { status: "exited".to_owned(), restarts: 1, again: false }));
        assert_eq!(timeline.final_death().map(|death| (death.code, death.after)), Some((3, Duration::from_millis(10))));
    }
}
