//! The container under test, as the file describes it.

use serde::{Deserialize, Serialize};

use super::image::ImageRef;
use super::problem::{Problem, Problems};
use super::read::{Section, unknown_word};
use super::ready::Ready;
use super::runtime::Runtime;
use super::{Surroundings, Written};

/// The container under test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// The image it is made of.
    pub image: ImageRef,
    /// What "ready" means for it, wherever that is said.
    pub ready: Option<Ready>,
    /// How it is run.
    pub runtime: Runtime,
}

impl Subject {
    /// Reads `[subject]`.
    pub fn read(mut section: Section<'_>, around: &Surroundings, problems: &mut Problems) -> Option<Self> {
        let name = section.name().to_owned();
        let image = section.take("image");
        let ready = section.take("ready");
        if image.is_none() {
            problems.add(
                Problem::new(Some(section.span()), format!("{name} has no `image`"))
                    .help("name a fixture, `fixture:tome`, or any image reference"),
            );
        }
        let image = image.and_then(|written| read_image(written, &name, around, problems));
        let ready = ready.map(|written| Ready::read(written, problems));
        let header = section.span();
        let runtime = section.read::<Runtime>(problems);
        for words in runtime.iter().flat_map(Runtime::contradictions) {
            problems.add(Problem::new(Some(header.clone()), format!("{name} {words}")));
        }
        let ready = match ready {
            Some(None) => return None,
            Some(ready) => ready,
            None => None,
        };
        Some(Self { image: image?, ready, runtime: runtime? })
    }
}

/// Reads the name of an image; a fixture has to be one that is there.
pub fn read_image(
    written: Written<'_>,
    section: &str,
    around: &Surroundings,
    problems: &mut Problems,
) -> Option<ImageRef> {
    let span = written.value.span();
    let image = written.read::<ImageRef>(section, problems)?;
    match (&image, &around.fixtures) {
        (ImageRef::Fixture { .. }, Some(fixtures)) if !fixtures.contains(&image) => {
            let known: Vec<String> = fixtures.iter().map(ToString::to_string).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            problems.add(unknown_word("fixture", &image.to_string(), &format!("`image` of {section}"), &known, span));
            None
        }
        _ => Some(image),
    }
}
