//! Owners and modes.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown};
use std::path::Path;

use agent::Answer;

use crate::failure::{OrCannot as _, Outcome};
use crate::walk::walk;

/// Changes modes, but those of links, which have none.
pub fn chmod(path: &Path, mode: u32, recursive: bool) -> Outcome<Answer> {
    change(path, recursive, |path, seen| {
        if seen.is_symlink() || seen.mode() & 0o7777 == mode {
            return Ok(false);
        }
        let changed = fs::set_permissions(path, fs::Permissions::from_mode(mode));
        changed.or_cannot(|| format!("give {} the mode {mode:04o}", path.display()))?;
        Ok(true)
    })
}

/// Changes owners.
pub fn chown(path: &Path, uid: Option<u32>, gid: Option<u32>, recursive: bool) -> Outcome<Answer> {
    change(path, recursive, |path, seen| {
        let (new_uid, new_gid) = (uid.unwrap_or(seen.uid()), gid.unwrap_or(seen.gid()));
        if (new_uid, new_gid) == (seen.uid(), seen.gid()) {
            return Ok(false);
        }
        let changed = lchown(path, Some(new_uid), Some(new_gid));
        changed.or_cannot(|| format!("give {} to {new_uid}:{new_gid}", path.display()))?;
        Ok(true)
    })
}

/// Shows what is to be changed, and answers how much of it was.
fn change(path: &Path, recursive: bool, mut one: impl FnMut(&Path, &Metadata) -> Outcome<bool>) -> Outcome<Answer> {
    // The path itself is followed, as a shell's commands do it; below, nothing is.
    let top = fs::canonicalize(path).or_cannot(|| format!("look at {}", path.display()))?;
    let mut changed = 0;
    walk(&top, &|_| recursive, &mut |path, seen| {
        changed += u64::from(one(path, seen)?);
        Ok(())
    })?;
    Ok(Answer::Count(changed))
}
