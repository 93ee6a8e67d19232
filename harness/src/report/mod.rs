//! The only code that speaks. Everything else returns values.

use std::fmt::Display;

use anstream::{eprintln, println};

use crate::judged::Judged;

mod diagnosis;
mod judged;
mod listing;
mod live;
mod style;

pub use diagnosis::diagnosis;
use judged::block;
pub use judged::summary;
pub use listing::{begun, explanation, list};
pub use live::Live;

/// A result, on standard output.
pub fn say(text: impl Display) {
    println!("{text}");
}

/// An error, on standard error.
pub fn complain(text: impl Display) {
    let error = style::bad("error");
    eprintln!("{error}: {text}");
}

/// Progress, on standard error.
pub fn note(text: impl Display) {
    eprintln!("{}", style::faint(text));
}

/// Problems with files, which bring their own heading.
pub fn problems(problems: &crate::scenario::problem::Problems) {
    eprintln!("{}", problems.render(true));
}

/// One scenario without colours, for a file or another program's output.
#[must_use]
pub fn plain(judged: &Judged) -> String {
    anstream::adapter::strip_str(&format!("{}\n{}", judged::line(judged), block(judged))).to_string()
}

/// What one scenario came to.
fn result(judged: &Judged) {
    println!("{}", judged::line(judged));
    let block = block(judged);
    if !block.is_empty() {
        println!("{block}");
    }
}
