//! How full a file system is.

use std::io;
use std::path::Path;

use agent::Space;
use nix::sys::statvfs::statvfs;

use crate::failure::{OrCannot as _, Outcome};

/// The space of the file system in which a path is.
pub fn space(path: &Path) -> Outcome<Space> {
    measure(path).or_cannot(|| format!("measure the file system of {}", path.display()))
}

/// The same, with the bare error.
#[allow(clippy::useless_conversion, reason = "the widths differ between C libraries")]
pub fn measure(path: &Path) -> io::Result<Space> {
    let seen = statvfs(path)?;
    let unit = u64::from(seen.fragment_size());
    Ok(Space {
        free: u64::from(seen.blocks_available()) * unit,
        total: u64::from(seen.blocks()) * unit,
        inodes_free: seen.files_available().into(),
    })
}
