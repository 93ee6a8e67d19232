//! How fast a container's block device is for the container.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Instant;

use agent::Answer;
use nix::libc;

use crate::failure::{OrCannot as _, Outcome, refuse};
use crate::groups::Groups;
use crate::member::Member;
use crate::subject::{Rights, Subject};

/// What is read and written past the caches is aligned to this, in memory too.
const BLOCK: usize = 4096;

/// More than this at once says nothing more.
const MOST: u64 = 16 << 20;

/// How often it is tried: the device may be slow for once by itself.
const ROUNDS: usize = 3;

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the device.
    Read,
    /// To the device.
    Write,
}

/// A child under the container's limits reads or writes a file without a name.
pub fn time(subject: Subject, directory: &Path, way: Way, bytes: u64) -> Outcome<Answer> {
    let file = subject.enter(Rights::Own, || {
        let file =
            OpenOptions::new().read(true).write(true).custom_flags(libc::O_TMPFILE | libc::O_DIRECT).open(directory);
        file.or_cannot(|| format!("make a file in {} that no cache stands before", directory.display()))
    })?;
    let size = usize::try_from(bytes.min(MOST)).unwrap_or(BLOCK).next_multiple_of(BLOCK);
    if way == Way::Read {
        // Written with the agent's own rights, which nothing limits.
        with_block(size, |block| file.write_all_at(block, 0)).or_cannot(|| "write what is to be read".into())?;
    }
    let word = if way == Way::Read { "read" } else { "write" };
    let members = Groups::of(subject)?.group("blkio", "io")?.members();
    match Member::join(&members, &[word, &size.to_string()], Some(file))?.number()? {
        errno if errno < 0 => {
            let error = io::Error::from_raw_os_error(i32::try_from(-errno).unwrap_or(libc::EIO));
            Err(error).or_cannot(|| format!("{word} past the caches in {}", directory.display()))
        }
        micros => u64::try_from(micros).map(Answer::Took).map_err(|_| refuse("no time was measured")),
    }
}

/// What the child does: answers the shortest time in microseconds, or the error's number below 0.
pub fn measure(way: &str, bytes: &str) -> i64 {
    let Ok(size) = bytes.parse() else { return (-libc::EINVAL).into() };
    let rounds = || -> io::Result<u128> {
        let file = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let mut shortest = u128::MAX;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            with_block(size, |block| match way {
                "read" => file.read_exact_at(block, 0),
                _ => file.write_all_at(block, 0),
            })?;
            shortest = shortest.min(begun.elapsed().as_micros());
        }
        Ok(shortest)
    };
    match rounds() {
        Ok(micros) => i64::try_from(micros).unwrap_or(i64::MAX),
        Err(error) => (-error.raw_os_error().unwrap_or(libc::EIO)).into(),
    }
}

/// Memory that a device can be given as it is.
fn with_block<T>(size: usize, act: impl FnOnce(&mut [u8]) -> io::Result<T>) -> io::Result<T> {
    let mut memory = vec![b'.'; size + BLOCK];
    let start = memory.as_ptr().align_offset(BLOCK).min(BLOCK);
    act(&mut memory[start..start + size])
}
