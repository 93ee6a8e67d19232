//! How far a run has come, as a function of the timeline.

use jiff::Timestamp;

use super::Trial;
use crate::check::{self, Claim, Outcome};
use crate::scenario::step::Step;
use crate::scenario::trigger::Occasion;
use crate::timeline::{Timeline, Verb, What, Window, later};

/// How far a run, or the step that it is at, has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Something is still waited for; at this moment, if any, it is looked at again.
    Open(Option<Timestamp>),
    /// Everything is decided as far as waiting can decide it.
    Decided,
    /// A claim is broken, and nothing can mend it.
    Broken,
    /// The subject is dead, and nothing but a step starts it again.
    Dead,
}

impl Trial {
    /// How far the step has come that was taken last; with the last step the
    /// whole run.
    #[must_use]
    pub fn standing(&self, timeline: &Timeline) -> Standing {
        let boot = timeline.boots();
        let lives = boot > 0 && timeline.death_of(boot).is_none();
        let mut open = false;
        let mut next: Option<Timestamp> = None;
        for claim in self.claims.iter().filter(|claim| self.is_waited_for(claim, timeline)) {
            match claim.judge(timeline) {
                Outcome::Holds | Outcome::Unbroken => {}
                // What is broken stays so. But between two boots the next one is
                // waited for, until there are more of them than there should be:
                // only then is a death known to be part of a loop.
                Outcome::Broken(_) if lives || claim.key == check::LOOP => return Standing::Broken,
                Outcome::Broken(_) => open = true,
                Outcome::Waiting(limit) => {
                    open = true;
                    next = next.into_iter().chain(limit).min();
                }
            }
        }
        match self.act_is_open(timeline) {
            Some(limit) => {
                open = true;
                next = next.into_iter().chain(limit).min();
            }
            None if timeline.is_down() && !self.can_go_on_without(timeline) => return Standing::Dead,
            None => {}
        }
        // A subject that can say when it is ready is waited for, whatever is claimed.
        let unready = lives && self.subject_at(timeline.steps()).ready.is_some() && timeline.ready_in(boot).is_none();
        let undone = self.fault_is_open(timeline) || self.next_step(timeline).is_some_and(|step| step.when.is_some());
        if open || !lives || unready || undone { Standing::Open(next) } else { Standing::Decided }
    }

    /// The step that comes next.
    fn next_step(&self, timeline: &Timeline) -> Option<&Step> {
        self.steps.get(usize::try_from(timeline.steps()).ok()?)
    }

    /// Whether something is to be done at a moment that comes although the subject
    /// is dead: services have lives of their own.
    fn can_go_on_without(&self, timeline: &Timeline) -> bool {
        let faults = self.faults.iter().filter_map(|fault| match timeline.fault(fault.number) {
            None => Some(&fault.when),
            Some(_) => fault.until.as_ref().filter(|_| !timeline.is_undone(fault.number)),
        });
        let step = self.next_step(timeline).and_then(|step| step.when.as_ref());
        faults.chain(step).any(|trigger| matches!(trigger.on, Occasion::Service { .. }))
    }

    /// Whether a claim can hold up the run: those of the whole do so only when
    /// nothing else is to be done, unless they are broken already.
    fn is_waited_for(&self, claim: &Claim, timeline: &Timeline) -> bool {
        let taken = timeline.steps();
        match claim.scope.window {
            Some(Window::Step(step)) => step == taken,
            _ => {
                self.steps.len() <= usize::try_from(taken).unwrap_or(usize::MAX)
                    || matches!(claim.judge(timeline), Outcome::Broken(_))
            }
        }
    }

    /// Whether the last step has not yet led to what it is for; and until when that takes.
    fn act_is_open(&self, timeline: &Timeline) -> Option<Option<Timestamp>> {
        let taken = timeline.steps();
        let (from, event) = timeline.step(taken)?;
        let What::Step { verb, .. } = event.what else { return None };
        let since = |wanted: fn(&What) -> bool| timeline.events()[from..].iter().any(|event| wanted(&event.what));
        match verb {
            verb if verb.starts() => {
                (!since(|what| matches!(what, What::Started | What::Refused { .. }))).then_some(None)
            }
            Verb::Crash | Verb::Kill | Verb::Stop => {
                (!since(|what| matches!(what, What::Died { .. })) && !timeline.is_down()).then_some(None)
            }
            Verb::Soak => {
                let step = self.steps.get(usize::try_from(taken).ok()?.checked_sub(1)?)?;
                let end = later(event.at, step.lasts?.0);
                timeline.now().is_none_or(|now| now < end).then_some(Some(end))
            }
            _ => None,
        }
    }

    /// Whether a fault has yet to begin, to be seen, or to end.
    fn fault_is_open(&self, timeline: &Timeline) -> bool {
        if self.steps.len() > usize::try_from(timeline.steps()).unwrap_or(usize::MAX) {
            // A later step may be what it waits for; but what has begun is to be seen.
            return self.unbitten(timeline).next().is_some();
        }
        let begun = |number| timeline.fault(number).is_some();
        let ends = |number| timeline.is_undone(number);
        self.faults.iter().any(|fault| !begun(fault.number) || (fault.until.is_some() && !ends(fault.number)))
            || self.unbitten(timeline).next().is_some()
    }
}
