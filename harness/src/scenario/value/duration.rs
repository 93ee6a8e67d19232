//! Spans of time.

use std::fmt;
use std::str::FromStr;
use std::time;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BadValue;

/// A span of time in Compose's notation: `500ms`, `10s`, `1m30s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    title = "duration",
    extend("pattern" = r"^([0-9]+(\.[0-9]+)?(us|ms|s|m|h))+$", "examples" = ["500ms", "10s", "1m30s"])
)]
pub struct Duration(pub time::Duration);

impl FromStr for Duration {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || BadValue(format!("`{text}` is not a duration; write `500ms`, `10s` or `1m30s`"));
        let mut rest = text;
        let mut total = 0.0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
            let number: f64 = rest[..digits].parse().map_err(|_| bad())?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            total += number
                * match &rest[..letters] {
                    "us" => 1e-6,
                    "ms" => 1e-3,
                    "s" => 1.0,
                    "m" => 60.0,
                    "h" => 3600.0,
                    _ => return Err(bad()),
                };
            rest = &rest[letters..];
        }
        if text.is_empty() {
            return Err(bad());
        }
        time::Duration::try_from_secs_f64(total).map(Self).map_err(|_| bad())
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        match millis {
            0..1000 => write!(f, "{millis}ms"),
            _ if millis.is_multiple_of(60_000) => write!(f, "{}m", millis / 60_000),
            _ => write!(f, "{}s", self.0.as_secs_f64()),
        }
    }
}

super::written_as_string!(Duration);

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn durations_are_read_as_compose_writes_them() {
        check::<Duration>("500ms", Ok("500ms"));
        check::<Duration>("1m30s", Ok("90s"));
        check::<Duration>("1.5s", Ok("1.5s"));
        check::<Duration>("2m", Ok("2m"));
        for bad in ["", "10", "s", "10 s", "10x", "-1s", "1..5s", "9e99s", "99999999999999999999999s"] {
            let sentence = format!("`{bad}` is not a duration; write `500ms`, `10s` or `1m30s`");
            check::<Duration>(bad, Err(&sentence));
        }
    }
}
