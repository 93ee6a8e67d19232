//! `logs`: what the subject writes, and what it does not.

use schemars::JsonSchema;

use super::lines::{AsWritten, LineClaim, Standing};
use super::{Breach, Expectation, Kind, Outcome, Places, Reading, Wants, boxed, broken_by_end};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::scenario::read;
use crate::scenario::value::Duration;
use crate::snapshot;
use crate::timeline::{Seconds, Stdio, Timeline, What, between, later};

pub const KIND: Kind = Kind {
    key: "logs",
    summary: "writes lines that match, none that must not, in order, so often, without a long silence, or just what \
              the snapshots hold",
    example: "logs = { contains = [\"listening\"], absent = [\"panicked\"], silence = \"30s\" }",
    schema: All::json_schema,
    read,
    unsaid: None,
    places: Places::Boot,
};

/// Everything that can be said of its output.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes the keys apart")]
struct All {
    #[schemars(flatten)]
    lines: AsWritten,
    /// No longer than this passes between two lines, from the start on.
    /// Example: `logs = { silence = "30s" }`.
    silence: Option<Duration>,
    /// Each stream is what its snapshot beside the file holds; `harness run --accept` writes those.
    /// Example: `logs = { snapshot = true }`.
    #[schemars(default)]
    snapshot: bool,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    let span = written.span.clone();
    let Some(mut section) = read::section(written, "[expect]", reading.problems) else { return Vec::new() };
    let place = section.name().to_owned();
    let snapshot = section.take("snapshot").map(|written| written.read::<bool>(&place, reading.problems));
    let silence = section.take("silence").map(|written| written.read::<Duration>(&place, reading.problems));
    let (snapshot, silence) = (read::unless_bad(snapshot), read::unless_bad(silence));
    let lines = section.read::<AsWritten>(reading.problems);
    let (Some(snapshot), Some(silence), Some(lines)) = (snapshot, silence, lines) else { return Vec::new() };
    let claims = match lines.claims() {
        Ok(claims) => claims,
        Err(wrong) => {
            reading.problems.add(Problem::new(Some(span), format!("`logs`: {wrong}")));
            return Vec::new();
        }
    };
    let mut all: Vec<Box<dyn Expectation>> = claims.into_iter().map(|claim| boxed(Logged(claim))).collect();
    all.extend(silence.map(|limit| boxed(Silence(limit))));
    if snapshot == Some(true) {
        for stream in [Stdio::Stdout, Stdio::Stderr] {
            all.push(Box::new(Snapshot { stream, agreed: reading.snapshots.get(&stream).cloned() }));
        }
    }
    if all.is_empty() {
        let problem = Problem::new(Some(span), "`logs` claims nothing")
            .help("give it `contains`, `absent`, `ordered`, `counted`, `json`, `silence` or `snapshot = true`");
        reading.problems.add(problem);
    }
    all
}

/// A claim about the lines of both streams; about their order, of one of them.
#[derive(Debug)]
struct Logged(LineClaim);

impl Expectation for Logged {
    fn words(&self) -> String {
        self.0.words("logs", "line")
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let missing = match self.standing(timeline) {
            Standing::Holds => return Outcome::Holds,
            Standing::Unbroken => return Outcome::Unbroken,
            Standing::Broken(event, saw) => return Outcome::Broken(Breach::by(event, saw)),
            Standing::Missing(words) => words,
        };
        match broken_by_end(timeline) {
            Some(breach) => Outcome::Broken(Breach { saw: format!("{missing}; {}", breach.saw), ..breach }),
            None if timeline.is_over() => Outcome::Broken(Breach::by_absence(missing)),
            None => Outcome::Waiting(None),
        }
    }

    fn wants(&self) -> Wants {
        let comes_true = !matches!(&self.0, LineClaim::Absent(_));
        Wants { decides: comes_true, ..Wants::default() }
    }
}

impl Logged {
    fn standing(&self, timeline: &Timeline) -> Standing {
        if !self.0.is_about_order() {
            return self.0.over(timeline.lines(None));
        }
        // Between the streams there is no order.
        let [stdout, stderr] = [Stdio::Stdout, Stdio::Stderr].map(|stream| self.0.over(timeline.lines(Some(stream))));
        match (&stdout, &stderr) {
            (Standing::Holds, _) => stdout,
            (_, Standing::Holds) => stderr,
            _ if timeline.lines(Some(Stdio::Stdout)).next().is_none() => stderr,
            _ => stdout,
        }
    }
}

/// It is never silent for so long while it lives.
#[derive(Debug)]
struct Silence(Duration);

impl Expectation for Silence {
    fn words(&self) -> String {
        format!("is never silent for {} while it lives", self.0)
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let mut standing = broken_by_end(timeline).map_or(Outcome::Waiting(None), Outcome::Broken);
        for boot in timeline.begun() {
            standing = self.judge_boot(boot, timeline);
            if matches!(standing, Outcome::Broken(_)) {
                break;
            }
        }
        standing
    }

    fn wants(&self) -> Wants {
        Wants { decides: true, takes: Some(self.0.0), ..Wants::default() }
    }
}

impl Silence {
    fn judge_boot(&self, boot: u32, timeline: &Timeline) -> Outcome {
        let death = timeline.death_of(boot).map(|death| timeline.events()[death.event].at);
        let sounds = timeline.find(|what| matches!(what, What::Started | What::Log { .. }));
        let mut sounds: Vec<_> = sounds.filter(|(_, event)| event.boot == boot).collect();
        // The engine tells of a start a little after the process wrote its first line.
        sounds.sort_by_key(|(_, event)| event.at);
        let (Some((_, first)), Some((_, last)), Some(now)) = (sounds.first(), sounds.last(), timeline.now()) else {
            return Outcome::Waiting(None);
        };
        let ends = sounds.iter().skip(1).map(|(_, event)| event.at).chain([death.unwrap_or(now).max(last.at)]);
        let silence = sounds.iter().zip(ends).find(|((_, from), to)| between(from.at, *to) > self.0.0);
        if let Some(((event, from), to)) = silence {
            // While it goes on it is not known how long it becomes.
            let lasted = match death.is_none() && from.at == last.at {
                true => format!("more than {}", self.0),
                false => Seconds(between(from.at, to)).to_string(),
            };
            return Outcome::Broken(Breach::by(*event, format!("it was silent for {lasted} after: {}", from.what)));
        }
        let long_enough = later(first.at, self.0.0);
        match death.is_some() || now >= long_enough || timeline.is_over() {
            true => Outcome::Unbroken,
            false => Outcome::Waiting(Some(long_enough)),
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
    use crate::timeline::What::{Died, Elapsed, Over, Started};
    use crate::timeline::{Stdio, What};

    #[test]
    fn a_line_is_waited_for_while_it_can_still_come() {
        let contains = "logs = { contains = [\"listen\"] }";
        check(contains, &[(0, Started)], "waiting");
        check(contains, &[(0, Started), (5, line("listening on 3000"))], "holds");
        let dead = [(0, Started), (9, Died { code: 1 }), (9, state("exited", 0))];
        check(contains, &dead, "no line matches; exit 1 0.01 s after it started");
        check(contains, &[(0, Started), (5, Over)], "no line matches");
    }

    #[test]
    fn a_line_that_must_not_come_breaks_the_claim() {
        check("logs = { absent = [\"panic\"] }", &[(5, line("panicked at"))], "it logged: panicked at");
        check("logs = { absent = [\"panic\"] }", &[(5, line("fine"))], "unbroken");
    }

    #[test]
    fn an_order_is_one_of_a_stream() {
        let ordered = "logs = { ordered = [\"one\", \"two\"] }";
        let on_stderr = |text: &str| What::line(Stdio::Stderr, text);
        check(ordered, &[(1, line("one")), (2, line("two"))], "holds");
        check(ordered, &[(1, on_stderr("one")), (2, on_stderr("two"))], "holds");
        check(ordered, &[(1, line("one")), (2, on_stderr("two"))], "waiting");
        check(ordered, &[(1, line("one")), (2, on_stderr("two")), (3, Over)], "after /one/ no line matches /two/");
    }

    #[test]
    fn a_silence_is_a_long_time_without_a_line() {
        let silence = "logs = { silence = \"1s\" }";
        let up = || Elapsed { limit: "time".to_owned() };
        check(silence, &[(0, Started), (500, line("up"))], "waiting");
        check(silence, &[(0, Started), (500, line("up")), (1400, up())], "unbroken");
        check(silence, &[(0, Started), (1500, line("up"))], "it was silent for 1.50 s after: started");
        let hangs = [(0, Started), (500, line("up")), (1501, up())];
        check(silence, &hangs, "it was silent for more than 1s after: stdout: up");
        let died = [(0, Started), (500, line("up")), (700, Died { code: 0 }), (700, state("exited", 0)), (9000, Over)];
        check(silence, &died, "unbroken");
    }

    #[test]
    fn a_stream_is_compared_with_its_snapshot_at_the_end() {
        check("logs = { snapshot = true }", &[(0, line("other"))], "unbroken");
        check("logs = { snapshot = true }", &[(0, line("agreed")), (1, Over)], "holds");
        let differs = "stdout differs from its snapshot; accept it with `--accept` if that is right";
        check("logs = { snapshot = true }", &[(0, line("other")), (1, Over)], differs);
    }
}
