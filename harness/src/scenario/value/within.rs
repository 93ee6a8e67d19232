//! Numbers that Docker bounds on both sides.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BadValue;

/// A whole number from `LOW` to `HIGH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schemars(inline, extend("minimum" = LOW, "maximum" = HIGH))]
pub struct Within<const LOW: i64, const HIGH: i64>(i64);

impl<const LOW: i64, const HIGH: i64> TryFrom<i64> for Within<LOW, HIGH> {
    type Error = BadValue;

    fn try_from(number: i64) -> Result<Self, BadValue> {
        if (LOW..=HIGH).contains(&number) {
            return Ok(Self(number));
        }
        Err(BadValue(format!("{number} is out of bounds; write a number from {LOW} to {HIGH}")))
    }
}

impl<const LOW: i64, const HIGH: i64> From<Within<LOW, HIGH>> for i64 {
    fn from(number: Within<LOW, HIGH>) -> Self {
        number.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inside() {
        assert_eq!(Within::<-1, 1>::try_from(1).map(i64::from), Ok(1));
        let error = Within::<-1, 1>::try_from(2).unwrap_err().to_string();
        assert_eq!(error, "2 is out of bounds; write a number from -1 to 1");
    }
}
