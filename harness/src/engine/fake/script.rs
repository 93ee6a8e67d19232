//! What a scripted container does, boot by boot.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::DuplexStream;

use crate::engine::{Executed, Stdio};

/// What every container of one image does.
#[derive(Clone, Default)]
pub struct Script {
    pub(super) boots: Vec<Boot>,
    pub(super) ports: BTreeMap<u16, String>,
    pub(super) commands: BTreeMap<Vec<String>, Executed>,
    pub(super) talk: Option<Talk>,
    pub(super) refusal: Option<String>,
}

/// Speaks with whoever is attached: reads what they write, and writes to stdout.
pub(super) type Talk = Arc<dyn Fn(DuplexStream) -> BoxFuture<'static, ()> + Send + Sync>;

/// One life of the container's process. Without any word it runs until it is
/// stopped, and then exits with 0 at once.
#[derive(Debug, Clone)]
pub struct Boot {
    acts: Vec<(Duration, Act)>,
    pub(super) on_stop: OnStop,
    pub(super) refusal: Option<String>,
}

/// Something that happens at a moment of a boot.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Say(Stdio, String),
    Write(String, Vec<u8>),
    Health(String),
    Probe { exit_code: i64, output: String },
    Exit(i32),
    ExhaustMemory,
}

/// What it does on the signal that asks it to stop.
#[derive(Debug, Clone)]
pub(super) enum OnStop {
    Exits(Duration, i32),
    Ignores,
}

impl Script {
    /// A script whose first boot is this one.
    #[must_use]
    pub fn boot(boot: Boot) -> Self {
        Self { boots: vec![boot], ..Self::default() }
    }

    /// Containers that the engine refuses to make, in these words.
    #[must_use]
    pub fn refused(words: &str) -> Self {
        Self { refusal: Some(words.to_owned()), ..Self::default() }
    }

    /// The boot after the ones so far. The last boot is repeated for ever.
    #[must_use]
    pub fn then(mut self, boot: Boot) -> Self {
        self.boots.push(boot);
        self
    }

    /// Where the harness reaches a published port, such as a server of the test's own.
    #[must_use]
    pub fn port(mut self, port: u16, address: &str) -> Self {
        self.ports.insert(port, address.to_owned());
        self
    }

    /// What a command that is run inside comes to. Any other is not found.
    #[must_use]
    pub fn command(mut self, command: &[&str], code: i64, output: &str) -> Self {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        self.commands.insert(command, Executed { code, output: output.to_owned() });
        self
    }

    /// Speaks with each who is attached, over a pipe to their ends of its stdin
    /// and stdout. When it has nothing more to say, its process exits with 0.
    /// Without this what is written comes back as it is.
    #[must_use]
    pub fn answers<F, T>(mut self, talk: F) -> Self
    where
        F: Fn(DuplexStream) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.talk = Some(Arc::new(move |pipe| talk(pipe).boxed()));
        self
    }

    /// The boot of this number, counted from 0.
    pub(super) fn nth(&self, number: usize) -> Boot {
        self.boots.get(number).or(self.boots.last()).cloned().unwrap_or_default()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("boots", &self.boots).finish_non_exhaustive()
    }
}

impl Default for Boot {
    fn default() -> Self {
        Self { acts: Vec::new(), on_stop: OnStop::Exits(Duration::ZERO, 0), refusal: None }
    }
}

impl Boot {
    /// A boot that runs until it is stopped.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A boot that the engine refuses, in these words.
    #[must_use]
    pub fn refused(words: &str) -> Self {
        Self { refusal: Some(words.to_owned()), ..Self::default() }
    }

    /// Writes a line so long after its start.
    #[must_use]
    pub fn line(self, after: Duration, stream: Stdio, text: &str) -> Self {
        self.act(after, Act::Say(stream, text.to_owned()))
    }

    /// Writes a file so long after its start.
    #[must_use]
    pub fn file(self, after: Duration, path: &str, content: &[u8]) -> Self {
        self.act(after, Act::Write(path.to_owned(), content.to_owned()))
    }

    /// Changes its health so long after its start.
    #[must_use]
    pub fn health(self, after: Duration, state: &str) -> Self {
        self.act(after, Act::Health(state.to_owned()))
    }

    /// Has its health checked so long after its start, with this exit code and output.
    #[must_use]
    pub fn probed(self, after: Duration, exit_code: i64, output: &str) -> Self {
        self.act(after, Act::Probe { exit_code, output: output.to_owned() })
    }

    /// Ends so long after its start.
    #[must_use]
    pub fn exits(self, after: Duration, code: i32) -> Self {
        self.act(after, Act::Exit(code))
    }

    /// Is killed for memory so long after its start.
    #[must_use]
    pub fn exhausts_memory(self, after: Duration) -> Self {
        self.act(after, Act::ExhaustMemory)
    }

    /// Ends so long after the stop signal; SIGKILL comes first when the grace is shorter.
    #[must_use]
    pub fn on_stop(mut self, after: Duration, code: i32) -> Self {
        self.on_stop = OnStop::Exits(after, code);
        self
    }

    /// Ignores the stop signal.
    #[must_use]
    pub fn ignores_stop(mut self) -> Self {
        self.on_stop = OnStop::Ignores;
        self
    }

    fn act(mut self, after: Duration, act: Act) -> Self {
        self.acts.push((after, act));
        self
    }

    /// Its acts in the order of time; those of the same moment as they were written.
    pub(super) fn in_order(&self) -> VecDeque<(Duration, Act)> {
        let mut acts = self.acts.clone();
        acts.sort_by_key(|(after, _)| *after);
        acts.into()
    }
}
