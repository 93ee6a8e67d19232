//! Processes of a container.

use serde::{Deserialize, Serialize};

/// One process, as `/proc` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number on the host.
    pub pid: u32,
    /// Its number in the container.
    pub ns_pid: u32,
    /// Its parent's number in the container; 0 if the parent is outside.
    pub ppid: u32,
    /// `R`, `S`, `D`, `Z`, `T` …
    pub state: char,
    /// Its arguments, joined by spaces, or its name if it has none.
    pub command: String,
    /// How many threads it has.
    pub threads: u64,
    /// Blocked signals: bit 0 is signal 1.
    pub blocked: u64,
    /// Ignored signals, likewise.
    pub ignored: u64,
    /// How many descriptors it holds. A zombie holds none.
    pub descriptors: u64,
    /// How many more it may open. A zombie opens none.
    #[serde(default)]
    pub descriptors_left: Option<u64>,
}

/// The descriptors of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenFiles {
    /// How many it may hold.
    pub limit: u64,
    /// How many it holds.
    pub count: u64,
}

/// A process's limit on descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLimit {
    /// The process's number on the host.
    pub pid: u32,
    /// The limit that the kernel applies.
    pub soft: u64,
    /// The limit up to which the process may raise it.
    pub hard: u64,
}

/// A TCP port on which something listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listener {
    /// The port.
    pub port: u16,
    /// The address, such as `0.0.0.0`, `127.0.0.1` or `::`.
    pub address: String,
}
