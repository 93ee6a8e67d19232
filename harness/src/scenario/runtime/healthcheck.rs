//! A health check in the place of the image's own.

use schemars::JsonSchema;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use crate::scenario::forms::{Either, Form, TEXTS};
use crate::scenario::value::{Count, Duration};

/// How the engine checks the health of a container; what is absent is left to
/// the image's own check.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Healthcheck {
    /// The command: a text for the container's shell, or a list that begins with
    /// `CMD`, `CMD-SHELL` or `NONE`.
    /// Example: `healthcheck = { test = ["CMD", "/bin/check"] }`.
    #[serde(deserialize_with = "test", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Either<String, Vec<String>>>")]
    pub test: Option<Vec<String>>,
    /// The time between two checks.
    /// Example: `healthcheck = { test = "true", interval = "1s" }`.
    #[serde(deserialize_with = "some_time", skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
    /// After how long a check counts as failed.
    /// Example: `healthcheck = { test = "true", timeout = "2s" }`.
    #[serde(deserialize_with = "some_time", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How many checks in a row have to fail.
    /// Example: `healthcheck = { test = "true", retries = 3 }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<Count>,
    /// For how long failures do not count after a start.
    /// Example: `healthcheck = { test = "true", start_period = "30s" }`.
    #[serde(deserialize_with = "some_time", skip_serializing_if = "Option::is_none")]
    pub start_period: Option<Duration>,
    /// The time between two checks during `start_period`; older engines do not know it.
    /// Example: `healthcheck = { test = "true", start_period = "30s", start_interval = "1s" }`.
    #[serde(deserialize_with = "some_time", skip_serializing_if = "Option::is_none")]
    pub start_interval: Option<Duration>,
    /// Turns the image's own check off.
    /// Example: `healthcheck = { disable = true }`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable: bool,
}

fn test<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let words = match Form::read(deserializer, TEXTS)? {
        Form::Text(line) => return Ok(Some(vec!["CMD-SHELL".to_owned(), line])),
        Form::List(words) => words,
        Form::Table(_) => Vec::new(),
    };
    match (words.first().map(String::as_str), words.len()) {
        (Some("NONE"), 1) | (Some("CMD"), 2..) | (Some("CMD-SHELL"), 2) => Ok(Some(words)),
        _ => Err(D::Error::custom(
            "write a line for the shell, or a list: `[\"CMD\", \"program\", …]`, `[\"CMD-SHELL\", \"line\"]`, `[\"NONE\"]`",
        )),
    }
}

/// Docker takes no time at all for a word about nothing, and uses the image's.
fn some_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let duration = Duration::deserialize(deserializer)?;
    match duration.0.as_millis() {
        0 => Err(D::Error::custom(format!("`{duration}` is no time; write `1ms` or more, or leave it out"))),
        _ => Ok(Some(duration)),
    }
}

impl Healthcheck {
    /// What the engine is told to run; `None` leaves it to the image.
    #[must_use]
    pub fn command(&self) -> Option<Vec<String>> {
        if self.disable { Some(vec!["NONE".to_owned()]) } else { self.test.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(written: &Value, expected: Result<Value, &str>) {
        let seen = serde_json::from_value::<Healthcheck>(written.clone()).map_err(|error| error.to_string());
        let seen = seen.map(|check| serde_json::to_value(check).unwrap());
        assert_eq!(seen, expected.map_err(str::to_owned), "{written}");
    }

    #[test]
    fn a_text_is_a_line_for_the_shell() {
        let line = json!({ "test": ["CMD-SHELL", "curl -f localhost || exit 1"] });
        check(&json!({ "test": "curl -f localhost || exit 1" }), Ok(line.clone()));
        check(&line, Ok(line.clone()));
        check(&json!({ "test": ["CMD", "true"] }), Ok(json!({ "test": ["CMD", "true"] })));
        let expected = "write a line for the shell, or a list: `[\"CMD\", \"program\", …]`, \
                        `[\"CMD-SHELL\", \"line\"]`, `[\"NONE\"]`";
        for bad in [json!(["true"]), json!([]), json!(["CMD"]), json!(["NONE", "x"]), json!({ "cmd": "x" })] {
            check(&json!({ "test": bad }), Err(expected));
        }
    }

    #[test]
    fn a_time_of_nothing_is_none() {
        check(&json!({ "start_period": "40s" }), Ok(json!({ "start_period": "40s" })));
        check(&json!({ "start_period": "0s" }), Err("`0ms` is no time; write `1ms` or more, or leave it out"));
    }

    #[test]
    fn a_check_that_is_off_is_none() {
        let off = Healthcheck { disable: true, ..Healthcheck::default() };
        assert_eq!(off.command(), Some(vec!["NONE".to_owned()]));
        assert_eq!(Healthcheck::default().command(), None);
    }
}
