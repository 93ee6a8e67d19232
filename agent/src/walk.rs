//! Everything below a directory.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

use crate::failure::{OrCannot as _, Outcome};

/// Shows the top and everything below it, the parents first and each directory in the order of its names.
/// What goes away meanwhile is passed over. `descend` says of a directory whether to look into it.
pub fn walk(
    top: &Path,
    descend: &impl Fn(&Metadata) -> bool,
    visit: &mut impl FnMut(&Path, &Metadata) -> Outcome<()>,
) -> Outcome<()> {
    let seen = match fs::symlink_metadata(top) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        seen => seen.or_cannot(|| format!("look at {}", top.display()))?,
    };
    visit(top, &seen)?;
    if !seen.is_dir() || !descend(&seen) {
        return Ok(());
    }
    let entries = match fs::read_dir(top) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.or_cannot(|| format!("list {}", top.display()))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.or_cannot(|| format!("list {}", top.display()))?.file_name());
    }
    names.sort_unstable();
    names.iter().try_for_each(|name| walk(&top.join(name), descend, visit))
}
