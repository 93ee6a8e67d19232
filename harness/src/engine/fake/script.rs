//! What a scripted container does, boot by boot.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::engine::Stdio;

/// What every container of one image does.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub(super) boots: Vec<Boot>,
    pub(super) ports: BTreeMap<u16, String>,
}

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
        Self { boots: vec![boot], ports: BTreeMap::new() }
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

    /// The boot of this number, counted from 0.
    pub(super) fn nth(&self, number: usize) -> Boot {
        self.boots.get(number).or(self.boots.last()).cloned().unwrap_or_default()
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
