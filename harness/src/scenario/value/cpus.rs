//! Shares of processors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BadValue;

/// A share of the processors: `0.5` is half of one core.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(title = "number of processors", extend("minimum" = 0.01, "maximum" = 1024, "examples" = [0.25]))]
pub struct Cpus(f64);

impl Cpus {
    /// Billionths of a processor, the unit of Docker's API.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "bounded when it was read")]
    pub fn nano(self) -> i64 {
        (self.0 * 1e9).round() as i64
    }
}

impl TryFrom<f64> for Cpus {
    type Error = BadValue;

    fn try_from(number: f64) -> Result<Self, BadValue> {
        if (0.01..=1024.0).contains(&number) {
            return Ok(Self(number));
        }
        Err(BadValue(format!("{number} is not a number of processors; write one from 0.01 up, such as 0.25")))
    }
}

impl From<Cpus> for f64 {
    fn from(cpus: Cpus) -> Self {
        cpus.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_no_processor_is_refused() {
        assert!(Cpus::try_from(0.0).is_err());
        assert!(Cpus::try_from(f64::NAN).is_err());
        assert_eq!(Cpus::try_from(0.25).map(Cpus::nano), Ok(250_000_000));
    }
}
