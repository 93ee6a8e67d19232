//! The words of a health check, in the order in which they came.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::DeValue;

use crate::check::{Breach, Expectation, Outcome, Sampled, Wants, broken_by_end};
use crate::scenario::Written;
use crate::scenario::problem::Problems;
use crate::timeline::{Look, Seen, Timeline, What};

/// What can be said of a subject's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Word {
    /// Its health check succeeds.
    Healthy,
    /// Its health check has failed too often.
    Unhealthy,
    /// It is up, and a probe is not answered.
    Silent,
}

impl Word {
    /// One word or several.
    pub fn read_several(written: Written<'_>, place: &str, problems: &mut Problems) -> Option<Vec<Self>> {
        match written.value.get_ref() {
            DeValue::Array(_) => written.read(place, problems),
            _ => written.read(place, problems).map(|word| vec![word]),
        }
    }

    fn is(self, what: &What) -> bool {
        matches!((self, what), (Self::Healthy, What::Health { status }) if status == "healthy")
            || matches!((self, what), (Self::Unhealthy, What::Health { status }) if status == "unhealthy")
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Silent => "up but silent",
        })
    }
}

/// Whether the health check has spoken.
fn is_health(what: &What) -> bool {
    matches!(what, What::Health { .. })
}

/// The first word of its health check in each boot.
#[derive(Debug)]
pub struct First(pub Word);

impl Expectation for First {
    fn words(&self) -> String {
        match self.0 {
            Word::Healthy => "is never unhealthy before it is healthy".to_owned(),
            word => format!("is {word} before anything else"),
        }
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let first_of = |boot: u32| timeline.find(is_health).find(|(_, event)| event.boot == boot);
        let firsts: Vec<_> = timeline.begun().filter_map(first_of).collect();
        if let Some((event, health)) = firsts.iter().find(|(_, event)| !self.0.is(&event.what)) {
            return Outcome::Broken(Breach::by(
                *event,
                format!("the first word of its health check was: {}", health.what),
            ));
        }
        match (firsts.is_empty(), broken_by_end(timeline)) {
            (false, _) => Outcome::Unbroken,
            (true, Some(breach)) => Outcome::Broken(breach),
            (true, None) if timeline.is_over() => Outcome::Broken(silent()),
            (true, None) => Outcome::Waiting(None),
        }
    }

    fn wants(&self) -> Wants {
        Wants { decides: true, ..Wants::default() }
    }
}

/// What its health is when the run is over.
#[derive(Debug)]
pub struct Last {
    pub word: Word,
    pub probe: Option<Look>,
}

impl Expectation for Last {
    fn words(&self) -> String {
        format!("is {} in the end", self.word)
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        if let Some(look) = self.probe.as_ref().filter(|_| self.word == Word::Silent) {
            return self.silence(look, timeline);
        }
        let end = broken_by_end(timeline);
        let asked = end.as_ref().and_then(|end| end.decided_by).is_some_and(|death| timeline.is_asked_for(death));
        match (timeline.find(is_health).next_back(), end) {
            (_, Some(end)) if !asked => Outcome::Broken(end),
            (Some((_, health)), _) if self.word.is(&health.what) => Outcome::Unbroken,
            (Some((event, health)), _) if timeline.is_over() => {
                Outcome::Broken(Breach::by(event, format!("the last word of its health check was: {}", health.what)))
            }
            (None, _) if timeline.is_over() => Outcome::Broken(silent()),
            _ => Outcome::Waiting(None),
        }
    }

    fn wants(&self) -> Wants {
        let silent = self.word == Word::Silent;
        let looks = self.probe.iter().filter(|_| silent).cloned().collect();
        Wants { looks, decides: !silent, ..Wants::default() }
    }
}

impl Last {
    fn silence(&self, look: &Look, timeline: &Timeline) -> Outcome {
        match timeline.seen_after(look) {
            Some(sight) => match sight.saw {
                Seen::Refused | Seen::Unanswered(_) => Outcome::Holds,
                saw => Outcome::Broken(Breach::by(sight.place, format!("it was not silent: {saw}"))),
            },
            None if timeline.is_over() => Outcome::Broken(Breach::by_absence("it was never asked")),
            None => Outcome::Unbroken,
        }
    }
}

/// A word that never comes.
#[derive(Debug)]
pub struct Never {
    pub word: Word,
    pub probe: Option<Look>,
}

impl Expectation for Never {
    fn words(&self) -> String {
        format!("is never {}", self.word)
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        if let Some(look) = self.probe.as_ref().filter(|_| self.word == Word::Silent) {
            return never_silent(look, timeline);
        }
        match timeline.find(|what| self.word.is(what)).next() {
            Some((event, _)) => Outcome::Broken(Breach::by(event, format!("it became {}", self.word))),
            None => Outcome::Unbroken,
        }
    }

    fn wants(&self) -> Wants {
        match (self.word, &self.probe) {
            (Word::Silent, Some(look)) => {
                Wants { looks: vec![look.clone()], sampled: Sampled::Ready, ready_sign: true, ..Wants::default() }
            }
            _ => Wants::default(),
        }
    }
}

/// Once it is ready, whatever it answers, it answers.
fn never_silent(look: &Look, timeline: &Timeline) -> Outcome {
    let sights = timeline.seen_while_ready(look);
    let silent = sights.iter().find(|sight| matches!(sight.saw, Seen::Refused | Seen::Unanswered(_)));
    match silent {
        Some(sight) => {
            Outcome::Broken(Breach::by(sight.place, format!("it was up and did not answer: {}", sight.event.what)))
        }
        None if sights.is_empty() && timeline.is_over() => Outcome::Broken(Breach::by_absence("it was never asked")),
        None => Outcome::Unbroken,
    }
}

fn silent() -> Breach {
    Breach::by_absence("its health check said nothing")
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{check, looked, state, step};
    use crate::timeline::What::{self, Died, Over, Ready, Started};
    use crate::timeline::{Look, Origin, Request, Seen, Verb, When};

    fn health(status: &str) -> What {
        What::Health { status: status.to_owned() }
    }

    #[test]
    fn the_first_word_of_each_boot_counts() {
        let first = "health = { first = \"healthy\" }";
        check(first, &[(0, Started)], "waiting");
        check(first, &[(0, Started), (5, health("healthy")), (9, health("unhealthy"))], "unbroken");
        let early = "the first word of its health check was: health unhealthy";
        check(first, &[(0, Started), (5, health("unhealthy")), (9, health("healthy"))], early);
        let again = [
            (0, Started),
            (5, health("healthy")),
            (6, Died { code: 1 }),
            (6, state("restarting", 0)),
            (7, Started),
            (9, health("unhealthy")),
        ];
        check(first, &again, early);
        check(first, &[(0, Started), (9, Over)], "its health check said nothing");
    }

    #[test]
    fn the_last_word_counts_unless_it_is_dead() {
        let last = "health = \"healthy\"";
        check(last, &[(0, Started), (5, health("unhealthy"))], "waiting");
        check(last, &[(0, Started), (5, health("unhealthy")), (9, health("healthy"))], "unbroken");
        let turned = [(0, Started), (5, health("healthy")), (9, health("unhealthy")), (10, Over)];
        check(last, &turned, "the last word of its health check was: health unhealthy");
        let dead = [(0, Started), (5, health("healthy")), (9, Died { code: 1 }), (9, state("exited", 0))];
        check(last, &dead, "exit 1 0.01 s after it started");
        let stopped = [
            (0, Started),
            (5, health("healthy")),
            (6, step(Verb::Stop)),
            (9, Died { code: 0 }),
            (9, state("exited", 0)),
        ];
        check(last, &stopped, "unbroken");
    }

    #[test]
    fn a_word_never_comes() {
        let never = "health = { never = \"unhealthy\" }";
        check(never, &[(0, Started), (5, health("healthy"))], "unbroken");
        check(never, &[(0, Started), (5, health("unhealthy")), (9, health("healthy"))], "it became unhealthy");
        check("health = { never = [\"healthy\"] }", &[(0, Started), (5, health("healthy"))], "it became healthy");
    }

    #[test]
    fn up_but_not_answering_has_a_name() {
        let probe = |seen, when| {
            let headers = std::collections::BTreeMap::new();
            let (from, method, path) = (Origin::Inside, "GET".to_owned(), "/h".to_owned());
            looked(Look::Http(Request { from, method, path, port: 1, headers, body: None }), seen, when)
        };
        let ready = || Ready { sign: "it logs /up/".to_owned() };
        let answer = || Seen::Answer(crate::timeline::Answer { status: 503, ..Default::default() });
        let never = "health = { never = \"silent\", probe = { http = \"/h\", port = 1 } }";
        let answering = [(0, Started), (5, ready()), (6, probe(answer(), When::During)), (9, Over)];
        check(never, &answering, "unbroken");
        let hangs = [(0, Started), (5, ready()), (6, probe(Seen::Refused, When::During))];
        check(never, &hangs, "it was up and did not answer: GET /h refused");
        check(never, &[(0, Started), (5, ready()), (9, Over)], "it was never asked");
        let last = "health = { last = \"silent\", probe = { http = \"/h\", port = 1 } }";
        check(last, &[(0, Started), (6, probe(Seen::Refused, When::After))], "holds");
        check(last, &[(0, Started), (6, probe(answer(), When::After))], "it was not silent: 503");
    }
}
