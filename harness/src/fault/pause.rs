//! `pause`: all processes are frozen, as on a machine that swaps.

use agent::{Answer, Command};

use super::{Act, Action, Answered, Ground, Kind, boxed};
use crate::scenario::problem::Problem;

pub const KIND: Kind = Kind {
    key: "pause",
    summary: "freezes all processes of the subject, or of a service",
    example: "pause = true",
    read: |written, problems| {
        let span = written.value.span();
        let wanted: bool = written.read("[[fault]]", problems)?;
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
        vec![Act::Agent(Command::Processes { pid: ground.pid })]
    }

    fn bit(&self, _: &[Answered], now: &[Answered]) -> Result<String, String> {
        match now.first() {
            // A frozen process waits where no signal reaches it: the kernel calls that D.
            Some(Answered::Agent(Answer::Processes(processes))) if !processes.is_empty() => {
                match processes.iter().find(|process| !['D', 'Z'].contains(&process.state)) {
                    None => Ok(format!("all {} processes are frozen", processes.len())),
                    Some(process) => Err(format!("{} is in state {}", process.command, process.state)),
                }
            }
            Some(Answered::Failed(words)) => Err(words.clone()),
            _ => Err("no process was seen".to_owned()),
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
