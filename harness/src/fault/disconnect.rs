//! `disconnect`: the container is in no network any more, as when its host loses one.

use agent::{Answer, Command, Tried};
use schemars::JsonSchema;

use super::{Act, Action, Answered, Ground, Kind, TABLE, boxed};
use crate::scenario::problem::Problem;

pub const KIND: Kind = Kind {
    key: "disconnect",
    summary: "takes the subject or a service off every network",
    example: "disconnect = true",
    schema: bool::json_schema,
    read: |written, problems| {
        let span = written.value.span();
        let wanted: bool = written.read(TABLE, problems)?;
        if !wanted {
            problems.add(Problem::new(Some(span), "`disconnect` is `true` or not there"));
        }
        Some(boxed(Disconnect))
    },
};

/// An address that stands for any outside (RFC 5737). It is not spoken to.
const OUTSIDE: &str = "192.0.2.1";

#[derive(Debug)]
struct Disconnect;

impl Action for Disconnect {
    fn words(&self) -> String {
        "disconnect every network".to_owned()
    }

    fn inject(&self, _: &Ground) -> Vec<Act> {
        vec![Act::Disconnect]
    }

    fn looks(&self, ground: &Ground) -> Vec<Act> {
        vec![Act::Agent(Command::TryRoute { pid: ground.pid, address: OUTSIDE.to_owned() })]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        match (tried(before)?, tried(now)?) {
            (Err(errno), _) => Err(format!("it had no way out of its network before: {errno}")),
            (Ok(()), Err(errno)) => Ok(format!("it has no way out of its network: {errno}")),
            (Ok(()), Ok(())) => Err("it has a way out of its network".to_owned()),
        }
    }

    fn undo(&self, _: &Ground, _: &[Answered]) -> Option<Vec<Act>> {
        Some(vec![Act::Connect])
    }

    fn is_undoable(&self) -> bool {
        true
    }
}

fn tried(answers: &[Answered]) -> Result<&Tried, String> {
    match answers.first() {
        Some(Answered::Agent(Answer::Tried(tried))) => Ok(tried),
        Some(Answered::Failed(words)) => Err(words.clone()),
        _ => Err("nobody looked".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn a_disconnected_container_has_no_way_out() {
        let tried = |tried: Result<(), &str>| [Answered::Agent(Answer::Tried(tried.map_err(str::to_owned)))];
        let compare = |before, now, expected| check("disconnect = true", &tried(before), &tried(now), expected);
        compare(Ok(()), Err("ENETUNREACH"), Ok("it has no way out of its network: ENETUNREACH"));
        compare(Ok(()), Ok(()), Err("it has a way out of its network"));
        let never = Err("it had no way out of its network before: ENETUNREACH");
        compare(Err("ENETUNREACH"), Err("ENETUNREACH"), never);
    }
}
