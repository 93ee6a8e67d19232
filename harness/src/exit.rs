//! The exit codes of the harness. The first that applies is taken.

use std::process::ExitCode;

use crate::check::verdict::Verdict;
use crate::judged::Tally;

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
    pub fn of_suite(tallies: &[Tally]) -> Self {
        let any = |wanted: fn(&Tally) -> bool| tallies.iter().any(wanted);
        if any(|one| one.verdict == Verdict::Fail && !one.bad_file) {
            Self::Fail
        } else if any(|one| one.bad_file) {
            Self::BadInput
        } else if any(|one| one.verdict == Verdict::Invalid) {
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
