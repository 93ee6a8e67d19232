//! What a file holds is changed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use agent::{Answer, Content};

use crate::failure::{OrCannot as _, Outcome};

/// The suffix of a file that is not in its place yet.
const NEW: &str = ".bootproof-new";

/// Puts a new file in the old one's place.
pub fn replace(path: &Path, content: &Content) -> Outcome<Answer> {
    let mut new = path.as_os_str().to_owned();
    new.push(NEW);
    let replaced = put_in_place(path, new.as_ref(), content);
    if replaced.is_err() {
        // It may never have been made.
        let _ = fs::remove_file(&new);
    }
    replaced.or_cannot(|| format!("replace {}", path.display()))?;
    Ok(Answer::Done)
}

fn put_in_place(path: &Path, new: &Path, content: &Content) -> io::Result<()> {
    let mut file = File::create(new)?;
    file.write_all(&content.0)?;
    match fs::metadata(path) {
        Ok(old) => {
            chown(new, Some(old.uid()), Some(old.gid()))?;
            fs::set_permissions(new, fs::Permissions::from_mode(old.mode() & 0o7777))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    file.sync_all()?;
    fs::rename(new, path)
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
