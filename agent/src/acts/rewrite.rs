//! What a file holds is changed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use agent::{Answer, Content};

use crate::acts::delete::{self, Top};
use crate::failure::{OrCannot as _, Outcome};

/// The suffix of a file that is not in its place yet.
const NEW: &str = ".bootproof-new";

/// Puts a new file in the old one's place.
pub fn replace(path: &Path, content: &Content) -> Outcome<Answer> {
    let mut new = path.as_os_str().to_owned();
    new.push(NEW);
    let replacing = || format!("replace {}", path.display());
    let made = make_like(path, new.as_ref(), content).or_cannot(replacing);
    let replaced = made.and_then(|()| clear(path)).and_then(|()| fs::rename(&new, path).or_cannot(replacing));
    if replaced.is_err() {
        // It may never have been made.
        let _ = fs::remove_file(&new);
    }
    replaced.map(|()| Answer::Done)
}

/// A directory gives way to no file by itself.
fn clear(path: &Path) -> Outcome<()> {
    let is_directory = fs::symlink_metadata(path).is_ok_and(|seen| seen.is_dir());
    if is_directory { delete::delete(path, Top::Goes).map(drop) } else { Ok(()) }
}

fn make_like(path: &Path, new: &Path, content: &Content) -> io::Result<()> {
    let mut file = File::create(new)?;
    file.write_all(&content.0)?;
    match fs::metadata(path) {
        Ok(old) => {
            chown(new, Some(old.uid()), Some(old.gid()))?;
            // What lets somebody into a directory would let him run a file.
            let bits = if old.is_dir() { old.mode() & 0o666 } else { old.mode() & 0o7777 };
            fs::set_permissions(new, fs::Permissions::from_mode(bits))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    file.sync_all()
}

/// Creates a file or overwrites it in place.
pub fn write(path: &Path, content: &Content) -> Outcome<Answer> {
    fs::write(path, &content.0).or_cannot(|| format!("write {}", path.display()))?;
    Ok(Answer::Done)
}

/// Cuts or lengthens a file.
pub fn truncate(path: &Path, size: u64) -> Outcome<Answer> {
    let truncated = OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(size));
    truncated.or_cannot(|| format!("truncate {}", path.display()))?;
    Ok(Answer::Done)
}

/// Copies a file, and empties the original in place.
pub fn copy_truncate(path: &Path, to: &Path) -> Outcome<Answer> {
    let rotated = fs::copy(path, to).and_then(|_| {
        let old = fs::metadata(path)?;
        chown(to, Some(old.uid()), Some(old.gid()))?;
        OpenOptions::new().write(true).open(path)?.set_len(0)
    });
    rotated.or_cannot(|| format!("copy {} to {} and empty it", path.display(), to.display()))?;
    Ok(Answer::Done)
}
