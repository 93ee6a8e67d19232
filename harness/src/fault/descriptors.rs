//! `descriptors`: no more files or connections can be opened.

use agent::{Answer, Command, FileLimit, Process};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};

pub const KIND: Kind = Kind {
    key: "descriptors",
    summary: "limits each process to the descriptors it holds and what it is to `leave`",
    example: "descriptors = { leave = 0 }",
    schema: Descriptors::json_schema,
    read: |written, problems| written.read::<Descriptors>(TABLE, problems).map(boxed),
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { leave = 0 }")]
struct Descriptors {
    /// How many more each process can open.
    leave: u32,
}

impl Action for Descriptors {
    fn words(&self) -> String {
        match self.leave {
            0 => "leave no more descriptors".to_owned(),
            leave => format!("leave {leave} more descriptors"),
        }
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        vec![Act::Agent(Command::LimitFiles { pid: ground.pid, leave: self.leave.into() })]
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        vec![Act::Agent(Command::Processes { pid: ground.pid })]
    }

    /// Some process of it has none left. That none of them may be without one
    /// before keeps a look from finding what was always so.
    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let (before, now) = (processes(before)?, processes(now)?);
        if let Some(process) = before.iter().find(|process| process.descriptors_left == Some(0)) {
            return Err(format!("{} had no descriptor left before", process.command));
        }
        let left = |process: &&Process| process.descriptors_left;
        match now.iter().filter(|process| process.descriptors_left.is_some()).min_by_key(left) {
            Some(Process { command, descriptors, descriptors_left: Some(0), .. }) => {
                Ok(format!("{command} holds {descriptors} descriptors and can have no more"))
            }
            Some(Process { command, descriptors_left, .. }) => {
                Err(format!("{command} can have {} more descriptors", descriptors_left.unwrap_or_default()))
            }
            None => Err("no process was seen".to_owned()),
        }
    }

    fn undo(&self, ground: &Ground, injected: &[Answered]) -> Option<Vec<Act>> {
        let limits: Vec<FileLimit> = injected.iter().flat_map(limits).collect();
        Some(vec![Act::Agent(Command::UnlimitFiles { pid: ground.pid, limits })])
    }

    fn is_undoable(&self) -> bool {
        true
    }
}

fn limits(answer: &Answered) -> Vec<FileLimit> {
    match answer {
        Answered::Agent(Answer::FileLimits(limits)) => limits.clone(),
        _ => Vec::new(),
    }
}

fn processes(answers: &[Answered]) -> Result<&[Process], String> {
    match answers.first() {
        Some(Answered::Agent(Answer::Processes(processes))) => Ok(processes),
        Some(Answered::Failed(words)) => Err(words.clone()),
        _ => Err("nobody looked".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    fn left(left: &[Option<u64>]) -> [Answered; 1] {
        let process = |descriptors_left: &Option<u64>| Process {
            pid: 300,
            ns_pid: 1,
            ppid: 0,
            state: 'S',
            command: "app".to_owned(),
            threads: 1,
            blocked: 0,
            ignored: 0,
            descriptors: 5,
            descriptors_left: *descriptors_left,
        };
        [Answered::Agent(Answer::Processes(left.iter().map(process).collect()))]
    }

    #[test]
    fn descriptors_have_run_out_when_a_process_has_none_left() {
        let compare = |before: &[Option<u64>], now: &[Option<u64>], expected| {
            check("descriptors = { leave = 2 }", &left(before), &left(now), expected);
        };
        compare(&[Some(9), Some(9)], &[Some(2), Some(0)], Ok("app holds 5 descriptors and can have no more"));
        compare(&[Some(9)], &[Some(2)], Err("app can have 2 more descriptors"));
        compare(&[Some(0)], &[Some(0)], Err("app had no descriptor left before"));
        compare(&[None], &[None], Err("no process was seen"));
    }
}
