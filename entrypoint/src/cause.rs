//! The causes of a failed file operation, as one word for machines.

use std::io;

/// Why the kernel said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The mount is read-only.
    ReadOnly,
    /// Owner and mode do not allow it.
    Permission,
    /// The user is root, but the capability that makes root ignore owner and mode was dropped.
    MissingCapability,
    /// Something that is not a directory is where a directory must be.
    NotADirectory,
    /// A directory is where a file must be.
    IsADirectory,
    /// No blocks, no inodes or no quota left.
    NoSpace,
    /// It, or a directory above it, does not exist.
    Missing,
    /// Anything else; the error's own text tells.
    Other,
}

impl Cause {
    /// The cause that an error code stands for. Whether root lacks a capability, the code cannot say.
    pub fn of(error: &io::Error) -> Cause {
        match error.raw_os_error() {
            Some(libc::EROFS) => Cause::ReadOnly,
            Some(libc::EACCES | libc::EPERM) => Cause::Permission,
            Some(libc::ENOTDIR | libc::EEXIST) => Cause::NotADirectory,
            Some(libc::EISDIR) => Cause::IsADirectory,
            Some(libc::ENOSPC | libc::EDQUOT) => Cause::NoSpace,
            Some(libc::ENOENT) => Cause::Missing,
            _ => Cause::Other,
        }
    }

    /// The value of the field `cause`.
    pub fn word(self) -> &'static str {
        match self {
            Cause::ReadOnly => "read_only",
            Cause::Permission => "permission",
            Cause::MissingCapability => "missing_capability",
            Cause::NotADirectory => "not_a_directory",
            Cause::IsADirectory => "is_a_directory",
            Cause::NoSpace => "no_space",
            Cause::Missing => "missing",
            Cause::Other => "other",
        }
    }
}
