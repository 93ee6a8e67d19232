//! `death`: why the subject ended for good, in the words in which a report tells it.

use schemars::JsonSchema;

use super::{Breach, Expectation, Kind, Outcome, Places, Wants, broken_by_end, one};
use crate::scenario::value::Pattern;
use crate::timeline::{Death, Timeline};

pub const KIND: Kind = Kind {
    key: "death",
    summary: "ends for good, and the cause with its last words matches",
    example: "death = \"exit 1 .*last words: .*no such table\"",
    schema: Pattern::json_schema,
    read: |written, reading| one(written.read("[expect]", reading.problems).map(Cause)),
    unsaid: None,
    places: Places::Boot,
};

#[derive(Debug)]
struct Cause(Pattern);

impl Expectation for Cause {
    fn words(&self) -> String {
        format!("ends because of /{}/", self.0)
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let Some(death) = timeline.final_death() else {
            return broken_by_end(timeline).map_or(Outcome::Waiting(None), Outcome::Broken);
        };
        let told = told(&death, timeline);
        match self.0.matches(&told) {
            true => Outcome::Holds,
            false => Outcome::Broken(Breach::by(death.event, told)),
        }
    }

    fn wants(&self) -> Wants {
        Wants { decides: true, ends: true, ..Wants::default() }
    }
}

/// The cause, and the last thing that the boot wrote.
fn told(death: &Death, timeline: &Timeline) -> String {
    match timeline.last_words(timeline.events()[death.event].boot) {
        Some(words) => format!("{death}, last words: {}", words.what),
        None => death.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, line, state};
    use crate::timeline::What::{Died, OutOfMemory, Refused, Started};

    #[test]
    fn a_cause_is_matched_with_its_last_words() {
        let end = [(0, Started), (5, line("no config")), (9, Died { code: 1 }), (9, state("exited", 0))];
        check("death = \"^exit 1 .*last words: stdout: no config$\"", &end, "holds");
        let told = "exit 1 0.01 s after it started, last words: stdout: no config";
        check("death = \"out of memory\"", &end, told);
        check("death = \"exit 1\"", &end[..3], "waiting");
        let killed = [(0, Started), (5, OutOfMemory), (9, Died { code: 137 }), (9, state("exited", 0))];
        check("death = \"out of memory\"", &killed, "holds");
        let refused = [(0, Refused { reason: "no such file".to_owned(), again: false })];
        check("death = \"exit\"", &refused, "it could not be started: no such file");
    }
}
