//! Colours, each for one meaning. `anstream` takes them out where no terminal is.

use std::fmt::Display;

use owo_colors::OwoColorize;

use crate::check::verdict::Verdict;

pub fn bad(text: impl Display) -> String {
    text.red().bold().to_string()
}

pub fn good(text: impl Display) -> String {
    text.green().to_string()
}

pub fn doubtful(text: impl Display) -> String {
    text.yellow().bold().to_string()
}

pub fn faint(text: impl Display) -> String {
    text.dimmed().to_string()
}

pub fn strong(text: impl Display) -> String {
    text.bold().to_string()
}

/// A verdict in its colour, padded to the width of the longest.
pub fn verdict(verdict: Verdict) -> String {
    let word = format!("{:<7}", verdict.to_string());
    match verdict {
        Verdict::Pass => good(word),
        Verdict::Fail => bad(word),
        Verdict::Invalid => doubtful(word),
    }
}
