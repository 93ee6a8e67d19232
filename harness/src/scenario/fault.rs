//! Faults as they are written: when each begins and ends. What it does is
//! known to `fault`, which has one kind per file.

use schemars::JsonSchema;

use super::Written;
use super::problem::{Problem, Problems};
use super::read;
use super::trigger::{Occasion, Trigger};

/// One `[[fault]]`.
#[derive(Debug, Clone)]
pub struct WrittenFault<'a> {
    /// When it begins.
    pub when: Trigger,
    /// When it ends, if that is said.
    pub until: Option<Trigger>,
    /// The service it is done to; `None` is the subject.
    pub service: Option<String>,
    /// Where it stands.
    pub span: std::ops::Range<usize>,
    /// Its one action, by its key.
    pub action: Written<'a>,
}

/// As it is written, but for its action.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes the keys one by one")]
pub struct AsWritten {
    /// When it begins.
    /// Example: `when = { log = "listening" }`, `delete = "/data/app.db"`.
    when: Trigger,
    /// When it is undone, for a fault that can be.
    /// Example: `when = "ready"`, `until = { after = "3s" }`, `pause = true`.
    until: Option<Trigger>,
    /// The service that it is done to. Unsaid: the subject.
    /// Example: `when = "ready"`, `service = "db"`, `pause = true`.
    service: Option<String>,
}

/// Reads every `[[fault]]` as far as it can be read here.
pub fn read_all<'a>(written: Option<Written<'a>>, problems: &mut Problems) -> Vec<WrittenFault<'a>> {
    let sections = written.map_or_else(Vec::new, |written| read::tables(written, "fault", problems));
    let mut faults = Vec::new();
    for mut section in sections {
        let span = section.span();
        let when = section.take("when");
        let until = section.take("until").map(|written| Trigger::read(written, "[[fault]]", problems));
        let service = section.take("service").map(|written| written.read("[[fault]]", problems));
        if when.is_none() {
            let help = "say when it happens: `when = \"ready\"`, or `{ log = \"listening\" }`";
            problems.add(Problem::new(Some(span.clone()), "[[fault]] has no `when`").help(help));
        }
        let when = when.and_then(|written| Trigger::read(written, "[[fault]]", problems));
        let mut actions = section.into_written();
        if actions.len() > 1 {
            let keys: Vec<String> = actions.iter().map(|action| format!("`{}`", action.key)).collect();
            let title = format!("[[fault]] does more than one thing: {}", keys.join(", "));
            problems.add(Problem::new(Some(actions[1].span.clone()), title).help("write a [[fault]] for each"));
            continue;
        }
        let Some(action) = actions.pop() else {
            let help = "give it an action, such as `delete = \"/data\"`";
            problems.add(Problem::new(Some(span), "[[fault]] does nothing").help(help));
            continue;
        };
        // What was said and could not be read is a problem already.
        let (Some(when), false, false) = (when, until == Some(None), service == Some(None)) else { continue };
        faults.push(WrittenFault { when, until: until.flatten(), service: service.flatten(), span, action });
    }
    faults
}

impl WrittenFault<'_> {
    /// The triggers that it waits for.
    pub fn triggers(&self) -> impl Iterator<Item = &Trigger> {
        std::iter::once(&self.when).chain(&self.until)
    }

    /// Whether one of its triggers is this.
    #[must_use]
    pub fn waits_for(&self, occasion: impl Fn(&Occasion) -> bool) -> bool {
        self.triggers().any(|trigger| occasion(&trigger.on))
    }
}
