//! State that is mounted into a subject.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use super::Surroundings;
use super::problem::{Problem, Problems};
use super::read::{Section, described, unknown_word};
use super::value::{ByteSize, Count, Mode, Owner};

/// A volume: where it is mounted, what it holds and whose it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Volume {
    /// The absolute path it is mounted at.
    /// Example: `target = "/data"`.
    pub target: String,
    /// The owner of the volume and of all that is put into it. Unsaid: `0:0`.
    /// Example: `owner = "1000:1000"`.
    pub owner: Option<Owner>,
    /// The permission bits of the volume's root directory. Unsaid: `0755`.
    /// Example: `mode = "0750"`.
    pub mode: Option<Mode>,
    /// Whether the subject may only read it.
    /// Example: `read_only = true`.
    pub read_only: bool,
    /// Whether it is not mounted, until a step names it in its `volumes`.
    /// Example: `absent = true`.
    pub absent: bool,
    /// How much it can hold. Such a volume is held in memory, and keeps what it
    /// holds over all boots of a run.
    /// Example: `size = "8m"`.
    pub size: Option<ByteSize>,
    /// How much of its `size` is left free.
    /// Example: `size = "8m"`, `free = "64k"`.
    pub free: Option<ByteSize>,
    /// Directories it begins with: paths below the volume's root. One may stand
    /// where a file is expected, as one of `files` may where a directory is.
    /// Example: `directories = ["backups", "app.log"]`.
    pub directories: Vec<String>,
    /// How many empty files it begins with, in its folder `many`.
    /// Example: `many_files = 20000`.
    pub many_files: Option<Count>,
    /// A bind mount of a path that does not exist, instead of a volume.
    /// Example: `bind = { create_host_path = true }`.
    pub bind: Option<Bind>,
    /// A state directory it begins with: `fixture:tome` is `fixtures/state/tome`.
    /// Example: `content = "fixture:tome"`.
    pub content: Option<String>,
    /// Files it begins with: path below the volume's root, and text.
    /// Example: `files = { "config/app.toml" = "port = 8080" }`.
    pub files: BTreeMap<String, String>,
}

/// A bind mount whose source is missing on the engine's machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    /// Whether the engine makes what is missing, as a directory of root's: that is
    /// what `docker run -v` does. `--mount` refuses to start the container.
    /// Example: `bind = { create_host_path = false }`.
    pub create_host_path: bool,
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
        self.size.is_some() || self.many_files.is_some()
    }

    /// Whether it says no more than where it is mounted and how; then it begins as
    /// the engine makes it, with what the image holds at that path.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == self.bare()
    }

    /// The same without anything that it holds.
    fn bare(&self) -> Self {
        Self { target: self.target.clone(), read_only: self.read_only, absent: self.absent, ..Self::default() }
    }

    /// What is wrong with it beyond the types of its keys.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.target.is_empty() {
            faults.push("has no `target`, the path it is mounted at".to_owned());
        } else if !self.target.starts_with('/') || self.target == "/" {
            faults.push(format!("`target` is an absolute path below /, not `{}`", self.target));
        }
        let files = self.files.keys().map(|path| ("files", path));
        for (key, path) in files.chain(self.directories.iter().map(|path| ("directories", path))) {
            if path.is_empty() || path.starts_with('/') || path.split('/').any(|part| part == ".." || part.is_empty()) {
                faults.push(format!("`{key}` holds `{path}`: paths are relative to the volume and stay inside it"));
            }
        }
        if self.free.is_some() && self.size.is_none() {
            faults.push("has `free` and no `size`: only a volume of limited size can be nearly full".to_owned());
        }
        if self.bind.is_some() && *self != (Self { bind: self.bind, ..self.bare() }) {
            faults
                .push("is a `bind` of a path that does not exist, so nothing can be said of what it holds".to_owned());
        }
        if let Some(content) = &self.content
            && self.state().is_none()
        {
            faults.push(format!("`content` is `fixture:NAME`, not `{content}`"));
        }
        faults
    }
}
