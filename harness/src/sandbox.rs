//! Owns every container, network and volume of one run, and removes them all.
//!
//! What is made carries two labels: which run it belongs to, and when that run
//! is over at the latest. So whatever a killed harness left behind is known for
//! what it is by the next one, and a living run's things are never touched.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use crate::engine::{Attachment, ContainerSpec, Create, Engine, Error, Labels, Mount, Owned, Source, Thing};
use crate::plan::Trial;
use crate::scenario::runtime::Runtime;
use crate::scenario::service::Service;
use crate::scenario::subject::Subject;
use crate::scenario::volume::Bind;

pub mod state;

/// Names the run that a thing belongs to.
pub const RUN: &str = "io.bootproof.run";
/// Says until when that run may live, in seconds since 1970 of the engine's clock.
pub const DEADLINE: &str = "io.bootproof.deadline";

/// Where every Linux mounts the tree of control groups.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// How many things are removed at once: an engine that is asked for more gets slower.
const AT_ONCE: usize = 8;

/// The name under which the run's other containers find the subject.
pub const SUBJECT: &str = "subject";

/// The container through which volumes are filled.
#[derive(Debug, Clone, Copy)]
pub enum Through<'a> {
    /// The agent, by its identifier.
    Agent(&'a str),
    /// One of this image, made for that alone.
    Image(&'a str),
}

/// The things of one run.
pub struct Sandbox {
    engine: Arc<dyn Engine>,
    run: String,
    labels: Labels,
}

impl Sandbox {
    /// Nothing yet, for a run that is over by `deadline`.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>, deadline: Timestamp) -> Self {
        let run = fresh_name();
        let labels =
            Labels::from([(RUN.to_owned(), run.clone()), (DEADLINE.to_owned(), deadline.as_second().to_string())]);
        Self { engine, run, labels }
    }

    /// Makes the network of the run.
    pub async fn network(&self) -> Result<String, Error> {
        let name = format!("{}-network", self.run);
        self.engine.create_network(&name, &self.labels).await?;
        Ok(name)
    }

    /// Makes the volumes of a trial; they are empty.
    pub async fn volumes(&self, trial: &Trial) -> Result<BTreeMap<String, Mount>, Error> {
        let made = trial.volumes.iter().map(async |(name, volume)| {
            let volume_name = format!("{}-{name}", self.run);
            let size = volume.size.map(|size| size.0);
            let path = self.engine.create_volume(&volume_name, &self.labels, size).await?;
            // What is missing on the engine's machine is missing inside a volume of
            // ours, so that what the engine makes there goes with the volume.
            let missing = format!("{path}/missing");
            let mount = Mount {
                source: match volume.bind {
                    None => Source::Volume(volume_name),
                    Some(Bind { create_host_path: true }) => Source::BindCreating(missing),
                    Some(Bind { create_host_path: false }) => Source::Bind(missing),
                },
                target: volume.target.clone(),
                read_only: volume.read_only,
                // What the scenario says of the volume must not be overwritten by
                // what the image holds at that path.
                no_copy: !volume.is_plain(),
            };
            Ok((name.clone(), mount))
        });
        join_all(made).await.into_iter().collect()
    }

    /// Puts content, owners and modes into volumes: through the agent, which
    /// holds them, or else through a container that is never started, so that it
    /// works on any engine and with any image.
    pub async fn fill(
        &self,
        trial: &Trial,
        mounts: &BTreeMap<String, Mount>,
        contents: &state::Contents,
        through: Through<'_>,
    ) -> Result<(), Error> {
        if !trial.volumes.values().any(state::is_filled) {
            return Ok(());
        }
        let archive = state::archive(&trial.volumes, contents).map_err(|error| Error::Failed {
            act: "put the volumes' content together".to_owned(),
            cause: error.to_string(),
        })?;
        let image = match through {
            Through::Agent(id) => return self.engine.put(id, "/", archive).await,
            Through::Image(image) => image,
        };
        let spec = ContainerSpec {
            name: format!("{}-fill", self.run),
            image: image.to_owned(),
            platform: trial.subject.platform.clone(),
            labels: self.labels.clone(),
            // An image without any command cannot be made into a container.
            runtime: Runtime { entrypoint: Some(vec!["/never-started".to_owned()]), ..Runtime::default() },
            mounts: held(mounts),
            ..ContainerSpec::default()
        };
        let filler = self.engine.create(&spec).await?.made(&spec.name)?.id;
        self.engine.put(&filler, "/", archive).await?;
        self.engine.remove(&Thing::Container(filler)).await
    }

    /// Makes the agent, which holds every volume. In the run's network it is
    /// found under the names of the services that are reached over a link.
    pub async fn agent(
        &self,
        image: &str,
        mounts: &BTreeMap<String, Mount>,
        network: Option<Attachment>,
    ) -> Result<String, Error> {
        // Of the kernel and not of the machine's files: where the limits of all containers are kept.
        let groups = Mount {
            source: Source::BindCreating(CONTROL_GROUPS.to_owned()),
            target: CONTROL_GROUPS.to_owned(),
            read_only: false,
            no_copy: false,
        };
        let spec = ContainerSpec {
            name: format!("{}-agent", self.run),
            image: image.to_owned(),
            labels: self.labels.clone(),
            runtime: Runtime {
                cap_add: ["NET_ADMIN", "SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE"].map(str::to_owned).to_vec(),
                security_opt: vec!["apparmor=unconfined".to_owned()],
                ..Runtime::default()
            },
            mounts: held(mounts).into_iter().chain([groups]).collect(),
            no_network: network.is_none(),
            networks: network.into_iter().collect(),
            host_view: true,
            unlogged: true,
            attended: true,
            ..ContainerSpec::default()
        };
        Ok(self.engine.create(&spec).await?.made(&spec.name)?.id)
    }

    /// Makes a service without starting it, found under this name.
    pub async fn service(
        &self,
        name: &str,
        alias: &str,
        service: &Service,
        image: &str,
        network: &str,
    ) -> Result<Create, Error> {
        let spec = ContainerSpec {
            name: format!("{}-service-{name}", self.run),
            image: image.to_owned(),
            platform: service.wanted.platform.clone(),
            labels: self.labels.clone(),
            runtime: service.runtime.clone(),
            networks: vec![Attachment { network: network.to_owned(), aliases: vec![alias.to_owned()] }],
            ..ContainerSpec::default()
        };
        let made = self.engine.create(&spec).await?;
        if let Create::Made(created) = &made
            && !service.files.is_empty()
        {
            let archive = state::files(&service.files).map_err(|error| Error::Failed {
                act: format!("put the files of the service {name} together"),
                cause: error.to_string(),
            })?;
            self.engine.put(&created.id, "/", archive).await?;
        }
        Ok(made)
    }

    /// Makes the subject without starting it.
    pub async fn subject(
        &self,
        subject: &Subject,
        image: &str,
        mounts: Vec<Mount>,
        publish: Vec<u16>,
        network: Option<&str>,
    ) -> Result<Create, Error> {
        let attachment = |network: &str| Attachment { network: network.to_owned(), aliases: vec![SUBJECT.to_owned()] };
        let spec = ContainerSpec {
            name: format!("{}-subject", self.run),
            image: image.to_owned(),
            platform: subject.platform.clone(),
            labels: self.labels.clone(),
            runtime: subject.runtime.clone(),
            mounts,
            publish,
            networks: network.map(attachment).into_iter().collect(),
            ..ContainerSpec::default()
        };
        self.engine.create(&spec).await
    }

    /// Removes everything of this run.
    pub async fn close(self) -> Result<(), Error> {
        let label = format!("{RUN}={}", self.run);
        remove_all(&*self.engine, self.engine.labelled(&label).await?).await.map(|_| ())
    }
}

/// Removes what runs have left behind that can no longer be alive; with
/// `living`, what belongs to living runs too. Returns what was removed.
pub async fn sweep(engine: &dyn Engine, now: Timestamp, living: bool) -> Result<Vec<Thing>, Error> {
    let mut found = engine.labelled(RUN).await?;
    found.retain(|owned| living || is_past(owned, now));
    remove_all(engine, found).await
}

/// A thing whose deadline cannot be read is nobody's any more.
fn is_past(owned: &Owned, now: Timestamp) -> bool {
    let deadline = owned.labels.get(DEADLINE).and_then(|text| text.parse::<i64>().ok());
    deadline.is_none_or(|deadline| deadline < now.as_second())
}

/// Containers first: a network or a volume in use cannot be removed. Everything
/// is tried before the first error is told, and much of it at once: whoever is to
/// end soon must not leave half of it.
async fn remove_all(engine: &dyn Engine, mut found: Vec<Owned>) -> Result<Vec<Thing>, Error> {
    found.sort_by(|one, other| one.thing.cmp(&other.thing));
    let (containers, others): (Vec<Owned>, Vec<Owned>) =
        found.into_iter().partition(|owned| matches!(owned.thing, Thing::Container(_)));
    let mut removed = Vec::new();
    for group in [containers, others] {
        let removals = group.into_iter().map(async |owned| engine.remove(&owned.thing).await.map(|()| owned.thing));
        removed.extend(stream::iter(removals).buffered(AT_ONCE).collect::<Vec<_>>().await);
    }
    removed.into_iter().collect()
}

/// The same volumes where they are filled, and where the agent holds them.
fn held(mounts: &BTreeMap<String, Mount>) -> Vec<Mount> {
    let held = |(name, mount): (&String, &Mount)| Mount {
        target: state::path_of(name),
        read_only: false,
        no_copy: true,
        ..mount.clone()
    };
    // A bind is of a path that must not exist before the subject is made.
    mounts.iter().filter(|(_, mount)| mount.source.volume().is_some()).map(held).collect()
}

/// A name that no other run of this machine has.
fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let millis = Timestamp::now().as_millisecond();
    format!("bootproof-{millis:x}-{:x}-{count:x}", std::process::id())
}
