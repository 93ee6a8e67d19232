//! Restart policies.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BadValue;

/// What the engine does when the process ends by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    title = "restart policy",
    extend(
        "pattern" = "^(no|always|unless-stopped|on-failure(:[0-9]+)?)$",
        "examples" = ["no", "always", "unless-stopped", "on-failure", "on-failure:3"],
    )
)]
pub enum Restart {
    /// Nothing.
    #[default]
    No,
    /// Starts it again, whatever its exit code.
    Always,
    /// As `Always`, but for a container that was stopped before the engine was.
    UnlessStopped,
    /// Starts it again after a non-zero exit code, at most so many times.
    OnFailure(Option<u32>),
}

impl FromStr for Restart {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || {
            BadValue(format!(
                "`{text}` is not a restart policy; write `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`"
            ))
        };
        match text.split_once(':') {
            None => match text {
                "no" => Ok(Self::No),
                "always" => Ok(Self::Always),
                "unless-stopped" => Ok(Self::UnlessStopped),
                "on-failure" => Ok(Self::OnFailure(None)),
                _ => Err(bad()),
            },
            Some(("on-failure", limit)) => limit.parse().map(|n| Self::OnFailure(Some(n))).map_err(|_| bad()),
            Some(_) => Err(bad()),
        }
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => write!(f, "no"),
            Self::Always => write!(f, "always"),
            Self::UnlessStopped => write!(f, "unless-stopped"),
            Self::OnFailure(None) => write!(f, "on-failure"),
            Self::OnFailure(Some(limit)) => write!(f, "on-failure:{limit}"),
        }
    }
}

super::written_as_string!(Restart);

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn restart_policies_are_dockers() {
        for same in ["no", "always", "unless-stopped", "on-failure", "on-failure:3"] {
            check::<Restart>(same, Ok(same));
        }
        assert!("on-failure:x".parse::<Restart>().is_err());
        assert!("always:3".parse::<Restart>().is_err());
    }
}
