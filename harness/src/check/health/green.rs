//! When health may be green: only after something, and not while something else.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::{Breach, Expectation, Outcome, Sampled, Wants, broken_by_end};
use crate::scenario::Written;
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::trigger::{Occasion, Trigger};
use crate::scenario::value::Duration;
use crate::timeline::{Event, Look, Seen, ServiceState, Timeline, What, later};

/// What green is: the answer 200 to a probe, or without one what the engine's
/// health check says.
#[derive(Debug, Clone)]
pub struct Green(pub Option<Look>);

impl Green {
    /// A claim that it is never so under this condition.
    pub fn unless(self, NotWhile { condition, grace }: NotWhile) -> Unless {
        Unless { green: self, condition, grace }
    }

    fn words(&self) -> String {
        match &self.0 {
            Some(look) => format!("answers {look}with 200"),
            None => "is healthy".to_owned(),
        }
    }

    fn is(&self, what: &What) -> bool {
        match (&self.0, what) {
            (None, What::Health { status }) => status == "healthy",
            (Some(look), What::Looked { mark, saw: Seen::Answer(answer), .. }) => {
                *mark == look.mark() && answer.status == 200
            }
            _ => false,
        }
    }

    /// Whether an event says how its health is.
    fn is_told_by(&self, what: &What) -> bool {
        match (&self.0, what) {
            (None, What::Health { .. }) => true,
            (Some(look), What::Looked { mark, saw, .. }) => *mark == look.mark() && !matches!(saw, Seen::Failed(_)),
            _ => false,
        }
    }

    fn wants(&self) -> Wants {
        match &self.0 {
            Some(look) => Wants { looks: vec![look.clone()], sampled: Sampled::Alive, ..Wants::default() },
            None => Wants::default(),
        }
    }
}

/// It is green only once something has happened, in each boot.
#[derive(Debug)]
pub struct OnlyAfter {
    pub green: Green,
    pub trigger: Trigger,
}

impl Expectation for OnlyAfter {
    fn words(&self) -> String {
        let trigger = self.trigger.to_string();
        let moment = trigger.strip_prefix("when ").unwrap_or(&trigger);
        format!("{} only after {moment}", self.green.words())
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let greens: Vec<(usize, &Event)> = timeline.find(|what| self.green.is(what)).collect();
        let too_early = greens.iter().find(|(_, green)| self.happened(green, timeline).is_none_or(|at| green.at < at));
        if let Some((event, green)) = too_early {
            return Outcome::Broken(Breach::by(*event, format!("it was green too early: {}", green.what)));
        }
        match (greens.is_empty(), broken_by_end(timeline)) {
            (false, _) => Outcome::Unbroken,
            (true, Some(breach)) => {
                Outcome::Broken(Breach { saw: format!("it was never green: {}", breach.saw), ..breach })
            }
            (true, None) if timeline.is_over() => Outcome::Broken(Breach::by_absence("it was never green")),
            (true, None) => Outcome::Waiting(None),
        }
    }

    fn wants(&self) -> Wants {
        Wants { decides: true, moments: vec![self.trigger.clone()], ..self.green.wants() }
    }
}

impl OnlyAfter {
    /// When it has happened for a green: what becomes of a service or of time counts
    /// for every boot, what the subject does only for its own.
    fn happened(&self, green: &Event, timeline: &Timeline) -> Option<Timestamp> {
        let own = |event: &Event| event.boot == green.boot;
        let of_boot = !matches!(self.trigger.on, Occasion::Service { .. });
        let start = timeline.start_of(green.boot).map(|start| start.at);
        let at = match self.trigger.on {
            Occasion::Time => start?,
            _ => {
                let nth = usize::try_from(self.trigger.nth.saturating_sub(1)).unwrap_or(usize::MAX);
                let events = timeline.events().iter().filter(|event| !of_boot || own(event));
                events.filter(|event| self.trigger.on.is(&event.what)).nth(nth)?.at
            }
        };
        Some(self.trigger.after.map_or(at, |after| later(at, after.0)))
    }
}

/// While what it must not be green.
#[derive(Debug)]
pub struct NotWhile {
    condition: Condition,
    grace: Option<Duration>,
}

#[derive(Debug)]
enum Condition {
    /// From the beginning of this fault to its end, or to that of the boot it happened to.
    Fault(u32),
    /// Whenever this service is not ready.
    Service(String),
}

/// As it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { fault = 1, grace = \"2s\" }")]
#[schemars(inline)]
pub struct AsWritten {
    /// A fault, by its place in the file.
    fault: Option<u32>,
    /// A service, by its name.
    /// Example: `health = { not_green_while = { service = "db" } }`.
    service: Option<String>,
    /// For so long it may still be green.
    grace: Option<Duration>,
}

impl NotWhile {
    pub fn read(written: Written<'_>, place: &str, problems: &mut Problems) -> Option<Self> {
        let (key, span) = (written.key.clone(), written.span.clone());
        let AsWritten { fault, service, grace } = written.read(place, problems)?;
        let condition = match (fault, service) {
            (Some(number), None) => Condition::Fault(number),
            (None, Some(name)) => Condition::Service(name),
            (None, None) | (Some(_), Some(_)) => {
                let title = format!("`{key}` of {place} names either a `fault`, by its number, or a `service`");
                problems.add(Problem::new(Some(span), title).help("write { fault = 1, grace = \"2s\" }"));
                return None;
            }
        };
        Some(Self { condition, grace })
    }
}

/// It is not green while a condition lasts, once a grace is over.
#[derive(Debug)]
pub struct Unless {
    green: Green,
    condition: Condition,
    grace: Option<Duration>,
}

/// A time in which it must not be green.
struct Span {
    from: Timestamp,
    to: Option<Timestamp>,
    /// The only boot that it is about.
    boot: Option<u32>,
}

impl Span {
    fn holds(&self, event: &Event) -> bool {
        let ends = self.to.unwrap_or(Timestamp::MAX);
        (self.from..ends).contains(&event.at) && self.boot.is_none_or(|boot| boot == event.boot)
    }
}

impl Expectation for Unless {
    fn words(&self) -> String {
        let green = match &self.green.0 {
            Some(look) => format!("never answers {look}with 200"),
            None => "is not healthy".to_owned(),
        };
        let condition = match &self.condition {
            Condition::Fault(number) => format!("while fault {number} lasts"),
            Condition::Service(name) => format!("while the service {name} is not ready"),
        };
        let grace = self.grace.map(|grace| format!(", after a grace of {grace}")).unwrap_or_default();
        format!("{green} {condition}{grace}")
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let spans = self.spans(timeline);
        let mut seen = false;
        for span in &spans {
            if let Some(breach) = self.kept(span, timeline).or_else(|| self.told(span, timeline)) {
                return Outcome::Broken(breach);
            }
            seen |= self.is_seen(span, timeline);
        }
        let now = timeline.now();
        match seen {
            true => Outcome::Unbroken,
            false if timeline.is_over() => Outcome::Broken(Breach::by_absence("nobody could see its health meanwhile")),
            false => {
                Outcome::Waiting(spans.iter().map(|span| span.from).find(|from| now.is_none_or(|now| now < *from)))
            }
        }
    }

    fn wants(&self) -> Wants {
        let (faults, services) = match &self.condition {
            Condition::Fault(number) => (vec![*number], Vec::new()),
            Condition::Service(name) => (Vec::new(), vec![name.clone()]),
        };
        Wants { decides: true, takes: self.grace.map(|grace| grace.0), faults, services, ..self.green.wants() }
    }
}

impl Unless {
    /// The times in which it must not be green, as far as they are known.
    fn spans(&self, timeline: &Timeline) -> Vec<Span> {
        let grace = |from: Timestamp| self.grace.map_or(from, |grace| later(from, grace.0));
        match &self.condition {
            Condition::Fault(number) => {
                let Some((_, begun)) = timeline.fault(*number) else { return Vec::new() };
                let mut undone =
                    timeline.find(|what| matches!(what, What::Undone { number: undone } if undone == number));
                let to = undone.next().map(|(_, event)| event.at);
                vec![Span { from: grace(begun.at), to, boot: Some(begun.boot) }]
            }
            Condition::Service(name) => {
                let mut spans = vec![Span { from: Timestamp::MIN, to: None, boot: None }];
                for event in timeline.events() {
                    match (&event.what, spans.last_mut()) {
                        (What::Service { name: of, is: ServiceState::Ready }, Some(span))
                            if of == name && span.to.is_none() =>
                        {
                            span.to = Some(event.at);
                        }
                        (What::Service { name: of, is: ServiceState::Exited }, Some(span))
                            if of == name && span.to.is_some() =>
                        {
                            spans.push(Span { from: grace(event.at), to: None, boot: None });
                        }
                        _ => {}
                    }
                }
                spans
            }
        }
    }

    /// It was told to be green in that time.
    fn told(&self, span: &Span, timeline: &Timeline) -> Option<Breach> {
        let mut greens = timeline.find(|what| self.green.is(what));
        let (event, green) = greens.find(|(_, event)| span.holds(event))?;
        Some(Breach::by(event, format!("it was green: {}", green.what)))
    }

    /// It was green before and nothing said that it is no longer: what the engine
    /// tells stays so until it tells otherwise. A probe is asked anew each time.
    fn kept(&self, span: &Span, timeline: &Timeline) -> Option<Breach> {
        let begun = timeline.now().is_some_and(|now| span.from <= now) && span.to.is_none_or(|to| span.from < to);
        if self.green.0.is_some() || !begun {
            return None;
        }
        let turns = |what: &What| self.green.is_told_by(what) || matches!(what, What::Started | What::Died { .. });
        let (event, last) = timeline.find(turns).rfind(|(_, event)| event.at < span.from)?;
        let of_boot = span.boot.is_none_or(|boot| boot == last.boot);
        (of_boot && self.green.is(&last.what)).then(|| Breach::by(event, format!("it stayed green: {}", last.what)))
    }

    /// Whether anything is known of that time: it was asked, or was dead.
    fn is_seen(&self, span: &Span, timeline: &Timeline) -> bool {
        let lives = || timeline.begun().any(|boot| span.boot.is_none_or(|only| only == boot));
        let passed = self.green.0.is_none() && timeline.now().is_some_and(|now| span.from <= now) && lives();
        let told = |what: &What| self.green.is_told_by(what) || matches!(what, What::Died { .. });
        passed || timeline.find(told).any(|(_, event)| span.holds(event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{check, line, looked, state};
    use crate::timeline::What::{Bit, Died, Elapsed, Fault, Over, Started, Undone};
    use crate::timeline::{Answer, Origin, Request, When};

    fn health(status: &str) -> What {
        What::Health { status: status.to_owned() }
    }

    fn probe(seen: Seen) -> What {
        let (from, method, path) = (Origin::Inside, "GET".to_owned(), "/h".to_owned());
        let request = Request { from, method, path, port: 1, headers: std::collections::BTreeMap::new(), body: None };
        looked(Look::Http(request), seen, When::During)
    }

    fn answered(status: u16) -> What {
        probe(Seen::Answer(Answer { status, ..Answer::default() }))
    }

    fn service(is: ServiceState) -> What {
        What::Service { name: "db".to_owned(), is }
    }

    fn fault() -> What {
        Fault { number: 1, doing: "delete /data".to_owned() }
    }

    #[test]
    fn green_comes_only_after_what_it_waits_for() {
        let after = "health = { green_only_after = { log = \"migrated\" } }";
        check(after, &[(0, Started)], "waiting");
        check(after, &[(0, Started), (5, line("migrated")), (9, health("healthy"))], "unbroken");
        check(after, &[(0, Started), (5, health("healthy"))], "it was green too early: health healthy");
        check(after, &[(0, Started), (5, line("migrated")), (9, Over)], "it was never green");
        // What the boot before has logged is no excuse.
        let again = [
            (0, Started),
            (5, line("migrated")),
            (6, Died { code: 1 }),
            (6, state("restarting", 0)),
            (7, Started),
            (9, health("healthy")),
        ];
        check(after, &again, "it was green too early: health healthy");
    }

    #[test]
    fn green_can_be_the_answer_to_a_probe() {
        let after = "health = { green_only_after = { service = \"db\" }, probe = { http = \"/h\", port = 1 } }";
        let ready = service(ServiceState::Ready);
        check(after, &[(0, Started), (5, answered(503)), (7, ready.clone()), (9, answered(200))], "unbroken");
        check(after, &[(0, Started), (5, answered(200)), (7, ready)], "it was green too early: GET /h 200");
    }

    #[test]
    fn green_while_a_fault_lasts_is_a_lie() {
        let unless =
            "health = { not_green_while = { fault = 1, grace = \"1s\" }, probe = { http = \"/h\", port = 1 } }";
        let up = [(0, Started), (5, answered(200)), (100, fault()), (110, Bit { number: 1, proof: "gone".to_owned() })];
        let then = |more: &[(i64, What)]| [&up[..], more].concat();
        check(unless, &up, "waiting");
        check(unless, &then(&[(900, answered(200))]), "waiting");
        check(unless, &then(&[(1200, answered(200))]), "it was green: GET /h 200");
        check(unless, &then(&[(1200, answered(503)), (1300, Undone { number: 1 }), (1400, answered(200))]), "unbroken");
        // A boot that heals itself may be green again.
        let heals =
            then(&[(1200, Died { code: 1 }), (1200, state("restarting", 0)), (1300, Started), (1400, answered(200))]);
        check(unless, &heals, "unbroken");
        check(unless, &then(&[(900, Over)]), "nobody could see its health meanwhile");
    }

    #[test]
    fn what_the_engine_has_called_healthy_stays_so() {
        let unless = "health = { not_green_while = { fault = 1, grace = \"1s\" } }";
        let up = [(0, Started), (5, health("healthy")), (100, fault())];
        let time = || Elapsed { limit: "time".to_owned() };
        check(unless, &up, "waiting");
        check(unless, &[&up[..], &[(1100, time())]].concat(), "it stayed green: health healthy");
        check(unless, &[&up[..], &[(900, health("unhealthy")), (1100, time())]].concat(), "unbroken");
    }

    #[test]
    fn green_without_a_service_is_a_lie() {
        let unless = "health = { not_green_while = { service = \"db\" } }";
        let ready = [(0, service(ServiceState::Ready)), (5, Started), (9, health("healthy"))];
        check(unless, &ready, "unbroken");
        let exits = [&ready[..], &[(10, service(ServiceState::Exited)), (11, line("still here"))]].concat();
        check(unless, &exits, "it stayed green: health healthy");
        check(unless, &[(5, Started), (9, health("healthy"))], "it was green: health healthy");
    }
}
