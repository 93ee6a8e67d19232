//! A part of a timeline, over which a claim about one boot or one step is judged.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Event, Look, Timeline, What};

/// A part of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// One life of the subject's process.
    Boot(u32),
    /// From one step up to the next.
    Step(u32),
}

/// A part of a timeline, with the place that each of its events has in the whole.
#[derive(Debug)]
pub struct Narrowed {
    /// The part.
    pub timeline: Timeline,
    /// For each event its place in the whole.
    pub places: Vec<usize>,
}

impl Timeline {
    /// The part that belongs to a window; `None` as long as it has not begun.
    /// The end of recording belongs to every part.
    #[must_use]
    pub fn narrowed(&self, window: Window) -> Option<Narrowed> {
        // Of what carries the same time as a step, the order decides.
        let moment = |(place, event): (usize, &Event)| (event.at, place);
        let (beginning, end) = ((Timestamp::MIN, 0), (Timestamp::MAX, usize::MAX));
        let span = match window {
            Window::Boot(boot) => self.start_of(boot).map(|_| beginning..end)?,
            Window::Step(step) => moment(self.step(step)?)..self.step(step + 1).map_or(end, moment),
        };
        // What was refused is no boot, whatever came before it.
        let of_boot = |event: &Event| match window {
            Window::Boot(boot) => event.boot == boot && !matches!(event.what, What::Refused { .. }),
            Window::Step(_) => true,
        };
        let within = |place: usize, event: &Event| span.contains(&(event.at, place)) && of_boot(event);
        // What a container says of itself holds for each of its boots.
        let of_all = |event: &Event| matches!(event.what, What::Over | What::Looked { look: Look::HealthCheck, .. });
        let belongs = |(place, event): &(usize, &Arc<Event>)| of_all(event) || within(*place, event);
        let (places, events) =
            self.events.iter().enumerate().filter(belongs).map(|(place, event)| (place, Arc::clone(event))).unzip();
        Some(Narrowed { timeline: Self { events, window: Some(window) }, places })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Stdio, Verb};
    use super::*;

    fn timeline() -> Timeline {
        let line = |text: &str| What::line(Stdio::Stdout, text);
        let step = |number, verb| What::Step { number, verb };
        let mut timeline = Timeline::default();
        for (millis, boot, what) in [
            (0, 0, step(1, Verb::Start)),
            (1, 1, What::Started),
            (2, 1, line("one")),
            (5, 1, step(2, Verb::Restart)),
            (6, 1, What::Died { code: 0 }),
            (7, 2, What::Started),
            (8, 2, line("two")),
            (9, 2, What::Over),
        ] {
            timeline.push(Event { at: Timestamp::from_millisecond(millis).unwrap(), boot, what });
        }
        timeline
    }

    fn check(window: Window, places: &[usize]) {
        assert_eq!(timeline().narrowed(window).map(|part| part.places).unwrap_or_default(), places, "{window:?}");
    }

    #[test]
    fn a_window_holds_what_belongs_to_its_boot_or_its_step() {
        check(Window::Boot(1), &[1, 2, 3, 4, 7]);
        check(Window::Boot(2), &[5, 6, 7]);
        check(Window::Boot(3), &[]);
        check(Window::Step(1), &[0, 1, 2, 7]);
        check(Window::Step(2), &[3, 4, 5, 6, 7]);
        check(Window::Step(3), &[]);
    }

    #[test]
    fn the_death_of_a_boot_is_the_last_of_its_window() {
        let whole = timeline();
        assert_eq!(whole.final_death(), None);
        let first = whole.narrowed(Window::Boot(1)).unwrap().timeline;
        assert_eq!(first.final_death().map(|death| death.code), Some(0));
    }

    #[test]
    fn a_death_is_the_last_of_its_step_unless_that_step_starts_another_boot() {
        let state = What::State { status: "exited".to_owned(), restarts: 0, again: true };
        let check = |verb, started: bool, expected: Option<i32>| {
            let mut timeline = Timeline::default();
            let started = started.then_some((8, 2, What::Started));
            let events = [
                (0, 0, What::Step { number: 1, verb: Verb::Start }),
                (1, 1, What::Started),
                (5, 1, What::Step { number: 2, verb }),
                (6, 1, What::Died { code: 7 }),
                (7, 1, state.clone()),
            ];
            for (millis, boot, what) in events.into_iter().chain(started) {
                timeline.push(Event { at: Timestamp::from_millisecond(millis).unwrap(), boot, what });
            }
            assert_eq!(timeline.final_death(), None, "a step is to start it again");
            let part = timeline.narrowed(Window::Step(2)).unwrap().timeline;
            assert_eq!(part.final_death().map(|death| death.code), expected, "{verb}");
        };
        check(Verb::Stop, false, Some(7));
        check(Verb::Restart, false, None);
        check(Verb::Restart, true, None);
    }

    #[test]
    fn what_a_step_is_refused_is_the_end_of_that_step_alone() {
        let mut timeline = timeline();
        let refused = What::Refused { reason: "no such file".to_owned(), again: true };
        timeline.push(Event { at: Timestamp::from_millisecond(8).unwrap(), boot: 2, what: refused });
        assert_eq!(timeline.refusal(), None);
        assert!(timeline.narrowed(Window::Step(2)).unwrap().timeline.refusal().is_some());
        assert!(timeline.narrowed(Window::Boot(2)).unwrap().timeline.refusal().is_none());
    }

    #[test]
    fn a_boot_that_a_step_asked_for_is_no_restart() {
        assert_eq!(timeline().restarts(), Vec::<u32>::new());
    }
}
