//! `rotate`: a log file is rotated under whoever writes it, in either of the ways
//! in which logrotate does it.

use agent::Command;
use schemars::JsonSchema;
use serde::Deserialize;

use super::sight::{is_same, look, seen, was_cut};
use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::forms::Either;
use crate::scenario::value::AbsolutePath;

pub const KIND: Kind = Kind {
    key: "rotate",
    summary: "renames a log file to NAME.1, or with `copy_truncate = true` copies it there and empties it",
    example: "rotate = \"/data/app.log\"",
    schema: Either::<AbsolutePath, Rotate>::json_schema,
    read: |written, problems| written.read_or_text::<AbsolutePath, Rotate>(TABLE, problems).map(boxed),
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rotate {
    /// The log file.
    /// Example: `rotate = { path = "/data/app.log", copy_truncate = true }`.
    path: AbsolutePath,
    /// The file stays: it is copied and emptied, as with logrotate's `copytruncate`.
    /// Example: `rotate = { path = "/data/app.log", copy_truncate = true }`.
    #[serde(default)]
    copy_truncate: bool,
}

impl From<AbsolutePath> for Rotate {
    fn from(path: AbsolutePath) -> Self {
        Self { path, copy_truncate: false }
    }
}

impl Rotate {
    fn rotated(&self) -> String {
        format!("{}.1", self.path)
    }
}

impl Action for Rotate {
    fn words(&self) -> String {
        let how = if self.copy_truncate { " by copying and truncating" } else { "" };
        format!("rotate {}{how}", self.path)
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        let place = ground.place(self.path.as_str());
        let to = ground.below(&self.rotated());
        vec![Act::Agent(match self.copy_truncate {
            true => Command::CopyTruncate { place, to },
            false => Command::Rename { place, to },
        })]
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        vec![look(ground, self.path.as_str()), look(ground, &self.rotated())]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let (path, rotated) = (&self.path, self.rotated());
        let (log_before, log, old) = (seen(before, 0)?, seen(now, 0)?, seen(now, 1)?);
        if !log_before.exists {
            return Err(format!("there was no {path} to rotate"));
        }
        if !old.exists {
            return Err(format!("no {rotated} is found"));
        }
        if self.copy_truncate {
            return match log.exists && is_same(log_before, log) && was_cut(log_before, log, 0) {
                true => Ok(format!("{path} is found to be emptied, beside {rotated}")),
                false => Err(format!("{path} is found to have {} bytes, and had {}", log.size, log_before.size)),
            };
        }
        match is_same(log_before, old) {
            true => Ok(format!("what was {path} is found at {rotated}")),
            false => Err(format!("{rotated} is found to be another file than {path} was")),
        }
    }
}

#[cfg(test)]
mod tests {
    use agent::Seen;

    use super::super::sight::testing::{absent, file, saw};
    use super::super::testing::check;

    #[test]
    fn a_rotated_file_is_found_under_its_new_name() {
        let toml = "rotate = \"/data/a.log\"";
        let compare = |now: [Seen; 2], expected| check(toml, &saw([file(), absent()]), &saw(now), expected);
        let new = || Seen { inode: 8, ..file() };
        compare([absent(), file()], Ok("what was /data/a.log is found at /data/a.log.1"));
        compare([new(), file()], Ok("what was /data/a.log is found at /data/a.log.1"));
        compare([file(), absent()], Err("no /data/a.log.1 is found"));
        compare([file(), new()], Err("/data/a.log.1 is found to be another file than /data/a.log was"));
        check(toml, &saw([absent(), absent()]), &saw([file(), absent()]), Err("there was no /data/a.log to rotate"));
    }

    #[test]
    fn a_file_that_was_copied_and_truncated_is_the_same_and_empty() {
        let toml = "rotate = { path = \"/data/a.log\", copy_truncate = true }";
        let compare = |now: [Seen; 2], expected| check(toml, &saw([file(), absent()]), &saw(now), expected);
        let (copy, empty) = (|| Seen { inode: 8, ..file() }, || Seen { size: 0, text: Some(String::new()), ..file() });
        compare([empty(), copy()], Ok("/data/a.log is found to be emptied, beside /data/a.log.1"));
        compare([file(), copy()], Err("/data/a.log is found to have 3 bytes, and had 3"));
        compare([empty(), absent()], Err("no /data/a.log.1 is found"));
    }
}
