//! Everything a scripted engine keeps, and its clock.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::life::Order;
use super::network::Network;
use super::script::Script;
use super::tree::Tree;
use crate::engine::{
    ContainerSpec, Error, Happened, Happening, HealthProbe, Image, Labels, LogLine, Source, Stdio, Thing,
};

/// The moment at which the clock of every scripted engine begins.
const EPOCH: &str = "2024-05-01T00:00:00Z";

/// Everything it keeps.
pub struct World {
    began: Instant,
    pub scripts: BTreeMap<String, Script>,
    pub images: BTreeMap<String, Image>,
    pub registry: Vec<String>,
    pub containers: Vec<Container>,
    pub volumes: BTreeMap<String, Volume>,
    pub networks: BTreeMap<String, Network>,
    /// The directories of its machine.
    pub host: BTreeMap<String, Tree>,
    pub calls: Vec<String>,
    pub failures: BTreeMap<String, String>,
    /// How long after it happened a happening is told.
    pub lag: Duration,
    /// Told whenever anything changes.
    pub changed: watch::Sender<()>,
}

/// A container. One that was removed stays, so that its last events can still be read.
pub struct Container {
    pub id: String,
    pub spec: ContainerSpec,
    pub status: Status,
    pub removed: bool,
    pub exit_code: i32,
    pub restart_count: i64,
    /// How many boots of the script were used up.
    pub boots: usize,
    pub happenings: Vec<Happening>,
    pub logs: Vec<LogLine>,
    pub files: Tree,
    pub health: Option<String>,
    pub probes: Vec<HealthProbe>,
    /// To the task that is its life, while it has one.
    pub orders: Option<mpsc::UnboundedSender<Order>>,
}

/// Docker's words for the state of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Created,
    Running,
    Paused,
    Restarting,
    Exited,
}

/// A volume.
pub struct Volume {
    pub labels: Labels,
    pub files: Tree,
    /// How many bytes it holds, if there is a limit.
    pub size: Option<u64>,
}

impl World {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            scripts: BTreeMap::new(),
            images: BTreeMap::new(),
            registry: Vec::new(),
            containers: Vec::new(),
            volumes: BTreeMap::new(),
            networks: BTreeMap::new(),
            host: BTreeMap::new(),
            calls: Vec::new(),
            failures: BTreeMap::new(),
            lag: Duration::ZERO,
            changed: watch::Sender::new(()),
        }
    }

    /// Now, by tokio's clock, which a test may pause.
    pub fn now(&self) -> Timestamp {
        let epoch: Timestamp = EPOCH.parse().unwrap_or_default();
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        epoch.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// The script of an image, by its reference or by its repository alone.
    pub fn script(&self, image: &str) -> Option<&Script> {
        let repository = image.rsplit_once(':').map_or(image, |(repository, _)| repository);
        self.scripts.get(image).or_else(|| self.scripts.get(repository))
    }

    /// The container of this name or identifier, if it was not removed.
    pub fn container(&mut self, id: &str) -> Option<&mut Container> {
        self.containers
            .iter_mut()
            .find(|container| !container.removed && (container.id == id || container.spec.name == id))
    }

    /// As [`Self::container`], or the error that there is none.
    pub fn existing(&mut self, id: &str, act: &str) -> Result<&mut Container, Error> {
        self.container(id)
            .ok_or_else(|| failed(format!("{act} the container {id}"), format!("No such container: {id}")))
    }

    /// The container of this identifier, even when it was removed.
    pub fn record(&self, id: &str) -> Option<&Container> {
        self.containers.iter().rev().find(|container| container.id == id || container.spec.name == id)
    }

    /// Writes down that something happened to a container.
    pub fn happened(&mut self, id: &str, what: Happened) {
        let at = self.now();
        if let Some(container) = self.container(id) {
            container.happenings.push(Happening { at, what });
        }
        self.changed.send_replace(());
    }

    /// Writes down a line of a container's output.
    pub fn said(&mut self, id: &str, stream: Stdio, text: String) {
        let at = self.now();
        if let Some(container) = self.container(id) {
            container.logs.push(LogLine { at, stream, text, unfinished: false });
        }
        self.changed.send_replace(());
    }

    /// The files behind a path of a container, and the path within them.
    pub fn files(&mut self, id: &str, path: &str) -> Option<(&mut Tree, String)> {
        let mounts = &self.container(id)?.spec.mounts;
        let inside = |target: &str| path.strip_prefix(target).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let mount =
            mounts.iter().filter(|mount| inside(&mount.target).is_some()).max_by_key(|mount| mount.target.len());
        let Some((source, rest)) =
            mount.map(|mount| (mount.source.clone(), inside(&mount.target).unwrap_or_default().to_owned()))
        else {
            return self.container(id).map(|container| (&mut container.files, path.to_owned()));
        };
        let files = match source {
            Source::Volume(name) => &mut self.volumes.get_mut(&name)?.files,
            Source::Bind(path) | Source::BindCreating(path) => self.host.get_mut(&path)?,
        };
        Some((files, rest))
    }

    /// The first volume of a container that holds more than it can.
    pub fn overfull(&mut self, id: &str) -> Option<String> {
        let mounts = self.container(id)?.spec.mounts.clone();
        let names = mounts.iter().filter_map(|mount| mount.source.volume());
        let overfull =
            |name: &&str| self.volumes.get(*name).is_some_and(|it| it.size.is_some_and(|size| it.files.bytes() > size));
        names.into_iter().find(overfull).map(str::to_owned)
    }

    /// What is there beside images.
    pub fn left(&self) -> Vec<Thing> {
        let containers = self.containers.iter().filter(|container| !container.removed);
        let containers = containers.map(|container| Thing::Container(container.spec.name.clone()));
        let networks = self.networks.keys().map(|name| Thing::Network(name.clone()));
        containers.chain(networks).chain(self.volumes.keys().map(|name| Thing::Volume(name.clone()))).collect()
    }
}

impl Status {
    pub fn is_alive(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
        }
    }
}

/// An error in the words of an engine.
pub fn failed(act: impl Into<String>, cause: impl Into<String>) -> Error {
    Error::Failed { act: act.into(), cause: cause.into() }
}
