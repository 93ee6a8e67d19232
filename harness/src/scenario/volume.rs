//! State that is mounted into a subject.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use super::Surroundings;
use super::problem::{Problem, Problems};
use super::read::{Section, described, unknown_word};
use super::value::{Mode, Owner};

/// A volume: where it is mounted, what it holds and whose it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Volume {
    /// The absolute path it is mounted at.
    pub target: String,
    /// The owner of the volume and of all that is put into it; `0:0` unless said.
    pub owner: Option<Owner>,
    /// The permission bits of the volume's root directory; `0755` unless said.
    pub mode: Option<Mode>,
    /// Whether the subject may only read it.
    pub read_only: bool,
    /// Whether only a step mounts it, by naming it in its `volumes`.
    pub later: bool,
    /// A state directory it begins with: `fixture:tome` is `fixtures/state/tome`.
    pub content: Option<String>,
    /// Files it begins with: path below the volume's root, and text.
    pub files: BTreeMap<String, String>,
}

/// Reads every `[volumes.NAME]`.
pub fn read_all(section: Section<'_>, around: &Surroundings, problems: &mut Problems) -> BTreeMap<String, Volume> {
    let mut volumes = BTreeMap::new();
    for written in section.into_written() {
        let name = written.key;
        let span = written.value.span();
        let table = match written.value.into_inner() {
            DeValue::Table(table) => table,
            other => {
                let title = format!("a volume is a table: write [volumes.{name}], not {}", described(&other));
                problems.add(Problem::new(Some(span), title));
                continue;
            }
        };
        let place = format!("[volumes.{name}]");
        if let Some(volume) = Section::new(&place, written.span.clone(), table).read::<Volume>(problems) {
            for title in volume.faults() {
                problems.add(Problem::new(Some(written.span.clone()), format!("{place} {title}")));
            }
            if let Some((state, states)) = volume.state().zip(around.states.as_ref())
                && !states.iter().any(|known| known == state)
            {
                let known: Vec<&str> = states.iter().map(String::as_str).collect();
                problems.add(unknown_word("state directory", state, &format!("`content` of {place}"), &known, span));
            }
            volumes.insert(name, volume);
        }
    }
    volumes
}

impl Volume {
    /// The name of the state directory it begins with.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.content.as_deref()?.strip_prefix("fixture:").filter(|name| !name.is_empty() && !name.contains(['/', '.']))
    }

    /// Whether somebody has to hold it: what only exists while it is mounted, or
    /// is made by more than an archive.
    #[must_use]
    pub fn needs_agent(&self) -> bool {
        false
    }

    /// What is wrong with it beyond the types of its keys.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.target.is_empty() {
            faults.push("has no `target`, the path it is mounted at".to_owned());
        } else if !self.target.starts_with('/') || self.target == "/" {
            faults.push(format!("`target` is an absolute path below /, not `{}`", self.target));
        }
        for path in self.files.keys() {
            if path.is_empty() || path.starts_with('/') || path.split('/').any(|part| part == ".." || part.is_empty()) {
                faults.push(format!("`files` holds `{path}`: paths are relative to the volume and stay inside it"));
            }
        }
        if let Some(content) = &self.content
            && self.state().is_none()
        {
            faults.push(format!("`content` is `fixture:NAME`, not `{content}`"));
        }
        faults
    }
}
