//! `health`: what the subject's health said of it, and whether that was true.
//!
//! Green is what the engine's health check says, or what a probe is answered. A
//! health that is green too early, or over an app that is dead, is worse than none.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::DeValue;

use super::{Expectation, Kind, Places, Reading, boxed};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::scenario::read::{self, Section, unless_bad};
use crate::scenario::trigger::Trigger;
use crate::timeline::{Look, Origin, Request};

mod audit;
mod green;
mod history;

use audit::Audit;
use green::{Green, NotWhile, OnlyAfter};
use history::{First, Last, Never, Word};

pub const KIND: Kind = Kind {
    key: "health",
    summary: "has this history of health: the first and the last word of its health check, words that never come, green \
              only when it may be, and a health check that leaves a boot the time it takes",
    example: "health = { first = \"healthy\", green_only_after = { log = \"migrations done\" }, audit = true }",
    schema: All::json_schema,
    read,
    unsaid: None,
    places: Places::Boot,
};

/// What can be said, for who has said nothing.
const CLAIMS: &str = "give it `first`, `last`, `never`, `green_only_after`, `not_green_while` or `audit`";

/// What is asked for the health of the subject.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { http = \"/health\", port = 8080 }")]
#[schemars(inline)]
struct Probe {
    /// The path asked for.
    http: String,
    /// The TCP port inside the container.
    port: u16,
}

/// Everything that can be said of health.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes the keys apart")]
enum All {
    /// The last word of its health check.
    Last(Word),
    /// More than that.
    Keys(Box<Keys>),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
#[expect(dead_code, reason = "the schema alone knows it; `Said` takes the keys apart")]
struct Keys {
    /// The first word of its health check.
    first: Option<Word>,
    /// The last word of its health check.
    /// Example: `health = { last = "healthy" }`.
    last: Option<Word>,
    /// Words that never come, one or several.
    /// Example: `health = { never = "unhealthy" }`.
    never: Option<OneOrMore>,
    /// A request whose answer counts beside the health check: for `silent`, and for green.
    /// Example: `health = { never = "silent", probe = { http = "/health", port = 8080 } }`.
    probe: Option<Probe>,
    /// It is not green before this moment: neither healthy nor answered with 200.
    green_only_after: Option<Trigger>,
    /// It is not green while a fault lasts or a service is down, perhaps after some time.
    /// Example: `health = { not_green_while = { fault = 1, grace = "2s" } }`.
    not_green_while: Option<green::AsWritten>,
    /// The image's own health check leaves a boot the time that it was measured to take, or a multiple of that.
    /// Example: `health = { audit = { margin = 1.5 } }`.
    audit: Option<AuditOrNot>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the schema alone knows it")]
enum OneOrMore {
    One(Word),
    More(Vec<Word>),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the schema alone knows it")]
enum AuditOrNot {
    Wanted(bool),
    Margin(audit::AsWritten),
}

/// The words of a history.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    first: Option<Word>,
    last: Option<Word>,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    if let DeValue::String(_) = written.value.get_ref() {
        let word: Option<Word> = written.read("[expect]", reading.problems);
        let said = |last| read_said(Said { last: Some(last), ..Said::default() });
        return word.map(said).and_then(Result::ok).unwrap_or_default();
    }
    let span = written.span.clone();
    let Some(section) = read::section(written, "[expect]", reading.problems) else { return Vec::new() };
    let Some(said) = Said::read(section, reading) else { return Vec::new() };
    match read_said(said) {
        Ok(all) if all.is_empty() => {
            reading.problems.add(Problem::new(Some(span), "`health` claims nothing").help(CLAIMS));
            all
        }
        Ok(all) => all,
        Err(wrong) => {
            reading.problems.add(Problem::new(Some(span), format!("`health`: {wrong}")));
            Vec::new()
        }
    }
}

/// What is said of health, each by itself right.
#[derive(Debug, Default)]
struct Said {
    first: Option<Word>,
    last: Option<Word>,
    never: Vec<Word>,
    probe: Option<Probe>,
    green_only_after: Option<Trigger>,
    not_green_while: Option<NotWhile>,
    audit: Option<Audit>,
}

impl Said {
    /// Nothing where something could not be read; what, has been told then.
    fn read(mut section: Section<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let place = section.name().to_owned();
        let probe = section.take("probe").map(|written| written.read(&place, reading.problems));
        let never = section.take("never").map(|written| Word::read_several(written, &place, reading.problems));
        let only_after = section.take("green_only_after");
        let only_after = only_after.map(|written| Trigger::read(written, &place, reading.problems));
        let not_while =
            section.take("not_green_while").map(|written| NotWhile::read(written, &place, reading.problems));
        let audit = section.take("audit").map(|written| Audit::read(written, &place, reading.problems));
        let words: Option<Words> = section.read(reading.problems);
        let (probe, never, audit) = (unless_bad(probe), unless_bad(never), unless_bad(audit));
        let (only_after, not_while) = (unless_bad(only_after), unless_bad(not_while));
        let Words { first, last } = words?;
        Some(Self {
            first,
            last,
            never: never?.unwrap_or_default(),
            probe: probe?,
            green_only_after: only_after?,
            not_green_while: not_while?,
            audit: audit?,
        })
    }
}

/// The claims, or what is wrong with them together.
fn read_said(said: Said) -> Result<Vec<Box<dyn Expectation>>, &'static str> {
    let Said { first, last, never, probe, green_only_after, not_green_while, audit } = said;
    let of_silence = last == Some(Word::Silent) || never.contains(&Word::Silent);
    if first == Some(Word::Silent) {
        return Err("`first` is the first word of a health check, which is never `silent`");
    }
    if of_silence && probe.is_none() {
        return Err(
            "`silent` is a `probe` without an answer, and there is no probe; write { http = \"/health\", port = 8080 }",
        );
    }
    if probe.is_some() && !of_silence && green_only_after.is_none() && not_green_while.is_none() {
        return Err("it has a `probe` for `silent`, `green_only_after` or `not_green_while`, and none of them");
    }
    let probe = probe.map(|Probe { http: path, port }| {
        let (from, method) = (Origin::Inside, "GET".to_owned());
        Look::Http(Request { from, method, path, port, headers: std::collections::BTreeMap::new(), body: None })
    });
    let green = Green(probe.clone());
    let mut all: Vec<Box<dyn Expectation>> = Vec::new();
    all.extend(first.map(|word| boxed(First(word))));
    all.extend(last.map(|word| boxed(Last { word, probe: probe.clone() })));
    all.extend(never.into_iter().map(|word| boxed(Never { word, probe: probe.clone() })));
    all.extend(green_only_after.map(|trigger| boxed(OnlyAfter { green: green.clone(), trigger })));
    all.extend(not_green_while.map(|condition| boxed(green.unless(condition))));
    all.extend(audit.map(boxed));
    Ok(all)
}
