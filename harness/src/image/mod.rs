//! Sees to it that the engine has the images that a run needs.
//!
//! A reference is used as it is, or pulled. A fixture of this checkout or a
//! user's folder is built once: its tag carries a hash of everything that makes
//! it what it is, and a lock that processes share keeps two of them from
//! building it.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::engine::{Build, Engine, Labels, Progress};
use crate::scenario::image::ImageRef;
use crate::scenario::wanted::Wanted;

mod base;
mod binary;
mod context;
mod dockerfile;
mod error;
mod folder;
mod ignored;
mod lock;
mod output;
mod platform;
mod reference;
mod stub;
mod workspace;

pub use base::LABEL as BASE_LABEL;
pub use error::Error;
pub use platform::runs;
pub use stub::processors;
pub use workspace::Workspace;

use binary::Binary;
use context::Context;
use dockerfile::Dockerfile;
use lock::Lock;

/// The label of an image that was built here; its value is the fixture's name or the folder's.
pub const FIXTURE_LABEL: &str = "io.bootproof.fixture";

/// The fixture that is the agent.
const AGENT: &str = "agent";

/// The images of one engine.
pub struct Images {
    engine: Arc<dyn Engine>,
    workspace: Option<Workspace>,
    known: Mutex<Known>,
}

/// What this process has found out already.
#[derive(Default)]
struct Known {
    ready: HashMap<Wanted, String>,
    binaries: HashMap<String, Binary>,
    target: Option<String>,
    lock_file: Option<PathBuf>,
    /// The engine's own processor.
    own: Option<String>,
    /// Whether it runs programs of others.
    runs: HashMap<String, bool>,
}

/// A fixture's image that is about to be built.
struct Recipe {
    tag: String,
    context: Context,
    binaries: Vec<String>,
}

impl Known {
    /// Takes the lock that the processes of one checkout share.
    async fn lock(&mut self, workspace: &Workspace, progress: Progress<'_>) -> Result<Lock, Error> {
        let path = match &self.lock_file {
            Some(path) => path.clone(),
            None => binary::target_directory(workspace).await?.join("bootproof/images.lock"),
        };
        let lock = Lock::take(&path, progress).await?;
        self.lock_file = Some(path);
        Ok(lock)
    }
}

impl Images {
    /// The images of an engine, with fixtures from the checkout at this folder.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>, workspace: Option<Workspace>) -> Self {
        Self { engine, workspace, known: Mutex::new(Known::default()) }
    }

    /// Every image that the checkout's fixtures describe.
    pub fn fixtures(&self) -> Result<Vec<ImageRef>, Error> {
        self.workspace.as_ref().map_or(Ok(Vec::new()), Workspace::fixtures)
    }

    /// Sees to it that the engine has the agent's image; gives the reference to run.
    pub async fn agent(&self, progress: Progress<'_>) -> Result<String, Error> {
        let image = match &self.workspace {
            Some(_) => ImageRef::Fixture { name: AGENT.to_owned(), stage: None },
            // The agent speaks its own harness's language, and no other version's.
            None => ImageRef::Reference(format!("bootproof/{AGENT}:{}", env!("CARGO_PKG_VERSION"))),
        };
        self.ensure(&image, progress).await
    }

    /// Sees to it that the engine has an image; gives the reference to run.
    pub async fn ensure(&self, image: &ImageRef, progress: Progress<'_>) -> Result<String, Error> {
        self.obtain(&Wanted::from(image.clone()), progress).await
    }

    /// The same for an image as a scenario asks for it. What is to be pulled or
    /// built anew is so once: all runs of one process are about the same image.
    pub async fn obtain(&self, wanted: &Wanted, progress: Progress<'_>) -> Result<String, Error> {
        let mut known = self.known.lock().await;
        if let Some(reference) = known.ready.get(wanted) {
            return Ok(reference.clone());
        }
        let reference = match &wanted.image {
            ImageRef::Reference(name) => self.reference(name, wanted, &mut known, progress).await?,
            ImageRef::Build(build) => self.folder(build, wanted, &mut known, progress).await?,
            ImageRef::Fixture { name, stage } => {
                let Some(workspace) = &self.workspace else {
                    return Err(Error::NoWorkspace { image: wanted.image.to_string() });
                };
                self.fixture(workspace, name, stage.as_deref(), &mut known, progress).await?
            }
        };
        known.ready.insert(wanted.clone(), reference.clone());
        Ok(reference)
    }

    async fn fixture(
        &self,
        workspace: &Workspace,
        name: &str,
        stage: Option<&str>,
        known: &mut Known,
        progress: Progress<'_>,
    ) -> Result<String, Error> {
        let whole = workspace.dockerfile(name)?;
        let dockerfile =
            whole.up_to(stage).ok_or_else(|| Error::unknown_stage(name, stage.unwrap_or_default(), whole.names()))?;
        self.compile(workspace, &dockerfile, known, progress).await?;

        // Without the lock first: mostly there is nothing to build.
        if let Some(bases) = self.bases_present(&dockerfile).await? {
            let recipe = recipe(workspace, name, stage, &dockerfile, &bases, known)?;
            if self.engine.image(&recipe.tag).await?.is_some() {
                return Ok(recipe.tag);
            }
        }
        let _lock = known.lock(workspace, progress).await?;
        let mut bases = Vec::new();
        for name in dockerfile.bases() {
            bases.push(base::ensure(self.engine.as_ref(), &name, progress).await?);
        }
        let recipe = recipe(workspace, name, stage, &dockerfile, &bases, known)?;
        // Whoever had the lock before may have built it.
        if self.engine.image(&recipe.tag).await?.is_none() {
            self.build(name, stage, &recipe, known, progress).await?;
        }
        Ok(recipe.tag)
    }

    /// The identities of the bases, if the engine has them all.
    async fn bases_present(&self, dockerfile: &Dockerfile) -> Result<Option<Vec<String>>, Error> {
        let mut bases = Vec::new();
        for name in dockerfile.bases() {
            match self.engine.image(&name).await? {
                Some(image) => bases.push(image.id),
                None => return Ok(None),
            }
        }
        Ok(Some(bases))
    }

    /// Compiles the programs that a Dockerfile copies, each once in a process.
    async fn compile(
        &self,
        workspace: &Workspace,
        dockerfile: &Dockerfile,
        known: &mut Known,
        progress: Progress<'_>,
    ) -> Result<(), Error> {
        for name in dockerfile.binaries() {
            if known.binaries.contains_key(&name) {
                continue;
            }
            let target = match &known.target {
                Some(target) => target.clone(),
                // A container runs on the engine's processor, which may not be this machine's.
                None => musl_target(&self.engine.about().await?.platform),
            };
            let compiled = binary::compile(workspace, &name, &target, progress).await?;
            known.target = Some(target);
            known.binaries.insert(name, compiled);
        }
        Ok(())
    }

    async fn build(
        &self,
        name: &str,
        stage: Option<&str>,
        recipe: &Recipe,
        known: &Known,
        progress: Progress<'_>,
    ) -> Result<(), Error> {
        progress(&format!("building {}", recipe.tag));
        let failed = |error: std::io::Error| Error::File { act: format!("pack {name}"), cause: error.to_string() };
        let mut beside = vec![(dockerfile::CERTIFICATES, false, context::certificates())];
        for binary in &recipe.binaries {
            let content = known.binaries.get(binary).map(|binary| binary.content.clone());
            beside.push((binary, true, content.unwrap_or_default()));
        }
        let build = Build {
            tag: recipe.tag.clone(),
            dockerfile: "Dockerfile".to_owned(),
            target: stage.map(str::to_owned),
            args: BTreeMap::new(),
            platform: None,
            context: recipe.context.tar(&beside).map_err(failed)?,
            labels: Labels::from([(FIXTURE_LABEL.to_owned(), name.to_owned())]),
        };
        Ok(self.engine.build(&build, progress).await?)
    }
}

fn recipe(
    workspace: &Workspace,
    name: &str,
    stage: Option<&str>,
    dockerfile: &Dockerfile,
    bases: &[String],
    known: &Known,
) -> Result<Recipe, Error> {
    let folder = workspace.folder(name);
    let context = Context::of(&folder).map_err(|error| Error::file("read the fixture", &folder, &error))?;
    let binaries = dockerfile.binaries();
    let hashes = binaries.iter().filter_map(|name| known.binaries.get(name)).map(|binary| binary.hash.as_str());
    let also: Vec<&str> =
        std::iter::once(stage.unwrap_or_default()).chain(bases.iter().map(String::as_str)).chain(hashes).collect();
    let named = stage.map_or_else(|| name.to_owned(), |stage| format!("{name}-{stage}"));
    let tag = format!("bootproof/{named}:{}", context.hash(&also));
    Ok(Recipe { tag, context, binaries })
}

/// Static programs run in every image, whatever its C library.
fn musl_target(platform: &str) -> String {
    let processor = match platform.rsplit('/').next().unwrap_or_default() {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => other,
    };
    format!("{processor}-unknown-linux-musl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_compiled_for_the_engines_processor() {
        assert_eq!(musl_target("linux/amd64"), "x86_64-unknown-linux-musl");
        assert_eq!(musl_target("linux/arm64"), "aarch64-unknown-linux-musl");
    }
}
