//! What a container uses, and what it may use.

use serde::{Deserialize, Serialize};

/// What the control groups of a container count. A number is missing where the kernel does not keep it,
/// and a limit where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Time on a processor.
    pub cpu_ns: Option<u64>,
    /// Periods in which it wanted a processor and its share was limited.
    pub periods: Option<u64>,
    /// Periods in which it had used up its share.
    pub throttled_periods: Option<u64>,
    /// Time that it waited for the next share.
    pub throttled_ns: Option<u64>,
    /// Bytes now, page cache included.
    pub memory: Option<u64>,
    /// The most bytes so far.
    pub memory_peak: Option<u64>,
    /// The limit.
    pub memory_limit: Option<u64>,
    /// How often it met the limit.
    pub memory_fails: Option<u64>,
    /// Processes and threads now.
    pub pids: Option<u64>,
    /// The limit.
    pub pids_limit: Option<u64>,
    /// How many forks the limit refused.
    pub pids_fails: Option<u64>,
    /// Bytes read from block devices.
    pub read_bytes: Option<u64>,
    /// Bytes written to block devices.
    pub write_bytes: Option<u64>,
}

/// Settings of control groups, in the order in which they are to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings(pub Vec<Setting>);

/// One file of a control group and what it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The controller, such as `memory`.
    pub controller: String,
    /// The file's name, such as `memory.max`.
    pub file: String,
    /// What to write to it.
    pub value: String,
}
