//! Everything at and below a path.

use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use agent::{Answer, Kind, TreeEntry};

use super::{digest, look};
use crate::failure::{OrCannot as _, Outcome};
use crate::walk::walk;

/// The tree, without what is mounted in it: that is another tree.
pub fn tree(path: &Path) -> Outcome<Answer> {
    let top = fs::canonicalize(path).or_cannot(|| format!("look at {}", path.display()))?;
    let device = fs::metadata(&top).or_cannot(|| format!("look at {}", top.display()))?.dev();
    let mut entries = Vec::new();
    walk(&top, &|seen| seen.dev() == device, &mut |path, seen| {
        entries.push(entry(&top, path, seen));
        Ok(())
    })?;
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(Answer::Tree(entries))
}

fn entry(top: &Path, path: &Path, seen: &Metadata) -> TreeEntry {
    let below = path.strip_prefix(top).unwrap_or(path).to_string_lossy();
    let kind = look::kind(seen.file_type());
    // A file that goes away before it is read has no digest, and is told apart by that.
    let sha256 = (kind == Kind::File).then(|| File::open(path).and_then(|file| digest::digest(file, 0)));
    TreeEntry {
        path: if below.is_empty() { ".".into() } else { below.into_owned() },
        kind,
        mode: seen.mode() & 0o7777,
        uid: seen.uid(),
        gid: seen.gid(),
        size: if kind == Kind::File { seen.size() } else { 0 },
        sha256: sha256.and_then(Result::ok).map(|(digest, _)| digest),
        target: fs::read_link(path).ok().map(|target| target.to_string_lossy().into_owned()),
    }
}
