//! Fills a file system by one hidden file, and frees it again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use agent::{Answer, Space};
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::statfs::{OVERLAYFS_SUPER_MAGIC, statfs};

use crate::failure::{OrCannot as _, Outcome, cannot, refuse};
use crate::looks::space;

const NAME: &str = ".bootproof-fill";

/// More than this is no small volume but a disk, on which others live too.
const MOST: u64 = 4 << 30;

/// The unit of most file systems: where not even this fits, it is full.
const BLOCK: u64 = 4096;

/// Where devices of the machine's own show: its root, which may be closed to us, and a file that engines
/// mount into every container from where they keep it.
const MACHINES: [&str; 2] = ["/proc/1/root", "/etc/hosts"];

/// The devices on which the machine and its engine live. They are never filled.
pub fn machine_disks() -> Vec<u64> {
    MACHINES.iter().filter_map(|path| fs::metadata(path).ok()).map(|seen| seen.dev()).collect()
}

/// Leaves so many bytes, and answers what is left. Nothing at all is left only if `leave` is 0: then
/// also the blocks that a file system reserves for root are taken.
pub fn fill(directory: &Path, leave: u64, machine_disks: &[u64]) -> Outcome<Answer> {
    let free = space::space(directory)?.free;
    guard(directory, free.saturating_sub(leave), machine_disks)?;
    let path = directory.join(NAME);
    let file = OpenOptions::new().append(true).create(true).open(&path);
    let file = file.or_cannot(|| format!("create {}", path.display()))?;
    let grown = grow(&file, directory, leave);
    grown.or_cannot(|| format!("fill the file system of {}", directory.display()))?;
    space::space(directory).map(Answer::Space)
}

/// Removes the file, if it is there.
pub fn unfill(directory: &Path) -> Outcome<Answer> {
    let path: PathBuf = directory.join(NAME);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(cannot(&format!("remove {}", path.display()), &error))
        }
        _ => space::space(directory).map(Answer::Space),
    }
}

fn guard(directory: &Path, wanted: u64, machine_disks: &[u64]) -> Outcome<()> {
    let shown = directory.display();
    let looking = || format!("look at {shown}");
    let is_overlay = statfs(directory).or_cannot(looking)?.filesystem_type() == OVERLAYFS_SUPER_MAGIC;
    let device = fs::metadata(directory).or_cannot(looking)?.dev();
    if is_overlay || machine_disks.contains(&device) {
        return Err(refuse(format!(
            "{shown} is on the machine's own disk, which is never filled: give it a volume with a size"
        )));
    }
    if wanted > MOST {
        let gib = MOST >> 30;
        return Err(refuse(format!(
            "{wanted} bytes would have to be written to fill {shown}, more than {gib} GiB: give it a smaller size"
        )));
    }
    Ok(())
}

fn grow(file: &File, directory: &Path, leave: u64) -> io::Result<()> {
    let mut most = u64::MAX;
    loop {
        let Space { free, .. } = space::measure(directory)?;
        let wanted = free.saturating_sub(leave);
        // A file system may need some of its free blocks for its own book-keeping.
        let step = if leave == 0 { wanted.max(BLOCK) } else { wanted }.min(most);
        if step == 0 {
            return Ok(());
        }
        match append(file, step) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() != Some(Errno::ENOSPC as i32) => return Err(error),
            Err(_) if step <= BLOCK => return Ok(()),
            Err(_) => most = (step / 2).max(BLOCK),
        }
    }
}

fn append(mut file: &File, bytes: u64) -> io::Result<()> {
    let size = file.metadata()?.len().cast_signed();
    match fallocate(file, FallocateFlags::empty(), size, bytes.cast_signed()) {
        Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => {
            let zeros = vec![0; usize::try_from(bytes.min(1 << 20)).unwrap_or_default()];
            file.write_all(&zeros)?;
            // Until then some file systems only promise.
            file.sync_all()
        }
        outcome => outcome.map_err(io::Error::from),
    }
}
