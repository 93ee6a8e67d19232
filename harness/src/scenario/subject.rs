//! The container under test, as the file describes it.

use serde::{Deserialize, Serialize};

use super::image::ImageRef;
use super::problem::{Problem, Problems};
use super::read::Section;
use super::ready::Ready;
use super::runtime::Runtime;

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
    pub fn read(mut section: Section<'_>, problems: &mut Problems) -> Option<Self> {
        let image = section.take("image");
        let ready = section.take("ready");
        let name = section.name().to_owned();
        if image.is_none() {
            problems.add(
                Problem::new(Some(section.span()), format!("{name} has no `image`"))
                    .help("name a fixture, `fixture:tome`, or any image reference"),
            );
        }
        let image = image.and_then(|written| {
            let span = written.value.span();
            let text = written.value.get_ref().as_str().ok_or_else(|| "an image is written as a string".to_owned());
            let parsed = text.and_then(|text| text.parse::<ImageRef>().map_err(|error| error.to_string()));
            parsed.map_err(|title| problems.add(Problem::new(Some(span), format!("`image` of {name}: {title}")))).ok()
        });
        let ready = ready.map(|written| Ready::read(written, problems));
        let runtime = section.read::<Runtime>(problems);
        let ready = match ready {
            Some(None) => return None,
            Some(ready) => ready,
            None => None,
        };
        Some(Self { image: image?, ready, runtime: runtime? })
    }
}
