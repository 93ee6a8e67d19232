//! Where randomness comes from.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::num::ParseIntError;
use std::str::FromStr;

/// Makes everything random; the same seed makes the same run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// Another one each time.
    #[must_use]
    pub fn random() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl FromStr for Seed {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => u64::from_str_radix(digits, 16).map(Self),
            None => text.parse().map(Self),
        }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_read_as_it_is_shown() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(text.parse::<Seed>().ok().map(|seed| seed.0), expected, "{text}");
        };
        check("24301", Some(0x5eed));
        check("0x5eed", Some(0x5eed));
        check(&Seed(u64::MAX).to_string(), Some(u64::MAX));
        for bad in ["", "0x", "-1", "5eed", "0x10000000000000000"] {
            check(bad, None);
        }
    }
}
