//! Regular expressions.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BadValue;

/// A regular expression; it matches anywhere in a line unless it is anchored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(title = "pattern", extend("examples" = [r"listening on \d+"]))]
pub struct Pattern(regex::Regex);

impl Pattern {
    /// Whether it matches somewhere in `text`.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl FromStr for Pattern {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        regex::Regex::new(text).map(Self).map_err(|error| {
            // The last line of the crate's message is the cause; those before draw it.
            let cause = error.to_string().lines().last().unwrap_or_default().replace("error: ", "");
            BadValue(format!("`{text}` is not a regular expression: {cause}"))
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

super::written_as_string!(Pattern);
