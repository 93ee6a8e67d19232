//! Watches a subject and what stands around it, and turns what is seen into
//! events. One source per file.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::agent::Agent;
use crate::clock::Clock;
use crate::engine::{Engine, Error, Happened};
use crate::redact::Redactor;
use crate::scenario::ready::Ready;
use crate::scenario::service::Service;
use crate::timeline::{Event, Look, What};

mod files;
mod happenings;
mod http;
mod logs;
pub mod look;
pub mod missed;
mod probe;
mod samples;
mod service;
pub mod sql;
mod stand;

use look::Looker;

/// Something a source saw, before it is known to which boot it belongs.
#[derive(Debug)]
struct Sighting {
    at: Timestamp,
    what: What,
}

/// What every source is given.
#[derive(Clone)]
struct Source {
    engine: Arc<dyn Engine>,
    agent: Option<Agent>,
    id: String,
    clock: Clock,
    sender: mpsc::UnboundedSender<Result<Sighting, Error>>,
}

/// What there is to watch besides the subject's life and its output.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// Paths whose changes are told, in the subject's own file system.
    pub files: Vec<String>,
    /// What is looked at again and again while the subject is ready.
    pub samples: Vec<Look>,
    /// What is looked at again and again for as long as it lives.
    pub early_samples: Vec<Look>,
}

/// Joins all sources of one run into one sequence of events.
pub struct Observer {
    source: Source,
    receiver: mpsc::UnboundedReceiver<Result<Sighting, Error>>,
    watched: Watched,
    /// The subject's sign of being ready.
    ready: Option<Ready>,
    looker: Option<Looker>,
    redactor: Redactor,
    boot: u32,
    ready_boot: u32,
    /// When the boot before the present one ended.
    last_death: Option<Timestamp>,
    /// How many boots of the present container have begun.
    starts: watch::Sender<u32>,
    /// What is done for as long as one boot lives.
    of_boot: Vec<AbortHandle>,
    /// Events that follow from one that was just given out.
    consequences: VecDeque<Event>,
    /// The output of containers that are gone.
    kept: Vec<Event>,
    tasks: JoinSet<()>,
}

impl Observer {
    /// Begins to watch; of which container is said by [`Observer::follow`].
    #[must_use]
    pub fn new(
        engine: Arc<dyn Engine>,
        agent: Option<Agent>,
        clock: Clock,
        watched: Watched,
        redactor: Redactor,
    ) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let source = Source { engine, agent, id: String::new(), clock, sender };
        let mut tasks = JoinSet::new();
        if let Some(agent) = source.agent.clone() {
            let source = source.clone();
            // What cannot be seen any more must not be taken for what is not there.
            tasks.spawn(async move { source.fail(agent.gone().await) });
        }
        Self {
            source,
            receiver,
            watched,
            ready: None,
            looker: None,
            redactor,
            boot: 0,
            ready_boot: 0,
            last_death: None,
            starts: watch::channel(0).0,
            of_boot: Vec::new(),
            consequences: VecDeque::new(),
            kept: Vec::new(),
            tasks,
        }
    }

    /// Follows a subject's container that has been made and not started yet. The
    /// boots of the one before are counted on.
    pub async fn follow(&mut self, looker: Looker, ready: Option<Ready>) -> Result<(), Error> {
        looker.id().clone_into(&mut self.source.id);
        let (starts, seen_starts) = watch::channel(0);
        self.starts = starts;
        (self.looker, self.ready) = (Some(looker), ready);
        for path in self.watched.files.clone() {
            let stands = self.source.engine.stat(&self.source.id, &path).await?.is_some();
            let watch = files::watch_boots(self.source.clone(), path, stands, seen_starts.clone());
            self.tasks.spawn(watch);
        }
        let (written, seen_written) = watch::channel(0);
        self.tasks.spawn(happenings::watch(self.source.clone(), seen_written));
        self.tasks.spawn(logs::follow(self.source.clone(), seen_starts, written));
        Ok(())
    }

    /// Follows a service's container that has been made and not started yet.
    pub fn follow_service(&mut self, id: &str, name: &str, service: &Service) {
        let source = Source { id: id.to_owned(), ..self.source.clone() };
        self.tasks.spawn(service::watch(source, name.to_owned(), service.ready.clone()));
    }

    /// Tells of each change of a file that is there without any boot.
    pub fn watch_file(&mut self, path: &str, place: agent::Place) {
        self.tasks.spawn(files::watch(self.source.clone(), path.to_owned(), place));
    }

    /// The next event. It is safe to drop this future: no event is lost.
    pub async fn next(&mut self) -> Result<Event, Error> {
        if let Some(event) = self.consequences.pop_front() {
            return Ok(event);
        }
        let sighting = match self.receiver.recv().await {
            Some(sighting) => sighting?,
            // The observer itself holds a sender.
            None => return std::future::pending().await,
        };
        Ok(self.take_in(sighting))
    }

    /// An event that is there already, without waiting for one.
    pub fn at_hand(&mut self) -> Result<Option<Event>, Error> {
        if let Some(event) = self.consequences.pop_front() {
            return Ok(Some(event));
        }
        match self.receiver.try_recv() {
            Ok(sighting) => sighting.map(|sighting| Some(self.take_in(sighting))),
            Err(_) => Ok(None),
        }
    }

    /// An event of the harness itself, at the engine's present time.
    #[must_use]
    pub fn event(&self, what: What) -> Event {
        self.redacted(Event { at: self.source.clock.now(), boot: self.boot, what })
    }

    /// What the engine says of the subject now.
    pub async fn state(&self) -> Result<Event, Error> {
        let seen = self.source.engine.inspect(&self.source.id).await?;
        Ok(self.event(What::State { status: seen.status, restarts: seen.restart_count, again: false }))
    }

    /// Keeps the output of the present container, which is to be removed.
    pub async fn leave(&mut self) -> Result<(), Error> {
        let lines = self.present_logs().await?;
        self.kept.extend(lines);
        self.source.id.clear();
        Ok(())
    }

    /// The complete output, as events; what was followed may lack the last lines
    /// of a boot.
    pub async fn complete_logs(&mut self) -> Result<Vec<Event>, Error> {
        if !self.source.id.is_empty() {
            self.leave().await?;
        }
        Ok(std::mem::take(&mut self.kept))
    }

    async fn present_logs(&self) -> Result<Vec<Event>, Error> {
        let lines = logs::all(&self.source).await?;
        Ok(lines
            .into_iter()
            .map(|sighting| self.redacted(Event { at: sighting.at, boot: self.boot, what: sighting.what }))
            .collect())
    }

    fn take_in(&mut self, sighting: Sighting) -> Event {
        let Sighting { at, what } = sighting;
        match &what {
            What::Started => self.boot_began(),
            What::Died { .. } => self.boot_ended(at),
            What::Log { text, .. } => {
                if let Some(sign @ Ready::Log(pattern)) = &self.ready
                    && pattern.matches(text)
                {
                    self.is_ready(at, sign.to_string());
                }
            }
            What::Health { status } if status == "healthy" => {
                if let Some(sign @ Ready::Health) = &self.ready {
                    self.is_ready(at, sign.to_string());
                }
            }
            What::Probe { answer, .. } => {
                if let Some(sign) = self.ready.as_ref().filter(|ready| probe::is_sign(ready, answer)) {
                    self.is_ready(at, sign.to_string());
                }
            }
            _ => {}
        }
        self.redacted(Event { at, boot: self.boot, what })
    }

    fn redacted(&self, mut event: Event) -> Event {
        match &mut event.what {
            What::Log { text, leaked, .. } => {
                *leaked = self.redactor.leaks(text);
                *text = self.redactor.redact(text);
            }
            What::ServiceLine { text, .. }
            | What::Warning { text }
            | What::Refused { reason: text, .. }
            | What::Fault { doing: text, .. }
            | What::Bit { proof: text, .. } => *text = self.redactor.redact(text),
            What::Looked { look, saw, .. } => {
                *look = self.redactor.redact_value(look);
                *saw = self.redactor.redact_value(saw);
            }
            _ => {}
        }
        event
    }

    fn boot_began(&mut self) {
        self.boot += 1;
        self.starts.send_modify(|starts| *starts += 1);
        if let Some(ready) = self.ready.clone().filter(Ready::is_probed) {
            let probe = probe::until_ready(self.source.clone(), ready);
            self.of_boot.push(self.tasks.spawn(probe));
        }
        self.sample(self.watched.early_samples.clone());
    }

    /// Looks again and again, until this boot has ended.
    fn sample(&mut self, looks: Vec<Look>) {
        if let Some(looker) = self.looker.clone().filter(|_| !looks.is_empty()) {
            let samples = samples::take(self.source.clone(), looker, looks);
            self.of_boot.push(self.tasks.spawn(samples));
        }
    }

    fn boot_ended(&mut self, at: Timestamp) {
        self.last_death = Some(at);
        self.of_boot.drain(..).for_each(|task| task.abort());
    }

    fn is_ready(&mut self, at: Timestamp, sign: String) {
        // The last line of a boot may be read when the next one has begun.
        let is_of_this_boot = self.last_death.is_none_or(|death| death < at);
        if self.ready_boot < self.boot && is_of_this_boot {
            self.ready_boot = self.boot;
            self.consequences.push_back(Event { at, boot: self.boot, what: What::Ready { sign } });
            self.sample(self.watched.samples.clone());
        }
    }
}

impl Source {
    fn send(&self, at: Timestamp, what: What) {
        // The observer may be gone already: then nobody wants to know.
        let _ = self.sender.send(Ok(Sighting { at, what }));
    }

    fn fail(&self, error: Error) {
        let _ = self.sender.send(Err(error));
    }
}

/// What a happening is called in the timeline.
fn named(happened: Happened) -> What {
    match happened {
        Happened::Started => What::Started,
        Happened::OutOfMemory => What::OutOfMemory,
        Happened::Signalled(signal) => What::Signalled { signal },
        Happened::Died(code) => What::Died { code },
        Happened::Health(status) => What::Health { status },
    }
}
