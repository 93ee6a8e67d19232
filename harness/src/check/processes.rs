//! `processes`: what PID 1 is there for besides its app: that the dead are reaped,
//! and that the living can end by themselves when it does.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sight::{Claimed, Held, Looked, Wrong, unseen};
use super::{Breach, Expectation, Kind, Outcome, Places, Reading, Wants, boxed, broken_by_end};
use crate::scenario::Written;
use crate::scenario::problem::Problem;
use crate::timeline::{EndSeen, Look, ProcessSeen, Seen, Timeline, What};

pub const KIND: Kind = Kind {
    key: "processes",
    summary: "has at most so many processes, so many of them zombies, and so many that have to be killed at its stop",
    example: "processes = { zombies = 0, stragglers = 0 }",
    schema: AsWritten::json_schema,
    read,
    unsaid: None,
    places: Places::Throughout,
};

/// The kernel's letter for a process that has ended and was not reaped.
const ZOMBIE: char = 'Z';

/// The signal that leaves a process no time.
const SIGKILL: i32 = 9;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table such as { zombies = 0 }")]
#[schemars(inline)]
struct AsWritten {
    /// At most so many have ended and were not reaped.
    zombies: Option<usize>,
    /// At most so many, PID 1 among them.
    /// Example: `processes = { at_most = 5 }`.
    at_most: Option<usize>,
    /// At most so many were alive when PID 1 ended, and were killed for that.
    stragglers: Option<usize>,
}

fn read(written: Written<'_>, reading: &mut Reading<'_>) -> Vec<Box<dyn Expectation>> {
    let span = written.span.clone();
    let Some(AsWritten { zombies, at_most, stragglers }) = written.read("[expect]", reading.problems) else {
        return Vec::new();
    };
    let held = if reading.throughout { Held::Throughout } else { Held::AtTheEnd };
    let looked = [zombies.map(Claim::Zombies), at_most.map(Claim::AtMost)];
    let looked = looked.into_iter().flatten().map(|claimed| boxed(Looked { claimed, held }));
    let all: Vec<Box<dyn Expectation>> = looked.chain(stragglers.map(|most| boxed(Stragglers(most)))).collect();
    if all.is_empty() {
        let problem = Problem::new(Some(span.clone()), "`processes` claims nothing");
        reading.problems.add(problem.help("give it `zombies`, `at_most` or `stragglers`"));
    }
    if reading.throughout && stragglers.is_some() {
        let title = "`stragglers` cannot stand in [expect.throughout]: they are seen when the subject is stopped";
        reading.problems.add(Problem::new(Some(span), title));
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

/// So many processes besides PID 1 have to be killed when the subject is stopped:
/// those that were alive when PID 1 ended, and those that it killed itself.
#[derive(Debug)]
struct Stragglers(usize);

impl Expectation for Stragglers {
    fn words(&self) -> String {
        match self.0 {
            0 => "leaves no process to be killed when it is stopped".to_owned(),
            most => format!("leaves at most {most} processes to be killed when it is stopped"),
        }
    }

    fn judge(&self, timeline: &Timeline) -> Outcome {
        let stops = timeline.events().iter().enumerate().filter_map(|(place, event)| match &event.what {
            What::Looked { look: Look::Ends, saw, .. } => Some((place, saw)),
            _ => None,
        });
        let stops: Vec<(usize, &Seen)> = stops.collect();
        if let Some(breach) = stops.iter().find_map(|(place, saw)| self.breach(*place, saw)) {
            return Outcome::Broken(breach);
        }
        match (stops.is_empty(), broken_by_end(timeline)) {
            (false, _) => Outcome::Unbroken,
            (true, _) if !timeline.is_over() => Outcome::Unbroken,
            (true, Some(breach)) => {
                Outcome::Broken(Breach::by_absence(format!("it was not there to be stopped: {}", breach.saw)))
            }
            (true, None) => Outcome::Broken(Breach::by_absence("it was never asked to stop")),
        }
    }

    fn wants(&self) -> Wants {
        Wants { stop: true, ready_sign: true, looks: vec![Look::Ends], ..Wants::default() }
    }
}

impl Stragglers {
    fn breach(&self, place: usize, saw: &Seen) -> Option<Breach> {
        let Seen::Ends(ends) = saw else {
            let Wrong { saw, detail } = unseen(saw);
            return Some(Breach { saw, decided_by: Some(place), detail });
        };
        let killed: Vec<&EndSeen> = ends.iter().filter(|end| end.pid != 1 && end.signal == Some(SIGKILL)).collect();
        let saw = match killed.len() {
            count if count <= self.0 => return None,
            1 => "1 process had to be killed".to_owned(),
            count => format!("{count} processes had to be killed"),
        };
        let detail = killed.iter().map(ToString::to_string).collect();
        Some(Breach { saw, decided_by: Some(place), detail })
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

    fn end(pid: u32, signal: Option<i32>) -> EndSeen {
        EndSeen { pid, command: "worker".to_owned(), signal, code: signal.is_none().then_some(0) }
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

    #[test]
    fn a_straggler_is_a_process_that_had_to_be_killed() {
        let saw = |ends| [(0, What::Started), (9, looked(Look::Ends, Seen::Ends(ends), When::After)), (10, What::Over)];
        let none = "processes = { stragglers = 0 }";
        check(none, &saw(vec![end(1, None), end(7, Some(15)), end(8, None)]), "unbroken");
        check(none, &saw(vec![end(1, None), end(7, Some(9))]), "1 process had to be killed");
        check(none, &saw(vec![end(1, None), end(7, Some(9)), end(8, Some(9))]), "2 processes had to be killed");
        check("processes = { stragglers = 2 }", &saw(vec![end(7, Some(9)), end(8, Some(9))]), "unbroken");
        check(none, &[(0, What::Started)], "unbroken");
        check(none, &[(0, What::Started), (9, What::Over)], "it was never asked to stop");
    }
}
