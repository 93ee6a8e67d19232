//! Finds and reads scenario files.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use crate::image::Workspace;
use crate::plan::Plan;
use crate::scenario::Surroundings;
use crate::scenario::problem::Problems;
use crate::snapshot;
use crate::timeline::Stdio;

/// A scenario file that was found, whatever is in it.
#[derive(Debug)]
pub struct Case {
    /// The file, as it was found.
    pub file: PathBuf,
    /// What it asks for, or what is wrong with it.
    pub plan: Result<Plan, Problems>,
}

impl Case {
    /// Reads one file. That it cannot be read is a problem with it, not an end.
    #[must_use]
    pub fn read(file: &Path) -> Self {
        let plan = match std::fs::read(file).and_then(utf8) {
            Ok(text) => Plan::resolve(file, &text, &surroundings(file), &snapshots(file)),
            Err(error) => Err(Problems::unreadable(file, &error)),
        };
        Self { file: file.to_owned(), plan }
    }

    /// Whether the pattern occurs in its path, its claim or what it covers.
    #[must_use]
    pub fn is_selected_by(&self, pattern: &str) -> bool {
        let pattern = pattern.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&pattern);
        let says = |plan: &Plan| holds(&plan.head.claim) || plan.head.covers.iter().any(|row| holds(row));
        holds(&self.file.to_string_lossy()) || self.plan.as_ref().is_ok_and(says)
    }
}

/// What the checkout around the file holds, if there is one.
fn surroundings(file: &Path) -> Surroundings {
    let workspace = Workspace::find(file);
    Surroundings {
        folder: file.parent().map(Path::to_owned),
        fixtures: workspace.as_ref().and_then(|workspace| workspace.fixtures().ok()),
        states: workspace.map(|workspace| workspace.states()),
    }
}

fn snapshots(file: &Path) -> BTreeMap<Stdio, String> {
    let stored = |stream| Some((stream, std::fs::read_to_string(snapshot_path(file, stream)).ok()?));
    let stored = [Stdio::Stdout, Stdio::Stderr].into_iter().filter_map(stored);
    stored.map(|(stream, text)| (stream, snapshot::content(&text).to_owned())).collect()
}

/// Where the snapshot of a stream stands: beside its scenario.
#[must_use]
pub fn snapshot_path(file: &Path, stream: Stdio) -> PathBuf {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    file.with_file_name(snapshot::file_name(&stem, stream))
}

/// Writes a new scenario file, with the folders that it is in; one that is there stays as it is.
pub fn begin(file: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::File::create_new(file)?.write_all(text.as_bytes())
}

/// Where the schema of scenario files is, as seen from a file in a checkout.
/// Without a file it is as seen from where most of them are.
#[must_use]
pub fn schema_from(file: Option<&Path>) -> Option<String> {
    const SCHEMA: &str = "harness/scenario.schema.json";
    let workspace = Workspace::find(file.unwrap_or(Path::new(".")))?;
    let file = std::path::absolute(file.unwrap_or(&workspace.root().join("scenarios/folder/file.toml"))).ok()?;
    let mut below = file.parent()?.strip_prefix(workspace.root()).ok()?.components();
    let depth = below.try_fold(0_usize, |depth, part| match part {
        Component::ParentDir => depth.checked_sub(1),
        _ => Some(depth + 1),
    })?;
    Some("../".repeat(depth) + SCHEMA)
}

/// Every scenario file that the paths name, in order: files as they are,
/// folders with all that is in them.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, NotFound> {
    let mut found = Vec::new();
    for path in paths {
        let not_found = |cause| NotFound { path: path.clone(), cause };
        if path.is_dir() {
            find_in(path, &mut found).map_err(not_found)?;
        } else {
            // A file that is named is a scenario, whatever its name. Whether it
            // can be read is told with its contents.
            std::fs::metadata(path).map_err(not_found)?;
            found.push(path.clone());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// A path that names no scenario.
#[derive(Debug, thiserror::Error)]
#[error("cannot find scenarios at {path}: {cause}", path = .path.display())]
pub struct NotFound {
    path: PathBuf,
    cause: io::Error,
}

fn find_in(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_in(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
    }
    Ok(())
}

fn utf8(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        io::Error::new(io::ErrorKind::InvalidData, format!("it is not UTF-8 text (byte {byte})"))
    })
}
