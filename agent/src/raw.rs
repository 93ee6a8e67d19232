//! The system calls for which there is no safe interface, or none that concerns one thread only: the C
//! libraries give a change of user to every thread of the process.

#![allow(unsafe_code, reason = "every unsafe block of the agent is here")]

use std::ffi::{CString, c_int, c_long};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::libc;

/// Changes the supplementary groups of this thread.
pub fn set_groups(groups: &[u32]) -> io::Result<()> {
    // SAFETY: the kernel reads as many numbers as the slice holds.
    checked(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) })
}

/// Changes the group of this thread, in all its senses.
pub fn set_group(gid: u32) -> io::Result<()> {
    // SAFETY: numbers only.
    checked(unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) })
}

/// Changes the user of this thread, in all its senses.
pub fn set_user(uid: u32) -> io::Result<()> {
    // SAFETY: numbers only.
    checked(unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) })
}

/// Gives this thread exactly these capabilities, of those that it has.
pub fn set_capabilities(set: u64) -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: c_int,
    }
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Half {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    let half = |bits: u64| {
        let bits = (bits & u64::from(u32::MAX)) as u32;
        Half { effective: bits, permitted: bits, inheritable: 0 }
    };
    let header = Header { version: VERSION_3, pid: 0 };
    let halves = [half(set), half(set >> 32)];
    // SAFETY: both have the layout that this version of the call reads, and live until it returns.
    checked(unsafe { libc::syscall(libc::SYS_capset, &raw const header, halves.as_ptr()) })
}

/// A limit as the kernel keeps it: what it applies, and up to where that may be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Applied.
    pub soft: u64,
    /// The most.
    pub hard: u64,
}

/// The limit on descriptors of a process, which is changed if there is a new one.
pub fn file_limit(pid: u32, new: Option<Limit>) -> io::Result<Limit> {
    let new = new.map(|limit| libc::rlimit64 { rlim_cur: limit.soft, rlim_max: limit.hard });
    let new = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let mut old = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel reads one limit or null, and writes one; both live until it returns.
    checked(unsafe { libc::syscall(libc::SYS_prlimit64, pid, libc::RLIMIT_NOFILE, new, &raw mut old) })?;
    Ok(Limit { soft: old.rlim_cur, hard: old.rlim_max })
}

/// How many bytes of a socket its peer has not acknowledged yet.
pub fn unacknowledged(socket: impl AsFd) -> io::Result<usize> {
    let mut bytes: c_int = 0;
    // SAFETY: the kernel writes one int, which lives until it returns.
    let result = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    checked(result.into())?;
    Ok(usize::try_from(bytes).unwrap_or_default())
}

/// Sends a signal by its number: safe interfaces do not know real-time signals.
pub fn signal(pid: u32, signal: i32) -> io::Result<()> {
    // SAFETY: numbers only.
    checked(unsafe { libc::syscall(libc::SYS_kill, pid, signal) })
}

/// When a file was made, in nanoseconds since 1970, if its file system keeps that.
pub fn born(path: &Path) -> Option<i64> {
    #[repr(C)]
    struct Status {
        mask: u32,
        until_birth: [u8; 76],
        seconds: i64,
        nanoseconds: u32,
        rest: [u8; 164],
    }
    const BIRTH: u32 = 0x800;
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut status = Status { mask: 0, until_birth: [0; 76], seconds: 0, nanoseconds: 0, rest: [0; 164] };
    // SAFETY: the path ends with a zero byte, and the kernel writes at most the 256 bytes that the status has;
    // both live until it returns.
    let asked = unsafe {
        let flags = libc::AT_SYMLINK_NOFOLLOW;
        libc::syscall(libc::SYS_statx, libc::AT_FDCWD, path.as_ptr(), flags, BIRTH, &raw mut status)
    };
    checked(asked).ok().filter(|()| status.mask & BIRTH != 0)?;
    status.seconds.checked_mul(1_000_000_000)?.checked_add(status.nanoseconds.into())
}

fn checked(result: c_long) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_file_that_was_made_just_now_was_born_just_now() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // Not every file system that tests run on keeps it.
        let Some(born) = born(file.path()) else { return };
        let born = SystemTime::UNIX_EPOCH + Duration::from_nanos(born.unsigned_abs());
        assert!(born.elapsed().unwrap_or_default() < Duration::from_secs(60), "{born:?}");
        assert_eq!(super::born("/no/such/file".as_ref()), None);
    }
}
