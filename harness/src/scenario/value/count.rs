//! Numbers of things, of which there is at least one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BadValue;

/// A number from 1 up. Docker takes 0 for "no limit", which is never meant here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schemars(title = "number from 1 up", extend("minimum" = 1, "examples" = [100]))]
pub struct Count(i64);

impl TryFrom<i64> for Count {
    type Error = BadValue;

    fn try_from(number: i64) -> Result<Self, BadValue> {
        if number > 0 {
            return Ok(Self(number));
        }
        Err(BadValue(format!("{number} is not a limit; write a number from 1 up, or leave it out")))
    }
}

impl From<Count> for i64 {
    fn from(count: Count) -> Self {
        count.0
    }
}
