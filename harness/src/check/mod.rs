//! Expectations: claims over a timeline. One kind per file, one line in [`KINDS`].
//!
//! A check is a function of an expectation and a timeline, and of nothing else:
//! so the same function tells a running scenario whether it has to wait on, and
//! a stored timeline what it proves.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;

use crate::scenario::Written;
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::read::{self, unknown_word};
use crate::scenario::trigger::Trigger;
use crate::timeline::{Look, Stdio, Timeline, Window};

mod claim;
mod death;
mod exit_code;
mod fields;
mod files;
mod health;
mod http;
#[cfg(test)]
mod law;
mod lines;
mod log_files;
mod logger;
mod logs;
mod oom;
mod phases;
mod processes;
mod prompt;
mod ready_within;
mod restarts;
mod secrets;
mod sight;
mod signal;
mod signatures;
mod sql;
mod state;
mod stop;
mod untouched;
mod usage;
pub mod verdict;
mod written;

pub use claim::{Claim, Scope};
pub use written::{Anything, Whole};

/// Every kind of expectation there is.
pub const KINDS: [Kind; 21] = [
    death::KIND,
    exit_code::KIND,
    files::KIND,
    health::KIND,
    http::KIND,
    log_files::KIND,
    logger::KIND,
    logs::KIND,
    oom::KIND,
    phases::KIND,
    processes::KIND,
    prompt::KIND,
    ready_within::KIND,
    restarts::KIND,
    secrets::KIND,
    signal::KIND,
    sql::KIND,
    state::KIND,
    stop::KIND,
    untouched::KIND,
    usage::KIND,
];

/// The key of the expectation that knows a restart loop.
pub const LOOP: &str = restarts::KIND.key;

/// The tables inside `[expect]` that narrow what they hold, or widen it.
pub const SCOPES: [&str; 2] = ["boot", "throughout"];

/// A kind of expectation.
pub struct Kind {
    /// Its key in `[expect]`, and its name everywhere.
    pub key: &'static str,
    /// What it claims, as the rest of a sentence about the subject.
    pub summary: &'static str,
    /// A line of a scenario file that uses it.
    pub example: &'static str,
    /// What its value may be.
    schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads its value; what is wrong with it goes to the problems.
    read: fn(Written<'_>, &mut Reading<'_>) -> Vec<Box<dyn Expectation>>,
    /// What is checked where `[expect]` does not say the key.
    unsaid: Option<fn(Unsaid) -> Box<dyn Expectation>>,
    /// Where it can be said besides `[expect]` itself.
    places: Places,
}

/// Where a kind of expectation can be said, besides `[expect]` and a step's `expect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Places {
    /// Nowhere else: it is about all boots together.
    Everywhere,
    /// Below `[expect.boot.N]`: what is seen of it belongs to a boot.
    Boot,
    /// Below `[expect.throughout]`: it is looked at, and can be again and again.
    Throughout,
}

/// What an expectation that nobody wrote has to know of those that were written.
#[derive(Debug, Clone)]
pub struct Unsaid {
    /// Some of them is about how the subject ends.
    ends: bool,
    /// The steps in which the engine is to refuse to start it.
    refused: Vec<u32>,
    /// The subject says when it is ready.
    ready: bool,
    /// Some of them is about when it is.
    ready_within: bool,
    /// The subject has a terminal.
    tty: bool,
}

/// What reading an expectation may use.
pub struct Reading<'a> {
    /// Takes what is wrong.
    pub problems: &'a mut Problems,
    /// Whether it has to hold all the time, not only at the end.
    pub throughout: bool,
    /// Whether the subject says when it is ready.
    pub ready: bool,
    /// Whether the subject has a terminal.
    pub tty: bool,
    /// The stored snapshots, by stream.
    pub snapshots: &'a BTreeMap<Stdio, String>,
}

/// One claim over the timeline.
pub trait Expectation: fmt::Debug + Send + Sync {
    /// The claim, as the rest of a sentence about the subject.
    fn words(&self) -> String;

    /// How it stands, as far as the timeline has come.
    fn judge(&self, timeline: &Timeline) -> Outcome;

    /// What the run has to do so that this can be judged at all.
    fn wants(&self) -> Wants {
        Wants::default()
    }
}

/// What an expectation asks of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wants {
    /// The subject says when it is ready.
    pub ready_sign: bool,
    /// The subject is stopped at the end.
    pub stop: bool,
    /// These are looked at, before the start and at the end.
    pub looks: Vec<Look>,
    /// They are looked at again and again besides.
    pub sampled: Sampled,
    /// The restart policy has to act.
    pub restarts: bool,
    /// The run may take so long, whatever its timeout says.
    pub takes: Option<Duration>,
    /// It is about how the subject ends: so its end is no surprise.
    pub ends: bool,
    /// It is that the engine refuses to start the subject.
    pub refused: bool,
    /// A stored snapshot is compared.
    pub snapshot: bool,
    /// These moments have to be seen.
    pub moments: Vec<Trigger>,
    /// These faults of the file are spoken of, by their numbers.
    pub faults: Vec<u32>,
    /// These services are spoken of.
    pub services: Vec<String>,
    /// These values are secret, although no variable holds them.
    pub secrets: Vec<String>,
    /// The run can go on until this is decided; without any such expectation
    /// nothing says when a run is over.
    pub decides: bool,
}

/// For how much of its life a subject is looked at again and again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sampled {
    /// Only at the ends.
    #[default]
    Never,
    /// While it is ready.
    Ready,
    /// From each start to the death.
    Alive,
}

/// How a claim stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is true, and will stay so.
    Holds,
    /// It is true so far; only the end of the run can confirm it.
    Unbroken,
    /// It is not true yet; at this moment it will have become false.
    Waiting(Option<Timestamp>),
    /// It is false.
    Broken(Breach),
}

/// Why a claim is false.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Breach {
    /// What was seen instead, as a sentence without a full stop.
    pub saw: String,
    /// The event that decides, by its place in the timeline; `None` when it is
    /// the absence of one.
    pub decided_by: Option<usize>,
    /// More lines that show it, such as a difference.
    pub detail: Vec<String>,
}

impl Breach {
    /// A breach that the event at this place decides.
    pub fn by(event: usize, saw: impl Into<String>) -> Self {
        Self { saw: saw.into(), decided_by: Some(event), detail: Vec::new() }
    }

    /// A breach by something that did not happen.
    pub fn by_absence(saw: impl Into<String>) -> Self {
        Self { saw: saw.into(), decided_by: None, detail: Vec::new() }
    }
}

/// What a file expects, as it is written: in `[expect]`, and in its steps.
#[derive(Debug, Default)]
pub struct Expected<'a> {
    /// What `[expect]` holds.
    pub whole: Vec<Written<'a>>,
    /// What the `expect` of each step holds, by the step's number.
    pub steps: Vec<(u32, Vec<Written<'a>>)>,
}

/// Reads what a file expects, and adds what is always checked.
#[must_use]
pub fn read_all(expected: Expected<'_>, reading: &mut Reading<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut said_keys = Vec::new();
    for entry in expected.whole {
        if entry.key == SCOPES[0] {
            claims.extend(read_boots(entry, reading));
        } else if entry.key == SCOPES[1] {
            let scope = Scope { window: None, throughout: true };
            for entry in read::table(entry, "[expect]", reading.problems) {
                claims.extend(read_one(entry, scope, "[expect.throughout]", reading));
            }
        } else {
            said_keys.push(entry.key.clone());
            claims.extend(read_one(entry, Scope::default(), "[expect]", reading));
        }
    }
    for (number, entries) in expected.steps {
        let scope = Scope { window: Some(Window::Step(number)), throughout: false };
        for entry in entries {
            claims.extend(read_one(entry, scope, "`expect` of [[step]]", reading));
        }
    }
    let said = Unsaid {
        ends: claims.iter().any(|claim| claim.expectation.wants().ends),
        refused: claims.iter().filter_map(refused_in).collect(),
        ready: reading.ready,
        ready_within: claims.iter().any(|claim| claim.key == ready_within::KIND.key),
        tty: reading.tty,
    };
    let unsaid = KINDS.iter().filter(|kind| !said_keys.iter().any(|key| key == kind.key));
    let always = unsaid.filter_map(|kind| Some((kind.key, kind.unsaid?)));
    claims.extend(always.map(|(key, unsaid)| Claim {
        key,
        place: None,
        span: None,
        scope: Scope::default(),
        expectation: unsaid(said.clone()),
    }));
    claims
}

/// The step in which a claim expects a refusal.
fn refused_in(claim: &Claim) -> Option<u32> {
    match claim.scope.window {
        Some(Window::Step(step)) if claim.expectation.wants().refused => Some(step),
        _ => None,
    }
}

/// Reads `[expect.boot.N]` for each N.
fn read_boots(entry: Written<'_>, reading: &mut Reading<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for boot in read::table(entry, "[expect]", reading.problems) {
        let Some(number) = boot.key.parse().ok().filter(|number| *number > 0) else {
            let title = format!("`{}` in [expect.boot] is not the number of a boot", boot.key);
            reading
                .problems
                .add(Problem::new(Some(boot.span), title).help("boots are counted from 1: [expect.boot.2]"));
            continue;
        };
        let scope = Scope { window: Some(Window::Boot(number)), throughout: false };
        let place = format!("[expect.boot.{number}]");
        for entry in read::table(boot, "[expect.boot]", reading.problems) {
            claims.extend(read_one(entry, scope, &place, reading));
        }
    }
    claims
}

/// Reads one key with its value, which may be several claims.
fn read_one(entry: Written<'_>, scope: Scope, table: &str, reading: &mut Reading<'_>) -> Vec<Claim> {
    let Some(kind) = KINDS.iter().find(|kind| kind.key == entry.key) else {
        let scopes = if table == "[expect]" { &SCOPES[..] } else { &[] };
        let known: Vec<&str> = KINDS.iter().map(|kind| kind.key).chain(scopes.iter().copied()).collect();
        reading.problems.add(unknown_word("key", &entry.key, table, &known, entry.span));
        return Vec::new();
    };
    let misplaced = match scope {
        Scope { throughout: true, .. } if kind.places != Places::Throughout => Some("is not looked at again and again"),
        Scope { window: Some(Window::Boot(_)), .. } if kind.places != Places::Boot => {
            Some("is not about a single boot")
        }
        _ => None,
    };
    if let Some(why) = misplaced {
        let title = format!("`{}` cannot stand in {table}: it {why}", kind.key);
        reading.problems.add(Problem::new(Some(entry.span), title).help("say it in [expect] or in a step's `expect`"));
        return Vec::new();
    }
    let (place, span) = (Some(reading.problems.place(&entry.span)), Some(entry.span.clone()));
    reading.throughout = scope.throughout;
    let read = (kind.read)(entry, reading);
    read.into_iter().map(|expectation| Claim { key: kind.key, place, span: span.clone(), scope, expectation }).collect()
}

/// An expectation among others.
fn boxed<E: Expectation + 'static>(expectation: E) -> Box<dyn Expectation> {
    Box::new(expectation)
}

/// One boxed expectation, or none where there was a problem.
fn one<E: Expectation + 'static>(read: Option<E>) -> Vec<Box<dyn Expectation>> {
    read.map(boxed).into_iter().collect()
}

/// How a claim stands that needs the subject to be alive, once it is not.
fn broken_by_end(timeline: &Timeline) -> Option<Breach> {
    if let Some((event, reason)) = timeline.refusal() {
        return Some(Breach::by(event, format!("it could not be started: {reason}")));
    }
    let death = timeline.final_death()?;
    Some(Breach::by(death.event, death.to_string()))
}

#[cfg(test)]
pub(crate) mod testing {
    //! Timelines for the tests of the checks.

    use super::*;
    use crate::scenario::Surroundings;
    use crate::timeline::{Event, FileSeen, Seen, Verb, What, When};

    /// Reads expectations as a file would say them; those of the file come first.
    fn claims(toml: &str) -> Vec<Claim> {
        let text = format!("version = 1\nclaim = \"c\"\n[subject]\nimage = \"i\"\n[expect]\n{toml}");
        let mut problems = Problems::new(std::path::Path::new("test.toml"), &text);
        let parsed = crate::scenario::parse(&text, &Surroundings::default(), &mut problems);
        let snapshots = BTreeMap::from([(Stdio::Stdout, "agreed\n".to_owned())]);
        let mut reading =
            Reading { problems: &mut problems, throughout: false, ready: true, tty: false, snapshots: &snapshots };
        let claims = read_all(Expected { whole: parsed.expect, steps: Vec::new() }, &mut reading);
        assert!(problems.is_empty(), "{problems}");
        claims
    }

    /// Reads one expectation as a file would say it.
    pub fn claim(toml: &str) -> Claim {
        claims(toml).into_iter().next().expect("an expectation")
    }

    /// A timeline of these events; each is the milliseconds at which it came.
    pub fn timeline(events: &[(i64, What)]) -> Timeline {
        let mut timeline = Timeline::default();
        let mut boot = 0;
        for (millis, what) in events {
            boot += u32::from(*what == What::Started);
            let at = Timestamp::from_millisecond(*millis).expect("a time");
            timeline.push(Event { at, boot, what: what.clone() });
        }
        timeline
    }

    /// A line on standard output.
    pub fn line(text: &str) -> What {
        What::line(Stdio::Stdout, text)
    }

    /// What the engine says of the subject.
    pub fn state(status: &str, restarts: i64) -> What {
        What::State { status: status.to_owned(), restarts, again: false }
    }

    /// A step of the harness.
    pub fn step(verb: Verb) -> What {
        What::Step { number: 2, verb }
    }

    /// Something that was looked at.
    pub fn looked(look: Look, saw: Seen, when: When) -> What {
        What::looked(look, saw, when)
    }

    /// A file that was looked at.
    pub fn file(path: &str, size: Option<u64>, when: When) -> What {
        let saw = size.map_or(Seen::Absent, |size| Seen::File(FileSeen { size, ..FileSeen::default() }));
        What::looked(Look::File { path: path.to_owned(), content: false }, saw, when)
    }

    /// Judges, and says how it stands in one word or by what it is broken.
    pub fn check(toml: &str, events: &[(i64, What)], expected: &str) {
        assert_eq!(standing(&claim(toml), events), expected, "{toml} over {events:#?}");
    }

    /// The same for what is checked although the file does not say it.
    pub fn check_unsaid(key: &str, toml: &str, events: &[(i64, What)], expected: &str) {
        let claim = claims(toml).into_iter().find(|claim| claim.key == key).expect("a claim");
        assert_eq!(standing(&claim, events), expected, "{key} beside {toml} over {events:#?}");
    }

    fn standing(claim: &Claim, events: &[(i64, What)]) -> String {
        match claim.judge(&timeline(events)) {
            Outcome::Holds => "holds".to_owned(),
            Outcome::Unbroken => "unbroken".to_owned(),
            Outcome::Waiting(_) => "waiting".to_owned(),
            Outcome::Broken(breach) => breach.saw,
        }
    }
}
