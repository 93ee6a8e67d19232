//! Removes a tree.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use agent::{Answer, Failure};
use nix::libc;

use crate::failure::{OrCannot as _, Outcome, cannot, refuse};

/// How often a directory is emptied in which somebody goes on making files.
const PASSES: u32 = 16;

/// What is left of the top.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Top {
    /// It goes too.
    Goes,
    /// It is the root of a volume, and stays.
    MayStay,
}

/// Removes what is at the path and below it, and answers how many entries went.
pub fn delete(path: &Path, top: Top) -> Outcome<Answer> {
    let seen = fs::symlink_metadata(path).or_cannot(|| format!("delete {}", path.display()))?;
    let root = fs::metadata("/").or_cannot(|| "look at the root".into())?;
    if top == Top::Goes && (seen.dev(), seen.ino()) == (root.dev(), root.ino()) {
        return Err(refuse("the root of a container is never deleted"));
    }
    let mut removal = Removal { removed: 0, stuck: 0, first: None };
    removal.remove(path, seen.is_dir());
    match removal.first {
        None => Ok(Answer::Count(removal.removed)),
        Some(failure) => Err(failure),
    }
}

struct Removal {
    removed: u64,
    /// How often something stayed for a reason that is known.
    stuck: u64,
    /// The first thing that could not be removed; the others are removed all the same.
    first: Option<Failure>,
}

impl Removal {
    fn remove(&mut self, path: &Path, is_directory: bool) {
        let stuck = self.stuck;
        let outcome = if is_directory { self.remove_directory(path) } else { fs::remove_file(path) };
        match outcome {
            Ok(()) => self.removed += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // A directory on which something is mounted. It is empty now, and more cannot be done.
            Err(error) if is_directory && error.raw_os_error() == Some(libc::EBUSY) => self.stuck += 1,
            // One above it, or above something that failed by itself.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && self.stuck > stuck => {}
            Err(error) => {
                self.stuck += 1;
                self.first.get_or_insert_with(|| cannot(&format!("delete {}", path.display()), &error));
            }
        }
    }

    fn remove_directory(&mut self, path: &Path) -> io::Result<()> {
        let mut outcome = Ok(());
        for _ in 0..PASSES {
            let removed = self.removed;
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                self.remove(&entry.path(), entry.file_type().is_ok_and(|kind| kind.is_dir()));
            }
            outcome = fs::remove_dir(path);
            let is_full = matches!(&outcome, Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty);
            if !is_full || self.removed == removed {
                break;
            }
        }
        outcome
    }
}
