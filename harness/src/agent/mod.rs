//! The agent: one helper container of a run, which does what can only be done
//! from beside the subject. It is commanded over its attached stdin, so that it
//! works wherever the engine is.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agent::{Answer, Change, Command, Failure, Frame, Place, Request};
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot, watch};

use crate::engine::{Engine, Error, Start};

mod wire;

/// How many bytes of a connection are on the way at once.
const IN_FLIGHT: usize = 64 * 1024;

/// The agent of a run. Clones are the same agent.
#[derive(Clone)]
pub struct Agent(Arc<Shared>);

/// What the agent's client shares with the tasks that read and write.
struct Shared {
    outgoing: mpsc::UnboundedSender<Frame>,
    open: Mutex<Open>,
    /// Becomes true when nothing is answered any more.
    gone: watch::Sender<bool>,
    requests: AtomicU64,
    channels: AtomicU32,
}

/// What is waited for.
#[derive(Default)]
struct Open {
    replies: HashMap<u64, oneshot::Sender<Result<Answer, Failure>>>,
    connections: HashMap<u32, mpsc::UnboundedSender<Vec<u8>>>,
    watches: HashMap<u64, mpsc::UnboundedSender<Change>>,
    /// Why nothing is answered any more, once that is so.
    ended: Option<String>,
}

impl Agent {
    /// Takes hold of the container that was made for it. What it is asked before it
    /// runs waits for that.
    pub async fn hold(engine: &dyn Engine, id: &str) -> Result<Self, Error> {
        let attached = engine.attach(id).await?;
        let (outgoing, frames) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            outgoing,
            open: Mutex::new(Open::default()),
            gone: watch::channel(false).0,
            requests: AtomicU64::new(1),
            channels: AtomicU32::new(1),
        });
        tokio::spawn(wire::write(attached.input, frames));
        tokio::spawn(wire::read(attached.output, Arc::downgrade(&shared)));
        Ok(Self(shared))
    }

    /// Starts that container, and waits until it answers.
    pub async fn begin(&self, engine: &dyn Engine, id: &str) -> Result<(), Error> {
        if let Start::Refused(cause) = engine.start(id).await? {
            return Err(failed("start the agent", cause));
        }
        self.ask(Command::Hello).await?.map_err(|failure| failed("greet the agent", failure.cause))?;
        Ok(())
    }

    /// Waits until it is there no more, and says why.
    pub async fn gone(&self) -> Error {
        // It is the sender's own agent that waits.
        let _ = self.0.gone.subscribe().wait_for(|gone| *gone).await;
        failed("go on without the agent", self.0.last_words())
    }

    /// Asks it something. That it cannot is an answer too; an error is an agent
    /// that is not there any more.
    pub async fn ask(&self, command: Command) -> Result<Result<Answer, Failure>, Error> {
        let id = self.0.requests.fetch_add(1, Ordering::Relaxed);
        let (sender, reply) = oneshot::channel();
        {
            let mut open = self.0.open();
            if let Some(words) = &open.ended {
                return Err(failed("ask the agent", words.clone()));
            }
            open.replies.insert(id, sender);
        }
        let payload = serde_json::to_vec(&Request { id, command })
            .map_err(|error| failed("put a command for the agent into words", error.to_string()))?;
        self.0.send(Frame { channel: agent::CONTROL, payload });
        reply.await.map_err(|_| failed("ask the agent", self.0.last_words()))
    }

    /// Opens a connection from the network of a process, or from its own.
    pub async fn dial(
        &self,
        pid: Option<u32>,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> Result<Result<DuplexStream, Failure>, Error> {
        let channel = self.0.channels.fetch_add(1, Ordering::Relaxed);
        let (sender, incoming) = mpsc::unbounded_channel();
        self.0.open().connections.insert(channel, sender);
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let command = Command::Dial { pid, host: host.to_owned(), port, timeout_ms, channel };
        match self.ask(command).await {
            Ok(Ok(_)) => {}
            refused => {
                self.0.open().connections.remove(&channel);
                return refused.map(|result| result.and_then(|_| Err(Failure { cause: String::new(), errno: None })));
            }
        }
        let (ours, theirs) = tokio::io::duplex(IN_FLIGHT);
        tokio::spawn(wire::carry(ours, channel, incoming, Arc::downgrade(&self.0)));
        Ok(Ok(theirs))
    }

    /// Whether something stands at a place, and each change of it from then on, for
    /// as long as somebody listens.
    pub async fn watch(&self, place: Place) -> Result<Result<(bool, mpsc::UnboundedReceiver<Change>), Failure>, Error> {
        let watch = self.0.requests.fetch_add(1, Ordering::Relaxed);
        let (sender, changes) = mpsc::unbounded_channel();
        self.0.open().watches.insert(watch, sender);
        let begun = self.ask(Command::Watch { watch, place }).await?;
        Ok(begun.map(|answer| (answer == Answer::Watching { exists: true }, changes)))
    }
}

impl Shared {
    /// The lock is never held across an await.
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, frame: Frame) {
        // Whoever writes may have ended with the agent; then nothing is answered.
        let _ = self.outgoing.send(frame);
    }

    fn last_words(&self) -> String {
        self.open().ended.clone().unwrap_or_else(|| "it has ended".to_owned())
    }
}

fn failed(act: &str, cause: impl Into<String>) -> Error {
    Error::Failed { act: act.to_owned(), cause: cause.into() }
}
