//! Names of files with wildcards.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BadValue;

/// A path with wildcards: `*` is any part of a name, `?` any character of one,
/// `**` any part of a path. Without a `/` it is a name, wherever it stands.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", title = "pattern of paths", extend("examples" = ["*.log"]))]
pub struct Glob {
    written: String,
    pattern: regex::Regex,
}

impl Glob {
    /// Whether a path below some directory is meant; or what lies below that which is.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.pattern.is_match(path)
    }
}

impl FromStr for Glob {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |why: &str| BadValue(format!("`{text}` is no name of files: {why}"));
        if text.is_empty() || text.starts_with('/') {
            return Err(bad("write it as it stands below the volume, such as `*.log` or `cache/**`"));
        }
        let anywhere = if text.contains('/') { "" } else { "(?:.*/)?" };
        let mut pattern = format!("^{anywhere}");
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let (piece, taken) = match next {
                '*' if rest.starts_with("**/") => ("(?:.*/)?".to_owned(), 3),
                '*' if rest.starts_with("**") => (".*".to_owned(), 2),
                '*' => ("[^/]*".to_owned(), 1),
                '?' => ("[^/]".to_owned(), 1),
                other => (regex::escape(&other.to_string()), other.len_utf8()),
            };
            pattern += &piece;
            rest = &rest[taken..];
        }
        pattern += "(?:/.*)?$";
        let pattern = regex::Regex::new(&pattern).map_err(|error| bad(&error.to_string()))?;
        Ok(Self { written: text.to_owned(), pattern })
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

super::written_as_string!(Glob);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_anywhere_and_a_path_only_there() {
        let check = |glob: &str, path: &str, expected: bool| {
            assert_eq!(glob.parse::<Glob>().unwrap().matches(path), expected, "{glob} and {path}");
        };
        check("*.log", "app.log", true);
        check("*.log", "logs/app.log", true);
        check("*.log", "app.log.1", false);
        check("app.db-*", "app.db-wal", true);
        check("cache", "cache/a/b", true);
        check("cache/*", "cache/a", true);
        check("cache/*", "old/cache/a", false);
        check("a?c", "abc", true);
        check("**/tmp", "a/b/tmp", true);
        check("logs/**", "logs/a/b", true);
        assert!("/logs".parse::<Glob>().is_err());
    }
}
