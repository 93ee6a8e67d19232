//! When a trigger fires, as a function of the timeline.

use jiff::Timestamp;

use crate::scenario::trigger::{Occasion, Trigger};
use crate::timeline::{Timeline, later};

/// The moment from which a trigger is due, if that is known already. Events
/// count from the place `from` on; time alone is counted from `origin`.
#[must_use]
pub fn fired(trigger: &Trigger, timeline: &Timeline, from: usize, origin: Option<Timestamp>) -> Option<Timestamp> {
    let at = match trigger.on {
        Occasion::Time => origin?,
        Occasion::Beginning => return Some(Timestamp::MIN),
        _ => {
            let events = timeline.events().iter().skip(from);
            let nth = usize::try_from(trigger.nth.saturating_sub(1)).unwrap_or(usize::MAX);
            events.filter(|event| trigger.on.is(&event.what)).nth(nth)?.at
        }
    };
    Some(trigger.after.map_or(at, |after| later(at, after.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::value::Duration;
    use crate::timeline::{Event, Stdio, What};

    fn timeline(events: &[(i64, What)]) -> Timeline {
        let mut timeline = Timeline::default();
        for (millis, what) in events {
            timeline.push(Event { at: Timestamp::from_millisecond(*millis).unwrap(), boot: 1, what: what.clone() });
        }
        timeline
    }

    fn check(trigger: &Trigger, from: usize, expected: Option<i64>) {
        let log = |text: &str| What::line(Stdio::Stdout, text);
        let timeline = timeline(&[
            (0, What::Started),
            (5, log("up")),
            (7, log("{\"event\":\"phase_begun\",\"phase\":\"migrate\"}")),
            (9, log("up again")),
        ]);
        let origin = Some(Timestamp::from_millisecond(100).unwrap());
        assert_eq!(fired(trigger, &timeline, from, origin).map(Timestamp::as_millisecond), expected, "{trigger}");
    }

    #[test]
    fn a_trigger_fires_at_the_nth_event_that_it_waits_for() {
        let log = |nth| Trigger { nth, ..Trigger::first(Occasion::Log("up".parse().unwrap())) };
        check(&log(1), 0, Some(5));
        check(&log(2), 0, Some(9));
        check(&log(1), 2, Some(9));
        check(&log(3), 0, None);
        check(&Trigger::first(Occasion::Started), 0, Some(0));
        check(&Trigger::first(Occasion::Ready), 0, None);
    }

    #[test]
    fn a_phase_is_read_from_the_contracts_lines() {
        let phase = |name: &str, ended| Trigger::first(Occasion::Phase { name: name.to_owned(), ended });
        check(&phase("migrate", false), 0, Some(7));
        check(&phase("migrate", true), 0, None);
        check(&phase("backup", false), 0, None);
    }

    #[test]
    fn time_is_added_to_what_is_waited_for_and_counted_from_the_origin_where_nothing_is() {
        let after = Some(Duration(std::time::Duration::from_millis(20)));
        check(&Trigger { after, ..Trigger::first(Occasion::Started) }, 0, Some(20));
        check(&Trigger { after, ..Trigger::first(Occasion::Time) }, 0, Some(120));
    }
}
