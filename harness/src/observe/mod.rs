//! Watches a subject and turns what is seen into events. One source per file.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::engine::{Engine, Error, Happened};
use crate::redact::Redactor;
use crate::scenario::ready::Ready;
use crate::timeline::{Event, What};

mod happenings;
mod http;
mod logs;

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
    id: String,
    clock: Clock,
    sender: mpsc::UnboundedSender<Result<Sighting, Error>>,
}

/// Joins all sources of one subject into one sequence of events.
pub struct Observer {
    source: Source,
    receiver: mpsc::UnboundedReceiver<Result<Sighting, Error>>,
    ready: Option<Ready>,
    redactor: Redactor,
    boot: u32,
    ready_boot: u32,
    /// When the boot before the present one ended.
    last_death: Option<Timestamp>,
    starts: watch::Sender<u32>,
    probe: Option<tokio::task::AbortHandle>,
    /// Events that follow from one that was just given out.
    consequences: VecDeque<Event>,
    tasks: JoinSet<()>,
}

impl Observer {
    /// Begins to watch a container that has been made and not started yet.
    pub fn begin(engine: Arc<dyn Engine>, id: &str, clock: Clock, ready: Option<Ready>, redactor: Redactor) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let source = Source { engine, id: id.to_owned(), clock, sender };
        let (starts, seen_starts) = watch::channel(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(happenings::watch(source.clone()));
        tasks.spawn(logs::follow(source.clone(), seen_starts));
        Self {
            source,
            receiver,
            ready,
            redactor,
            boot: 0,
            ready_boot: 0,
            last_death: None,
            starts,
            probe: None,
            consequences: VecDeque::new(),
            tasks,
        }
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
        Ok(self.event(What::State { status: seen.status, restarts: seen.restart_count }))
    }

    /// The complete output so far, as events; what was followed may lack the
    /// last lines of a boot.
    pub async fn complete_logs(&self) -> Result<Vec<Event>, Error> {
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
            What::Probe { answer, .. } if answer == "200" => {
                if let Some(sign @ Ready::Http { .. }) = &self.ready {
                    self.is_ready(at, sign.to_string());
                }
            }
            _ => {}
        }
        self.redacted(Event { at, boot: self.boot, what })
    }

    fn redacted(&self, mut event: Event) -> Event {
        if let What::Log { text, .. } | What::Warning { text } | What::Refused { reason: text } = &mut event.what {
            *text = self.redactor.redact(text);
        }
        event
    }

    fn boot_began(&mut self) {
        self.boot += 1;
        self.starts.send_replace(self.boot);
        if let Some(Ready::Http { path, port }) = &self.ready {
            let probe = http::probe(self.source.clone(), path.clone(), *port);
            self.probe = Some(self.tasks.spawn(probe));
        }
    }

    fn boot_ended(&mut self, at: Timestamp) {
        self.last_death = Some(at);
        if let Some(probe) = self.probe.take() {
            probe.abort();
        }
    }

    fn is_ready(&mut self, at: Timestamp, sign: String) {
        // The last line of a boot may be read when the next one has begun.
        let is_of_this_boot = self.last_death.is_none_or(|death| death < at);
        if self.ready_boot < self.boot && is_of_this_boot {
            self.ready_boot = self.boot;
            self.consequences.push_back(Event { at, boot: self.boot, what: What::Ready { sign } });
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
