//! Signals by name.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BadValue;

/// A signal by its name, such as `SIGTERM`; the prefix may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(title = "signal", extend("pattern" = r"^[A-Za-z][A-Za-z0-9+-]*$", "examples" = ["SIGTERM"]))]
pub struct Signal(String);

impl Signal {
    /// The name with its prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl FromStr for Signal {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let known = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '+' || c == '-');
        if known && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(Self(format!("SIG{name}")));
        }
        Err(BadValue(format!("`{text}` is not a signal; write its name, such as `SIGTERM`")))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::written_as_string!(Signal);

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn a_signal_may_lack_its_prefix() {
        check::<Signal>("term", Ok("SIGTERM"));
        check::<Signal>("SIGRTMIN+3", Ok("SIGRTMIN+3"));
        assert!("15".parse::<Signal>().is_err());
    }
}
