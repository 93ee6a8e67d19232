//! `fill`: the file system that a path is in has no room, or hardly any.

use agent::{Answer, Command, Place, Tried};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::forms::Either;
use crate::scenario::value::{AbsolutePath, ByteSize};

pub const KIND: Kind = Kind {
    key: "fill",
    summary: "fills the file system of a directory, but for what it is to `leave`",
    example: "fill = \"/data\"",
    schema: Either::<AbsolutePath, Fill>::json_schema,
    read: |written, problems| written.read_or_text::<AbsolutePath, Fill>(TABLE, problems).map(boxed),
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fill {
    /// A directory in the file system.
    /// Example: `fill = { path = "/data", leave = "64k" }`.
    path: AbsolutePath,
    /// How much is left free. Unsaid: nothing.
    /// Example: `fill = { path = "/data", leave = "64k" }`.
    leave: Option<ByteSize>,
}

impl From<AbsolutePath> for Fill {
    fn from(path: AbsolutePath) -> Self {
        Self { path, leave: None }
    }
}

impl Action for Fill {
    fn words(&self) -> String {
        match self.leave {
            Some(leave) => format!("fill {} up to the last {leave}", self.path),
            None => format!("fill {}", self.path),
        }
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        let leave = self.leave.map_or(0, |leave| leave.0);
        vec![Act::Agent(Command::Fill { place: ground.place(self.path.as_str()), leave })]
    }

    /// What is left is only measured: to try would take it from the subject. It is
    /// measured too where no process lives that could try.
    fn looks(&self, ground: &Ground) -> Vec<Act> {
        let (pid, path) = (ground.pid, self.path.to_string());
        vec![Act::Agent(match (self.leave, pid) {
            (_, 0) => Command::Free { place: ground.place(&path) },
            (None, _) => Command::TryWrite { pid, path },
            (Some(_), _) => Command::Free { place: Place::Container { pid, path } },
        })]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let path = &self.path;
        match (self.leave, seen(before)?, seen(now)?) {
            (None, Saw::Tried(Err(errno)), _) => Err(format!("writing to {path} failed before: {errno}")),
            (None, _, Saw::Tried(Err(errno))) if ["ENOSPC", "EDQUOT"].contains(&errno.as_str()) => {
                Ok(format!("writing to {path} fails with {errno}"))
            }
            (None, _, Saw::Tried(Err(errno))) => Err(format!("writing to {path} fails with {errno}")),
            (None, _, Saw::Tried(Ok(()))) => Err(format!("{path} can be written to")),
            (leave, before, Saw::Free(now)) => {
                let left = leave.map_or(0, |leave| leave.0);
                match before {
                    Saw::Free(before) if before <= left => {
                        Err(format!("{path} had no more than {before} bytes free before"))
                    }
                    _ if now > left => Err(format!("{path} has {now} bytes free")),
                    _ => Ok(format!("{path} has {now} bytes free")),
                }
            }
            (Some(_), _, Saw::Tried(_)) => Err("nobody measured".to_owned()),
        }
    }

    fn undo(&self, ground: &Ground, _: &[Answered]) -> Option<Vec<Act>> {
        Some(vec![Act::Agent(Command::Unfill { place: ground.place(self.path.as_str()) })])
    }

    fn is_undoable(&self) -> bool {
        true
    }
}

enum Saw {
    Tried(Tried),
    Free(u64),
}

fn seen(answers: &[Answered]) -> Result<Saw, String> {
    match answers.first() {
        Some(Answered::Agent(Answer::Tried(tried))) => Ok(Saw::Tried(tried.clone())),
        Some(Answered::Agent(Answer::Space(space))) => Ok(Saw::Free(space.free)),
        Some(Answered::Failed(words)) => Err(words.clone()),
        _ => Err("nobody looked".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use agent::Space;

    use super::super::testing::check;
    use super::*;

    fn tried(tried: Result<(), &str>) -> [Answered; 1] {
        [Answered::Agent(Answer::Tried(tried.map_err(str::to_owned)))]
    }

    #[test]
    fn a_full_file_system_takes_nothing_from_the_subject() {
        let compare = |before, now, expected| check("fill = \"/data\"", &tried(before), &tried(now), expected);
        compare(Ok(()), Err("ENOSPC"), Ok("writing to /data fails with ENOSPC"));
        compare(Ok(()), Ok(()), Err("/data can be written to"));
        compare(Ok(()), Err("EACCES"), Err("writing to /data fails with EACCES"));
        compare(Err("ENOSPC"), Err("ENOSPC"), Err("writing to /data failed before: ENOSPC"));
    }

    #[test]
    fn a_nearly_full_one_has_no_more_than_it_was_left() {
        let space = |free| [Answered::Agent(Answer::Space(Space { free, total: 9000, inodes_free: 9 }))];
        let compare = |before, now, expected| {
            check("fill = { path = \"/data\", leave = \"4k\" }", &space(before), &space(now), expected);
        };
        compare(8192, 4096, Ok("/data has 4096 bytes free"));
        compare(8192, 8192, Err("/data has 8192 bytes free"));
        compare(4096, 4096, Err("/data had no more than 4096 bytes free before"));
    }
}
