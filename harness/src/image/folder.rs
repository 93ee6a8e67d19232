//! An image that is built from a user's folder.

use std::path::{Path, PathBuf};

use super::context::Context;
use super::dockerfile::Dockerfile;
use super::error::Error;
use super::ignored::{self, Ignored};
use super::{FIXTURE_LABEL, Images, Known, base};
use crate::engine::{self, Labels, Progress};
use crate::scenario::build::Build;
use crate::scenario::wanted::{PullPolicy, Wanted};

/// The Dockerfile's name, where nobody says another.
const DOCKERFILE: &str = "Dockerfile";

/// What one from outside the folder is called in the context.
const FROM_OUTSIDE: &str = ".bootproof.Dockerfile";

/// A folder with the Dockerfile that is meant.
struct Folder {
    path: PathBuf,
    /// The Dockerfile within the context.
    name: String,
    /// Its text.
    text: String,
    /// Whether it lies outside and is put beside the rest.
    outside: bool,
}

impl Folder {
    fn open(build: &Build) -> Result<Self, Error> {
        let path = PathBuf::from(&build.context);
        if !path.is_dir() {
            return Err(Error::NoFolder { path: build.context.clone() });
        }
        let said = build.dockerfile.as_deref().unwrap_or(DOCKERFILE);
        let file = path.join(said);
        let text = std::fs::read_to_string(&file).map_err(|error| Error::file("read", &file, &error))?;
        let inside = name_inside(&path, &file);
        let name = inside.clone().unwrap_or_else(|| FROM_OUTSIDE.to_owned());
        Ok(Self { path, name, text, outside: inside.is_none() })
    }

    fn context(&self) -> Result<Context, Error> {
        let failed = |error: std::io::Error| Error::file("read", &self.path, &error);
        let ignored = Ignored::of(&self.path).map_err(failed)?;
        let keep = [self.name.as_str(), ignored::FILE];
        let mut context = Context::as_it_is(&self.path, &ignored, &keep).map_err(failed)?;
        if self.outside {
            context.add(&self.name, self.text.as_bytes());
        }
        Ok(context)
    }
}

/// The path of a file within a folder, whatever way it is written.
fn name_inside(folder: &Path, file: &Path) -> Option<String> {
    let (folder, file) = (folder.canonicalize().ok()?, file.canonicalize().ok()?);
    Some(file.strip_prefix(folder).ok()?.to_string_lossy().into_owned())
}

impl Images {
    /// Builds the image of a folder, unless the engine has that of just this content.
    pub(super) async fn folder(
        &self,
        build: &Build,
        wanted: &Wanted,
        known: &mut Known,
        progress: Progress<'_>,
    ) -> Result<String, Error> {
        let folder = Folder::open(build)?;
        let given = build.args.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
        let whole = Dockerfile::read(&folder.text).given(&given);
        // An unknown stage is told by the builder, which knows its own language best.
        let dockerfile = whole.up_to(build.target.as_deref()).unwrap_or(whole);
        let _lock = match &self.workspace {
            Some(workspace) => Some(known.lock(workspace, progress).await?),
            None => None,
        };
        let platform = wanted.platform.as_deref();
        if let Some(platform) = platform {
            self.see_that_it_runs(platform, known).await?;
        }
        let mut parts = vec![build.target.clone().unwrap_or_default(), folder.name.clone()];
        parts.extend(platform.map(str::to_owned));
        parts.extend(build.args.iter().map(|(name, value)| format!("{name}={value}")));
        for name in dockerfile.bases() {
            let base = base::ensure_as(self.engine.as_ref(), &name, wanted.pull_policy, platform, progress).await?;
            parts.push(base.id);
        }
        let context = folder.context()?;
        let also: Vec<&str> = parts.iter().map(String::as_str).collect();
        let name = tag_of(&folder.path);
        let tag = format!("bootproof/build-{name}:{}", context.hash(&also));
        let is_there = self.engine.image(&tag).await?.is_some();
        if is_there && wanted.pull_policy != PullPolicy::Build {
            return Ok(tag);
        }
        if wanted.pull_policy == PullPolicy::Never {
            return Err(Error::Forbidden { image: build.to_string(), has: None });
        }
        progress(&format!("building {tag}"));
        let packed = context.tar(&[]).map_err(|error| Error::file("pack", &folder.path, &error))?;
        let request = engine::Build {
            tag: tag.clone(),
            dockerfile: folder.name,
            target: build.target.clone(),
            args: given,
            platform: wanted.platform.clone(),
            context: packed,
            labels: Labels::from([(FIXTURE_LABEL.to_owned(), build.context.clone())]),
        };
        self.engine.build(&request, progress).await?;
        Ok(tag)
    }
}

/// A folder's name in the letters that a tag may have.
fn tag_of(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let letters: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = letters.split('-').filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "folder".to_owned() } else { words.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_only_letters_that_it_may_have() {
        assert_eq!(tag_of(Path::new("/nowhere/My App_2.0")), "my-app-2-0");
        assert_eq!(tag_of(Path::new("/")), "folder");
    }
}
