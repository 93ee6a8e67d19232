//! The only door to whatever runs containers.
//!
//! [`Engine`] is the door. [`docker`] stands behind it in earnest; [`fake`] is
//! scripted, for tests, and one conformance test body runs against both.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::scenario::runtime::Runtime;
pub use crate::timeline::Stdio;

pub mod docker;
pub mod fake;

/// A stream of values that an engine sends over time.
pub type Flow<T> = Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>;

/// What runs containers: images, containers, volumes, and what it tells of them.
///
/// All times are the engine's own clock, so that a remote engine is measured
/// rightly too.
#[async_trait]
pub trait Engine: Send + Sync {
    /// What the engine is and what it can do.
    async fn about(&self) -> Result<About, Error>;

    /// The image as the engine has it now, or `None` when it has none of that name.
    async fn image(&self, reference: &str) -> Result<Option<Image>, Error>;

    /// Whether a registry that the engine can reach has the image, without pulling it.
    async fn in_registry(&self, reference: &str) -> bool;

    /// Fetches an image from its registry; each line of progress goes to `progress`.
    async fn pull(&self, reference: &str, progress: Progress<'_>) -> Result<(), Error>;

    /// Makes an image of one layer from a file system in tar format.
    async fn import(&self, tag: &str, labels: &Labels, tar: Flow<Bytes>) -> Result<(), Error>;

    /// Builds an image; each line of the build's output goes to `progress`.
    /// A build that fails is [`Error::Build`] and carries its whole log.
    async fn build(&self, build: &Build, progress: Progress<'_>) -> Result<(), Error>;

    /// The images that carry this label, by reference, with all their labels.
    async fn images_labelled(&self, label: &str) -> Result<Vec<Owned>, Error>;

    /// Makes a container without starting it.
    async fn create(&self, spec: &ContainerSpec) -> Result<Created, Error>;

    /// Starts it. That it cannot be started is an outcome, not an error.
    async fn start(&self, id: &str) -> Result<Start, Error>;

    /// Sends the stop signal, then SIGKILL once `grace` is over; `None` leaves
    /// the grace to the container. Returns when it is dead.
    async fn stop(&self, id: &str, grace: Option<Duration>) -> Result<(), Error>;

    /// Sends a signal to its PID 1, as an operator does: the restart policy no
    /// longer acts. A container that is dead already is no error.
    async fn kill(&self, id: &str, signal: &str) -> Result<(), Error>;

    /// The container as it is now.
    async fn inspect(&self, id: &str) -> Result<Inspection, Error>;

    /// What happens to the container from `since` on, for as long as it exists.
    /// Docker tells a start some milliseconds after the process runs: the first
    /// lines of a boot can be older than its start, but not than the death before.
    fn happenings(&self, id: &str, since: Timestamp) -> Flow<Happening>;

    /// Its output, line by line, each stream in order. With `follow`, the flow
    /// ends when the container dies; otherwise at the end of what is there now.
    fn logs(&self, id: &str, since: Option<Timestamp>, follow: bool) -> Flow<LogLine>;

    /// Unpacks a tar archive below `path` of the container, started or not;
    /// owners and modes are those of the archive.
    async fn put(&self, id: &str, path: &str, tar: Bytes) -> Result<(), Error>;

    /// What stands at `path` in the container, or `None` when nothing does.
    async fn stat(&self, id: &str, path: &str) -> Result<Option<FileStat>, Error>;

    /// The file or directory at `path` as a tar archive.
    async fn get(&self, id: &str, path: &str) -> Result<Bytes, Error>;

    /// Makes an empty volume.
    async fn create_volume(&self, name: &str, labels: &Labels) -> Result<(), Error>;

    /// Every container, volume and network that carries this label.
    async fn labelled(&self, label: &str) -> Result<Vec<Owned>, Error>;

    /// Removes it, by force; what is gone already is no error.
    async fn remove(&self, thing: &Thing) -> Result<(), Error>;
}

/// Takes each line of progress of long work.
pub type Progress<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Labels on whatever the engine keeps, by name.
pub type Labels = BTreeMap<String, String>;

/// What an engine says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Its product name and version, such as `Docker 20.10.24`.
    pub name: String,
    /// Where it was reached, such as `unix:///var/run/docker.sock`.
    pub endpoint: String,
    /// The API version agreed on, such as `1.41`.
    pub api_version: String,
    /// The version of control groups it limits containers with: `1` or `2`.
    pub cgroup_version: String,
    /// The storage driver, such as `overlay2`.
    pub storage_driver: String,
    /// Operating system and architecture, such as `linux/amd64`.
    pub platform: String,
    /// How many processors it has.
    pub cpus: i64,
    /// How much memory it has, in bytes.
    pub memory: i64,
    /// Where it keeps its data, in its own file system.
    pub root_dir: String,
    /// The limits it says it can enforce, by Compose's key, and whether it can.
    pub limits: BTreeMap<String, bool>,
    /// Its clock, when it answered.
    pub clock: Timestamp,
}

/// An image the engine has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Its content address.
    pub id: String,
    /// Its labels.
    pub labels: Labels,
    /// Bytes on disk.
    pub size: i64,
}

/// An image to be built.
#[derive(Debug, Clone)]
pub struct Build {
    /// The reference the image gets.
    pub tag: String,
    /// The stage to build; `None` is the last one.
    pub target: Option<String>,
    /// The build context in tar format, the Dockerfile at its root.
    pub context: Bytes,
    /// Labels the image gets.
    pub labels: Labels,
}

/// A container to be made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContainerSpec {
    /// Its name, unique in the engine.
    pub name: String,
    /// The reference of its image.
    pub image: String,
    /// Its labels.
    pub labels: Labels,
    /// How it is run.
    pub runtime: Runtime,
    /// The volumes mounted into it.
    pub mounts: Vec<Mount>,
    /// TCP ports of the container that are published on a loopback port of the
    /// engine's choice.
    pub publish: Vec<u16>,
}

/// A volume mounted into a container.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mount {
    /// The volume's name in the engine.
    pub volume: String,
    /// The absolute path it is mounted at.
    pub target: String,
    /// Whether the container may only read it.
    pub read_only: bool,
    /// Whether an empty volume stays empty, instead of getting what the image
    /// holds at the target.
    pub no_copy: bool,
}

/// A container that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    /// Its identifier.
    pub id: String,
    /// What the engine said it would not do, such as limits it discarded.
    pub warnings: Vec<String>,
}

/// How a start ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// The process runs, or ran.
    Started,
    /// It could not be started; the engine's own words say why.
    Refused(String),
}

/// A container as it is at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// Docker's state word: `created`, `running`, `restarting`, `exited`, …
    pub status: String,
    /// How often its restart policy has started it again.
    pub restart_count: i64,
    /// Where each published port can be reached from the harness, as `host:port`.
    pub ports: BTreeMap<u16, String>,
    /// Everything the engine says of it, for the bundle.
    pub raw: serde_json::Value,
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
    /// Its health check changed to this state.
    Health(String),
}

/// One line of a container's output.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// When the line was begun, by the engine's clock.
    pub at: Timestamp,
    /// Where it was written.
    pub stream: Stdio,
    /// The line without its newline; bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// What stands at a path in a container.
#[derive(Debug, Clone, PartialEq)]
pub struct FileStat {
    /// Bytes.
    pub size: u64,
    /// Whether it is a directory.
    pub directory: bool,
}

/// Something the engine keeps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A container, by name or identifier.
    Container(String),
    /// A volume, by name.
    Volume(String),
    /// A network, by name or identifier.
    Network(String),
    /// An image, by reference.
    Image(String),
}

/// Something the engine keeps, with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Owned {
    /// What it is.
    pub thing: Thing,
    /// Its labels.
    pub labels: Labels,
}

/// Why the engine did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Nothing answered.
    #[error("no Docker engine answers at {endpoint}: {cause}")]
    Unreachable {
        /// Where it was looked for.
        endpoint: String,
        /// What was seen instead.
        cause: String,
    },
    /// An image did not build.
    #[error("the image `{tag}` does not build: {cause}")]
    Build {
        /// The reference it would have got.
        tag: String,
        /// The error that ended the build.
        cause: String,
        /// The whole output of the build.
        log: String,
    },
    /// Anything else that was refused or failed.
    #[error("cannot {act}: {cause}")]
    Failed {
        /// What was tried, such as `create the container demo`.
        act: String,
        /// The engine's words.
        cause: String,
    },
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Container(name) => write!(f, "container {name}"),
            Self::Volume(name) => write!(f, "volume {name}"),
            Self::Network(name) => write!(f, "network {name}"),
            Self::Image(reference) => write!(f, "image {reference}"),
        }
    }
}
