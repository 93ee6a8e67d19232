//! Faults: one bad thing done to the world, and how it is seen to have taken effect.
//!
//! A fault is described, not done: it says which acts inject it, what shows it
//! and which acts undo it, and judges by what was seen before and after. So it
//! knows no engine and no clock, and whoever carries it out cannot be fooled:
//! an act that did nothing leaves both looks alike.

use std::fmt;

use schemars::{Schema, SchemaGenerator};

use crate::scenario::Written;
use crate::scenario::fault::WrittenFault;
use crate::scenario::problem::{Place, Problem, Problems};
use crate::scenario::read::unknown_word;
use crate::scenario::trigger::Trigger;
use crate::timeline::What;

mod act;
mod chmod;
mod chown;
mod connections;
mod corrupt;
mod delete;
mod descriptors;
mod disconnect;
mod dns;
mod fill;
mod ground;
mod link;
mod memory;
mod pause;
mod pids;
mod replace;
mod rotate;
mod run;
mod sight;
mod throttle;
mod truncate;
mod written;

pub use act::{Act, Answered};
pub use ground::Ground;
pub use link::{Link, condition};
pub use written::Actions;

/// Every kind of fault there is.
pub const KINDS: [Kind; 18] = [
    chmod::KIND,
    chown::KIND,
    connections::KIND,
    corrupt::KIND,
    delete::KIND,
    descriptors::KIND,
    disconnect::KIND,
    dns::KIND,
    fill::KIND,
    link::KIND,
    memory::KIND,
    pause::KIND,
    pids::KIND,
    replace::KIND,
    rotate::KIND,
    run::KIND,
    throttle::KIND,
    truncate::KIND,
];

/// A kind of fault.
pub struct Kind {
    /// Its key in `[[fault]]`.
    pub key: &'static str,
    /// What it does, as the rest of a sentence about the harness.
    pub summary: &'static str,
    /// A line of a scenario file that uses it.
    pub example: &'static str,
    /// What its value may be.
    schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads its value; what is wrong with it goes to the problems.
    read: fn(Written<'_>, &mut Problems) -> Option<Box<dyn Action>>,
}

/// What one fault does.
pub trait Action: fmt::Debug + Send + Sync {
    /// What it does, such as `delete /data/app.db`.
    fn words(&self) -> String;

    /// The acts that bring it about, one after another.
    fn inject(&self, ground: &Ground) -> Vec<Act>;

    /// What shows it. Asked before the acts and after them, as the subject sees
    /// it: never what the acts themselves wrote down.
    fn looks(&self, ground: &Ground) -> Vec<Act>;

    /// The proof that it took effect, from what was seen before it and now; or
    /// what was seen instead.
    fn bit(&self, before: &[Answered], now: &[Answered]) -> Result<String, String>;

    /// The proof that an event of the subject's gives, where it may not live long
    /// enough to be looked at.
    fn shown_by(&self, event: &What) -> Option<String> {
        let _ = event;
        None
    }

    /// The acts that undo it, given what its own acts answered; `None` when it
    /// cannot be undone.
    fn undo(&self, ground: &Ground, injected: &[Answered]) -> Option<Vec<Act>> {
        let _ = (ground, injected);
        None
    }

    /// Whether it can be undone, so that `until` has a meaning.
    fn is_undoable(&self) -> bool {
        false
    }

    /// Whether its container cannot be stopped or looked at while it lasts.
    fn holds_all(&self) -> bool {
        false
    }

    /// Whether it needs the run to have a network of its own, with names in it.
    fn needs_names(&self) -> bool {
        false
    }

    /// Whether it needs a service, or works on what only the subject has.
    fn target(&self) -> Target {
        Target::Any
    }
}

/// What a fault can be done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The subject, or a service that `service` names.
    Any,
    /// A service, which `service` has to name, behind a link.
    Link,
    /// A Postgres, which `service` has to name.
    Postgres,
}

/// One fault of a file.
#[derive(Debug)]
pub struct Fault {
    /// Its place among the faults of the file, from 1.
    pub number: u32,
    /// When it begins.
    pub when: Trigger,
    /// When it ends, if that is said.
    pub until: Option<Trigger>,
    /// The service it is done to; `None` is the subject.
    pub service: Option<String>,
    /// What it does.
    pub action: Box<dyn Action>,
    /// Where it stands in the file.
    pub place: Place,
}

/// Reads every fault of a file.
pub fn read_all(written: Vec<WrittenFault<'_>>, problems: &mut Problems) -> Vec<Fault> {
    let numbered = (1..).zip(written);
    numbered.filter_map(|(number, fault)| read_one(number, fault, problems)).collect()
}

fn read_one(number: u32, written: WrittenFault<'_>, problems: &mut Problems) -> Option<Fault> {
    let WrittenFault { when, until, service, span, action } = written;
    let Some(kind) = KINDS.iter().find(|kind| kind.key == action.key) else {
        let known: Vec<&str> = KINDS.iter().map(|kind| kind.key).chain(["when", "until", "service"]).collect();
        problems.add(unknown_word("fault", &action.key, TABLE, &known, action.span));
        return None;
    };
    let (key, place) = (kind.key, problems.place(&action.span));
    let action = (kind.read)(action, problems)?;
    if until.is_some() && !action.is_undoable() {
        let title = format!("`{key}` cannot be undone, so `until` has no meaning");
        problems.add(Problem::new(Some(span.clone()), title).help("leave `until` out"));
    }
    if action.target() != Target::Any && service.is_none() {
        let title = format!("`{key}` is done to a service, and no `service` is named");
        problems.add(Problem::new(Some(span), title).help("name it: `service = \"db\"`"));
    }
    Some(Fault { number, when, until, service, action, place })
}

impl Fault {
    /// What it does and to whom.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.service {
            Some(service) => format!("{} (service {service})", self.action.words()),
            None => self.action.words(),
        }
    }
}

/// How a table of one of its kinds is called in messages.
const TABLE: &str = "[[fault]]";

/// One boxed action.
fn boxed<A: Action + 'static>(action: A) -> Box<dyn Action> {
    Box::new(action)
}

#[cfg(test)]
pub(crate) mod testing {
    //! What every fault is held to.

    use super::*;

    /// Reads one fault as a file would say it.
    pub fn action(toml: &str) -> Box<dyn Action> {
        let text = format!("version = 1\nclaim = \"c\"\n[subject]\nimage = \"i\"\n[[fault]]\nwhen = \"ready\"\n{toml}");
        let mut problems = Problems::new(std::path::Path::new("test.toml"), &text);
        let parsed = crate::scenario::parse(&text, &crate::scenario::Surroundings::default(), &mut problems);
        let action = parsed.faults.into_iter().next().expect("a fault").action;
        let kind = KINDS.iter().find(|kind| kind.key == action.key).expect("a kind");
        (kind.read)(action, &mut problems).unwrap_or_else(|| panic!("{problems}"))
    }

    /// Judges by what was seen before and now: the proof, or what was seen instead.
    pub fn check(toml: &str, before: &[Answered], now: &[Answered], expected: Result<&str, &str>) {
        let seen = action(toml).bit(before, now);
        assert_eq!(seen.as_deref().map_err(String::as_str), expected, "{toml}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_each_kind_can_be_read() {
        for kind in &KINDS {
            assert!(kind.example.contains(kind.key), "{}", kind.key);
            testing::action(kind.example);
        }
    }
}
