//! `truncate`: a file is cut, as a full disk or a power failure leaves it.

use agent::Command;
use schemars::JsonSchema;
use serde::Deserialize;

use super::sight::{is_same, look, seen, was_cut};
use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::forms::Either;
use crate::scenario::value::{AbsolutePath, ByteSize};

pub const KIND: Kind = Kind {
    key: "truncate",
    summary: "cuts a file to a `size`, to nothing if nobody says it",
    example: "truncate = \"/data/app.db\"",
    schema: Either::<AbsolutePath, Truncate>::json_schema,
    read: |written, problems| written.read_or_text::<AbsolutePath, Truncate>(TABLE, problems).map(boxed),
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Truncate {
    /// The file.
    /// Example: `truncate = { path = "/data/app.db", size = "4k" }`.
    path: AbsolutePath,
    /// How much of it stays. Unsaid: nothing.
    /// Example: `truncate = { path = "/data/app.db", size = "4k" }`.
    size: Option<ByteSize>,
}

impl From<AbsolutePath> for Truncate {
    fn from(path: AbsolutePath) -> Self {
        Self { path, size: None }
    }
}

impl Truncate {
    fn bytes(&self) -> u64 {
        self.size.map_or(0, |size| size.0)
    }
}

impl Action for Truncate {
    fn words(&self) -> String {
        format!("truncate {} to {} bytes", self.path, self.bytes())
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        vec![Act::Agent(Command::Truncate { place: ground.place(self.path.as_str()), size: self.bytes() })]
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
            return Err(format!("another {path} is found, which was not truncated"));
        }
        if before.size <= self.bytes() {
            return Err(format!("{path} was no longer than {} bytes", before.size));
        }
        match was_cut(before, now, self.bytes()) {
            true => Ok(format!("{path} is found to have lost what it held beyond {} bytes", self.bytes())),
            false => Err(format!("{path} is found to have {} bytes, and had {}", now.size, before.size)),
        }
    }
}

#[cfg(test)]
mod tests {
    use agent::Seen;

    use super::super::sight::testing::{absent, file, saw};
    use super::super::testing::check;

    #[test]
    fn a_truncated_file_has_lost_its_end() {
        let toml = "truncate = { path = \"/data/a\", size = 1 }";
        let compare = |before, now, expected| check(toml, &saw([before]), &saw([now]), expected);
        let cut = Ok("/data/a is found to have lost what it held beyond 1 bytes");
        let with = |size: u64, text: &str| Seen { size, text: Some(text.to_owned()), ..file() };
        compare(file(), with(1, "a"), cut);
        compare(file(), with(5, "a\0\0de"), cut);
        compare(file(), file(), Err("/data/a is found to have 3 bytes, and had 3"));
        compare(file(), with(9, "abcdefghi"), Err("/data/a is found to have 9 bytes, and had 3"));
        compare(with(1, "a"), with(1, "a"), Err("/data/a was no longer than 1 bytes"));
        compare(file(), Seen { inode: 8, ..file() }, Err("another /data/a is found, which was not truncated"));
        compare(file(), absent(), Err("no /data/a is found"));
    }
}
