//! The container under test, as the file describes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Surroundings;
use super::image::ImageRef;
use super::problem::{Problem, Problems};
use super::read::Section;
use super::ready::Ready;
use super::runtime::Runtime;
use super::wanted::{self, PullPolicy, Wanted};

/// The container under test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// The image it is made of.
    pub image: ImageRef,
    /// When that is pulled or built.
    pub pull_policy: PullPolicy,
    /// The platform that it has to be of.
    pub platform: Option<String>,
    /// What "ready" means for it, wherever that is said.
    pub ready: Option<Ready>,
    /// How it is run.
    pub runtime: Runtime,
}

/// As it is written.
#[derive(JsonSchema)]
#[schemars(rename = "subject", deny_unknown_fields)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes the keys one by one")]
pub struct AsWritten {
    #[schemars(flatten)]
    wanted: wanted::AsWritten,
    /// The sign by which it is known to be ready, wherever a scenario says "ready".
    /// Example: `ready = { http = "/health", port = 8080 }`.
    ready: Option<Ready>,
    #[schemars(flatten)]
    runtime: Runtime,
}

/// Any of its keys, in a table where they replace what the subject says.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes the keys one by one")]
pub struct Changes {
    #[schemars(flatten)]
    wanted: wanted::AsWritten,
    /// Another sign of being ready. Unsaid: the same.
    /// Example: `ready = { log = "listening" }`.
    ready: Option<Ready>,
    #[schemars(flatten)]
    runtime: Runtime,
}

impl Subject {
    /// Reads `[subject]`.
    pub fn read(mut section: Section<'_>, around: &Surroundings, problems: &mut Problems) -> Option<Self> {
        let name = section.name().to_owned();
        let wanted = Wanted::read(&mut section, around, problems);
        let ready = section.take("ready");
        let ready = ready.map(|written| Ready::read(written, problems));
        let header = section.span();
        let runtime = section.read::<Runtime>(problems);
        for words in runtime.iter().flat_map(Runtime::contradictions) {
            problems.add(Problem::new(Some(header.clone()), format!("{name} {words}")));
        }
        let ready = match ready {
            Some(None) => return None,
            Some(ready) => ready,
            None => None,
        };
        let Wanted { image, pull_policy, platform } = wanted?;
        Some(Self { image, pull_policy, platform, ready, runtime: runtime? })
    }

    /// The image it is made of, and how the engine gets it.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        Wanted { image: self.image.clone(), pull_policy: self.pull_policy, platform: self.platform.clone() }
    }
}
