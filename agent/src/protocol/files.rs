//! Files: where they are and how they look.

use serde::{Deserialize, Serialize};

/// A path, and the root that it starts from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Place {
    /// In a container, as its processes see it.
    Container {
        /// The host's number of one of its processes.
        pid: u32,
        /// The path there.
        path: String,
    },
    /// In a volume of the run, which the agent has mounted itself: also while no container runs.
    Volume {
        /// The volume's name in the scenario.
        volume: String,
        /// The path below the volume's root; empty for the root itself.
        path: String,
    },
}

/// What something is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A socket, a device, a pipe.
    #[default]
    Other,
}

/// Whether an attempt worked; else the name of the error, such as `EROFS`.
pub type Tried = Result<(), String>;

/// In the place of an error's name: nobody tried.
pub const UNTRIED: &str = "untried";

/// What the subject sees at a path. Of a symbolic link, everything but `kind` and the numbers is said of
/// what it points at. Where nothing exists, the numbers are 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Whether something is there. Something that the subject may not reach is not there for it.
    pub exists: bool,
    /// What it is.
    pub kind: Kind,
    /// The device of the file system.
    pub dev: u64,
    /// The inode.
    pub inode: u64,
    /// When it was made, in nanoseconds since 1970, where the file system keeps that: many give the inode of a
    /// file that is gone to the next one.
    #[serde(default)]
    pub born: Option<i64>,
    /// How many names it has.
    pub links: u64,
    /// Bytes.
    pub size: u64,
    /// Permission bits, with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Of a file's content, in hexadecimal, if the content was asked for and could be read.
    pub sha256: Option<String>,
    /// A file's first 64 KiB as text, if the content was asked for and could be read.
    pub text: Option<String>,
    /// Of a directory that could be listed, the first hundred that it holds, sorted by name.
    #[serde(default)]
    pub entries: Option<Vec<Entry>>,
    /// Opening for reading, and reading.
    pub read: Tried,
    /// Of a file, opening it for appending. Of a directory, writing 4 KiB to a new hidden file.
    pub write: Tried,
}

/// Something in a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// The inode.
    pub inode: u64,
    /// When it was made, as of what is seen.
    #[serde(default)]
    pub born: Option<i64>,
}

/// One line of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeEntry {
    /// Below the top of the tree; `.` is the top itself.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Bytes, of a file; 0 of anything else.
    pub size: u64,
    /// Of a file's content, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where a symbolic link points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// How full a file system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Bytes that ordinary users can still write.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
    /// Files that can still be made. Some file systems have no such limit and say 0.
    pub inodes_free: u64,
}
