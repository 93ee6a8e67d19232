//! Paths in a container.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BadValue;

/// An absolute path as the processes of a container see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(title = "path", extend("pattern" = "^/[^/]", "examples" = ["/data/app.db"]))]
pub struct AbsolutePath(String);

impl AbsolutePath {
    /// The path, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AbsolutePath {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let path = text.trim_end_matches('/');
        let is_plain = !path.split('/').skip(1).any(|part| part.is_empty() || part == "." || part == "..");
        if path.starts_with('/') && is_plain {
            return Ok(Self(path.to_owned()));
        }
        Err(BadValue(match text {
            "/" => "`/` is all of the container; name what is in it, such as `/data`".to_owned(),
            _ => format!("`{text}` is not an absolute path in the container, such as `/data/app.db`"),
        }))
    }
}

impl fmt::Display for AbsolutePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::written_as_string!(AbsolutePath);

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn a_path_leads_from_the_root_to_something_below_it() {
        check::<AbsolutePath>("/data/app.db", Ok("/data/app.db"));
        check::<AbsolutePath>("/data/", Ok("/data"));
        for bad in ["data", "", "/data/../etc", "//data", "./a"] {
            let sentence = format!("`{bad}` is not an absolute path in the container, such as `/data/app.db`");
            check::<AbsolutePath>(bad, Err(&sentence));
        }
        check::<AbsolutePath>("/", Err("`/` is all of the container; name what is in it, such as `/data`"));
    }
}
