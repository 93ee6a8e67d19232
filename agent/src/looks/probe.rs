//! Whether a directory can be written to: by writing. Asking (`access`) knows nothing of dropped
//! capabilities, and an empty file can be created on a full disk.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use agent::Tried;

use crate::failure::name;

/// How the file is called, before a number.
const NAME: &str = ".bootproof-probe-";

/// What `try_write` writes: more than what fits into the last block of a file system that is nearly full.
pub const TRY: usize = 64 * 1024;

/// Creates, fills, syncs and removes a file in the directory.
pub fn probe(directory: &Path, bytes: usize) -> Tried {
    attempt(directory, bytes).map_err(|error| name(&error))
}

/// The same in the directory that the path is or that it is in.
pub fn try_write(path: &Path) -> Tried {
    let directory = match fs::metadata(path) {
        Ok(seen) if seen.is_dir() => path,
        _ => path.parent().unwrap_or(path),
    };
    probe(directory, TRY)
}

/// Whether a name is that of a file that is just being tried with.
pub fn is_one(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(NAME.as_bytes())
}

fn attempt(directory: &Path, bytes: usize) -> io::Result<()> {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    let hidden = Hidden(directory.join(format!("{NAME}{now}")));
    let mut file = File::create_new(&hidden.0)?;
    file.write_all(&vec![b'.'; bytes])?;
    match file.sync_all() {
        // Some network and FUSE file systems know no fsync; the data is as safe as it gets there.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
        other => other?,
    }
    fs::remove_file(&hidden.0)
}

/// A file that is removed again whatever happens.
struct Hidden(PathBuf);

impl Drop for Hidden {
    fn drop(&mut self) {
        // It may never have been made, or be gone by success.
        let _ = fs::remove_file(&self.0);
    }
}
