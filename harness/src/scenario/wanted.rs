//! An image as a table of the file asks for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::build::Build;
use super::forms::Either;
use super::image::ImageRef;
use super::problem::{Problem, Problems};
use super::read::{Section, unknown_word};
use super::{Surroundings, Written};

/// An image, and how the engine gets it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Wanted {
    /// Which.
    pub image: ImageRef,
    /// Whether it is pulled or built anew.
    pub pull_policy: PullPolicy,
    /// The platform it has to be of, such as `linux/arm64`; the engine's own unless said.
    pub platform: Option<String>,
}

/// When an image is pulled from its registry or built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PullPolicy {
    /// Pulled each time the harness is called, so that what is published since counts.
    Always,
    /// Pulled or built where the engine has not got it.
    #[default]
    #[serde(alias = "if_not_present")]
    Missing,
    /// Neither: the engine has to have it.
    Never,
    /// Built, even where the engine has it.
    Build,
}

/// As it is written: one of the first two, and what belongs to it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the schema alone knows it; `read` takes the keys one by one")]
pub struct AsWritten {
    /// The image it is made of: a fixture of this repository, a folder to build, or any reference; what the
    /// engine does not have is pulled.
    /// Example: `image = "ghost:5"`.
    image: Option<ImageRef>,
    /// A folder to build the image from, instead of `image`: the folder alone, or with how it is built.
    /// Example: `build = "../app"`.
    build: Option<Either<String, Build>>,
    /// When the image is pulled or built. A fixture is built whenever it changes.
    /// Example: `image = "ghost:5"`, `pull_policy = "always"`.
    #[schemars(default)]
    pull_policy: PullPolicy,
    /// The platform it has to be of. Unsaid: the engine's own.
    /// Example: `image = "ghost:5"`, `platform = "linux/arm64"`.
    platform: Option<String>,
}

impl From<ImageRef> for Wanted {
    fn from(image: ImageRef) -> Self {
        Self { image, pull_policy: PullPolicy::default(), platform: None }
    }
}

impl Wanted {
    /// Takes `image`, `build`, `pull_policy` and `platform` out of a table.
    pub fn read(section: &mut Section<'_>, around: &Surroundings, problems: &mut Problems) -> Option<Self> {
        let name = section.name().to_owned();
        let header = section.span();
        let [image, build, policy, platform] =
            ["image", "build", "pull_policy", "platform"].map(|key| section.take(key));
        let pull_policy = match policy {
            Some(written) => {
                let span = written.value.span();
                written.read::<PullPolicy>(&name, problems).map(|policy| (policy, Some(span)))
            }
            None => Some((PullPolicy::default(), None)),
        };
        let platform = match platform {
            Some(written) => written.read::<String>(&name, problems).map(Some),
            None => Some(None),
        };
        let image = match (image, build) {
            (Some(written), None) => read_image(written, &name, around, problems),
            (None, Some(written)) => Build::read(written, &name, around, problems).map(ImageRef::Build),
            (Some(image), Some(_)) => {
                let title = format!("{name} has an `image` and a `build`: say which it is made of");
                problems.add(Problem::new(Some(image.span), title));
                None
            }
            (None, None) => {
                problems.add(
                    Problem::new(Some(header), format!("{name} has no `image`"))
                        .help("name a fixture, `fixture:tome`, or any image reference"),
                );
                None
            }
        };
        let ((pull_policy, span), platform, image) = (pull_policy?, platform?, image?);
        let wanted = Self { image, pull_policy, platform };
        if let Some(title) = wanted.contradiction() {
            problems.add(Problem::new(span, format!("{name} {title}")));
            return None;
        }
        Some(wanted)
    }

    /// What cannot be meant together.
    fn contradiction(&self) -> Option<&'static str> {
        match &self.image {
            ImageRef::Fixture { .. } if self.pull_policy != PullPolicy::default() => {
                Some("has a `pull_policy`, and a fixture is built whenever it changes")
            }
            ImageRef::Fixture { .. } if self.platform.is_some() => {
                Some("has a `platform`, and a fixture is built for the engine's own")
            }
            ImageRef::Reference(_) if self.pull_policy == PullPolicy::Build => {
                Some("has the `pull_policy` `build`, and no `build` that says how")
            }
            _ => None,
        }
    }
}

fn read_image(written: Written<'_>, section: &str, around: &Surroundings, problems: &mut Problems) -> Option<ImageRef> {
    let span = written.value.span();
    let image = written.read::<ImageRef>(section, problems)?;
    match (image, &around.fixtures) {
        (image @ ImageRef::Fixture { .. }, Some(fixtures)) if !fixtures.contains(&image) => {
            let known: Vec<String> = fixtures.iter().map(ToString::to_string).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            problems.add(unknown_word("fixture", &image.to_string(), &format!("`image` of {section}"), &known, span));
            None
        }
        (ImageRef::Build(build), _) => Some(ImageRef::Build(build.seen_from(around.folder.as_deref()))),
        (image, _) => Some(image),
    }
}
