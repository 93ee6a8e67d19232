//! An image that is built from a folder.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use super::problem::{Problem, Problems};
use super::value::Plain;
use super::{Surroundings, Written, forms};

/// A folder with a Dockerfile, and how an image is built from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The folder, relative to the scenario file.
    /// Example: `build = { context = "../app" }`.
    pub context: String,
    /// Its Dockerfile, relative to the folder. Unsaid: `Dockerfile`.
    /// Example: `build = { context = "../app", dockerfile = "prod.Dockerfile" }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dockerfile: Option<String>,
    /// The stage to build. Unsaid: the last one.
    /// Example: `build = { context = "../app", target = "app" }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Values for the `ARG`s of the Dockerfile.
    /// Example: `build = { context = "../app", args = { VERSION = "1.2" } }`.
    #[serde(default, deserialize_with = "forms::variables", skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "forms::Pairs")]
    pub args: BTreeMap<String, Plain>,
}

impl Build {
    /// A folder, and nothing else said.
    #[must_use]
    pub fn of(context: &str) -> Self {
        Self { context: context.to_owned(), ..Self::default() }
    }

    /// Reads `build`: the folder alone, or a table.
    pub fn read(written: Written<'_>, section: &str, around: &Surroundings, problems: &mut Problems) -> Option<Self> {
        let span = written.value.span();
        let build = match written.value.get_ref() {
            DeValue::String(context) => Self::of(context),
            _ => written.read::<Self>(section, problems)?,
        };
        let is_address = build.context.contains("://") || build.context.starts_with("git@");
        if build.context.is_empty() || is_address {
            let title = format!("`build` of {section} is a folder on this machine, not `{}`", build.context);
            problems.add(Problem::new(Some(span), title));
            return None;
        }
        Some(build.seen_from(around.folder.as_deref()))
    }

    /// The same, with the folder as whoever runs the scenario sees it.
    #[must_use]
    pub fn seen_from(self, folder: Option<&Path>) -> Self {
        match folder {
            Some(folder) => Self { context: folder.join(&self.context).to_string_lossy().into_owned(), ..self },
            None => self,
        }
    }
}

impl fmt::Display for Build {
    /// Values of arguments may be secrets, so only their names are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "build:{}", self.context)?;
        if let Some(dockerfile) = &self.dockerfile {
            write!(f, " by {dockerfile}")?;
        }
        if let Some(target) = &self.target {
            write!(f, " up to {target}")?;
        }
        if !self.args.is_empty() {
            write!(f, " with {}", self.args.keys().map(String::as_str).collect::<Vec<_>>().join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_seen_from_the_scenarios_own() {
        let folder = Some(Path::new("scenarios/tome"));
        assert_eq!(Build::of("../app").seen_from(folder).context, "scenarios/tome/../app");
        assert_eq!(Build::of("/app").seen_from(folder).context, "/app");
        assert_eq!(Build::of("app").seen_from(None).context, "app");
    }

    #[test]
    fn the_values_of_arguments_are_not_shown() {
        let build = Build {
            dockerfile: Some("prod.Dockerfile".to_owned()),
            target: Some("app".to_owned()),
            args: [("TOKEN".to_owned(), Plain("secret".to_owned()))].into(),
            ..Build::of("app")
        };
        assert_eq!(build.to_string(), "build:app by prod.Dockerfile up to app with TOKEN");
        assert_eq!(Build::of("app").to_string(), "build:app");
    }
}
