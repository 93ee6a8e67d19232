//! How the engine takes in what a container writes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::value::ByteSize;

/// The log driver's settings, as far as a subject feels them. Its kind is
/// always `json-file`, through which the harness reads, and the files are never
/// rotated, so that no line is lost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Logging {
    /// The driver; there is only one that keeps every line.
    /// Example: `logging = { driver = "json-file" }`.
    pub driver: Driver,
    /// Its options.
    /// Example: `logging = { options = { mode = "non-blocking" } }`.
    pub options: Options,
}

/// Kinds of log drivers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// A file on the engine's machine, out of which it answers questions.
    #[default]
    JsonFile,
}

/// What the driver does when it is slower than the subject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Whether the subject waits for it.
    /// Example: `logging = { options = { mode = "non-blocking" } }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// How much it keeps until then, where the subject does not wait.
    /// Example: `logging = { options = { mode = "non-blocking", max-buffer-size = "4m" } }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_buffer_size: Option<ByteSize>,
}

/// Whether a subject waits for the log driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "LoggingMode")]
pub enum Mode {
    /// It does.
    Blocking,
    /// It does not, and what there is no room for is lost.
    NonBlocking,
}

impl Options {
    /// In the words of the driver.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mode = self.mode.map(|mode| match mode {
            Mode::Blocking => "blocking".to_owned(),
            Mode::NonBlocking => "non-blocking".to_owned(),
        });
        let size = self.max_buffer_size.map(|size| size.to_string());
        let pairs = [("mode", mode), ("max-buffer-size", size)];
        pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}
