//! When something is done: the moment at which a fault begins or ends, or a step is taken.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use super::Written;
use super::forms::Either;
use super::problem::{Problem, Problems};
use super::read::{described, unknown_word};
use super::value::{Count, Duration, Pattern};
use crate::timeline::phase::{self, BEGUN, ENDED};
use crate::timeline::{Change, ServiceState, What};

/// The words that stand for an occasion by themselves.
const WORDS: [&str; 5] = ["started", "ready", "healthy", "unhealthy", "exited"];

/// What can happen to a file, to a phase and to a service.
const OF_FILE: [&str; 3] = ["appeared", "changed", "gone"];
const OF_PHASE: [&str; 2] = ["begun", "ended"];
const OF_SERVICE: [&str; 3] = ["started", "ready", "exited"];

/// How a trigger is written.
const EXAMPLE: &str = "write \"ready\", { log = \"listening\" }, { file = \"/data/app.db\" }, { phase = \"migrate\" }, \
                       { service = \"db\", is = \"ready\" } or { after = \"2s\" }";

/// A moment that is waited for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "moment", with = "Either<Word, AsWritten>")]
pub struct Trigger {
    /// What has to happen.
    pub on: Occasion,
    /// For the how many-th time, from 1.
    pub nth: u32,
    /// How long after that.
    pub after: Option<Duration>,
}

/// Something that happens to the subject or around it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// A boot begins.
    Started,
    /// A boot becomes ready.
    Ready,
    /// The engine's health check says healthy.
    Healthy,
    /// The engine's health check says unhealthy.
    Unhealthy,
    /// A boot ends.
    Exited,
    /// The subject writes a line that matches.
    Log(Pattern),
    /// What stands at a path in the subject changes.
    File {
        /// The absolute path.
        path: String,
        /// How.
        is: Change,
    },
    /// A phase of a subject that speaks the entrypoint's contract.
    Phase {
        /// Its name, such as `migrate`.
        name: String,
        /// Whether its end is meant; otherwise its beginning.
        ended: bool,
    },
    /// Something happens to a service.
    Service {
        /// Its name in the file.
        name: String,
        /// What.
        is: ServiceState,
    },
    /// Nothing: only time has to pass.
    Time,
    /// Nothing: it is done before the subject is started. No file says so: this is
    /// when the script of a link begins.
    Beginning,
}

/// As it is written in a table.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
struct AsWritten {
    /// What a word alone says too, where more has to be said of it.
    /// Example: `when = { on = "ready", nth = 2 }`, `pause = true`.
    #[schemars(with = "Option<Word>")]
    on: Option<String>,
    /// The subject writes a line that matches.
    /// Example: `when = { log = "migrating" }`, `pause = true`.
    log: Option<Pattern>,
    /// What stands at this absolute path in the subject changes.
    /// Example: `when = { file = "/data/app.db" }`, `pause = true`.
    file: Option<String>,
    /// A phase of a subject that speaks the entrypoint's contract.
    /// Example: `when = { phase = "migrate" }`, `pause = true`.
    phase: Option<String>,
    /// Something happens to this service.
    /// Example: `when = { service = "db" }`, `pause = true`.
    service: Option<String>,
    /// What happens: a file has `appeared` (unless said), `changed` or `gone`; a phase has `begun` (unless
    /// said) or `ended`; a service is `started`, `ready` (unless said) or `exited`.
    /// Example: `when = { service = "db", is = "exited" }`, `pause = true`.
    #[schemars(extend("enum" = [OF_FILE.as_slice(), &OF_PHASE, &OF_SERVICE].concat()))]
    is: Option<String>,
    /// How long after that. By itself: how long after the subject's first start; in `until`, after the
    /// fault began; of a step, after the step before it.
    /// Example: `when = { log = "migrating", after = "500ms" }`, `pause = true`.
    after: Option<Duration>,
    /// For the how many-th time. Unsaid: the first.
    /// Example: `when = { on = "started", nth = 2 }`, `pause = true`.
    nth: Option<Count>,
}

impl Trigger {
    /// The first time of an occasion.
    #[must_use]
    pub fn first(on: Occasion) -> Self {
        Self { on, nth: 1, after: None }
    }

    /// Reads the value of `when` or `until`.
    pub fn read(written: Written<'_>, place: &str, problems: &mut Problems) -> Option<Self> {
        let (key, span) = (written.key.clone(), written.value.span());
        match written.value.get_ref() {
            DeValue::String(word) => match by_word(word) {
                Some(on) => Some(Self::first(on)),
                None => {
                    let place = format!("`{key}` of {place}");
                    problems.add(unknown_word("moment", word, &place, &WORDS, span));
                    None
                }
            },
            DeValue::Table(_) => {
                let read = written.read::<AsWritten>(place, problems)?;
                read.resolve().map_err(|wrong| problems.add(wrong.at(span, &key, place))).ok()
            }
            other => {
                let title = format!("`{key}` of {place} is a moment, not {}", described(other));
                problems.add(Problem::new(Some(span), title).help(EXAMPLE));
                None
            }
        }
    }
}

/// An occasion that a word stands for.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
#[expect(dead_code, reason = "the schema alone knows it")]
enum Word {
    /// A boot begins.
    Started,
    /// A boot becomes ready.
    Ready,
    /// The engine's health check says healthy.
    Healthy,
    /// The engine's health check says unhealthy.
    Unhealthy,
    /// A boot ends.
    Exited,
}

/// What is wrong with a table that was read.
enum Wrong {
    Sentence(String),
    Word { kind: &'static str, word: String, known: &'static [&'static str] },
}

impl Wrong {
    fn at(self, span: std::ops::Range<usize>, key: &str, place: &str) -> Problem {
        match self {
            Self::Sentence(sentence) => {
                Problem::new(Some(span), format!("`{key}` of {place} {sentence}")).help(EXAMPLE)
            }
            Self::Word { kind, word, known } => unknown_word(kind, &word, &format!("`{key}` of {place}"), known, span),
        }
    }
}

impl AsWritten {
    fn resolve(self) -> Result<Trigger, Wrong> {
        let signs =
            [self.on.is_some(), self.log.is_some(), self.file.is_some(), self.phase.is_some(), self.service.is_some()];
        let named = signs.into_iter().filter(|named| *named).count();
        if named > 1 {
            return Err(Wrong::Sentence("names more than one thing that happens".to_owned()));
        }
        let is = self.is.as_deref();
        if is.is_some() && self.file.is_none() && self.phase.is_none() && self.service.is_none() {
            return Err(Wrong::Sentence("has `is` without a `file`, a `phase` or a `service`".to_owned()));
        }
        let on = if let Some(word) = self.on {
            by_word(&word).ok_or(Wrong::Word { kind: "moment", word, known: &WORDS })?
        } else if let Some(pattern) = self.log {
            Occasion::Log(pattern)
        } else if let Some(path) = self.file {
            if !path.starts_with('/') {
                return Err(Wrong::Sentence(format!("names the file `{path}`, which is no absolute path")));
            }
            Occasion::File { path, is: word_of(is.unwrap_or(OF_FILE[0]), &OF_FILE)? }
        } else if let Some(name) = self.phase {
            let ended = match is.unwrap_or(OF_PHASE[0]) {
                "begun" => false,
                "ended" => true,
                other => return Err(Wrong::Word { kind: "word", word: other.to_owned(), known: &OF_PHASE }),
            };
            Occasion::Phase { name, ended }
        } else if let Some(name) = self.service {
            Occasion::Service { name, is: word_of(is.unwrap_or("ready"), &OF_SERVICE)? }
        } else if self.after.is_some() {
            Occasion::Time
        } else {
            return Err(Wrong::Sentence("names no moment".to_owned()));
        };
        if on == Occasion::Time && self.nth.is_some() {
            return Err(Wrong::Sentence("counts with `nth`, and names nothing that could happen again".to_owned()));
        }
        let nth = self.nth.map_or(1, |nth| u32::try_from(i64::from(nth)).unwrap_or(u32::MAX));
        Ok(Trigger { on, nth, after: self.after })
    }
}

impl Occasion {
    /// Whether this is what happens.
    #[must_use]
    pub fn is(&self, what: &What) -> bool {
        match (self, what) {
            (Self::Started, What::Started) | (Self::Ready, What::Ready { .. }) | (Self::Exited, What::Died { .. }) => {
                true
            }
            (Self::Healthy, What::Health { status }) => status == "healthy",
            (Self::Unhealthy, What::Health { status }) => status == "unhealthy",
            (Self::Log(pattern), What::Log { text, .. }) => pattern.matches(text),
            (Self::File { path, is }, What::Watched { path: seen, change }) => path == seen && is == change,
            (Self::Phase { name, ended }, What::Log { text, .. }) => {
                let event = if *ended { ENDED } else { BEGUN };
                phase::read(text).is_some_and(|line| line.phase == *name && line.event == event)
            }
            (Self::Service { name, is }, What::Service { name: seen, is: state }) => name == seen && is == state,
            _ => false,
        }
    }
}

fn by_word(word: &str) -> Option<Occasion> {
    Some(match word {
        "started" => Occasion::Started,
        "ready" => Occasion::Ready,
        "healthy" => Occasion::Healthy,
        "unhealthy" => Occasion::Unhealthy,
        "exited" => Occasion::Exited,
        _ => return None,
    })
}

/// A word of a closed vocabulary.
fn word_of<T: serde::de::DeserializeOwned>(word: &str, known: &'static [&'static str]) -> Result<T, Wrong> {
    let value = serde_json::Value::String(word.to_owned());
    serde_json::from_value(value).map_err(|_| Wrong::Word { kind: "word", word: word.to_owned(), known })
}

impl fmt::Display for Trigger {
    /// As the end of a sentence that says when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.after, &self.on) {
            (Some(after), Occasion::Time) => return write!(f, "after {after}"),
            (Some(after), _) => write!(f, "{after} after ")?,
            (None, _) => write!(f, "when ")?,
        }
        write!(f, "{}", self.on)?;
        match self.nth {
            1 => Ok(()),
            nth => write!(f, " for the {nth}. time"),
        }
    }
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => write!(f, "it is started"),
            Self::Ready => write!(f, "it is ready"),
            Self::Healthy => write!(f, "it is healthy"),
            Self::Unhealthy => write!(f, "it is unhealthy"),
            Self::Exited => write!(f, "it has exited"),
            Self::Log(pattern) => write!(f, "it logs /{pattern}/"),
            Self::File { path, is } => write!(f, "{path} has {is}"),
            Self::Phase { name, ended: false } => write!(f, "phase {name} begins"),
            Self::Phase { name, ended: true } => write!(f, "phase {name} has ended"),
            Self::Service { name, is } => write!(f, "service {name} is {is}"),
            Self::Time => write!(f, "time has passed"),
            Self::Beginning => write!(f, "the run begins"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Reads a trigger; compares it in words, or the first problem with it.
    fn check(toml: &str, expected: &str) {
        let text = format!("when = {toml}");
        let mut problems = Problems::new(Path::new("test.toml"), &text);
        let table = toml::de::DeTable::parse(&text).unwrap().into_inner();
        let written = super::super::read::Section::new("[[fault]]", 0..0, table).into_written().remove(0);
        let seen = match Trigger::read(written, "[[fault]]", &mut problems) {
            Some(trigger) => trigger.to_string(),
            None => problems.render(false).lines().next().unwrap_or_default().to_owned(),
        };
        assert_eq!(seen, expected, "{toml}");
    }

    #[test]
    fn a_moment_is_a_word_or_a_table() {
        check("\"ready\"", "when it is ready");
        check("{ on = \"ready\", nth = 2 }", "when it is ready for the 2. time");
        check("{ log = \"up\", after = \"2s\" }", "2s after it logs /up/");
        check("{ after = \"500ms\" }", "after 500ms");
        check("{ file = \"/data/x\" }", "when /data/x has appeared");
        check("{ file = \"/data/x\", is = \"gone\" }", "when /data/x has gone");
        check("{ phase = \"migrate\" }", "when phase migrate begins");
        check("{ service = \"db\", is = \"exited\" }", "when service db is exited");
    }

    #[test]
    fn a_moment_that_cannot_come_is_a_problem() {
        check("\"redy\"", "error: unknown moment `redy` in `when` of [[fault]]");
        check("{ nth = 2 }", "error: `when` of [[fault]] names no moment");
        check(
            "{ after = \"1s\", nth = 2 }",
            "error: `when` of [[fault]] counts with `nth`, and names nothing that could happen again",
        );
        check("{ log = \"a\", file = \"/b\" }", "error: `when` of [[fault]] names more than one thing that happens");
        check("{ file = \"b\" }", "error: `when` of [[fault]] names the file `b`, which is no absolute path");
        check("{ file = \"/b\", is = \"god\" }", "error: unknown word `god` in `when` of [[fault]]");
        check(
            "{ log = \"a\", is = \"gone\" }",
            "error: `when` of [[fault]] has `is` without a `file`, a `phase` or a `service`",
        );
        check("3", "error: `when` of [[fault]] is a moment, not an integer");
    }
}
