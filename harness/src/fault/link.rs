//! `link`: what a link does to the connections through it is changed.

use agent::{Answer, Command, Condition as Wire, Counters};
use schemars::JsonSchema;

use super::{Act, Action, Answered, Ground, Kind, Target, boxed};
use crate::scenario::link::Condition;

pub const KIND: Kind = Kind {
    key: "link",
    summary: "changes what the link to a service does to the connections through it",
    example: "link = { latency = \"200ms\" }",
    schema: Condition::json_schema,
    read: |written, problems| written.read("[[fault]]", problems).map(|condition| boxed(Link(condition))),
};

/// What a link does from some moment on.
#[derive(Debug)]
pub struct Link(pub Condition);

/// A condition in the agent's words.
#[must_use]
pub fn condition(written: &Condition) -> Wire {
    let millis = |duration: Option<crate::scenario::value::Duration>| {
        duration.map_or(0, |duration| u64::try_from(duration.0.as_millis()).unwrap_or(u64::MAX))
    };
    let count = |count: crate::scenario::value::Count| u64::try_from(i64::from(count)).unwrap_or_default();
    Wire {
        refuse: written.refuse,
        silent: written.silent,
        black_hole: written.black_hole,
        latency_ms: millis(written.latency),
        jitter_ms: millis(written.jitter),
        bytes_per_second: written.bandwidth.map(|size| size.0),
        cut_after: written.cut_after.map(count),
        reset_after: written.reset_after.map(count),
        reset: written.reset,
        close: written.close,
    }
}

impl Link {
    fn set(ground: &Ground, condition: Wire) -> Vec<Act> {
        let name = ground.service.clone().unwrap_or_default();
        vec![Act::Agent(Command::SetLink { name, condition })]
    }

    /// What each part of the condition makes grow.
    fn effects<'a>(&'a self, before: &'a Counters, now: &'a Counters) -> Vec<(&'static str, u64)> {
        let Condition { refuse, silent, black_hole, latency, jitter, bandwidth, cut_after, reset_after, reset, close } =
            &self.0;
        let grown = |count: fn(&Counters) -> u64| count(now).saturating_sub(count(before));
        [
            (*refuse, "connections refused", grown(|counters| counters.refused)),
            (*silent, "connections silenced", grown(|counters| counters.silenced)),
            (
                *black_hole,
                "attempts and connections unanswered",
                grown(|counters| counters.unanswered + counters.silenced),
            ),
            (latency.is_some() || jitter.is_some(), "chunks delayed", grown(|counters| counters.delayed_chunks)),
            (bandwidth.is_some(), "milliseconds of waiting for bandwidth", grown(|counters| counters.throttled_ms)),
            (cut_after.is_some() || reset_after.is_some(), "connections cut", grown(|counters| counters.cut)),
            (*reset, "connections reset", grown(|counters| counters.reset)),
            (*close, "connections closed", grown(|counters| counters.closed)),
        ]
        .into_iter()
        .filter(|(said, ..)| *said)
        .map(|(_, what, grown)| (what, grown))
        .collect()
    }
}

impl Action for Link {
    fn words(&self) -> String {
        format!("the link {}", self.0)
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        Self::set(ground, condition(&self.0))
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        let name = ground.service.clone().unwrap_or_default();
        vec![Act::Agent(Command::LinkCounters { name })]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let (Some(Answered::Agent(Answer::Counters(before))), Some(Answered::Agent(Answer::Counters(now)))) =
            (before.first(), now.first())
        else {
            return Err("the link was not asked".to_owned());
        };
        let effects = self.effects(before, now);
        let words = |effects: &[(&str, u64)]| {
            effects.iter().map(|(what, grown)| format!("{grown} {what}")).collect::<Vec<_>>().join(", ")
        };
        match effects.iter().find(|(_, grown)| *grown == 0) {
            Some((what, _)) => Err(format!("no {what}, of {} connections", now.accepted)),
            None if effects.is_empty() => Err("a link that passes everything is no fault".to_owned()),
            None => Ok(words(&effects)),
        }
    }

    fn undo(&self, ground: &Ground, _: &[Answered]) -> Option<Vec<Act>> {
        Some(Self::set(ground, Wire::default()))
    }

    fn is_undoable(&self) -> bool {
        true
    }

    fn target(&self) -> Target {
        Target::Link
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    fn counters(counters: Counters) -> [Answered; 1] {
        [Answered::Agent(Answer::Counters(counters))]
    }

    #[test]
    fn a_link_took_effect_when_its_counter_grew() {
        let slow = "service = \"db\"\nlink = { latency = \"200ms\" }";
        let before = counters(Counters { delayed_chunks: 3, ..Counters::default() });
        let now = counters(Counters { delayed_chunks: 5, accepted: 1, ..Counters::default() });
        check(slow, &before, &now, Ok("2 chunks delayed"));
        check(slow, &before, &before, Err("no chunks delayed, of 0 connections"));
    }

    #[test]
    fn every_part_of_a_condition_has_to_take_effect() {
        let both = "service = \"db\"\nlink = { latency = \"1ms\", cut_after = 9 }";
        let now = counters(Counters { delayed_chunks: 5, accepted: 1, ..Counters::default() });
        check(both, &counters(Counters::default()), &now, Err("no connections cut, of 1 connections"));
    }
}
