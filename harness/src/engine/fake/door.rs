//! The scripted engine behind the same door as the real one.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::life::{self, Order};
use super::tree::Tree;
use super::world::{Container, Status, Volume, World, failed};
use super::{Fake, Next, deaths_of, next_happening, next_line, talk};
use crate::engine::{
    About, Attached, Build, ContainerSpec, Create, Engine, Error, Executed, FileStat, Flow, Happened, Happening, Ids,
    Image, Inspection, Labels, LogLine, Owned, Progress, Start, Thing,
};

/// Docker's grace when a container names none.
const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// What it runs, and what its images are for unless said.
const PLATFORM: &str = "linux/amd64";

impl Fake {
    /// Writes the call down, and fails it if the test wants that.
    fn called(&self, method: &str, what: &str) -> Result<(), Error> {
        let mut world = self.world();
        let name = world.container(what).map(|container| container.spec.name.clone());
        world.calls.push(format!("{method} {}", name.as_deref().unwrap_or(what)).trim_end().to_owned());
        match world.failures.get(method) {
            Some(words) => Err(failed(format!("{method} {what}").trim_end(), words.as_str())),
            None => Ok(()),
        }
    }

    /// A flow that reads the record of a container as it grows.
    pub(super) fn follow<T: Send + 'static>(
        &self,
        id: &str,
        next: impl Fn(Option<&Container>, usize) -> Next<T> + Send + 'static,
    ) -> Flow<T> {
        let state = (self.clone(), id.to_owned(), self.world().changed.subscribe(), 0, next);
        stream::unfold(state, |(fake, id, mut changed, read, next)| async move {
            loop {
                let found = next(fake.world().record(&id), read);
                match found {
                    Next::Item(item) => return Some((Ok(item), (fake, id, changed, read + 1, next))),
                    Next::End => return None,
                    Next::Wait => changed.changed().await.ok()?,
                }
            }
        })
        .boxed()
    }
}

impl Fake {
    /// Lets time stand still for a container, or go on.
    fn change_pace(&self, id: &str, act: &str, (from, to): (Status, Status), order: Order) -> Result<(), Error> {
        let mut world = self.world();
        let container = world.existing(id, act)?;
        if container.status != from {
            let words = format!("Container {id} is {}", container.status.word());
            return Err(failed(format!("{act} the container {id}"), words));
        }
        container.status = to;
        if let Some(orders) = &container.orders {
            // A life that has just ended by itself takes no more orders.
            let _ = orders.send(order);
        }
        world.changed.send_replace(());
        Ok(())
    }
}

fn error_flow<T: Send + 'static>(error: Error) -> Flow<T> {
    stream::iter([Err(error)]).boxed()
}

/// As `label=NAME` or `label=NAME=VALUE` in Docker's filters.
fn carries(labels: &Labels, label: &str) -> bool {
    match label.split_once('=') {
        Some((name, value)) => labels.get(name).is_some_and(|found| found == value),
        None => labels.contains_key(label),
    }
}

/// An image that was made anew has another identity under the same name.
fn keep_image(world: &mut World, tag: &str, platform: Option<&str>, labels: &Labels) {
    let id = format!("sha256:{tag}-{}", world.calls.len());
    let platform = platform.unwrap_or(PLATFORM).to_owned();
    world.images.insert(tag.to_owned(), Image { id, labels: labels.clone(), platform, size: 1 });
}

fn owned(thing: Thing, labels: &Labels) -> Owned {
    Owned { thing, labels: labels.clone() }
}

/// Whether a container that was not removed mounts the volume.
fn in_use(world: &World, volume: &str) -> bool {
    let mounts =
        |container: &Container| container.spec.mounts.iter().any(|mount| mount.source.volume() == Some(volume));
    world.containers.iter().any(|container| !container.removed && mounts(container))
}

#[async_trait]
impl Engine for Fake {
    async fn about(&self) -> Result<About, Error> {
        self.called("about", "")?;
        let limits = ["cpus", "mem_limit", "pids_limit"].map(|key| (key.to_owned(), true));
        Ok(About {
            name: "Fake 1".to_owned(),
            endpoint: "fake://".to_owned(),
            api_version: "1.41".to_owned(),
            cgroup_version: "2".to_owned(),
            storage_driver: "memory".to_owned(),
            platform: PLATFORM.to_owned(),
            cpus: 2,
            memory: 1 << 30,
            root_dir: "/fake".to_owned(),
            limits: BTreeMap::from(limits),
            clock: self.world().now(),
        })
    }

    async fn image(&self, reference: &str) -> Result<Option<Image>, Error> {
        self.called("image", reference)?;
        let world = self.world();
        let id = format!("sha256:{reference}");
        let scripted = || Image { id, labels: Labels::new(), platform: PLATFORM.to_owned(), size: 1 };
        let made = world.images.get(reference).cloned();
        Ok(made.or_else(|| world.scripts.contains_key(reference).then(scripted)))
    }

    async fn in_registry(&self, reference: &str) -> bool {
        self.called("in_registry", reference).is_ok() && self.world().registry.iter().any(|known| known == reference)
    }

    async fn pull(&self, reference: &str, platform: Option<&str>, progress: Progress<'_>) -> Result<(), Error> {
        self.called("pull", reference)?;
        let mut world = self.world();
        if !world.registry.iter().any(|known| known == reference) {
            return Err(failed(format!("pull the image {reference}"), "no registry answers"));
        }
        progress(&format!("pulled {reference}"));
        keep_image(&mut world, reference, platform, &Labels::new());
        Ok(())
    }

    async fn import(&self, tag: &str, labels: &Labels, mut tar: Flow<Bytes>) -> Result<(), Error> {
        self.called("import", tag)?;
        while let Some(chunk) = tar.next().await {
            chunk?;
        }
        keep_image(&mut self.world(), tag, None, labels);
        Ok(())
    }

    async fn build(&self, build: &Build, progress: Progress<'_>) -> Result<(), Error> {
        let tag = build.tag.clone();
        if let Err(error) = self.called("build", &tag) {
            let Error::Failed { cause, .. } = error else { return Err(error) };
            progress(&cause);
            return Err(Error::Build { tag, log: format!("{cause}\n"), cause });
        }
        progress(&format!("built {tag}"));
        keep_image(&mut self.world(), &tag, build.platform.as_deref(), &build.labels);
        Ok(())
    }

    async fn images_labelled(&self, label: &str) -> Result<Vec<Owned>, Error> {
        self.called("images_labelled", label)?;
        let world = self.world();
        let found = world.images.iter().filter(|(_, image)| carries(&image.labels, label));
        Ok(found.map(|(name, image)| owned(Thing::Image(name.clone()), &image.labels)).collect())
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<Create, Error> {
        self.called("create", &spec.name)?;
        self.world().make(spec)
    }

    async fn start(&self, id: &str) -> Result<Start, Error> {
        self.called("start", id)?;
        if self.world().existing(id, "start")?.orders.is_some() {
            return Ok(Start::Started);
        }
        let Some(boot) = self.begin_boot(id, false) else {
            return Err(failed(format!("start the container {id}"), "it was removed"));
        };
        if let Some(words) = boot.refusal {
            return Ok(Start::Refused(words));
        }
        let (orders, heard) = mpsc::unbounded_channel();
        let container = self.world().existing(id, "start").map(|container| {
            container.orders = Some(orders);
            container.id.clone()
        })?;
        tokio::spawn(life::live(self.clone(), container, boot, heard));
        Ok(Start::Started)
    }

    async fn stop(&self, id: &str, grace: Option<Duration>) -> Result<(), Error> {
        self.called("stop", id)?;
        {
            let mut world = self.world();
            let container = world.existing(id, "stop")?;
            let runtime = &container.spec.runtime;
            let own = runtime.stop_grace_period.map_or(DEFAULT_GRACE, |grace| grace.0);
            let name = runtime.stop_signal.as_ref().map_or("SIGTERM", |signal| signal.name());
            let signal = life::number(name).ok_or_else(|| failed("stop", format!("Invalid signal: {name}")))?;
            if let Some(orders) = &container.orders {
                // A life that has just ended by itself takes no more orders.
                let _ = orders.send(Order::Stop { signal, grace: grace.unwrap_or(own) });
            }
        }
        self.until_dead(id).await;
        Ok(())
    }

    async fn kill(&self, id: &str, signal: &str) -> Result<(), Error> {
        self.called("kill", id)?;
        let mut world = self.world();
        let number = life::number(signal).ok_or_else(|| {
            failed(format!("send {signal} to the container {id}"), format!("Invalid signal: {signal}"))
        })?;
        if let Some(orders) = &world.existing(id, "kill")?.orders {
            let _ = orders.send(Order::Signal(number));
        }
        Ok(())
    }

    async fn pause(&self, id: &str) -> Result<(), Error> {
        self.called("pause", id)?;
        self.change_pace(id, "pause", (Status::Running, Status::Paused), Order::Pause)
    }

    async fn unpause(&self, id: &str) -> Result<(), Error> {
        self.called("unpause", id)?;
        self.change_pace(id, "unpause", (Status::Paused, Status::Running), Order::Unpause)
    }

    async fn exec(&self, id: &str, command: &[String]) -> Result<Executed, Error> {
        self.called("exec", id)?;
        let mut world = self.world();
        let container = world.existing(id, "run a command in")?;
        let (image, status) = (container.spec.image.clone(), container.status);
        if status != Status::Running {
            let act = format!("run `{}` in the container {id}", command.join(" "));
            let why =
                if status == Status::Paused { "paused, unpause the container before exec" } else { "not running" };
            return Err(failed(act, format!("Container {id} is {why}")));
        }
        let known = world.script(&image).and_then(|script| script.commands.get(command).cloned());
        Ok(known.unwrap_or_else(|| Executed {
            code: 127,
            output: format!(
                "exec: {:?}: executable file not found in $PATH",
                command.first().map_or("", String::as_str)
            ),
        }))
    }

    async fn attach(&self, id: &str) -> Result<Attached, Error> {
        self.called("attach", id)?;
        let (id, talk) = {
            let mut world = self.world();
            let container = world.existing(id, "attach to")?;
            let (id, image) = (container.id.clone(), container.spec.image.clone());
            (id, world.script(&image).and_then(|script| script.talk.clone()))
        };
        Ok(talk::attach(self, &id, talk))
    }

    async fn inspect(&self, id: &str) -> Result<Inspection, Error> {
        self.called("inspect", id)?;
        self.world().seen(id)
    }

    fn happenings(&self, id: &str, since: Timestamp) -> Flow<Happening> {
        if let Err(error) = self.called("happenings", id) {
            return error_flow(error);
        }
        let late = move |happening: &Result<Happening, Error>| {
            futures_util::future::ready(happening.as_ref().map_or(true, |happening| happening.at >= since))
        };
        let lag = self.world().lag;
        let told = move |happening| async move {
            tokio::time::sleep(lag).await;
            happening
        };
        self.follow(id, next_happening).filter(late).then(told).boxed()
    }

    fn logs(&self, id: &str, since: Option<Timestamp>, follow: bool) -> Flow<LogLine> {
        if let Err(error) = self.called("logs", id) {
            return error_flow(error);
        }
        if self.world().record(id).is_none() {
            return error_flow(failed(
                format!("read the logs of the container {id}"),
                format!("No such container: {id}"),
            ));
        }
        let deaths = self.world().record(id).map_or(0, deaths_of);
        let late = move |line: &Result<LogLine, Error>| {
            futures_util::future::ready(line.as_ref().map_or(true, |line| since.is_none_or(|since| line.at >= since)))
        };
        self.follow(id, move |container, read| next_line(container, read, follow, deaths)).filter(late).boxed()
    }

    async fn put(&self, id: &str, path: &str, tar: Bytes) -> Result<(), Error> {
        self.called("put", id)?;
        let mut world = self.world();
        world.existing(id, "put files into")?;
        let act = format!("put files below {path} in the container {id}");
        let (files, inside) = world.files(id, path).ok_or_else(|| failed(&act, "its volume was removed"))?;
        files.unpack(&inside, &tar).map_err(|error| failed(&act, error.to_string()))?;
        world.changed.send_replace(());
        match world.overfull(id) {
            Some(_) => Err(failed(act, "no space left on device")),
            None => Ok(()),
        }
    }

    async fn stat(&self, id: &str, path: &str) -> Result<Option<FileStat>, Error> {
        self.called("stat", id)?;
        let mut world = self.world();
        world.existing(id, "look into")?;
        Ok(world.files(id, path).and_then(|(files, inside)| files.stat(&inside)))
    }

    async fn owner(&self, id: &str, path: &str) -> Result<Option<Ids>, Error> {
        self.called("owner", id)?;
        let mut world = self.world();
        world.existing(id, "look into")?;
        Ok(world.files(id, path).and_then(|(files, inside)| files.owner(&inside)))
    }

    async fn get(&self, id: &str, path: &str) -> Result<Bytes, Error> {
        self.called("get", id)?;
        let mut world = self.world();
        world.existing(id, "read files of")?;
        let act = format!("read {path} in the container {id}");
        let name = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or("/");
        let found = world.files(id, path).filter(|(files, inside)| files.stat(inside).is_some());
        let (files, inside) =
            found.ok_or_else(|| failed(&act, format!("Could not find the file {path} in container {id}")))?;
        files.pack(&inside, name).map(Bytes::from).map_err(|error| failed(act, error.to_string()))
    }

    async fn create_volume(&self, name: &str, labels: &Labels, size: Option<u64>) -> Result<String, Error> {
        self.called("create_volume", name)?;
        let new = || Volume { labels: labels.clone(), files: Tree::new(), size };
        self.world().volumes.entry(name.to_owned()).or_insert_with(new);
        Ok(format!("/fake/volumes/{name}"))
    }

    async fn create_network(&self, name: &str, labels: &Labels) -> Result<(), Error> {
        self.called("create_network", name)?;
        self.world().make_network(name, labels)
    }

    async fn connect(&self, network: &str, container: &str, _aliases: &[String]) -> Result<(), Error> {
        self.called("connect", container)?;
        let mut world = self.world();
        let id = world.existing(container, "connect")?.id.clone();
        world.join(network, &id)
    }

    async fn disconnect(&self, network: &str, container: &str) -> Result<(), Error> {
        self.called("disconnect", container)?;
        let mut world = self.world();
        let id = world.existing(container, "disconnect")?.id.clone();
        world.leave(network, &id)
    }

    async fn labelled(&self, label: &str) -> Result<Vec<Owned>, Error> {
        self.called("labelled", label)?;
        let world = self.world();
        let containers = world.containers.iter().filter(|container| !container.removed);
        let containers = containers.map(|it| owned(Thing::Container(it.spec.name.clone()), &it.spec.labels));
        let networks = world.networks.iter().map(|(name, it)| owned(Thing::Network(name.clone()), &it.labels));
        let volumes = world.volumes.iter().map(|(name, volume)| owned(Thing::Volume(name.clone()), &volume.labels));
        Ok(containers.chain(networks).chain(volumes).filter(|found| carries(&found.labels, label)).collect())
    }

    async fn remove(&self, thing: &Thing) -> Result<(), Error> {
        match thing {
            Thing::Container(name) => {
                self.called("remove", name)?;
                if self.world().container(name).is_some_and(|container| container.status.is_alive()) {
                    self.happened(name, Happened::Signalled(9));
                    self.happened(name, Happened::Died(137));
                }
                let mut world = self.world();
                if let Some(container) = world.container(name) {
                    container.removed = true;
                    container.status = Status::Exited;
                    container.orders = None;
                    let id = container.id.clone();
                    world.leave_all(&id);
                }
                world.changed.send_replace(());
            }
            Thing::Volume(name) => {
                self.called("remove", name)?;
                let mut world = self.world();
                if in_use(&world, name) {
                    return Err(failed(format!("remove the volume {name}"), "volume is in use"));
                }
                world.volumes.remove(name);
            }
            Thing::Network(name) => {
                self.called("remove", name)?;
                let mut world = self.world();
                world.remove_network(name)?;
            }
            Thing::Image(reference) => {
                self.called("remove", reference)?;
                self.world().images.remove(reference);
            }
        }
        Ok(())
    }
}
