//! The real engine: Docker, through its HTTP API.
//!
//! Every request of the harness to Docker is made below this module. The
//! client library is told of no time limit: builds and log streams last as long
//! as they last, and whoever waits brings a deadline of their own.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use super::{
    About, Attached, Build, ContainerSpec, Create, Engine, Error, Executed, FileStat, Flow, Happening, Ids, Image,
    Inspection, Labels, LogLine, Owned, Progress, Start, Thing,
};

mod about;
mod archive;
mod attach;
mod belongings;
mod build;
mod create;
mod credentials;
mod endpoint;
mod exec;
mod happenings;
mod host;
mod image;
mod inspect;
mod lines;
mod logs;
mod network;
mod pause;
mod refusal;
mod start;
mod stop;

use endpoint::Endpoint;

/// How long the engine may take to answer the very first question.
const FIRST_ANSWER: Duration = Duration::from_secs(5);

/// The client library wants a time limit for the beginning of each answer. An
/// import or a stop answers only when it is done, so none is meant.
const NO_LIMIT_SECONDS: u64 = 7 * 24 * 3600;

/// A Docker engine that was reached.
#[derive(Debug, Clone)]
pub struct Docker {
    client: bollard::Docker,
    endpoint: Endpoint,
}

impl Docker {
    /// Reaches the engine that `DOCKER_HOST` names, or else the local one.
    pub async fn connect() -> Result<Self, Error> {
        let named = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
        Self::at(named.as_deref().unwrap_or(endpoint::DEFAULT)).await
    }

    /// Reaches the engine at an address in `DOCKER_HOST`'s notation.
    pub async fn at(address: &str) -> Result<Self, Error> {
        let endpoint: Endpoint = address.parse()?;
        endpoint.knock(FIRST_ANSWER).await?;
        let client = endpoint.client(NO_LIMIT_SECONDS)?;
        // An engine refuses versions of the API that are newer than its own.
        let client = match tokio::time::timeout(FIRST_ANSWER, client.negotiate_version()).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err(endpoint.unreachable(refusal::words(&error))),
            Err(_) => {
                return Err(endpoint.unreachable(format!("it gave no answer within {} s", FIRST_ANSWER.as_secs())));
            }
        };
        Ok(Self { client, endpoint })
    }

    /// Turns the client library's error into ours, saying what was tried.
    fn failed(&self, act: impl Into<String>, error: &bollard::errors::Error) -> Error {
        refusal::failed(&self.endpoint, act.into(), error)
    }
}

#[async_trait]
impl Engine for Docker {
    async fn about(&self) -> Result<About, Error> {
        self.describe().await
    }

    async fn image(&self, reference: &str) -> Result<Option<Image>, Error> {
        self.image_now(reference).await
    }

    async fn in_registry(&self, reference: &str) -> bool {
        self.registry_has(reference).await
    }

    async fn pull(&self, reference: &str, platform: Option<&str>, progress: Progress<'_>) -> Result<(), Error> {
        self.pull_image(reference, platform, progress).await
    }

    async fn import(&self, tag: &str, labels: &Labels, tar: Flow<Bytes>) -> Result<(), Error> {
        self.import_image(tag, labels, tar).await
    }

    async fn build(&self, build: &Build, progress: Progress<'_>) -> Result<(), Error> {
        self.build_image(build, progress).await
    }

    async fn images_labelled(&self, label: &str) -> Result<Vec<Owned>, Error> {
        self.labelled_images(label).await
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<Create, Error> {
        self.create_container(spec).await
    }

    async fn start(&self, id: &str) -> Result<Start, Error> {
        self.start_container(id).await
    }

    async fn stop(&self, id: &str, grace: Option<Duration>) -> Result<(), Error> {
        self.stop_container(id, grace).await
    }

    async fn kill(&self, id: &str, signal: &str) -> Result<(), Error> {
        self.kill_container(id, signal).await
    }

    async fn pause(&self, id: &str) -> Result<(), Error> {
        self.pause_container(id).await
    }

    async fn unpause(&self, id: &str) -> Result<(), Error> {
        self.unpause_container(id).await
    }

    async fn exec(&self, id: &str, command: &[String]) -> Result<Executed, Error> {
        self.run_inside(id, command).await
    }

    async fn attach(&self, id: &str) -> Result<Attached, Error> {
        self.attach_to(id).await
    }

    async fn inspect(&self, id: &str) -> Result<Inspection, Error> {
        self.inspect_container(id).await
    }

    fn happenings(&self, id: &str, since: Timestamp) -> Flow<Happening> {
        self.events_of(id, since)
    }

    fn logs(&self, id: &str, since: Option<Timestamp>, follow: bool) -> Flow<LogLine> {
        self.lines_of(id, since, follow)
    }

    async fn put(&self, id: &str, path: &str, tar: Bytes) -> Result<(), Error> {
        self.put_archive(id, path, tar).await
    }

    async fn stat(&self, id: &str, path: &str) -> Result<Option<FileStat>, Error> {
        self.stat_path(id, path).await
    }

    async fn owner(&self, id: &str, path: &str) -> Result<Option<Ids>, Error> {
        self.owner_of(id, path).await
    }

    async fn get(&self, id: &str, path: &str) -> Result<Bytes, Error> {
        self.get_archive(id, path).await
    }

    async fn create_volume(&self, name: &str, labels: &Labels, size: Option<u64>) -> Result<String, Error> {
        self.make_volume(name, labels, size).await
    }

    async fn create_network(&self, name: &str, labels: &Labels) -> Result<(), Error> {
        self.make_network(name, labels).await
    }

    async fn connect(&self, network: &str, container: &str, aliases: &[String]) -> Result<(), Error> {
        self.join(network, container, aliases).await
    }

    async fn disconnect(&self, network: &str, container: &str) -> Result<(), Error> {
        self.leave(network, container).await
    }

    async fn labelled(&self, label: &str) -> Result<Vec<Owned>, Error> {
        self.labelled_things(label).await
    }

    async fn remove(&self, thing: &Thing) -> Result<(), Error> {
        self.remove_thing(thing).await
    }
}
