//! `connections`: a Postgres has no session left to give, as when other apps hold them all.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Act, Action, Answered, Ground, Kind, TABLE, Target, boxed};

/// What Postgres calls it: too many connections.
const TOO_MANY: &str = "53300";

pub const KIND: Kind = Kind {
    key: "connections",
    summary: "uses up the sessions of a Postgres, but for those that it is to `leave`",
    example: "connections = { leave = 0 }",
    schema: Connections::json_schema,
    read: |written, problems| written.read::<Connections>(TABLE, problems).map(boxed),
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { leave = 0 }")]
struct Connections {
    /// How many sessions are still to be had.
    leave: u32,
}

impl Action for Connections {
    fn words(&self) -> String {
        match self.leave {
            0 => "use up all sessions".to_owned(),
            leave => format!("use up all sessions but {leave}"),
        }
    }

    fn inject(&self, _: &Ground) -> Vec<Act> {
        vec![Act::Connections { leave: self.leave }]
    }

    fn looks(&self, _: &Ground) -> Vec<Act> {
        vec![Act::Session]
    }

    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String> {
        match (before.first(), now.first()) {
            (Some(Answered::Failed(words)), _) => Err(format!("no session could be opened before: {words}")),
            (_, Some(Answered::Failed(words))) if words.contains(TOO_MANY) => {
                Ok(format!("one more session is refused: {words}"))
            }
            (_, Some(Answered::Failed(words))) => Err(format!("a session fails, but otherwise: {words}")),
            _ => Err("one more session can be opened".to_owned()),
        }
    }

    fn undo(&self, _: &Ground, _: &[Answered]) -> Option<Vec<Act>> {
        Some(vec![Act::Disconnections])
    }

    fn is_undoable(&self) -> bool {
        true
    }

    fn target(&self) -> Target {
        Target::Postgres
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn sessions_are_used_up_when_one_more_is_refused_for_that() {
        let toml = "service = \"db\"\nconnections = { leave = 0 }";
        let failed = |words: &str| [Answered::Failed(words.to_owned())];
        let compare = |before: [Answered; 1], now: [Answered; 1], expected| check(toml, &before, &now, expected);
        let full = || failed("53300: sorry, too many clients already");
        compare([Answered::Done], full(), Ok("one more session is refused: 53300: sorry, too many clients already"));
        compare([Answered::Done], [Answered::Done], Err("one more session can be opened"));
        compare([Answered::Done], failed("no answer"), Err("a session fails, but otherwise: no answer"));
        let never = "no session could be opened before: 53300: sorry, too many clients already";
        compare(full(), full(), Err(never));
    }
}
