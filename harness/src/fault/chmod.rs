//! `chmod`: who may do what with a path is changed.

use agent::{Command, Tried};
use schemars::JsonSchema;
use serde::Deserialize;

use super::sight::{access, look, seen};
use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::value::{AbsolutePath, Mode};

pub const KIND: Kind = Kind {
    key: "chmod",
    summary: "gives a path another `mode`, with `recursive = true` everything below it too",
    example: "chmod = { path = \"/data\", mode = \"0555\" }",
    schema: Chmod::json_schema,
    read: |written, problems| written.read::<Chmod>(TABLE, problems).map(boxed),
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `path` and `mode`")]
struct Chmod {
    /// The path.
    path: AbsolutePath,
    /// Its new permission bits.
    mode: Mode,
    /// Everything below it too.
    /// Example: `chmod = { path = "/data", mode = "0000", recursive = true }`.
    #[serde(default)]
    recursive: bool,
}

impl Action for Chmod {
    fn words(&self) -> String {
        let all = if self.recursive { " and all below it" } else { "" };
        format!("give {}{all} the mode {}", self.path, self.mode)
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        let Self { path, mode, recursive } = self;
        vec![Act::Agent(Command::Chmod { place: ground.place(path.as_str()), mode: mode.0, recursive: *recursive })]
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        vec![look(ground, self.path.as_str())]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let (path, before, now) = (&self.path, seen(before, 0)?, seen(now, 0)?);
        if !before.exists || !now.exists {
            return Err(format!("no {path} is found"));
        }
        if before.mode == self.mode.0 {
            return Err(format!("{path} had the mode {} already: there was nothing to change", self.mode));
        }
        if now.mode != self.mode.0 {
            return Err(format!("{path} is found with the mode {:04o}", now.mode));
        }
        // Root is held by no mode, unless it has lost that right.
        let defies = |bits: u32, tried: &Tried| now.mode & bits == 0 && tried.is_ok();
        if defies(0o222, &now.write) || defies(0o444, &now.read) {
            let user = "it runs as a user whom no mode holds";
            return Err(format!("{path} has the mode {} and {} all the same: {user}", self.mode, access(now)));
        }
        Ok(format!("{path} is found with the mode {} and {}", self.mode, access(now)))
    }
}

#[cfg(test)]
mod tests {
    use agent::Seen;

    use super::super::sight::testing::{absent, file, saw};
    use super::super::testing::check;

    #[test]
    fn another_mode_is_found_and_holds() {
        let toml = "chmod = { path = \"/data\", mode = \"0555\" }";
        let compare = |before, now, expected| check(toml, &saw([before]), &saw([now]), expected);
        let closed = |write| Seen { mode: 0o555, write, ..file() };
        let held = closed(Err("EACCES".to_owned()));
        compare(file(), held, Ok("/data is found with the mode 0555 and can be read, cannot be written (EACCES)"));
        compare(
            file(),
            closed(Ok(())),
            Err("/data has the mode 0555 and can be read, can be written all the same: \
                 it runs as a user whom no mode holds"),
        );
        compare(file(), file(), Err("/data is found with the mode 0644"));
        compare(closed(Ok(())), closed(Ok(())), Err("/data had the mode 0555 already: there was nothing to change"));
        compare(absent(), absent(), Err("no /data is found"));
    }

    #[test]
    fn a_mode_that_takes_nothing_from_the_subject_may_still_matter_to_it() {
        let toml = "chmod = { path = \"/data\", mode = \"0777\" }";
        let now = Seen { mode: 0o777, ..file() };
        check(
            toml,
            &saw([file()]),
            &saw([now]),
            Ok("/data is found with the mode 0777 and can be read, can be written"),
        );
    }
}
