//! `memory`: memory runs out, whatever the limit was so far.

use agent::{Answer, Command};
use schemars::JsonSchema;
use serde::Deserialize;

use super::throttle::restored;
use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::value::ByteSize;
use crate::timeline::What;

pub const KIND: Kind = Kind {
    key: "memory",
    summary: "limits the memory to what is in use and what it is to `leave`",
    example: "memory = { leave = \"1m\" }",
    schema: Memory::json_schema,
    read: |written, problems| written.read::<Memory>(TABLE, problems).map(boxed),
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { leave = \"1m\" }")]
struct Memory {
    /// How much more it may use.
    leave: ByteSize,
}

impl Action for Memory {
    fn words(&self) -> String {
        format!("leave {} of memory", self.leave)
    }

    fn inject(&self, ground: &Ground) -> Vec<Act> {
        vec![Act::Agent(Command::LimitMemory { pid: ground.pid, leave: self.leave.0 })]
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        vec![Act::Agent(Command::Usage { pid: ground.pid })]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        let fails = |answers: &[Answered]| match answers.first() {
            Some(Answered::Agent(Answer::Usage(usage))) => {
                usage.memory_fails.ok_or_else(|| "the kernel does not count failed requests for memory".to_owned())
            }
            Some(Answered::Failed(words)) => Err(words.clone()),
            _ => Err("nobody looked".to_owned()),
        };
        match fails(now)?.saturating_sub(fails(before)?) {
            0 => Err("it has not asked for more memory than it was left".to_owned()),
            fails => Ok(format!("the kernel had no memory for it {fails} times")),
        }
    }

    /// Who asks for too much is killed at once, and its counters with it.
    fn shown_by(&self, event: &What) -> Option<String> {
        matches!(event, What::OutOfMemory).then(|| "the kernel killed a process of it for memory".to_owned())
    }

    fn undo(&self, ground: &Ground, injected: &[Answered]) -> Option<Vec<Act>> {
        Some(restored(ground, injected))
    }

    fn is_undoable(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use agent::Usage;

    use super::super::testing::{action, check};
    use super::*;

    #[test]
    fn memory_has_run_out_when_the_kernel_refused_some() {
        let fails =
            |memory_fails| [Answered::Agent(Answer::Usage(Box::new(Usage { memory_fails, ..Usage::default() })))];
        let compare =
            |before, now, expected| check("memory = { leave = \"1m\" }", &fails(before), &fails(now), expected);
        compare(Some(2), Some(5), Ok("the kernel had no memory for it 3 times"));
        compare(Some(2), Some(2), Err("it has not asked for more memory than it was left"));
        compare(None, None, Err("the kernel does not count failed requests for memory"));
    }

    #[test]
    fn a_process_that_was_killed_for_it_is_a_proof() {
        let memory = action("memory = { leave = \"1m\" }");
        assert!(memory.shown_by(&What::OutOfMemory).is_some());
        assert!(memory.shown_by(&What::Died { code: 137 }).is_none());
    }
}
