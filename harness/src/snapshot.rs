//! What a subject wrote, compared with what it wrote when somebody last agreed.
//!
//! A snapshot is one stream of one run in insta's file format, beside its scenario.

use similar::{ChangeTag, TextDiff};

use crate::redact::normalise;
use crate::timeline::{Stdio, Timeline};

/// The text of one stream as it is compared and stored.
#[must_use]
pub fn text_of(timeline: &Timeline, stream: Stdio) -> String {
    timeline.lines(Some(stream)).map(|(_, line)| normalise(line) + "\n").collect()
}

/// A snapshot file with this content.
#[must_use]
pub fn file(scenario: &str, stream: Stdio, content: &str) -> String {
    format!("---\nsource: {scenario}\nexpression: {stream}\n---\n{content}")
}

/// The content of a snapshot file.
#[must_use]
pub fn content(file: &str) -> &str {
    let body = file.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    body.map_or(file, |(_, content)| content)
}

/// The name of a snapshot file, for the scenario with this file stem.
#[must_use]
pub fn file_name(stem: &str, stream: Stdio) -> String {
    format!("{stem}.{stream}.snap")
}

/// Where two texts differ: the lines with their signs, and which line of the
/// new text, from 0, is the first that was not expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Lines with `-`, `+` or a blank before them, unchanged ones left out
    /// where they are far from a change.
    pub lines: Vec<String>,
    /// The first line of the new text that differs.
    pub first: usize,
}

/// Compares; `None` when there is no difference.
#[must_use]
pub fn difference(expected: &str, seen: &str) -> Option<Difference> {
    if expected == seen {
        return None;
    }
    let diff = TextDiff::from_lines(expected, seen);
    let mut lines = Vec::new();
    let mut first = None;
    for group in diff.grouped_ops(1) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            if sign != ' ' && first.is_none() {
                first = Some(change.new_index().unwrap_or_else(|| group[0].new_range().end));
            }
            lines.push(format!("{sign} {}", change.value().trim_end_matches('\n')));
        }
    }
    Some(Difference { lines, first: first.unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_file_gives_back_its_content() {
        let text = "one\n---\ntwo\n";
        assert_eq!(content(&file("scenarios/a.toml", Stdio::Stdout, text)), text);
    }

    #[test]
    fn a_difference_shows_the_lines_that_changed() {
        assert_eq!(difference("a\nb\nc\n", "a\nb\nc\n"), None);
        let seen = difference("a\nb\nc\n", "a\nB\nc\n").unwrap();
        assert_eq!(seen.lines, ["  a", "- b", "+ B", "  c"]);
        assert_eq!(seen.first, 1);
    }
}
