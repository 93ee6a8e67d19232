//! The way between the subject and a service, and what is wrong with it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use super::Written;
use super::problem::{Problem, Problems};
use super::read::{self, Section};
use super::value::{ByteSize, Count, Duration};

/// What a link does to the connections through it. What is not said passes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "condition")]
pub struct Condition {
    /// Connections are refused, as where nothing listens.
    /// Example: `link = { refuse = true }`.
    pub refuse: bool,
    /// Connections are accepted, and nothing is ever answered.
    /// Example: `link = { silent = true }`.
    pub silent: bool,
    /// Attempts to connect are never answered, and open connections fall silent.
    /// Example: `link = { black_hole = true }`.
    pub black_hole: bool,
    /// How long everything takes in each direction.
    /// Example: `link = { latency = "200ms" }`.
    pub latency: Option<Duration>,
    /// By how much the latency varies, up to twice as much or none.
    /// Example: `link = { latency = "200ms", jitter = "100ms" }`.
    pub jitter: Option<Duration>,
    /// Bytes a second in each direction.
    /// Example: `link = { bandwidth = "64k" }`.
    pub bandwidth: Option<ByteSize>,
    /// After so many bytes towards the subject the connection is closed.
    /// Example: `link = { cut_after = 4096 }`.
    pub cut_after: Option<Count>,
    /// After so many bytes towards the subject the connection is reset.
    /// Example: `link = { reset_after = 4096 }`.
    pub reset_after: Option<Count>,
    /// Connections are reset, those that are open too.
    /// Example: `link = { reset = true }`.
    pub reset: bool,
    /// Connections are closed at once, those that are open too.
    /// Example: `link = { close = true }`.
    pub close: bool,
}

/// A link to a service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "link", with = "AsWritten")]
pub struct Link {
    /// The port that the subject connects to, and the service listens on.
    pub port: u16,
    /// What it does from the start, one after another; the last for ever.
    pub script: Vec<Passage>,
}

/// One part of a link's script.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Passage {
    /// How long it lasts; `None` is for ever.
    pub lasts: Option<Duration>,
    /// What it does.
    pub condition: Condition,
}

/// As it is written: a condition for ever, or a script of them.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes the keys one by one")]
struct AsWritten {
    /// The port that the subject connects to, and the service listens on. A `postgres` knows it.
    /// Example: `link = { port = 6379 }`.
    port: Option<u16>,
    /// Conditions one after another, each with how long it lasts; the last for ever. Each is a fault of
    /// its own, and has to be seen to take effect.
    /// Example: `link = { script = [{ for = "2s", refuse = true }, { latency = "200ms" }] }`.
    #[schemars(default)]
    script: Vec<PassageAsWritten>,
    #[schemars(flatten)]
    condition: Condition,
}

/// One part of a script, as it is written.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes the keys one by one")]
struct PassageAsWritten {
    /// How long it lasts; all but the last say so.
    /// Example: `link = { script = [{ for = "2s", silent = true }, {}] }`.
    #[serde(rename = "for")]
    lasts: Option<Duration>,
    #[schemars(flatten)]
    condition: Condition,
}

impl Link {
    /// Reads `[services.NAME.link]`; a service may know its port by itself.
    pub fn read(written: Written<'_>, known_port: Option<u16>, place: &str, problems: &mut Problems) -> Option<Self> {
        let span = written.span.clone();
        let place = format!("`link` of {place}");
        let DeValue::Table(table) = written.value.into_inner() else {
            let title = format!("{place} is a table");
            problems.add(Problem::new(Some(span), title).help("write `link = { latency = \"200ms\" }`"));
            return None;
        };
        let mut section = Section::new(&place, span.clone(), table);
        let port = section.take("port").map(|written| written.read(&place, problems));
        let script = section.take("script");
        let first: Condition = section.read(problems)?;
        let port = match port {
            Some(port) => port?,
            None => known_port.or_else(|| {
                let help = "name the port that the service listens on: `port = 6379`";
                problems.add(Problem::new(Some(span.clone()), format!("{place} has no `port`")).help(help));
                None
            })?,
        };
        let Some(script) = script else {
            return Some(Self { port, script: vec![Passage { lasts: None, condition: first }] });
        };
        if first != Condition::default() {
            let title = format!("{place} has both a script and a condition of its own");
            problems.add(Problem::new(Some(span), title).help("write the condition as the last part of the script"));
            return None;
        }
        let mut passages = Vec::new();
        for mut section in read::tables(script, "script", problems) {
            let lasts = match section.take("for") {
                Some(written) => Some(written.read(&place, problems)?),
                None => None,
            };
            passages.push(Passage { lasts, condition: section.read(problems)? });
        }
        if let Some((_, all_but_last)) = passages.split_last()
            && all_but_last.iter().any(|passage| passage.lasts.is_none())
        {
            let title = format!("{place}: every part of a script but the last needs a `for`");
            problems.add(
                Problem::new(Some(span), title).help("write how long it lasts: `{ for = \"2s\", refuse = true }`"),
            );
            return None;
        }
        Some(Self { port, script: passages })
    }

    /// Whether it ever does anything but pass.
    #[must_use]
    pub fn disturbs(&self) -> bool {
        self.script.iter().any(|passage| passage.condition != Condition::default())
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |said: bool, word: &str| said.then(|| word.to_owned());
        let words: Vec<String> = [
            said(self.refuse, "refuses"),
            said(self.silent, "accepts and stays silent"),
            said(self.black_hole, "answers nothing at all"),
            self.latency.map(|latency| format!("takes {latency}")),
            self.jitter.map(|jitter| format!("varies by {jitter}")),
            self.bandwidth.map(|bytes| format!("passes {bytes} a second")),
            self.cut_after.map(|bytes| format!("closes after {} bytes", i64::from(bytes))),
            self.reset_after.map(|bytes| format!("resets after {} bytes", i64::from(bytes))),
            said(self.reset, "resets"),
            said(self.close, "closes at once"),
        ]
        .into_iter()
        .flatten()
        .collect();
        match words.is_empty() {
            true => write!(f, "passes everything"),
            false => write!(f, "{}", words.join(", ")),
        }
    }
}
