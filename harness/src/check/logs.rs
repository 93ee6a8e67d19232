//! `logs`: what the subject writes, and what it does not.

use serde::Deserialize;

use super::{Breach, Expectation, Kind, Outcome, Places, Reading, Wants};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::scenario::value::Pattern;
use crate::snapshot;
use crate::timeline::{Stdio, Timeline};

pub const KIND: Kind = Kind {
    key: "logs",
    summary: "writes lines that match, none that must not, or just what the snapshots hold",
    example: "logs = { contains = [\"listening\"], absent = [\"panicked\"] }",
    read,
    unsaid: None,
    places: Places::Boot,
};

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[derive(Default)]
struct AsWritten {
    contains: Vec<Pattern>,
    absent: Vec<Pattern>,
    snapshot: bool,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    let span = written.span.clone();
    let Some(logs) = written.read::<AsWritten>("[expect]", reading.problems) else { return Vec::new() };
    let mut all: Vec<Box<dyn Expectation>> = Vec::new();
    all.extend(logs.contains.into_iter().map(|pattern| Box::new(Contains(pattern)) as Box<dyn Expectation>));
    all.extend(logs.absent.into_iter().map(|pattern| Box::new(Absent(pattern)) as Box<dyn Expectation>));
    if logs.snapshot {
        for stream in [Stdio::Stdout, Stdio::Stderr] {
            all.push(Box::new(Snapshot { stream, agreed: reading.snapshots.get(&stream).cloned() }));
        }
    }
    if all.is_empty() {
        let problem =
            Problem::new(Some(span), "`logs` claims nothing").help("give it `contains`, `absent` or `snapshot = true`");
        reading.problems.add(problem);
    }
    all
}

/// Some line of either stream matches.
#[derive(Debug)]
struct Contains(Pattern);

impl Expectation for Contains {
    fn words(&self) -> String {
        format!("logs /{}/", self.0)
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        if timeline.lines(None).any(|(_, line)| self.0.matches(line)) {
            return Outcome::Holds;
        }
        match super::broken_by_end(timeline) {
            Some(breach) => Outcome::Broken(Breach { saw: format!("no line matches; {}", breach.saw), ..breach }),
            None => Outcome::Waiting(None),
        }
    }

    fn wants(&self) -> Wants {
        Wants { decides: true, ..Wants::default() }
    }
}

/// No line of either stream matches.
#[derive(Debug)]
struct Absent(Pattern);

impl Expectation for Absent {
    fn words(&self) -> String {
        format!("never logs /{}/", self.0)
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        match timeline.lines(None).find(|(_, line)| self.0.matches(line)) {
            Some((event, line)) => Outcome::Broken(Breach::by(event, format!("it logged: {line}"))),
            None => Outcome::Unbroken,
        }
    }
}

/// One stream is what it was when somebody last agreed to it.
#[derive(Debug)]
struct Snapshot {
    stream: Stdio,
    agreed: Option<String>,
}

impl Expectation for Snapshot {
    fn words(&self) -> String {
        format!("writes to {} what its snapshot holds", self.stream)
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        if !timeline.is_over() {
            return Outcome::Unbroken;
        }
        let Some(agreed) = &self.agreed else {
            return Outcome::Broken(Breach::by_absence(
                "there is no snapshot yet; look at the bundle's, and accept it with `--accept`",
            ));
        };
        let Some(difference) = snapshot::difference(agreed, &snapshot::text_of(timeline, self.stream)) else {
            return Outcome::Holds;
        };
        let line = timeline.lines(Some(self.stream)).nth(difference.first).or(timeline.lines(Some(self.stream)).last());
        let saw = format!("{} differs from its snapshot; accept it with `--accept` if that is right", self.stream);
        Outcome::Broken(Breach { saw, decided_by: line.map(|(event, _)| event), detail: difference.lines })
    }

    fn wants(&self) -> Wants {
        Wants { snapshot: true, ..Wants::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, line, state};
    use crate::timeline::What::{Died, Over, Started};

    #[test]
    fn a_line_is_waited_for_while_it_can_still_come() {
        let contains = "logs = { contains = [\"listen\"] }";
        check(contains, &[(0, Started)], "waiting");
        check(contains, &[(0, Started), (5, line("listening on 3000"))], "holds");
        let dead = [(0, Started), (9, Died { code: 1 }), (9, state("exited", 0))];
        check(contains, &dead, "no line matches; exit 1 0.01 s after it started");
    }

    #[test]
    fn a_line_that_must_not_come_breaks_the_claim() {
        check("logs = { absent = [\"panic\"] }", &[(5, line("panicked at"))], "it logged: panicked at");
        check("logs = { absent = [\"panic\"] }", &[(5, line("fine"))], "unbroken");
    }

    #[test]
    fn a_stream_is_compared_with_its_snapshot_at_the_end() {
        check("logs = { snapshot = true }", &[(0, line("other"))], "unbroken");
        check("logs = { snapshot = true }", &[(0, line("agreed")), (1, Over)], "holds");
        let differs = "stdout differs from its snapshot; accept it with `--accept` if that is right";
        check("logs = { snapshot = true }", &[(0, line("other")), (1, Over)], differs);
    }
}
