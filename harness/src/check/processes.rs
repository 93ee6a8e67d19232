//! `processes`: how many there are, and whether PID 1 reaps those that have ended.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sight::{Claimed, Held, Looked, Wrong, unseen};
use super::{Expectation, Kind, Places, Reading, boxed};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::timeline::{Look, ProcessSeen, Seen};

pub const KIND: Kind = Kind {
    key: "processes",
    summary: "has at most so many processes, and so many of them zombies",
    example: "processes = { zombies = 0 }",
    schema: AsWritten::json_schema,
    read,
    unsaid: None,
    places: Places::Throughout,
};

/// The kernel's letter for a process that has ended and was not reaped.
const ZOMBIE: char = 'Z';

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table such as { zombies = 0 }")]
#[schemars(inline)]
struct AsWritten {
    /// At most so many have ended and were not reaped.
    zombies: Option<usize>,
    /// At most so many, PID 1 among them.
    /// Example: `processes = { at_most = 5 }`.
    at_most: Option<usize>,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    let span = written.span.clone();
    let Some(AsWritten { zombies, at_most }) = written.read("[expect]", reading.problems) else {
        return Vec::new();
    };
    let held = if reading.throughout { Held::Throughout } else { Held::AtTheEnd };
    let looked = [zombies.map(Claim::Zombies), at_most.map(Claim::AtMost)];
    let all: Vec<Box<dyn Expectation>> =
        looked.into_iter().flatten().map(|claimed| boxed(Looked { claimed, held })).collect();
    if all.is_empty() {
        let problem = Problem::new(Some(span), "`processes` claims nothing");
        reading.problems.add(problem.help("give it `zombies` or `at_most`"));
    }
    all
}

/// How many processes there may be.
#[derive(Debug)]
enum Claim {
    /// That have ended and were not reaped.
    Zombies(usize),
    /// In all.
    AtMost(usize),
}

impl Claimed for Claim {
    fn words(&self) -> String {
        match self {
            Self::Zombies(0) => "leaves no zombie".to_owned(),
            Self::Zombies(most) => format!("leaves at most {most} zombies"),
            Self::AtMost(most) => format!("has at most {most} processes"),
        }
    }

    fn look(&self) -> Look {
        Look::Processes
    }

    fn wrong(&self, saw: &Seen, _before: Option<&Seen>) -> Option<Wrong> {
        let Seen::Processes(processes) = saw else { return Some(unseen(saw)) };
        let zombies = processes.iter().filter(|process| process.state == ZOMBIE);
        let (counted, most, what): (Vec<&ProcessSeen>, usize, &str) = match self {
            Self::Zombies(most) => (zombies.collect(), *most, "zombie"),
            Self::AtMost(most) => (processes.iter().collect(), *most, "process"),
        };
        let told = |process: &&ProcessSeen| format!("{process}, child of {}", process.parent);
        let detail = counted.iter().map(told).collect();
        (counted.len() > most).then(|| Wrong { saw: format!("there {}", number(counted.len(), what)), detail })
    }
}

fn number(count: usize, what: &str) -> String {
    match (count, what) {
        (1, what) => format!("is 1 {what}"),
        (count, "process") => format!("are {count} processes"),
        (count, what) => format!("are {count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, looked};
    use super::*;
    use crate::timeline::When;

    fn process(pid: u32, state: char) -> ProcessSeen {
        ProcessSeen { pid, parent: 1, state, command: "sh".to_owned() }
    }

    #[test]
    fn zombies_and_processes_are_counted() {
        let saw = |processes| [(9, looked(Look::Processes, Seen::Processes(processes), When::After))];
        let two = saw(vec![process(1, 'S'), process(7, 'Z')]);
        check("processes = { zombies = 0 }", &two, "there is 1 zombie");
        check("processes = { zombies = 1 }", &two, "holds");
        check("processes = { at_most = 1 }", &two, "there are 2 processes");
        check("processes = { at_most = 2 }", &two, "holds");
    }
}
