//! What scenarios came to, with all that it was judged by.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::check::verdict::{Finding, Unproven, Verdict};
use crate::run::Invalid;
use crate::scenario::control::Control;
use crate::scenario::problem::Problems;
use crate::timeline::Timeline;

/// A scenario, judged.
#[derive(Debug)]
pub struct Judged {
    /// Its file.
    pub file: PathBuf,
    /// Its claim; the file's name where the file is bad.
    pub claim: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
    /// What it was judged by.
    pub outcome: Course,
}

/// What a scenario was judged by.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one per scenario")]
pub enum Course {
    /// Its file says nothing that could be run.
    BadFile(Problems),
    /// There is no control to run in its place.
    NoControl,
    /// Its runs.
    Ran {
        /// The run that must hold.
        main: Judgement,
        /// The run that must fail, if there is one.
        control: Option<Controlled>,
    },
}

/// What a suite has to remember of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// What it came to.
    pub verdict: Verdict,
    /// Whether its file said nothing that could be run.
    pub bad_file: bool,
}

/// One run, judged.
#[derive(Debug)]
pub struct Judgement {
    /// Each claim.
    pub findings: Vec<Finding>,
    /// What they were judged over.
    pub timeline: Timeline,
    /// Why the run proves nothing, if it does.
    pub invalid: Option<Reason>,
    /// The folder it left, if it got that far.
    pub bundle: Option<PathBuf>,
}

/// Why a run proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// In a sentence.
    pub title: String,
    /// More lines, such as the log of a build.
    pub detail: Vec<String>,
    /// The user stopped it: there is nothing to tell of it.
    pub interrupted: bool,
}

/// A control's run, and whether it failed as it must.
#[derive(Debug)]
pub struct Controlled {
    /// How it was to fail.
    pub control: Control,
    /// The run.
    pub judgement: Judgement,
    /// The event that decided the right breach, or why it proves nothing.
    pub proven: Result<String, Unproven>,
}

/// What a scenario is called: its path without the ending, below the folder of scenarios.
#[must_use]
pub fn name_of(file: &Path) -> String {
    let stem = file.with_extension("");
    let parts: Vec<_> = stem
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    // Elsewhere the whole path: two files of the same name are two scenarios.
    let below = parts.iter().rposition(|part| part == "scenarios").map_or(0, |at| at + 1);
    parts[below..].join("/")
}

impl Judged {
    /// What a suite has to remember of it.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally { verdict: self.verdict, bad_file: matches!(self.outcome, Course::BadFile(_)) }
    }
}

impl Judgement {
    /// A run that did not come about.
    pub(crate) fn nothing(reason: Reason) -> Self {
        Self { findings: Vec::new(), timeline: Timeline::default(), invalid: Some(reason), bundle: None }
    }

    /// What the run by itself comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match &self.invalid {
            Some(_) => Verdict::Invalid,
            None if self.findings.iter().any(|finding| finding.breach.is_some()) => Verdict::Fail,
            None => Verdict::Pass,
        }
    }
}

impl Course {
    /// What the scenario comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::BadFile(_) => Verdict::Fail,
            Self::NoControl => Verdict::Invalid,
            Self::Ran { main, control } => match (main.verdict(), control) {
                (Verdict::Pass, Some(controlled)) if !controlled.is_proof() => Verdict::Invalid,
                (verdict, _) => verdict,
            },
        }
    }
}

impl Controlled {
    /// Whether it shows that the scenario can fail for the reason it names.
    #[must_use]
    pub fn is_proof(&self) -> bool {
        self.judgement.invalid.is_none() && self.proven.is_ok()
    }
}

impl From<&Invalid> for Reason {
    fn from(invalid: &Invalid) -> Self {
        Self { title: invalid.to_string(), detail: Vec::new(), interrupted: matches!(invalid, Invalid::Interrupted) }
    }
}

impl Reason {
    /// An image that could not be had, with the log of its build.
    pub(crate) fn from_image(error: &crate::image::Error) -> Self {
        Self { title: error.to_string(), detail: error.log().lines().map(str::to_owned).collect(), interrupted: false }
    }

    /// A file of ours that could not be written.
    pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> Self {
        Self { title: format!("cannot write {}: {error}", path.display()), detail: Vec::new(), interrupted: false }
    }
}
