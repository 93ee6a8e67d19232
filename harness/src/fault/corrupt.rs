//! `corrupt`: some bytes of a file are others, as on a bad disk. Which ones, the
//! seed of the run decides.

use agent::Command;
use schemars::JsonSchema;
use serde::Deserialize;

use super::sight::{is_same, look, seen};
use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::forms::Either;
use crate::scenario::value::{AbsolutePath, Count};

/// How many bytes are changed where nobody says it.
const BYTES: i64 = 64;

pub const KIND: Kind = Kind {
    key: "corrupt",
    summary: "overwrites `bytes` of a file, 64 if nobody says it, spread all over it",
    example: "corrupt = \"/data/app.db\"",
    schema: Either::<AbsolutePath, Corrupt>::json_schema,
    read: |written, problems| written.read_or_text::<AbsolutePath, Corrupt>(TABLE, problems).map(boxed),
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Corrupt {
    /// The file.
    /// Example: `corrupt = { path = "/data/app.db", bytes = 512 }`.
    path: AbsolutePath,
    /// How many bytes are overwritten. Unsaid: 64.
    /// Example: `corrupt = { path = "/data/app.db", bytes = 512 }`.
    bytes: Option<Count>,
}

impl From<AbsolutePath> for Corrupt {
    fn from(path: AbsolutePath) -> Self {
        Self { path, bytes: None }
    }
}

impl Corrupt {
    fn bytes(&self) -> i64 {
        self.bytes.map_or(BYTES, i64::from)
    }
}

impl Action for Corrupt {
    fn words(&self) -> String {
        format!("corrupt {} bytes of {}", self.bytes(), self.path)
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        let bytes = self.bytes().unsigned_abs();
        vec![Act::Agent(Command::Corrupt { place: ground.place(self.path.as_str()), bytes, seed: ground.seed })]
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        vec![look(ground, self.path.as_str())]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let (path, before, now) = (&self.path, seen(before, 0)?, seen(now, 0)?);
        if !before.exists || !now.exists {
            return Err(format!("no {path} is found"));
        }
        if !is_same(before, now) {
            return Err(format!("another {path} is found, which was not corrupted"));
        }
        let (Some(sum_before), Some(sum), Some(text_before), Some(text)) =
            (&before.sha256, &now.sha256, &before.text, &now.text)
        else {
            let reason = before.read.as_ref().err().or(now.read.as_ref().err());
            return Err(format!("{path} cannot be read: {}", reason.map_or("it is no file", String::as_str)));
        };
        // What was appended meanwhile changes the whole, and not what was there before.
        let is_other = match before.size == now.size {
            true => sum_before != sum,
            false => !text.starts_with(text_before.as_str()) && !text_before.starts_with(text.as_str()),
        };
        match is_other {
            true => Ok(format!("{path} is found with another content")),
            false => Err(format!("{path} is found with the content that it had")),
        }
    }
}

#[cfg(test)]
mod tests {
    use agent::Seen;

    use super::super::sight::testing::{absent, file, saw};
    use super::super::testing::check;

    #[test]
    fn a_corrupted_file_has_another_content() {
        let toml = "corrupt = { path = \"/data/a\", bytes = 2 }";
        let compare = |before, now, expected| check(toml, &saw([before]), &saw([now]), expected);
        let with = |text: &str, sum: &str| {
            let size = text.len() as u64;
            Seen { size, text: Some(text.to_owned()), sha256: Some(sum.to_owned()), ..file() }
        };
        let same = Err("/data/a is found with the content that it had");
        compare(file(), with("aXc", "bb"), Ok("/data/a is found with another content"));
        compare(file(), with("aXcd", "cc"), Ok("/data/a is found with another content"));
        compare(file(), file(), same);
        compare(file(), with("abcd", "dd"), same);
        compare(file(), with("a", "ee"), same);
        compare(file(), Seen { inode: 8, ..file() }, Err("another /data/a is found, which was not corrupted"));
        compare(absent(), absent(), Err("no /data/a is found"));
        let unreadable = || Seen { sha256: None, text: None, read: Err("EACCES".to_owned()), ..file() };
        compare(unreadable(), unreadable(), Err("/data/a cannot be read: EACCES"));
    }
}
