//! Joins the frames of a log stream into whole lines.
//!
//! Docker cuts a line into frames of 16 KiB and puts a timestamp in front of
//! each, also within the line. A reader that takes frames for lines tears a
//! long JSON line into pieces that no longer parse.

use bytes::Bytes;
use jiff::Timestamp;

use crate::engine::{Error, LogLine, Stdio};

/// The size at which Docker cuts a line.
const FRAME: usize = 16 * 1024;

/// The length of a timestamp in front of a frame: `2024-05-01T00:00:00.000000000Z`.
const STAMP: usize = 30;

/// Lines in the making, one for each stream.
#[derive(Debug, Default)]
pub struct Lines {
    stdout: Option<Begun>,
    stderr: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    at: Timestamp,
    bytes: Vec<u8>,
}

impl Lines {
    /// Takes one frame, and gives the line that it ends, if it ends one.
    pub fn push(&mut self, stream: Stdio, frame: &Bytes) -> Result<Option<LogLine>, Error> {
        let (at, rest) = split_stamp(frame).ok_or_else(|| Error::Failed {
            act: "read the logs".to_owned(),
            cause: format!("a line came without its timestamp: {}", String::from_utf8_lossy(frame)),
        })?;
        let slot = match stream {
            Stdio::Stdout => &mut self.stdout,
            Stdio::Stderr => &mut self.stderr,
        };
        // The line is as old as its first frame.
        let begun = slot.get_or_insert_with(|| Begun { at, bytes: Vec::new() });
        append(&mut begun.bytes, rest);
        if begun.bytes.pop_if(|last| *last == b'\n').is_none() {
            return Ok(None);
        }
        Ok(slot.take().map(|begun| begun.line(stream, false)))
    }

    /// The lines that were begun and never ended, in the order they were begun.
    pub fn finish(&mut self) -> Vec<LogLine> {
        let stdout = self.stdout.take().map(|begun| begun.line(Stdio::Stdout, true));
        let stderr = self.stderr.take().map(|begun| begun.line(Stdio::Stderr, true));
        let mut left: Vec<LogLine> = stdout.into_iter().chain(stderr).collect();
        left.sort_by_key(|line| line.at);
        left
    }
}

impl Begun {
    fn line(self, stream: Stdio, unfinished: bool) -> LogLine {
        LogLine { at: self.at, stream, text: String::from_utf8_lossy(&self.bytes).into_owned(), unfinished }
    }
}

/// A terminal's output has no frames of its own, so that a timestamp may still
/// stand after each 16 KiB of it.
fn append(line: &mut Vec<u8>, mut rest: &[u8]) {
    while rest.len() > FRAME {
        let (chunk, more) = rest.split_at(FRAME);
        line.extend_from_slice(chunk);
        rest = split_stamp(more).map_or(more, |(_, text)| text);
    }
    line.extend_from_slice(rest);
}

fn split_stamp(frame: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (stamp, rest) = frame.split_at_checked(STAMP)?;
    let text = rest.strip_prefix(b" ")?;
    let at = std::str::from_utf8(stamp).ok()?.parse().ok()?;
    Some((at, text))
}

#[cfg(test)]
mod tests {
    use super::Stdio::{Stderr, Stdout};
    use super::*;

    /// Feeds frames, each stamped with its number as the second, and compares
    /// the lines as (second, stream, text).
    fn check(frames: &[(Stdio, &[u8])], expected: &[(i64, Stdio, &str)]) {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for (second, (stream, text)) in frames.iter().enumerate() {
            let frame = [stamp(second).as_bytes(), text].concat();
            seen.extend(lines.push(*stream, &Bytes::from(frame)).unwrap());
        }
        seen.extend(lines.finish());
        let zero: Timestamp = "2024-05-01T00:00:00Z".parse().unwrap();
        let seen: Vec<(i64, Stdio, &str)> =
            seen.iter().map(|line| (line.at.as_second() - zero.as_second(), line.stream, line.text.as_str())).collect();
        assert_eq!(seen, expected);
    }

    fn stamp(second: usize) -> String {
        format!("2024-05-01T00:00:{second:02}.000000000Z ")
    }

    #[test]
    fn a_line_is_a_frame_that_ends_in_a_newline() {
        check(
            &[(Stdout, b"one\n"), (Stdout, b"\n"), (Stdout, b" two \n")],
            &[(0, Stdout, "one"), (1, Stdout, ""), (2, Stdout, " two ")],
        );
    }

    #[test]
    fn a_long_line_is_joined_without_the_timestamps_inside_it() {
        let (a, b) = ("a".repeat(FRAME), "b".repeat(FRAME));
        let whole = format!("{a}{b}c");
        check(
            &[(Stdout, a.as_bytes()), (Stdout, b.as_bytes()), (Stdout, b"c\n"), (Stdout, b"next\n")],
            &[(0, Stdout, &whole), (3, Stdout, "next")],
        );
    }

    #[test]
    fn two_streams_are_joined_apart() {
        check(
            &[(Stdout, b"out "), (Stderr, b"err "), (Stdout, b"put\n"), (Stderr, b"or\n")],
            &[(0, Stdout, "out put"), (1, Stderr, "err or")],
        );
    }

    #[test]
    fn a_partial_last_line_is_kept_and_known_for_one() {
        check(&[(Stderr, b"b"), (Stdout, b"a")], &[(0, Stderr, "b"), (1, Stdout, "a")]);
        let mut lines = Lines::default();
        let whole = lines.push(Stdout, &Bytes::from(stamp(0) + "whole\n")).unwrap();
        lines.push(Stdout, &Bytes::from(stamp(1) + "(y/N) ")).unwrap();
        let unfinished = whole.into_iter().chain(lines.finish()).map(|line| line.unfinished);
        assert_eq!(unfinished.collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn a_terminals_long_line_has_its_timestamps_taken_out() {
        let a = "a".repeat(FRAME);
        let raw = format!("{a}{}b\n", stamp(7));
        check(&[(Stdout, raw.as_bytes())], &[(0, Stdout, &format!("{a}b"))]);
    }

    #[test]
    fn a_character_torn_by_the_cut_is_whole_again() {
        let euro = "€".as_bytes();
        check(&[(Stdout, &euro[..1]), (Stdout, &[&euro[1..], b"\n"].concat())], &[(0, Stdout, "€")]);
    }

    #[test]
    fn bytes_that_are_not_text_are_replaced() {
        check(&[(Stdout, b"caf\xe9\n")], &[(0, Stdout, "caf\u{fffd}")]);
    }

    #[test]
    fn a_frame_without_a_timestamp_is_an_error() {
        let error = Lines::default().push(Stdout, &Bytes::from_static(b"hello\n")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read the logs: a line came without its timestamp: hello\n");
    }
}
