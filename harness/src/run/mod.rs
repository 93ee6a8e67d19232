//! One trial, from nothing to a finished timeline.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{Clock, later};
use crate::engine::{Engine, Error};
use crate::plan::Trial;
use crate::sandbox::Sandbox;
use crate::sandbox::state::Contents;
use crate::scenario::runtime::Runtime;
use crate::scenario::wanted::Wanted;
use crate::timeline::{Timeline, What};

mod begun;
mod course;
mod faults;
mod looks;
mod services;
mod sessions;
mod steps;
mod world;

use course::Course;

/// How long an engine may take for all the acts around a trial.
const ENGINE_PATIENCE: Duration = Duration::from_secs(60);
/// Docker's own grace, where neither the scenario nor the image sets one.
const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// What a run needs besides its trial.
#[derive(Clone)]
pub struct Stage {
    /// What runs the containers.
    pub engine: Arc<dyn Engine>,
    /// The engine's time.
    pub clock: Clock,
    /// The limits that the engine says it cannot enforce, by Compose's key.
    pub unenforced: Vec<String>,
    /// The state directories that volumes begin with.
    pub contents: Contents,
    /// Becomes true when the user wants to stop.
    pub interrupt: watch::Receiver<bool>,
    /// Makes everything random; the same seed makes the same run.
    pub seed: u64,
    /// Whether faults are looked for but not injected: then no run may pass.
    pub blunt: bool,
}

impl Stage {
    /// Waits until the user wants to stop.
    pub async fn interrupted(&self) {
        let mut interrupt = self.interrupt.clone();
        if interrupt.wait_for(|wanted| *wanted).await.is_err() {
            // Nobody is left who could interrupt.
            std::future::pending::<()>().await;
        }
    }
}

/// The images of a trial: what the engine calls each.
#[derive(Debug, Clone, Default)]
pub struct ImageNames {
    /// Of the subject, of later subjects and of services.
    pub names: BTreeMap<Wanted, String>,
    /// Of the agent, if the trial needs one.
    pub agent: Option<String>,
}

/// Takes what happens while it happens.
pub type Saw<'a> = &'a (dyn Fn(&What) + Sync);

/// What a run leaves to be judged.
#[derive(Debug, Default)]
pub struct Record {
    /// Everything that was seen, and that it is over.
    pub timeline: Timeline,
    /// What the engine said of the container at the end.
    pub inspection: Option<serde_json::Value>,
    /// Why the run proves nothing, if it does.
    pub invalid: Option<Invalid>,
}

/// Why a run proves nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Invalid {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] Error),
    /// The engine did not enforce what the scenario asks for.
    #[error("the engine does not enforce what the scenario asks for: {0}")]
    NotEnforced(String),
    /// A service did not do what it is there for.
    #[error("the service {name} {what}")]
    Service {
        /// Its name in the file.
        name: String,
        /// What it did instead.
        what: String,
    },
    /// A fault could not be injected or undone.
    #[error("{0}")]
    Fault(String),
    /// A fault was injected, and nothing was seen of it.
    #[error("fault {number} ({doing}) did not take effect: {saw}")]
    NoBite {
        /// Its place among the faults of the file.
        number: u32,
        /// What it does.
        doing: String,
        /// What was seen instead.
        saw: String,
    },
    /// Moments that were waited for did not come.
    #[error("what was to happen did not: {0}")]
    Unfired(String),
    /// A step could not be taken.
    #[error("step {number} ({verb}) cannot be taken: {cause}")]
    Step {
        /// Its number.
        number: u32,
        /// What it does.
        verb: String,
        /// Why not.
        cause: String,
    },
    /// The engine took longer than all limits together allow.
    #[error("the engine did not get through the run within {}", crate::timeline::Seconds(*.0))]
    TooSlow(Duration),
    /// The user stopped it.
    #[error("interrupted")]
    Interrupted,
}

impl Invalid {
    /// Whether a claim that broke before all this still counts: what did not
    /// happen may not have happened because of it.
    #[must_use]
    pub fn yields_to_failure(&self) -> bool {
        matches!(self, Self::Unfired(_))
    }
}

/// Boots the subject, watches it until its claims are decided, and takes
/// everything away again.
///
/// Each event is also told to `saw` at once, for whoever watches.
pub async fn run(trial: &Trial, images: &ImageNames, stage: &Stage, saw: Saw<'_>) -> Record {
    let services: Duration = trial.services.values().map(|service| service.timeout.0).sum();
    let limit = trial.timeout + trial.settle + grace(trial) + services + ENGINE_PATIENCE;
    // The label gives a cleanup time to finish before anyone else sweeps.
    let sandbox = Sandbox::new(stage.engine.clone(), later(stage.clock.now(), limit + ENGINE_PATIENCE));
    let mut record = Record::default();

    let live = async {
        let limits: Vec<_> = trial.runtimes().flat_map(Runtime::limits).collect();
        if let Some(limit) = limits.iter().find(|limit| stage.unenforced.iter().any(|other| other == *limit)) {
            return Err(Invalid::NotEnforced(format!("it has no support for `{limit}`")));
        }
        Course::live(trial, images, stage, saw, &sandbox, &mut record).await
    };
    let ended = tokio::time::timeout(limit, live).await;
    let invalid = match ended {
        Ok(Ok(())) => None,
        Ok(Err(invalid)) => Some(invalid),
        Err(_) => Some(Invalid::TooSlow(limit)),
    };
    let closed = match tokio::time::timeout(ENGINE_PATIENCE, sandbox.close()).await {
        Ok(closed) => closed.map_err(Invalid::Engine).err(),
        Err(_) => Some(Invalid::TooSlow(ENGINE_PATIENCE)),
    };
    // The first cause counts; a failed cleanup must not hide it.
    record.invalid = invalid.or(closed);
    record
}

/// How long all stops together may take before the engine kills.
fn grace(trial: &Trial) -> Duration {
    let of = |runtime: &Runtime| runtime.stop_grace_period.map_or(DEFAULT_GRACE, |grace| grace.0);
    let longest = trial.subjects().map(|subject| of(&subject.runtime)).max().unwrap_or(DEFAULT_GRACE);
    let stops = trial.steps.iter().filter(|step| step.verb.ends()).count() + 1;
    longest * u32::try_from(stops).unwrap_or(u32::MAX)
}
