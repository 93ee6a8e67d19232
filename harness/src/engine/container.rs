//! A container: as it is to be made, and what an engine tells of it.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tokio::io::AsyncWrite;

use super::{Error, Flow, Labels, Stdio};
use crate::scenario::runtime::Runtime;
use crate::scenario::runtime::mode::NetworkMode;

/// A container to be made.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ContainerSpec {
    /// Its name, unique in the engine.
    pub name: String,
    /// The reference of its image.
    pub image: String,
    /// The platform its image has to be of, such as `linux/arm64`.
    pub platform: Option<String>,
    /// Its labels.
    pub labels: Labels,
    /// How it is run.
    pub runtime: Runtime,
    /// What is mounted into it.
    pub mounts: Vec<Mount>,
    /// TCP ports of the container that are published on a loopback port of the
    /// engine's choice.
    pub publish: Vec<u16>,
    /// The networks it is in; without any it is in the engine's default one.
    pub networks: Vec<Attachment>,
    /// Whether it has no network at all.
    pub no_network: bool,
    /// Whether it sees the processes and control groups of the engine's machine.
    pub host_view: bool,
    /// Whether the engine keeps nothing of what it writes.
    pub unlogged: bool,
    /// Whether its stdin is open until whoever attached first leaves, and then
    /// at its end: a helper must not outlive the harness that it serves.
    pub attended: bool,
}

impl ContainerSpec {
    /// Whether it has only its own loopback.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.no_network || self.runtime.network_mode == Some(NetworkMode::None)
    }

    /// The networks that it joins.
    #[must_use]
    pub fn joined(&self) -> &[Attachment] {
        if self.is_alone() { &[] } else { &self.networks }
    }
}

/// A place of a container in a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attachment {
    /// The network's name in the engine.
    pub network: String,
    /// The names under which the network's other containers find it.
    pub aliases: Vec<String>,
}

/// Something mounted into a container.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mount {
    /// What is mounted.
    pub source: Source,
    /// The absolute path it is mounted at.
    pub target: String,
    /// Whether the container may only read it.
    pub read_only: bool,
    /// Whether an empty volume stays empty, instead of getting what the image
    /// holds at the target.
    pub no_copy: bool,
}

/// What can be mounted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Source {
    /// A volume, by its name in the engine.
    Volume(String),
    /// A path of the engine's machine. If it is missing, the container is
    /// refused, as by `docker run --mount`.
    Bind(String),
    /// A path of the engine's machine. If it is missing, the engine makes a
    /// directory there that belongs to root, as by `docker run -v`.
    BindCreating(String),
}

impl Source {
    /// The volume's name, if it is one.
    #[must_use]
    pub fn volume(&self) -> Option<&str> {
        match self {
            Self::Volume(name) => Some(name),
            Self::Bind(_) | Self::BindCreating(_) => None,
        }
    }
}

/// How the making of a container ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Create {
    /// It is there, and was not started.
    Made(Created),
    /// The engine does not make what was asked for; its own words say why.
    Refused(String),
}

/// A container that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    /// Its identifier.
    pub id: String,
    /// What the engine said it would not do, such as limits it discarded.
    pub warnings: Vec<String>,
}

impl Create {
    /// The container; for those of the harness itself, whose refusal is an error.
    pub fn made(self, name: &str) -> Result<Created, Error> {
        match self {
            Self::Made(created) => Ok(created),
            Self::Refused(cause) => Err(Error::Failed { act: format!("create the container {name}"), cause }),
        }
    }
}

/// How a start ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// The process runs, or ran.
    Started,
    /// It could not be started; the engine's own words say why.
    Refused(String),
}

/// A command that was run in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Its exit code.
    pub code: i64,
    /// What it wrote to both streams; bytes that are not UTF-8 are replaced.
    pub output: String,
}

/// A hold on a container's streams.
pub struct Attached {
    /// What it writes, in pieces of any length.
    pub output: Flow<Output>,
    /// Its stdin. Shut down, it is at its end.
    pub input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached").finish_non_exhaustive()
    }
}

/// A piece of what a container writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where it was written; a terminal has only stdout.
    pub stream: Stdio,
    /// The bytes as they were written.
    pub bytes: Bytes,
}

/// A container as it is at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// Docker's state word: `created`, `running`, `paused`, `restarting`, `exited`, …
    pub status: String,
    /// How often its restart policy has started it again.
    pub restart_count: i64,
    /// Its first process as the engine's machine numbers it, while it is alive.
    pub pid: Option<u32>,
    /// Its address in each network it is in, while it is alive.
    pub addresses: BTreeMap<String, String>,
    /// What its health check has come to: `starting`, `healthy` or `unhealthy`.
    pub health: Option<String>,
    /// The last runs of its health check, as far as the engine keeps them.
    pub probes: Vec<HealthProbe>,
    /// Where each published port can be reached from the harness, as `host:port`.
    pub ports: BTreeMap<u16, String>,
    /// Everything the engine says of it, for the bundle.
    pub raw: serde_json::Value,
}

/// One run of a health check.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthProbe {
    /// When it began, by the engine's clock.
    pub at: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What the check exited with; 0 is healthy. Docker calls one that took too long -1.
    pub exit_code: i64,
    /// What the check wrote.
    pub output: String,
}

/// Something that happened to a container.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// When, by the engine's clock.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
}

/// The kinds of things that happen to a container.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// Its process was started.
    Started,
    /// The kernel killed one of its processes for memory.
    OutOfMemory,
    /// It was sent this signal through the engine, by number.
    Signalled(i32),
    /// Its process ended with this exit code; a signal is 128 and its number.
    Died(i32),
    /// Its health check changed to this state: `healthy` or `unhealthy`.
    Health(String),
}
