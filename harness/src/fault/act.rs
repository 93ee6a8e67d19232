//! What is done to the world, or asked of it, as values.

use agent::{Answer, Command};

/// One act or question, about the container that a fault is done to.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Of the agent.
    Agent(Command),
    /// The engine freezes all processes.
    Pause,
    /// The engine lets them go on.
    Unpause,
    /// The engine takes it off every network.
    Disconnect,
    /// The engine puts it back.
    Connect,
    /// The engine runs a command in it.
    Run {
        /// The program and its arguments.
        command: Vec<String>,
        /// How it has to end; a look takes any end.
        exit_code: Option<i64>,
    },
    /// Sessions are opened on a Postgres until it has no more to give, and held but for so many.
    Connections {
        /// How many it has left then.
        leave: u32,
    },
    /// The sessions are ended.
    Disconnections,
    /// One session is opened on a Postgres as the subject would, and ended.
    Session,
}

/// What an act answered, or a look saw.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// It is done, and there is nothing to tell.
    Done,
    /// The agent's answer.
    Agent(Answer),
    /// How a command ended.
    Ran {
        /// Its exit code.
        code: i64,
        /// What it wrote.
        output: String,
    },
    /// It could not be done, or not be seen; these words say why.
    Failed(String),
}
