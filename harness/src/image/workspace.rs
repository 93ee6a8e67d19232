//! A checkout of Bootproof, from which fixtures are built.

use std::path::{Path, PathBuf};

use super::dockerfile::Dockerfile;
use super::error::Error;
use crate::scenario::image::ImageRef;

/// A checkout of Bootproof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The checkout that a folder is inside of.
    #[must_use]
    pub fn find(start: &Path) -> Option<Self> {
        let start = std::path::absolute(start).ok()?;
        let is_root = |folder: &&Path| folder.join("Cargo.toml").is_file() && folder.join("fixtures/images").is_dir();
        start.ancestors().find(is_root).map(|root| Self { root: root.to_owned() })
    }

    /// Its topmost folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a fixture's image.
    pub(super) fn folder(&self, fixture: &str) -> PathBuf {
        self.root.join("fixtures/images").join(fixture)
    }

    /// The names of all fixtures, in order.
    pub(super) fn names(&self) -> Result<Vec<String>, Error> {
        let folder = self.root.join("fixtures/images");
        let failed = |error: std::io::Error| Error::file("list the fixtures in", &folder, &error);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.path().join("Dockerfile").is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// What a fixture's Dockerfile says.
    pub(super) fn dockerfile(&self, fixture: &str) -> Result<Dockerfile, Error> {
        let path = self.folder(fixture).join("Dockerfile");
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Dockerfile::read(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::unknown_fixture(fixture, self.names()?))
            }
            Err(error) => Err(Error::file("read", &path, &error)),
        }
    }

    /// The folder of the state directories that volumes can begin with.
    #[must_use]
    pub fn state_folder(&self) -> PathBuf {
        self.root.join("fixtures/state")
    }

    /// The names of the state directories, in order.
    #[must_use]
    pub fn states(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.state_folder()).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.path().is_dir());
        let mut names: Vec<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Every image that the fixtures describe and a container can be made of.
    pub fn fixtures(&self) -> Result<Vec<ImageRef>, Error> {
        let mut images = Vec::new();
        for name in self.names()? {
            let stages = self.dockerfile(&name)?.stages_to_run();
            images.extend(stages.into_iter().map(|stage| ImageRef::Fixture { name: name.clone(), stage }));
        }
        images.sort();
        Ok(images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_is_found_from_anywhere_inside_it() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("scenarios/tome");
        std::fs::create_dir_all(&deep).unwrap();
        assert_eq!(Workspace::find(&deep), None);
        std::fs::create_dir_all(folder.path().join("fixtures/images")).unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        assert_eq!(Workspace::find(&deep).unwrap().root(), folder.path());
    }
}
