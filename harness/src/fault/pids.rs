//! `pids`: no more processes or threads can be started.

use agent::{Answer, Command, Tried};
use schemars::JsonSchema;
use serde::Deserialize;

use super::throttle::restored;
use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};

pub const KIND: Kind = Kind {
    key: "pids",
    summary: "limits processes and threads to those there are and what it is to `leave`",
    example: "pids = { leave = 0 }",
    schema: Pids::json_schema,
    read: |written, problems| written.read::<Pids>(TABLE, problems).map(boxed),
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { leave = 0 }")]
struct Pids {
    /// How many more it may start.
    leave: u32,
}

impl Action for Pids {
    fn words(&self) -> String {
        match self.leave {
            0 => "leave no more processes".to_owned(),
            leave => format!("leave {leave} more processes"),
        }
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        vec![Act::Agent(Command::LimitPids { pid: ground.pid, leave: self.leave.into() })]
    }

    /// Where some are left, it is for the subject to use them up: to try would take one.
    fn looks(&self, ground: &Ground) -> Vec<Act> {
        let pid = ground.pid;
        vec![Act::Agent(if self.leave == 0 { Command::TryFork { pid } } else { Command::Usage { pid } })]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        match (seen(before)?, seen(now)?) {
            (Saw::Tried(Err(errno)), _) => Err(format!("no process could be started before: {errno}")),
            (_, Saw::Tried(Err(errno))) if errno == "EAGAIN" => {
                Ok("a process beside its own cannot start another: EAGAIN".to_owned())
            }
            (_, Saw::Tried(Err(errno))) => Err(format!("a process beside its own cannot start another: {errno}")),
            (_, Saw::Tried(Ok(()))) => Err("a process beside its own can start another".to_owned()),
            (Saw::Fails(before), Saw::Fails(now)) if now > before => {
                Ok(format!("the kernel refused it a process {} times", now - before))
            }
            (_, Saw::Fails(_)) => Err("it has not asked for more processes than it was left".to_owned()),
        }
    }

    fn undo(&self, ground: &Ground, injected: &[Answered]) -> Option<Vec<Act>> {
        Some(restored(ground, injected))
    }

    fn is_undoable(&self) -> bool {
        true
    }
}

enum Saw {
    Tried(Tried),
    Fails(u64),
}

fn seen(answers: &[Answered]) -> Result<Saw, String> {
    match answers.first() {
        Some(Answered::Agent(Answer::Tried(tried))) => Ok(Saw::Tried(tried.clone())),
        Some(Answered::Agent(Answer::Usage(usage))) => {
            usage.pids_fails.map(Saw::Fails).ok_or_else(|| "the kernel does not count refused processes".to_owned())
        }
        Some(Answered::Failed(words)) => Err(words.clone()),
        _ => Err("nobody looked".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use agent::Usage;

    use super::super::testing::check;
    use super::*;

    #[test]
    fn no_process_can_be_started_where_none_is_left() {
        let tried = |tried: Result<(), &str>| [Answered::Agent(Answer::Tried(tried.map_err(str::to_owned)))];
        let compare = |before, now, expected| check("pids = { leave = 0 }", &tried(before), &tried(now), expected);
        compare(Ok(()), Err("EAGAIN"), Ok("a process beside its own cannot start another: EAGAIN"));
        compare(Ok(()), Err("ENOMEM"), Err("a process beside its own cannot start another: ENOMEM"));
        compare(Ok(()), Ok(()), Err("a process beside its own can start another"));
        compare(Err("EAGAIN"), Err("EAGAIN"), Err("no process could be started before: EAGAIN"));
    }

    #[test]
    fn where_some_are_left_the_subject_has_to_use_them_up() {
        let fails = |pids_fails| [Answered::Agent(Answer::Usage(Box::new(Usage { pids_fails, ..Usage::default() })))];
        let compare = |before, now, expected| check("pids = { leave = 3 }", &fails(before), &fails(now), expected);
        compare(Some(1), Some(3), Ok("the kernel refused it a process 2 times"));
        compare(Some(1), Some(1), Err("it has not asked for more processes than it was left"));
    }
}
