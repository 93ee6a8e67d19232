//! The runtime options of a container, under the names Docker Compose gives them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::forms;
use super::value::{ByteSize, Count, Cpus, Duration, Micros, Plain, Restart, Signal, Within};

pub mod blkio;
pub mod capability;
pub mod contradiction;
pub mod device;
pub mod healthcheck;
pub mod logging;
pub mod mode;
pub mod ulimit;

use blkio::BlkioConfig;
use device::Device;
use healthcheck::Healthcheck;
use logging::Logging;
use mode::{Ipc, NetworkMode, UsernsMode};
use ulimit::{Resource, Ulimit};

/// How a container is run. Every field has Compose's name and Compose's
/// meaning; what is absent is left to the image and the engine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Runtime {
    /// Limits of block I/O: a weight, and rates for single devices.
    /// Example: `blkio_config = { device_write_bps = [{ path = "/dev/sda", rate = "1m" }] }`.
    pub blkio_config: Option<BlkioConfig>,
    /// Capabilities added to the engine's default set, such as `SYS_PTRACE`.
    /// Example: `cap_add = ["SYS_PTRACE"]`.
    #[serde(deserialize_with = "capability::list")]
    pub cap_add: Vec<String>,
    /// Capabilities taken away; `ALL` takes every one.
    /// Example: `cap_drop = ["ALL"]`.
    #[serde(deserialize_with = "capability::list")]
    pub cap_drop: Vec<String>,
    /// Replaces the image's CMD.
    /// Example: `command = ["node", "server.js"]`.
    #[serde(deserialize_with = "forms::some_words")]
    #[schemars(with = "Option<forms::Words>")]
    pub command: Option<Vec<String>>,
    /// The period of time in which `cpu_quota` may be used up once.
    /// Example: `cpu_period = "50ms"`.
    pub cpu_period: Option<Micros>,
    /// The processor time it may use in each period.
    /// Example: `cpu_quota = "25ms"`.
    pub cpu_quota: Option<Micros>,
    /// Its share of the processors where others want them too. Unsaid: 1024.
    /// Example: `cpu_shares = 512`.
    pub cpu_shares: Option<Within<2, 262_144>>,
    /// How much of a processor it may use: `0.25` is a quarter of one core.
    /// Example: `cpus = 0.25`.
    pub cpus: Option<Cpus>,
    /// The processors it may run on: `0-1` or `0,2`.
    /// Example: `cpuset = "0-1"`.
    pub cpuset: Option<String>,
    /// Devices of the engine's machine that it may use.
    /// Example: `devices = ["/dev/fuse"]`.
    pub devices: Vec<Device>,
    /// The servers it asks for names, instead of the engine's.
    /// Example: `dns = ["9.9.9.9"]`.
    #[serde(deserialize_with = "forms::texts")]
    #[schemars(with = "forms::Texts")]
    pub dns: Vec<String>,
    /// Options of its resolver, such as `ndots:3`.
    /// Example: `dns_opt = ["ndots:3"]`.
    #[serde(deserialize_with = "forms::texts")]
    #[schemars(with = "forms::Texts")]
    pub dns_opt: Vec<String>,
    /// Domains in which it looks for names without a dot.
    /// Example: `dns_search = ["example.org"]`.
    #[serde(deserialize_with = "forms::texts")]
    #[schemars(with = "forms::Texts")]
    pub dns_search: Vec<String>,
    /// The domain of its host name.
    /// Example: `domainname = "example.org"`.
    pub domainname: Option<String>,
    /// Replaces the image's ENTRYPOINT.
    /// Example: `entrypoint = ["/entrypoint.sh"]`.
    #[serde(deserialize_with = "forms::words")]
    #[schemars(with = "Option<forms::Words>")]
    pub entrypoint: Option<Vec<String>>,
    /// Variables added to those of the image; numbers and booleans are written as they are.
    /// Example: `environment = { LOG_DEST = "/data/app.log", PORT = 3000 }`.
    #[serde(deserialize_with = "forms::variables")]
    #[schemars(with = "forms::Pairs")]
    pub environment: BTreeMap<String, Plain>,
    /// Names in its `/etc/hosts`, with their addresses.
    /// Example: `extra_hosts = { db = "10.0.0.9" }`.
    #[serde(deserialize_with = "forms::hosts")]
    #[schemars(with = "forms::Pairs")]
    pub extra_hosts: BTreeMap<String, Plain>,
    /// Supplementary groups of the process, by number or name.
    /// Example: `group_add = [4711]`.
    #[serde(deserialize_with = "forms::texts")]
    #[schemars(with = "forms::Texts")]
    pub group_add: Vec<String>,
    /// A health check in the place of the image's.
    /// Example: `healthcheck = { test = "curl -f localhost:8080/health", interval = "1s" }`.
    pub healthcheck: Option<Healthcheck>,
    /// The container's host name; without one the engine invents it.
    /// Example: `hostname = "nas"`.
    pub hostname: Option<String>,
    /// Runs the engine's own init as PID 1 in front of the entrypoint.
    /// Example: `init = true`.
    pub init: bool,
    /// Whose shared memory it sees: `none`, `private`, `shareable` or `host`.
    /// Example: `ipc = "private"`.
    pub ipc: Option<Ipc>,
    /// Labels on the container, beside those of the harness.
    /// Example: `labels = { "com.example.role" = "app" }`.
    #[serde(deserialize_with = "forms::labels")]
    #[schemars(with = "forms::Pairs")]
    pub labels: BTreeMap<String, Plain>,
    /// How the engine takes in what it writes; always through `json-file`.
    /// Example: `logging = { options = { mode = "non-blocking" } }`.
    pub logging: Option<Logging>,
    /// Memory limit: `64m` is 64 MiB, as Docker counts.
    /// Example: `mem_limit = "64m"`.
    pub mem_limit: Option<ByteSize>,
    /// How much it is left with when memory is short.
    /// Example: `mem_reservation = "32m"`.
    pub mem_reservation: Option<ByteSize>,
    /// How readily its memory is swapped out, from 0 to 100.
    /// Example: `mem_swappiness = 0`.
    pub mem_swappiness: Option<Within<0, 100>>,
    /// Memory and swap together; as much as `mem_limit` is no swap at all.
    /// Example: `mem_limit = "64m"`, `memswap_limit = "64m"`.
    pub memswap_limit: Option<ByteSize>,
    /// `none` leaves it only its own loopback.
    /// Example: `network_mode = "none"`.
    pub network_mode: Option<NetworkMode>,
    /// Lets its processes wait for memory, where the kernel would kill one of them.
    /// Example: `mem_limit = "64m"`, `oom_kill_disable = true`.
    pub oom_kill_disable: bool,
    /// How readily the kernel kills its processes for memory, from -1000 to 1000.
    /// Example: `oom_score_adj = 500`.
    pub oom_score_adj: Option<Within<-1000, 1000>>,
    /// How many processes and threads it may have.
    /// Example: `pids_limit = 100`.
    pub pids_limit: Option<Count>,
    /// Gives it every capability and every device.
    /// Example: `privileged = true`.
    pub privileged: bool,
    /// Mounts the image's own file system read-only.
    /// Example: `read_only = true`.
    pub read_only: bool,
    /// What the engine does when the process ends: `no`, `always`,
    /// `unless-stopped`, `on-failure` or `on-failure:3`.
    /// Example: `restart = "on-failure:3"`.
    pub restart: Restart,
    /// Security options, such as `no-new-privileges:true`; a `seccomp=` profile
    /// is written out, as the engine takes it.
    /// Example: `security_opt = ["no-new-privileges:true"]`.
    pub security_opt: Vec<String>,
    /// Size of `/dev/shm`.
    /// Example: `shm_size = "8m"`.
    pub shm_size: Option<ByteSize>,
    /// Keeps its stdin open, though nobody writes to it.
    /// Example: `stdin_open = true`.
    pub stdin_open: bool,
    /// How long a stop waits between the stop signal and SIGKILL.
    /// Example: `stop_grace_period = "3s"`.
    pub stop_grace_period: Option<Duration>,
    /// The signal that asks it to stop, instead of the image's or SIGTERM.
    /// Example: `stop_signal = "SIGINT"`.
    pub stop_signal: Option<Signal>,
    /// Kernel settings of its own namespaces, such as `net.core.somaxconn`.
    /// Example: `sysctls = { "net.core.somaxconn" = 64 }`.
    #[serde(deserialize_with = "forms::variables")]
    #[schemars(with = "forms::Pairs")]
    pub sysctls: BTreeMap<String, Plain>,
    /// Mount points of memory file systems, each with Docker's mount options
    /// after a colon: `/run:size=1m,mode=1777`. Unless they say `exec`, nothing
    /// in them can be run.
    /// Example: `tmpfs = ["/run:size=2m"]`.
    #[serde(deserialize_with = "forms::texts")]
    #[schemars(with = "forms::Texts")]
    pub tmpfs: Vec<String>,
    /// Gives it a terminal.
    /// Example: `tty = true`.
    pub tty: bool,
    /// What the kernel lets each of its processes have, such as
    /// `{ nofile = { soft = 64, hard = 128 } }`.
    /// Example: `ulimits = { nofile = 64 }`.
    pub ulimits: BTreeMap<Resource, Ulimit>,
    /// The user, and perhaps the group, it runs as: `1000` or `1000:1000`.
    /// Example: `user = "1000:1000"`.
    #[serde(deserialize_with = "forms::text")]
    #[schemars(with = "Option<Plain>")]
    pub user: Option<String>,
    /// `host` gives it the machine's user numbers where the engine maps them.
    /// Example: `userns_mode = "host"`.
    pub userns_mode: Option<UsernsMode>,
    /// The directory it starts in.
    /// Example: `working_dir = "/app"`.
    pub working_dir: Option<String>,
}

impl Runtime {
    /// What it sets, by key, that an engine may not be able to enforce.
    #[must_use]
    pub fn limits(&self) -> Vec<&'static str> {
        let blkio = self.blkio_config.as_ref();
        let limits = [
            ("blkio_config", blkio.is_some_and(BlkioConfig::throttles)),
            ("blkio_config.weight", blkio.is_some_and(|blkio| blkio.weight.is_some())),
            ("cpu_quota", self.cpu_quota.is_some() || self.cpu_period.is_some()),
            ("cpu_shares", self.cpu_shares.is_some()),
            ("cpus", self.cpus.is_some()),
            ("cpuset", self.cpuset.is_some()),
            (
                "healthcheck.start_interval",
                self.healthcheck.as_ref().is_some_and(|check| check.start_interval.is_some()),
            ),
            ("mem_limit", self.mem_limit.is_some()),
            ("mem_reservation", self.mem_reservation.is_some()),
            ("mem_swappiness", self.mem_swappiness.is_some()),
            ("memswap_limit", self.memswap_limit.is_some()),
            ("oom_kill_disable", self.oom_kill_disable),
            ("pids_limit", self.pids_limit.is_some()),
        ];
        limits.into_iter().filter(|(_, set)| *set).map(|(key, _)| key).collect()
    }

    /// The mount points whose content only the container's own processes see, and
    /// an engine that copies files out of it does not.
    pub fn inner_mounts(&self) -> impl Iterator<Item = &str> {
        let mounted = self.tmpfs.iter().map(|entry| entry.split_once(':').map_or(entry.as_str(), |(path, _)| path));
        mounted.chain(["/dev", "/proc", "/sys"])
    }
}

/// Whether a path is a directory or lies below it.
#[must_use]
pub fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
