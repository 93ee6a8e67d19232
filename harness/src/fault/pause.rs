//! `pause`: all processes are frozen, as on a machine that swaps.

use agent::{Answer, Command};
use schemars::JsonSchema;

use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::problem::Problem;

pub const KIND: Kind = Kind {
    key: "pause",
    summary: "freezes all processes of the subject, or of a service",
    example: "pause = true",
    schema: bool::json_schema,
    read: |written, problems| {
        let span = written.value.span();
        let wanted: bool = written.read(TABLE, problems)?;
        if !wanted {
            problems.add(Problem::new(Some(span), "`pause` is `true` or not there"));
        }
        Some(boxed(Pause))
    },
};

#[derive(Debug)]
struct Pause;

impl Action for Pause {
    fn words(&self) -> String {
        "pause all processes".to_owned()
    }

    fn inject(&self, _: &Ground) -> Vec<Act> {
        vec![Act::Pause]
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        vec![Act::Agent(Command::TryRun { pid: ground.pid })]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        match (before.first(), now.first()) {
            (Some(Answered::Failed(words)), _) | (_, Some(Answered::Failed(words))) => Err(words.clone()),
            (Some(Answered::Agent(Answer::Tried(Err(_)))), _) => Err("it was frozen already".to_owned()),
            (_, Some(Answered::Agent(Answer::Tried(Err(state))))) => Ok(format!("a process beside its own is {state}")),
            _ => Err("a process beside its own runs".to_owned()),
        }
    }

    fn undo(&self, _: &Ground, _: &[Answered]) -> Option<Vec<Act>> {
        Some(vec![Act::Unpause])
    }

    fn is_undoable(&self) -> bool {
        true
    }

    fn holds_all(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn a_paused_container_lets_no_process_run() {
        let tried = |tried: Result<(), &str>| [Answered::Agent(Answer::Tried(tried.map_err(str::to_owned)))];
        let compare = |before, now, expected| check("pause = true", &tried(before), &tried(now), expected);
        compare(Ok(()), Err("frozen"), Ok("a process beside its own is frozen"));
        compare(Ok(()), Ok(()), Err("a process beside its own runs"));
        compare(Err("frozen"), Err("frozen"), Err("it was frozen already"));
    }
}
