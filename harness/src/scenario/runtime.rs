//! The runtime options of a container, under the names Docker Compose gives them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::value::{ByteSize, Count, Cpus, Duration, Plain, Restart, Signal};

/// How a container is run. Every field has Compose's name and Compose's
/// meaning; what is absent is left to the image and the engine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Runtime {
    /// Capabilities added to the engine's default set, such as `SYS_PTRACE`.
    pub cap_add: Vec<String>,
    /// Capabilities taken away; `ALL` takes every one.
    pub cap_drop: Vec<String>,
    /// Replaces the image's CMD.
    pub command: Option<Vec<String>>,
    /// How much of a processor it may use: `0.25` is a quarter of one core.
    pub cpus: Option<Cpus>,
    /// Replaces the image's ENTRYPOINT.
    pub entrypoint: Option<Vec<String>>,
    /// Variables added to those of the image; numbers and booleans are written as they are.
    pub environment: BTreeMap<String, Plain>,
    /// Supplementary groups of the process, by number or name.
    pub group_add: Vec<String>,
    /// The container's host name; without one the engine invents it.
    pub hostname: Option<String>,
    /// Runs the engine's own init as PID 1 in front of the entrypoint.
    pub init: bool,
    /// Memory limit: `64m` is 64 MiB, as Docker counts.
    pub mem_limit: Option<ByteSize>,
    /// How many processes and threads it may have.
    pub pids_limit: Option<Count>,
    /// Mounts the image's own file system read-only.
    pub read_only: bool,
    /// What the engine does when the process ends: `no`, `always`,
    /// `unless-stopped`, `on-failure` or `on-failure:3`.
    pub restart: Restart,
    /// Security options, such as `no-new-privileges:true`.
    pub security_opt: Vec<String>,
    /// Size of `/dev/shm`.
    pub shm_size: Option<ByteSize>,
    /// How long a stop waits between the stop signal and SIGKILL.
    pub stop_grace_period: Option<Duration>,
    /// The signal that asks it to stop, instead of the image's or SIGTERM.
    pub stop_signal: Option<Signal>,
    /// Mount points of memory file systems, each with Docker's mount options
    /// after a colon: `/run:size=1m,mode=1777`.
    pub tmpfs: Vec<String>,
    /// Gives it a terminal.
    pub tty: bool,
    /// The user, and perhaps the group, it runs as: `1000` or `1000:1000`.
    pub user: Option<String>,
    /// The directory it starts in.
    pub working_dir: Option<String>,
}

impl Runtime {
    /// The limits it sets, by their keys: those that an engine may not be able to enforce.
    #[must_use]
    pub fn limits(&self) -> Vec<&'static str> {
        let limits = [
            ("cpus", self.cpus.is_some()),
            ("mem_limit", self.mem_limit.is_some()),
            ("pids_limit", self.pids_limit.is_some()),
        ];
        limits.into_iter().filter(|(_, set)| *set).map(|(key, _)| key).collect()
    }
}
