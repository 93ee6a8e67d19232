//! What is to be done next, as a function of the timeline: which fault begins or
//! ends, and which step is taken.

use jiff::Timestamp;

use super::moment::fired;
use super::{Standing, Trial};
use crate::scenario::trigger::Occasion;
use crate::timeline::phase;
use crate::timeline::{ServiceState, Timeline, What};

/// Something that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// This fault begins.
    Fault(u32),
    /// This fault ends.
    End(u32),
    /// This step is taken.
    Step(u32),
    /// This service is started, by its place among the services.
    Service(usize),
}

/// How the agenda stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// This is to be done now.
    Now(Due),
    /// Something is to be done at this moment.
    At(Timestamp),
    /// Nothing is to be done before something happens.
    Nothing,
}

impl Trial {
    /// What is to be done next. Faults come before steps: a step may end the
    /// life that they need.
    #[must_use]
    pub fn next(&self, timeline: &Timeline, now: Timestamp) -> Next {
        let faults = self.faults.iter().filter_map(|fault| {
            let due = self.fault_due(fault, timeline)?;
            Some((due.0, due.1))
        });
        let services = (0..).zip(&self.services).filter_map(|(place, (name, service))| {
            let when = service.when.as_ref().filter(|_| !has_begun(name, timeline))?;
            fired(when, timeline, 0, first_start(timeline)).map(|at| (at, Due::Service(place)))
        });
        let all: Vec<(Timestamp, Due)> = services.chain(faults).chain(self.step_due(timeline)).collect();
        match all.iter().min_by_key(|(at, _)| (*at).max(now)) {
            Some((at, due)) if *at <= now => Next::Now(*due),
            Some((at, _)) => Next::At(*at),
            None => Next::Nothing,
        }
    }

    /// When a fault begins, or ends if it has begun.
    fn fault_due(&self, fault: &crate::fault::Fault, timeline: &Timeline) -> Option<(Timestamp, Due)> {
        let number = fault.number;
        let Some((begun, event)) = timeline.fault(number) else {
            return fired(&fault.when, timeline, 0, first_start(timeline)).map(|at| (at, Due::Fault(number)));
        };
        let until = fault.until.as_ref().filter(|_| !timeline.is_undone(number))?;
        fired(until, timeline, begun + 1, Some(event.at)).map(|at| (at, Due::End(number)))
    }

    /// When the next step is taken.
    fn step_due(&self, timeline: &Timeline) -> Option<(Timestamp, Due)> {
        let taken = timeline.steps();
        let next = self.steps.get(usize::try_from(taken).ok()?)?;
        let due = Due::Step(taken + 1);
        let Some((from, event)) = timeline.step(taken) else { return Some((Timestamp::MIN, due)) };
        match &next.when {
            Some(when) => fired(when, timeline, from + 1, Some(event.at)).map(|at| (at, due)),
            None => {
                matches!(self.standing(timeline), Standing::Decided | Standing::Dead).then_some((Timestamp::MIN, due))
            }
        }
    }

    /// The faults and steps whose moment never came, in words; what is still
    /// open when a run is over.
    #[must_use]
    pub fn unfired(&self, timeline: &Timeline) -> Vec<String> {
        let faults = self.faults.iter().filter(|fault| timeline.fault(fault.number).is_none());
        let faults = faults.map(|fault| format!("fault {} ({}), due {}", fault.number, fault.words(), fault.when));
        let taken = usize::try_from(timeline.steps()).unwrap_or(usize::MAX);
        let steps = self.steps.iter().enumerate().skip(taken);
        let steps = steps.map(|(place, step)| match &step.when {
            Some(when) => format!("step {} ({}), due {when}", place + 1, step.verb),
            None => format!("step {} ({})", place + 1, step.verb),
        });
        let services = self.services.iter().filter(|(name, _)| !has_begun(name, timeline));
        let services = services.filter_map(|(name, service)| {
            Some(format!("the start of the service {name}, due {}", service.when.as_ref()?))
        });
        services.chain(faults).chain(steps).collect()
    }

    /// Where a phase is waited for: that the subject tells of none, if that is why it did not come.
    #[must_use]
    pub fn why_no_phase(&self, timeline: &Timeline) -> &'static str {
        let waits = self.faults.iter().flat_map(|fault| std::iter::once(&fault.when).chain(&fault.until));
        let mut waits = waits.chain(self.steps.iter().filter_map(|step| step.when.as_ref()));
        let for_phase = waits.any(|trigger| matches!(trigger.on, Occasion::Phase { .. }));
        let speaks = timeline.lines(None).any(|(_, line)| phase::read(line).is_some());
        match for_phase && !speaks {
            true => "; the subject tells of no phase: its PID 1 does not speak the entrypoint's contract",
            false => "",
        }
    }

    /// The faults that were injected and of which no effect was seen.
    pub fn unbitten<'a>(&'a self, timeline: &'a Timeline) -> impl Iterator<Item = &'a crate::fault::Fault> {
        let begun = self.faults.iter().map(|fault| &**fault).filter(|fault| timeline.fault(fault.number).is_some());
        begun.filter(|fault| {
            !timeline.find(|what| matches!(what, What::Bit { number, .. } if *number == fault.number)).any(|_| true)
        })
    }
}

fn has_begun(service: &str, timeline: &Timeline) -> bool {
    let begun = |what: &What| matches!(what, What::Service { name, is: ServiceState::Started } if name == service);
    timeline.find(begun).next().is_some()
}

/// The first start of the subject, from which time is counted.
fn first_start(timeline: &Timeline) -> Option<Timestamp> {
    timeline.begun().next().and_then(|boot| timeline.start_of(boot)).map(|start| start.at)
}
