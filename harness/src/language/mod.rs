//! The scenario language as data: the schema by which editors complete, the
//! reference for people, and the start of a new file.
//!
//! All of it comes from the types that read a file and from the kinds of
//! expectations and faults. Each key has its description and its example beside
//! it, in its documentation: the last line of that is `Example:` with fragments
//! of TOML in backticks, as they stand in the section of the file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::check;
use crate::fault;
use crate::scenario;
use crate::scenario::volume::Volume;

mod reference;
mod section;
mod start;
mod tidy;
mod types;

pub use reference::Reference;
pub use section::Section;
pub use start::Start;
pub use types::{Named, Row};

/// A scenario file.
#[derive(JsonSchema)]
#[schemars(title = "Bootproof scenario", deny_unknown_fields)]
#[expect(dead_code, reason = "the schema alone knows it; `scenario::parse` reads section by section")]
struct File {
    #[schemars(flatten)]
    head: scenario::Head,
    /// The container under test.
    subject: scenario::subject::AsWritten,
    /// State mounted into it, by any name.
    #[schemars(default)]
    volumes: BTreeMap<String, Volume>,
    /// What it depends on, by the name under which it reaches it.
    #[schemars(default)]
    services: BTreeMap<String, scenario::service::AsWritten>,
    /// What must be true.
    expect: Option<check::Whole>,
    /// Its life cycle; without one it is started once.
    #[schemars(default)]
    step: Vec<Step>,
    /// What is done to it.
    #[schemars(default)]
    fault: Vec<Fault>,
    /// The known-bad twin: how a broken subject fails.
    control: Option<scenario::control::AsWritten>,
}

/// One act of a life cycle.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema alone knows it")]
struct Step {
    #[schemars(flatten)]
    step: scenario::step::AsWritten,
    /// What must be true from this step up to the next.
    /// Example: `do = "restart"`, `expect.ready_within = "5s"`.
    expect: Option<check::Anything>,
}

/// One bad thing that is done.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema alone knows it")]
struct Fault {
    #[schemars(flatten)]
    fault: scenario::fault::AsWritten,
    #[schemars(flatten)]
    action: fault::Actions,
}

/// The JSON schema of a scenario file, in the draft that editors know best.
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.transforms.insert(0, Box::new(tidy::ForToml));
        settings.transforms.insert(1, Box::new(tidy::WithExamples));
    });
    settings.into_generator().into_root_schema_for::<File>().to_value()
}
