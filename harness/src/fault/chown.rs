//! `chown`: a path is somebody else's, as after a restore or a move to another host.

use agent::Command;
use schemars::JsonSchema;
use serde::Deserialize;

use super::sight::{access, look, seen};
use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::value::{AbsolutePath, Owner};

pub const KIND: Kind = Kind {
    key: "chown",
    summary: "gives a path to another `owner`, with `recursive = true` everything below it too",
    example: "chown = { path = \"/data\", owner = \"0:0\" }",
    schema: Chown::json_schema,
    read: |written, problems| written.read::<Chown>(TABLE, problems).map(boxed),
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `path` and `owner`")]
struct Chown {
    /// The path.
    path: AbsolutePath,
    /// Its new owner.
    owner: Owner,
    /// Everything below it too.
    /// Example: `chown = { path = "/data", owner = "0:0", recursive = true }`.
    #[serde(default)]
    recursive: bool,
}

impl Action for Chown {
    fn words(&self) -> String {
        let all = if self.recursive { " and all below it" } else { "" };
        format!("give {}{all} to {}", self.path, self.owner)
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        let place = ground.place(self.path.as_str());
        let (uid, gid) = (Some(self.owner.uid), Some(self.owner.gid));
        vec![Act::Agent(Command::Chown { place, uid, gid, recursive: self.recursive })]
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        vec![look(ground, self.path.as_str())]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let (path, before, now) = (&self.path, seen(before, 0)?, seen(now, 0)?);
        if !before.exists || !now.exists {
            return Err(format!("no {path} is found"));
        }
        if (Owner { uid: before.uid, gid: before.gid }) == self.owner {
            return Err(format!("{path} belonged to {} already: there was nothing to change", self.owner));
        }
        match (Owner { uid: now.uid, gid: now.gid }) == self.owner {
            true => Ok(format!("{path} is found to belong to {} and {}", self.owner, access(now))),
            false => Err(format!("{path} is found to belong to {}:{}", now.uid, now.gid)),
        }
    }
}

#[cfg(test)]
mod tests {
    use agent::Seen;

    use super::super::sight::testing::{absent, file, saw};
    use super::super::testing::check;

    #[test]
    fn another_owner_is_found() {
        let toml = "chown = { path = \"/data\", owner = \"0:0\" }";
        let compare = |before, now, expected| check(toml, &saw([before]), &saw([now]), expected);
        let theirs = || Seen { uid: 0, gid: 0, write: Err("EACCES".to_owned()), ..file() };
        compare(file(), theirs(), Ok("/data is found to belong to 0:0 and can be read, cannot be written (EACCES)"));
        compare(file(), file(), Err("/data is found to belong to 1000:1000"));
        compare(theirs(), theirs(), Err("/data belonged to 0:0 already: there was nothing to change"));
        compare(file(), absent(), Err("no /data is found"));
    }
}
