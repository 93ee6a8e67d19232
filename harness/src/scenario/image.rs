//! How a scenario names an image.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::build::Build;

/// An image: a fixture of this repository, a folder to build, or any reference
/// the engine knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    title = "image",
    extend(
        "pattern" = "^(fixture:[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)?|build:.+|(?!fixture:|build:)[!-~]+)$",
        "examples" = ["fixture:tome", "fixture:tome/shell", "build:../app", "postgres:17"],
    )
)]
pub enum ImageRef {
    /// `fixture:NAME` or `fixture:NAME/STAGE`: built from `fixtures/images/NAME`.
    Fixture {
        /// The folder's name.
        name: String,
        /// The stage of its Dockerfile; `None` is the last one.
        stage: Option<String>,
    },
    /// `build:PATH`: built from a folder.
    Build(Build),
    /// An image reference, such as `postgres:17`.
    Reference(String),
}

/// A text that names no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an image; write `fixture:NAME`, `fixture:NAME/STAGE`, `build:PATH` or an image reference")]
pub struct BadImage(String);

impl FromStr for ImageRef {
    type Err = BadImage;

    fn from_str(text: &str) -> Result<Self, BadImage> {
        let bad = || BadImage(text.to_owned());
        let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if let Some(context) = text.strip_prefix("build:") {
            return if context.is_empty() { Err(bad()) } else { Ok(Self::Build(Build::of(context))) };
        }
        let Some(fixture) = text.strip_prefix("fixture:") else {
            let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
            return if plain { Ok(Self::Reference(text.to_owned())) } else { Err(bad()) };
        };
        let (name, stage) = match fixture.split_once('/') {
            Some((name, stage)) => (name, Some(stage)),
            None => (fixture, None),
        };
        if !word(name) || !stage.is_none_or(word) {
            return Err(bad());
        }
        Ok(Self::Fixture { name: name.to_owned(), stage: stage.map(str::to_owned) })
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixture { name, stage: None } => write!(f, "fixture:{name}"),
            Self::Fixture { name, stage: Some(stage) } => write!(f, "fixture:{name}/{stage}"),
            Self::Build(build) => write!(f, "{build}"),
            Self::Reference(reference) => f.write_str(reference),
        }
    }
}

impl TryFrom<String> for ImageRef {
    type Error = BadImage;

    fn try_from(text: String) -> Result<Self, BadImage> {
        text.parse()
    }
}

impl From<ImageRef> for String {
    fn from(image: ImageRef) -> Self {
        image.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_fixture_with_perhaps_a_stage_or_a_folder_or_a_reference() {
        for same in
            ["fixture:tome", "fixture:tome/shell", "build:../my app", "postgres:17", "localhost:5000/a/b@sha256:00"]
        {
            assert_eq!(same.parse::<ImageRef>().map(|image| image.to_string()), Ok(same.to_owned()));
        }
        for bad in ["", "fixture:", "build:", "fixture:tome/", "fixture:../x", "two words", "fixture:a/b/c"] {
            assert_eq!(bad.parse::<ImageRef>(), Err(BadImage(bad.to_owned())), "reading `{bad}`");
        }
    }
}
