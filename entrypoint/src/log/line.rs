//! One log line.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::error::milliseconds;
use crate::phase::Phase;
use crate::redact::Redactor;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// The ordinary course.
    Info,
    /// Something was skipped or is worse than it should be.
    Warn,
    /// Something failed.
    Error,
}

impl Level {
    /// The words for the levels, from the lowest.
    pub const WORDS: [&str; 4] = ["debug", "info", "warn", "error"];

    const ALL: [Level; 4] = [Level::Debug, Level::Info, Level::Warn, Level::Error];

    /// The level that a word names, in either case.
    pub fn parse(word: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.word().eq_ignore_ascii_case(word))
    }

    fn word(self) -> &'static str {
        Level::WORDS[self as usize]
    }
}

/// A line before it is written.
#[derive(Debug)]
pub struct Line {
    level: Level,
    message: String,
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    key: &'static str,
    value: Value,
    /// A word of a closed vocabulary: machines rely on it, so a secret that happens to be the same
    /// word does not hide it.
    closed: bool,
}

impl Line {
    /// A line for whoever looks for a fault.
    pub fn debug(message: impl Into<String>) -> Line {
        Line::new(Level::Debug, message.into())
    }

    /// A line of the ordinary course.
    pub fn info(message: impl Into<String>) -> Line {
        Line::new(Level::Info, message.into())
    }

    /// A line on what was skipped or is worse than it should be.
    pub fn warn(message: impl Into<String>) -> Line {
        Line::new(Level::Warn, message.into())
    }

    /// A line on what failed.
    pub fn error(message: impl Into<String>) -> Line {
        Line::new(Level::Error, message.into())
    }

    fn new(level: Level, message: String) -> Line {
        Line { level, message, fields: Vec::new() }
    }

    /// Adds a field.
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Line {
        self.fields.push(Field { key, value: value.into(), closed: false });
        self
    }

    /// Adds a field whose values are a closed vocabulary.
    pub fn word(mut self, key: &'static str, word: &'static str) -> Line {
        self.fields.push(Field { key, value: word.into(), closed: true });
        self
    }

    /// Adds a path. Bytes that are not UTF-8 show as replacement characters.
    pub fn path(self, key: &'static str, path: &Path) -> Line {
        self.with(key, path.to_string_lossy())
    }

    /// Adds `duration_ms`.
    pub fn duration(self, duration: Duration) -> Line {
        self.with("duration_ms", milliseconds(duration))
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The sentence.
    #[cfg(test)]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// A field's value.
    #[cfg(test)]
    pub fn field(&self, key: &str) -> Option<&Value> {
        self.fields.iter().find(|field| field.key == key).map(|field| &field.value)
    }

    /// The line as one line of JSON, its end included, without secrets.
    pub fn render(self, phase: Option<Phase>, redactor: &Redactor) -> String {
        let mut object = Map::new();
        object.insert("timestamp".to_owned(), humantime::format_rfc3339_millis(SystemTime::now()).to_string().into());
        object.insert("level".to_owned(), self.level.word().into());
        object.insert("message".to_owned(), redactor.clean(&self.message).into());
        object.insert("source".to_owned(), "entrypoint".into());
        if let Some(phase) = phase {
            object.insert("phase".to_owned(), phase.word().into());
        }
        for field in self.fields {
            let value = if field.closed { field.value } else { clean(field.value, redactor) };
            object.insert(field.key.to_owned(), value);
        }
        let mut text = Value::Object(object).to_string();
        text.push('\n');
        text
    }
}

fn clean(value: Value, redactor: &Redactor) -> Value {
    match value {
        Value::String(text) => redactor.clean(&text).into(),
        Value::Array(values) => values.into_iter().map(|value| clean(value, redactor)).collect(),
        Value::Object(object) => object.into_iter().map(|(key, value)| (key, clean(value, redactor))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[track_caller]
    fn check(line: Line, phase: Option<Phase>, expected: &str) {
        let secrets = [(OsStr::new("MY_SECRET"), OsStr::new("entrypoint"))];
        let text = line.render(phase, &Redactor::new(secrets));
        let (timestamp, rest) = text.split_at(r#"{"timestamp":"2026-01-01T00:00:00.000Z","#.len());
        assert!(timestamp.starts_with(r#"{"timestamp":"2"#), "{timestamp}");
        assert!(timestamp.ends_with("Z\","), "{timestamp}");
        assert_eq!(rest, expected);
    }

    #[test]
    fn a_line_is_one_json_object_with_the_fixed_fields_first() {
        check(
            Line::warn("two\nlines").with("count", 2),
            Some(Phase::Preflight),
            "\"level\":\"warn\",\"message\":\"two\\nlines\",\"source\":\"entrypoint\",\
             \"phase\":\"preflight\",\"count\":2}\n",
        );
    }

    #[test]
    fn a_secret_is_hidden_in_texts_and_lists_but_not_in_closed_words() {
        check(
            Line::info("entrypoint!").with("command", vec!["x", "entrypoint"]).word("event", "entrypoint"),
            None,
            "\"level\":\"info\",\"message\":\"[REDACTED]!\",\"source\":\"entrypoint\",\
             \"command\":[\"x\",\"[REDACTED]\"],\"event\":\"entrypoint\"}\n",
        );
    }
}
