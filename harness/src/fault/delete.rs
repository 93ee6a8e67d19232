//! `delete`: what stands at a path is removed, with all below it. A mount point
//! itself cannot go; it is emptied.

use agent::{Command, Kind as FileKind};
use schemars::JsonSchema;

use super::sight::{is_same, look, seen};
use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::value::AbsolutePath;

pub const KIND: Kind = Kind {
    key: "delete",
    summary: "removes a path with everything below it; a mount point is emptied",
    example: "delete = \"/data/app.db\"",
    schema: AbsolutePath::json_schema,
    read: |written, problems| written.read(TABLE, problems).map(|path| boxed(Delete(path))),
};

#[derive(Debug)]
struct Delete(AbsolutePath);

impl Action for Delete {
    fn words(&self) -> String {
        format!("delete {}", self.0)
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        vec![Act::Agent(Command::Delete { place: ground.place(self.0.as_str()) })]
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        vec![look(ground, self.0.as_str())]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let (path, before, now) = (&self.0, seen(before, 0)?, seen(now, 0)?);
        if !before.exists {
            return Err(format!("there was no {path} to delete"));
        }
        if !now.exists {
            return Ok(format!("no {path} is found"));
        }
        if !is_same(before, now) {
            return Ok(format!("a new {path} is found"));
        }
        // A directory that is a mount point stays.
        match (&before.entries, &now.entries) {
            (Some(held), Some(_)) if held.is_empty() => Err(format!("{path} held nothing that could be deleted")),
            (Some(held), Some(holds)) => match held.iter().find(|entry| holds.contains(entry)) {
                Some(entry) => Err(format!("{} is still found in {path}", entry.name)),
                None => Ok(format!("nothing that {path} held is found in it")),
            },
            _ if now.kind == FileKind::Directory => Err(format!("{path} is still found, and cannot be listed")),
            _ => Err(format!("{path} is still found")),
        }
    }
}

#[cfg(test)]
mod tests {
    use agent::Seen;

    use super::super::sight::testing::{absent, directory, file, saw};
    use super::super::testing::check;

    #[test]
    fn what_is_deleted_is_not_found_any_more() {
        let toml = "delete = \"/data/app.db\"";
        let compare = |before, now, expected| check(toml, &saw([before]), &saw([now]), expected);
        compare(file(), absent(), Ok("no /data/app.db is found"));
        compare(file(), Seen { born: Some(6), ..file() }, Ok("a new /data/app.db is found"));
        compare(file(), Seen { size: 90, ..file() }, Err("/data/app.db is still found"));
        compare(absent(), absent(), Err("there was no /data/app.db to delete"));
    }

    #[test]
    fn a_mount_point_is_emptied() {
        let toml = "delete = \"/data/\"";
        let compare = |before, now, expected| check(toml, &saw([before]), &saw([now]), expected);
        compare(directory(&["a", "b"]), directory(&[]), Ok("nothing that /data held is found in it"));
        compare(directory(&["a"]), directory(&["b"]), Ok("nothing that /data held is found in it"));
        compare(directory(&["a", "b"]), directory(&["b", "c"]), Err("b is still found in /data"));
        compare(directory(&[]), directory(&["a"]), Err("/data held nothing that could be deleted"));
    }
}
