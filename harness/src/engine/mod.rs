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

pub use crate::timeline::Stdio;

pub mod container;
pub mod docker;
pub mod fake;

pub use container::{
    Attached, Attachment, ContainerSpec, Create, Created, Executed, Happened, Happening, HealthProbe, Inspection,
    Mount, Output, Source, Start,
};

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

    /// Fetches an image from its registry, of this platform or of the engine's
    /// own; each line of progress goes to `progress`.
    async fn pull(&self, reference: &str, platform: Option<&str>, progress: Progress<'_>) -> Result<(), Error>;

    /// Makes an image of one layer from a file system in tar format.
    async fn import(&self, tag: &str, labels: &Labels, tar: Flow<Bytes>) -> Result<(), Error>;

    /// Builds an image; each line of the build's output goes to `progress`.
    /// A build that fails is [`Error::Build`] and carries its whole log.
    async fn build(&self, build: &Build, progress: Progress<'_>) -> Result<(), Error>;

    /// The images that carry this label, by reference, with all their labels.
    async fn images_labelled(&self, label: &str) -> Result<Vec<Owned>, Error>;

    /// Makes a container without starting it. That the engine refuses what was
    /// asked for is an outcome, not an error.
    async fn create(&self, spec: &ContainerSpec) -> Result<Create, Error>;

    /// Starts it. That it cannot be started is an outcome, not an error.
    async fn start(&self, id: &str) -> Result<Start, Error>;

    /// Sends the stop signal, then SIGKILL once `grace` is over; `None` leaves
    /// the grace to the container. Returns when it is dead.
    async fn stop(&self, id: &str, grace: Option<Duration>) -> Result<(), Error>;

    /// Sends a signal to its PID 1, as an operator does: the restart policy no
    /// longer acts. A container that is dead already is no error.
    async fn kill(&self, id: &str, signal: &str) -> Result<(), Error>;

    /// Stops the clock of every process in it.
    async fn pause(&self, id: &str) -> Result<(), Error>;

    /// Lets them go on.
    async fn unpause(&self, id: &str) -> Result<(), Error>;

    /// Runs a command in a running container and waits for its end. That there
    /// is no such program is an outcome: code 126 or 127.
    async fn exec(&self, id: &str, command: &[String]) -> Result<Executed, Error>;

    /// Takes hold of its stdin and of what it writes from now on, before or
    /// after it is started. The output ends when the container dies.
    async fn attach(&self, id: &str) -> Result<Attached, Error>;

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

    /// Whose it is that stands at `path`, or `None` when nothing does.
    async fn owner(&self, id: &str, path: &str) -> Result<Option<Ids>, Error>;

    /// The file or directory at `path` as a tar archive.
    async fn get(&self, id: &str, path: &str) -> Result<Bytes, Error>;

    /// Makes an empty volume. One with a size in bytes is held in memory, and
    /// only for as long as some container that runs has it mounted.
    /// Gives the path at which the engine's machine has it.
    async fn create_volume(&self, name: &str, labels: &Labels, size: Option<u64>) -> Result<String, Error>;

    /// Makes a network of its own, in which containers find each other by name.
    async fn create_network(&self, name: &str, labels: &Labels) -> Result<(), Error>;

    /// Joins a container, running or not, to a network under these names.
    async fn connect(&self, network: &str, container: &str, aliases: &[String]) -> Result<(), Error>;

    /// Takes a container out of a network.
    async fn disconnect(&self, network: &str, container: &str) -> Result<(), Error>;

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
    /// Operating system, architecture and perhaps variant, such as `linux/arm64`.
    pub platform: String,
    /// Bytes on disk.
    pub size: i64,
}

/// An image to be built.
#[derive(Debug, Clone)]
pub struct Build {
    /// The reference the image gets.
    pub tag: String,
    /// The Dockerfile's path in the context.
    pub dockerfile: String,
    /// The stage to build; `None` is the last one.
    pub target: Option<String>,
    /// Values for the Dockerfile's arguments.
    pub args: BTreeMap<String, String>,
    /// The platform to build for; `None` is the engine's own.
    pub platform: Option<String>,
    /// The build context in tar format.
    pub context: Bytes,
    /// Labels the image gets.
    pub labels: Labels,
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
    /// Whether it had no newline and nothing followed.
    pub unfinished: bool,
}

/// What stands at a path in a container.
#[derive(Debug, Clone, PartialEq)]
pub struct FileStat {
    /// Bytes.
    pub size: u64,
    /// Whether it is a directory.
    pub directory: bool,
    /// Permission bits.
    pub mode: u32,
    /// When it was changed last, as the engine writes it.
    pub modified: String,
    /// The absolute path in the container that it leads to, if it is a link.
    pub leads_to: Option<String>,
}

/// Whose a file is, by numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    /// The user's number.
    pub uid: u64,
    /// The group's number.
    pub gid: u64,
}

/// Something the engine keeps, in the order in which things can be removed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A container, by name or identifier.
    Container(String),
    /// A network, by name or identifier.
    Network(String),
    /// A volume, by name.
    Volume(String),
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
    /// The engine may not give to a container what the scenario asks for. The
    /// subject has no part in that.
    #[error("the engine cannot give a container what the scenario asks for: {0}; `harness doctor` says what it can")]
    NotGranted(String),
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
