//! The steps of a life cycle, in their order.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::problem::{Problem, Problems};
use super::read::{self, Section, unknown_word, unless_bad};
use super::subject::{self, Subject};
use super::trigger::Trigger;
use super::value::{Duration, Signal};
use super::{Surroundings, Written};
use crate::timeline::Verb;

/// The verbs as they are written.
const VERBS: [(&str, Verb); 10] = [
    ("start", Verb::Start),
    ("stop", Verb::Stop),
    ("crash", Verb::Crash),
    ("kill", Verb::Kill),
    ("restart", Verb::Restart),
    ("recreate", Verb::Recreate),
    ("upgrade", Verb::Upgrade),
    ("soak", Verb::Soak),
    ("stop_service", Verb::StopService),
    ("start_service", Verb::StartService),
];

/// One act of a life cycle.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// What is done.
    pub verb: Verb,
    /// When; without it as soon as everything that is expected so far is decided.
    pub when: Option<Trigger>,
    /// The service that is stopped or started.
    pub service: Option<String>,
    /// How long a soak lasts.
    pub lasts: Option<Duration>,
    /// The signal of a crash or a kill, instead of SIGKILL.
    pub signal: Option<Signal>,
    /// The subject of a new container, where it is another one from then on.
    pub subject: Option<Subject>,
    /// The volumes that a new container gets, where they are others from then on.
    pub volumes: Option<Vec<String>>,
}

/// As it is written, but for what it expects.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes the keys one by one")]
pub struct AsWritten {
    /// What is done.
    /// Example: `do = "restart"`.
    #[serde(rename = "do")]
    verb: Verb,
    /// When. Unsaid: as soon as everything that is expected so far is decided.
    /// Example: `do = "crash"`, `when = "ready"`.
    when: Option<Trigger>,
    /// The service that `stop_service` stops and `start_service` starts again.
    /// Example: `do = "stop_service"`, `service = "db"`.
    service: Option<String>,
    /// How long a `soak` lasts.
    /// Example: `do = "soak"`, `for = "10s"`.
    #[serde(rename = "for")]
    lasts: Option<Duration>,
    /// The signal of a `crash` or a `kill`. Unsaid: SIGKILL.
    /// Example: `do = "kill"`, `signal = "SIGTERM"`.
    signal: Option<Signal>,
    /// The volumes that the new container of a `recreate` or an `upgrade` gets, by name.
    /// Unsaid: those of the one before.
    /// Example: `do = "recreate"`, `volumes = ["data"]`.
    volumes: Option<Vec<String>>,
    #[schemars(flatten)]
    subject: subject::Changes,
}

/// The steps as they are written, before it is known of which subject they are.
#[derive(Debug, Clone, Default)]
pub struct Steps<'a>(Vec<Section<'a>>);

impl Step {
    /// The first start, which nobody has to write.
    #[must_use]
    pub fn start() -> Self {
        Self { verb: Verb::Start, when: None, service: None, lasts: None, signal: None, subject: None, volumes: None }
    }
}

impl<'a> Steps<'a> {
    /// Takes the steps as they are written, and what each expects, by its number.
    pub fn take(written: Option<Written<'a>>, problems: &mut Problems) -> (Self, Vec<(u32, Vec<Written<'a>>)>) {
        let mut sections = written.map_or_else(Vec::new, |written| read::tables(written, "step", problems));
        let offset = if sections.first().is_some_and(|first| first.says("do", "start")) { 1 } else { 2 };
        let mut expected = Vec::new();
        for (number, section) in (offset..).zip(&mut sections) {
            if let Some(expect) = section.take("expect") {
                expected.push((number, read::table(expect, "[[step]]", problems)));
            }
        }
        (Self(sections), expected)
    }

    /// Reads the steps of a life cycle of this subject; the first is always a start.
    pub fn read(&self, subject: &Section<'a>, around: &Surroundings, problems: &mut Problems) -> Vec<Step> {
        let mut base = subject.clone();
        let mut steps: Vec<Step> = Vec::new();
        for section in &self.0 {
            let Some(step) = read_step(section.clone(), &mut base, around, problems) else { continue };
            if steps.is_empty() && step.verb == Verb::Start && step.when.is_some() {
                let title = "the first start has no moment to wait for: nothing happens before it";
                problems.add(Problem::new(Some(section.span()), title).help("leave `when` out"));
            }
            if steps.is_empty() && step.verb != Verb::Start {
                steps.push(Step::start());
            }
            steps.push(step);
        }
        if steps.is_empty() {
            steps.push(Step::start());
        }
        steps
    }
}

fn read_step<'a>(
    mut section: Section<'a>,
    base: &mut Section<'a>,
    around: &Surroundings,
    problems: &mut Problems,
) -> Option<Step> {
    let span = section.span();
    let verb = section.take("do");
    let when = section.take("when").map(|written| Trigger::read(written, "[[step]]", problems));
    let service = section.take("service").map(|written| written.read("[[step]]", problems));
    let lasts = section.take("for").map(|written| written.read("[[step]]", problems));
    let signal = section.take("signal").map(|written| written.read("[[step]]", problems));
    let volumes = section.take("volumes").map(|written| written.read("[[step]]", problems));
    let Some(verb) = verb else {
        let known: Vec<&str> = VERBS.iter().map(|(word, _)| *word).collect();
        let help = format!("write one of {}", known.join(", "));
        problems.add(Problem::new(Some(span), "[[step]] has no `do`").help(help));
        return None;
    };
    let verb_span = verb.value.span();
    let word: String = verb.read("[[step]]", problems)?;
    let Some(verb) = VERBS.iter().find(|(known, _)| *known == word).map(|(_, verb)| *verb) else {
        let known: Vec<&str> = VERBS.iter().map(|(word, _)| *word).collect();
        problems.add(unknown_word("step", &word, "`do` of [[step]]", &known, verb_span));
        return None;
    };
    // A value that could not be read is a problem already, and not a missing one.
    let given = BTreeMap::from([
        ("service", service.is_some()),
        ("for", lasts.is_some()),
        ("signal", signal.is_some()),
        ("volumes", volumes.is_some()),
    ]);
    let subject = subject_of(verb, section, base, around, problems)?;
    let step = Step {
        verb,
        when: unless_bad(when)?,
        service: unless_bad(service)?,
        lasts: unless_bad(lasts)?,
        signal: unless_bad(signal)?,
        volumes: unless_bad(volumes)?,
        subject,
    };
    for (key, wanted, of) in [
        ("service", matches!(verb, Verb::StopService | Verb::StartService), "stop_service and start_service"),
        ("for", verb == Verb::Soak, "soak"),
    ] {
        match (wanted, given.get(key)) {
            (true, Some(false)) => {
                problems.add(Problem::new(Some(span.clone()), format!("[[step]] `{word}` has no `{key}`")));
            }
            (false, Some(true)) => {
                problems.add(Problem::new(Some(span.clone()), format!("`{key}` belongs to {of}, not to `{word}`")));
            }
            _ => {}
        }
    }
    if given.get("signal") == Some(&true) && !matches!(verb, Verb::Crash | Verb::Kill) {
        problems.add(Problem::new(Some(span.clone()), format!("`signal` belongs to crash and kill, not to `{word}`")));
    }
    if given.get("volumes") == Some(&true) && !matches!(verb, Verb::Recreate | Verb::Upgrade) {
        problems.add(Problem::new(Some(span), format!("`volumes` belongs to recreate and upgrade, not to `{word}`")));
    }
    Some(step)
}

/// The subject that a step makes, which is the one of all later steps too.
fn subject_of<'a>(
    verb: Verb,
    section: Section<'a>,
    base: &mut Section<'a>,
    around: &Surroundings,
    problems: &mut Problems,
) -> Option<Option<Subject>> {
    let span = section.span();
    if section.is_empty() {
        if verb == Verb::Upgrade {
            let help = "`recreate` makes a new container of the same image";
            problems.add(Problem::new(Some(span), "[[step]] `upgrade` has no `image`").help(help));
        }
        return Some(None);
    }
    if !matches!(verb, Verb::Recreate | Verb::Upgrade) {
        for written in section.into_written() {
            let known = ["do", "when", "expect", "service", "for", "signal", "volumes"];
            let problem = unknown_word("key", &written.key, "[[step]]", &known, written.span);
            problems
                .add(problem.help("keys of [subject] belong to `recreate` and `upgrade`, which make a new container"));
        }
        return Some(None);
    }
    let mut without = problems.fresh();
    Subject::read(base.clone(), around, &mut without);
    base.override_with(section);
    let mut with_step = problems.fresh();
    let read = Subject::read(base.clone(), around, &mut with_step);
    problems.add_new(with_step, &without);
    read.map(Some)
}
