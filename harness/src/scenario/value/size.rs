//! Numbers of bytes.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BadValue, Plain};

/// A number of bytes, by itself or in Docker's notation: `64m` is 64 · 1024 · 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Plain", into = "String")]
#[schemars(
    title = "size",
    extend(
        "type" = ["string", "integer"],
        "pattern" = "^0*[1-9][0-9]*([bB]|[kKmMgG][bB]?)?$",
        "minimum" = 1,
        "examples" = ["512k", "64m", "2g"],
    )
)]
pub struct ByteSize(pub u64);

impl FromStr for ByteSize {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || BadValue(format!("`{text}` is not a size; write `512k`, `64m` or `2g`"));
        let lower = text.to_ascii_lowercase();
        let digits = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
        let number: u64 = lower[..digits].parse().map_err(|_| bad())?;
        let unit: u64 = match &lower[digits..] {
            "" | "b" => 1,
            "k" | "kb" => 1 << 10,
            "m" | "mb" => 1 << 20,
            "g" | "gb" => 1 << 30,
            _ => return Err(bad()),
        };
        match number.checked_mul(unit) {
            // Docker takes 0 for "no limit", which is never meant here.
            Some(bytes) if bytes > 0 => Ok(Self(bytes)),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1u64 << 30, "g"), (1 << 20, "m"), (1 << 10, "k")];
        match units.iter().find(|(unit, _)| self.0 >= *unit && self.0.is_multiple_of(*unit)) {
            Some((unit, letter)) => write!(f, "{}{letter}", self.0 / unit),
            None => write!(f, "{}b", self.0),
        }
    }
}

super::written_as_text!(ByteSize);

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn sizes_are_counted_in_powers_of_two() {
        check::<ByteSize>("64m", Ok("64m"));
        check::<ByteSize>("2048", Ok("2k"));
        check::<ByteSize>("1GB", Ok("1g"));
        check::<ByteSize>("1000", Ok("1000b"));
        for bad in ["", "m", "1.5g", "-1", "1t", "99999999999g", "0", "0m"] {
            let sentence = format!("`{bad}` is not a size; write `512k`, `64m` or `2g`");
            check::<ByteSize>(bad, Err(&sentence));
        }
    }
}
