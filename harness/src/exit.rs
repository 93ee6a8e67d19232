//! The exit codes of the harness. The first that applies is taken.

use std::process::ExitCode;
use std::sync::Arc;

use crate::check::verdict::Verdict;
use crate::judged::{Course, Judged};

/// How the harness ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Every claim held.
    Pass = 0,
    /// A subject broke a claim.
    Fail = 1,
    /// A file or the command line is wrong.
    BadInput = 2,
    /// A run proves nothing.
    Invalid = 3,
    /// No engine answers.
    NoEngine = 4,
    /// Nothing was selected.
    NothingSelected = 5,
    /// The user stopped it.
    Interrupted = 130,
}

impl Exit {
    /// What a suite comes to: a broken claim weighs most, then a bad file, then
    /// what proves nothing.
    #[must_use]
    pub fn of_suite(judged: &[Arc<Judged>]) -> Self {
        let broken = |one: &&Arc<Judged>| one.verdict == Verdict::Fail;
        let bad = |one: &Arc<Judged>| matches!(one.outcome, Course::BadFile(_));
        if judged.iter().filter(broken).any(|one| !bad(one)) {
            Self::Fail
        } else if judged.iter().any(bad) {
            Self::BadInput
        } else if judged.iter().any(|one| one.verdict == Verdict::Invalid) {
            Self::Invalid
        } else {
            Self::Pass
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
