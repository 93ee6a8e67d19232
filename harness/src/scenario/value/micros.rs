//! Parts of a second in which the scheduler counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BadValue, Duration, Plain};

/// A time of at least a millisecond: a number of microseconds, or a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Plain", into = "i64")]
#[schemars(
    title = "number of microseconds, or duration",
    extend("type" = ["string", "integer"], "minimum" = LEAST, "examples" = [50_000, "50ms"])
)]
pub struct Micros(i64);

/// The least that the kernel takes.
const LEAST: i64 = 1000;

impl TryFrom<Plain> for Micros {
    type Error = BadValue;

    fn try_from(Plain(text): Plain) -> Result<Self, BadValue> {
        let duration = || text.parse::<Duration>().ok().and_then(|it| i64::try_from(it.0.as_micros()).ok());
        match text.parse().ok().or_else(duration) {
            Some(micros) if micros >= LEAST => Ok(Self(micros)),
            _ => Err(BadValue(format!("`{text}` is not a time; write microseconds from {LEAST} up, or `50ms`"))),
        }
    }
}

impl From<Micros> for i64 {
    fn from(micros: Micros) -> Self {
        micros.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(Micros::try_from(Plain(text.to_owned())).ok().map(i64::from), expected, "{text}");
    }

    #[test]
    fn a_time_is_in_microseconds_or_says_its_unit() {
        check("50000", Some(50_000));
        check("50ms", Some(50_000));
        for bad in ["0", "-1", "999", "1us", "soon"] {
            check(bad, None);
        }
    }
}
