//! What the agent answers, and what it says unasked.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::files::{Seen, Space, TreeEntry, Tried};
use super::limits::{Settings, Usage};
use super::link::Counters;
use super::processes::{FileLimit, Listener, OpenFiles, Process};

/// What travels to the harness on the channel of control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// The one reply to a request.
    Reply {
        /// The request's number.
        id: u64,
        /// What came of it.
        result: Result<Answer, Failure>,
    },
    /// What a watch has seen.
    Notice {
        /// The watch's number.
        watch: u64,
        /// What happened.
        change: Change,
    },
}

/// What came of a command that succeeded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done, and there is nothing to tell.
    Done,
    /// The agent is there.
    Hello {
        /// Its version, which should be the harness's own.
        version: String,
    },
    /// How many files or bytes it concerned.
    Count(u64),
    /// What the subject sees.
    Seen(Box<Seen>),
    /// Whether it worked.
    Tried(Tried),
    /// How long it took, in microseconds.
    Took(u64),
    /// What a file holds.
    Content {
        /// Its bytes, up to the limit.
        content: Content,
        /// How many there are in all.
        size: u64,
    },
    /// A tree, sorted by path.
    Tree(Vec<TreeEntry>),
    /// A file system.
    Space(Space),
    /// The processes of a container, sorted by pid.
    Processes(Vec<Process>),
    /// The descriptors of a process.
    OpenFiles(OpenFiles),
    /// Limits on descriptors as they were.
    FileLimits(Vec<FileLimit>),
    /// What a container has used.
    Usage(Box<Usage>),
    /// Settings as they were.
    Settings(Settings),
    /// The addresses of a name.
    Addresses(Vec<String>),
    /// What listens, sorted by port.
    Listeners(Vec<Listener>),
    /// The port of a link.
    Port(u16),
    /// What a link has done.
    Counters(Counters),
    /// The watch has begun.
    Watching {
        /// Whether something stood there at that moment. Notices tell of changes since.
        exists: bool,
    },
}

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// In words.
    pub cause: String,
    /// The kernel's number, where the kernel refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno: Option<i32>,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.cause)
    }
}

impl std::error::Error for Failure {}

/// What a watch has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Something stands there now.
    Appeared,
    /// Its inode, size or time of change is another.
    Changed,
    /// Nothing stands there any more.
    Gone,
    /// The place cannot be looked at any more, because its process has ended: the watch is over.
    Lost,
}
