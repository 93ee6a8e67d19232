//! A scenario: one claim about a container, as a file.
//!
//! A file is read in two passes. [`parse`] gives every value its type, finds
//! every unknown key, and collects all problems before any is told. What
//! `[expect]` says and what a fault does stays as it is written: `check` and
//! `fault` know those words, and `plan` joins them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub mod build;
pub mod control;
pub mod fault;
pub mod forms;
pub mod image;
pub mod link;
pub mod problem;
pub mod read;
pub mod ready;
pub mod runtime;
pub mod service;
pub mod step;
pub mod subject;
pub mod trigger;
pub mod value;
pub mod volume;
pub mod wanted;

use control::Control;
use fault::WrittenFault;
use image::ImageRef;
use problem::{Problem, Problems};
use read::Section;
use service::Service;
use step::{Step, Steps};
use subject::Subject;
use value::Duration;
use volume::Volume;

/// The version of the scenario language that this harness reads.
pub const VERSION: i64 = 1;

/// The tables that may stand at the top of a file, besides the keys of [`Head`].
const SECTIONS: [&str; 7] = ["subject", "volumes", "services", "expect", "control", "fault", "step"];

/// A scenario whose every value is valid.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What the file says of itself.
    pub head: Head,
    /// The container under test.
    pub subject: Subject,
    /// The state mounted into it, by the name the file gives it.
    pub volumes: BTreeMap<String, Volume>,
    /// What it depends on, by the name under which it reaches it.
    pub services: BTreeMap<String, Service>,
    /// Its life cycle; the first step is a start.
    pub steps: Vec<Step>,
    /// The known-bad twin, if there is one.
    pub control: Option<Control>,
}

/// The keys at the top of a file.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The version of the language the file is written in.
    /// Example: `version = 1`.
    pub version: i64,
    /// What is claimed, as one sentence.
    /// Example: `claim = "Tome boots with a log file and an existing database"`.
    pub claim: String,
    /// Where the bug was met.
    /// Example: `origin = "Tome: after an update it never starts again"`.
    pub origin: Option<String>,
    /// The rows of `docs/requirements.md` that it proves.
    /// Example: `covers = ["T13", "C7"]`.
    #[serde(default)]
    pub covers: Vec<String>,
    /// How long one boot of subject or control may take to come to a decision.
    /// Example: `timeout = "2m"`.
    #[serde(default = "Head::default_timeout")]
    pub timeout: Duration,
    /// How long a subject is watched after the last thing waited for: claims
    /// that something does not happen need time in which it could.
    /// Example: `settle = "5s"`.
    #[serde(default = "Head::default_settle")]
    pub settle: Duration,
}

impl Head {
    fn default_timeout() -> Duration {
        Duration(std::time::Duration::from_secs(60))
    }

    fn default_settle() -> Duration {
        Duration(std::time::Duration::from_millis(500))
    }
}

/// What a scenario file can name, as far as that is known where it is read;
/// what is not known is found out when it is used.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The folder that the file stands in, from which its paths are seen.
    pub folder: Option<PathBuf>,
    /// The fixture images there are.
    pub fixtures: Option<Vec<ImageRef>>,
    /// The state directories that a volume can begin with.
    pub states: Option<Vec<String>>,
}

/// A key with its value as they stand in the file.
#[derive(Debug, Clone)]
pub struct Written<'a> {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub span: Range<usize>,
    /// The value.
    pub value: Spanned<DeValue<'a>>,
}

/// What a file says, as far as this module knows its words.
#[derive(Debug, Default)]
pub struct Parsed<'a> {
    /// The scenario, unless too much of it is wrong.
    pub scenario: Option<Scenario>,
    /// What `[expect]` holds, as it is written.
    pub expect: Vec<Written<'a>>,
    /// What the `expect` of each step holds, by the step's number.
    pub step_expects: Vec<(u32, Vec<Written<'a>>)>,
    /// The faults, each with its action as it is written.
    pub faults: Vec<WrittenFault<'a>>,
}

/// Reads a file. What is wrong goes to `problems`; a scenario whose problems are
/// not empty is not to be used.
pub fn parse<'a>(text: &'a str, around: &Surroundings, problems: &mut Problems) -> Parsed<'a> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        for error in &errors {
            problems.add(Problem::new(error.span(), format!("this is not TOML: {}", error.message())));
        }
        return Parsed::default();
    }
    let mut table = document.into_inner();
    if let Some(problem) = from_the_future(&table) {
        problems.add(problem);
        return Parsed::default();
    }

    let [faults, steps] = ["fault", "step"].map(|name| table.remove_entry(name).map(read::written));
    let [subject, volumes, services, expect, control] =
        ["subject", "volumes", "services", "expect", "control"].map(|name| take_table(&mut table, name, problems));
    let head = Section::new("the file", 0..0, table).also_known(&SECTIONS).read::<Head>(problems);
    let (steps, step_expects) = Steps::take(steps, problems);
    let faults = fault::read_all(faults, problems);
    let expect = read_expect(expect, step_expects.is_empty(), problems);
    let volumes = volumes.map_or_else(BTreeMap::new, |section| volume::read_all(section, around, problems));
    let services = services.map_or_else(BTreeMap::new, |section| service::read_all(section, around, problems));
    let Some(subject) = subject else {
        problems.add(Problem::new(None, "there is no [subject]: a scenario says which container it boots"));
        return Parsed { scenario: None, expect, step_expects, faults };
    };
    let control = control.and_then(|section| Control::read(section, &subject, &steps, around, problems));
    let steps = steps.read(&subject, around, problems);
    let subject = Subject::read(subject, around, problems);
    let scenario = head.zip(subject);
    let scenario = scenario.map(|(head, subject)| Scenario { head, subject, volumes, services, steps, control });
    Parsed { scenario, expect, step_expects, faults }
}

/// A file that asks for a newer language is refused for that alone: its other
/// words cannot be judged.
fn from_the_future(table: &DeTable<'_>) -> Option<Problem> {
    let version = table.get("version")?;
    let number: i64 = version.get_ref().as_integer()?.as_str().parse().ok()?;
    (number > VERSION).then(|| {
        Problem::new(Some(version.span()), format!("this file is written in version {number} of the scenario language"))
            .label("not known yet")
            .help(format!("this harness reads version {VERSION}; use a newer one"))
    })
}

fn take_table<'a>(table: &mut DeTable<'a>, name: &'static str, problems: &mut Problems) -> Option<Section<'a>> {
    let (key, value) = table.remove_entry(name)?;
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(table) => Some(Section::new(format!("[{name}]"), key.span(), table)),
        other => {
            let title = format!("`{name}` is a table: write [{name}], not {}", read::described(&other));
            problems.add(Problem::new(Some(span), title));
            None
        }
    }
}

fn read_expect<'a>(section: Option<Section<'a>>, alone: bool, problems: &mut Problems) -> Vec<Written<'a>> {
    let span = section.as_ref().map(Section::span);
    let written: Vec<Written<'a>> = section.into_iter().flat_map(Section::into_written).collect();
    if written.is_empty() && alone {
        problems.add(
            Problem::new(span, "nothing is expected: a scenario that checks nothing proves nothing")
                .help("add an [expect] table, such as `ready_within = \"10s\"`"),
        );
    }
    written
}
