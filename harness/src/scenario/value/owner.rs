//! Whose a file is, and who may do what with it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BadValue;

/// The owner of a file, by numbers: `1000:1000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(title = "owner", extend("pattern" = r"^[0-9]+(:[0-9]+)?$", "examples" = ["1000:1000"]))]
pub struct Owner {
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

impl FromStr for Owner {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || {
            BadValue(format!("`{text}` is not an owner; write numbers, such as `1000:1000` (a volume knows no names)"))
        };
        let (user, group) = text.split_once(':').unwrap_or((text, text));
        let uid = user.parse().map_err(|_| bad())?;
        let gid = group.parse().map_err(|_| bad())?;
        Ok(Self { uid, gid })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

/// Permission bits in octal, written as a string: `"0750"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(title = "mode", extend("pattern" = "^0*[0-7]{1,4}$", "examples" = ["0750"]))]
pub struct Mode(pub u32);

impl FromStr for Mode {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match u32::from_str_radix(text, 8) {
            Ok(bits) if bits <= 0o7777 => Ok(Self(bits)),
            _ => Err(BadValue(format!("`{text}` is not a mode; write it in octal, such as `\"0750\"`"))),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

super::written_as_string!(Owner, Mode);

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn owners_and_modes_are_numbers() {
        check::<Owner>("1000", Ok("1000:1000"));
        check::<Owner>("1000:100", Ok("1000:100"));
        check::<Mode>("750", Ok("0750"));
        assert!("root".parse::<Owner>().is_err());
        assert!("888".parse::<Mode>().is_err());
        assert!("17777".parse::<Mode>().is_err());
    }
}
