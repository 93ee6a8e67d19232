//! One trial, from nothing to a finished timeline.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::clock::{Clock, later};
use crate::engine::{Create, Engine, Error, Start, Thing};
use crate::observe::Observer;
use crate::plan::{Standing, Trial};
use crate::sandbox::Sandbox;
use crate::sandbox::state::Contents;
use crate::timeline::{Event, Timeline, What, When};

/// How long an engine may take for all the acts around a trial.
const ENGINE_PATIENCE: Duration = Duration::from_secs(60);
/// Docker's own grace, where neither the scenario nor the image sets one.
const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// How far the engine's events may lag behind its state.
const LAG: Duration = Duration::from_secs(5);

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

/// Takes what happens while it happens.
pub type Saw<'a> = &'a (dyn Fn(&What) + Sync);

/// What a run leaves to be judged.
#[derive(Debug)]
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
    /// The engine took longer than all limits together allow.
    #[error("the engine did not get through the run within {}", crate::timeline::Seconds(*.0))]
    TooSlow(Duration),
    /// The user stopped it.
    #[error("interrupted")]
    Interrupted,
}

/// Boots the subject, watches it until its claims are decided, and takes
/// everything away again.
///
/// Each event is also told to `saw` at once, for whoever watches.
pub async fn run(trial: &Trial, image: &str, stage: &Stage, saw: Saw<'_>) -> Record {
    let limit = trial.timeout + trial.settle + grace(trial) + ENGINE_PATIENCE;
    // The label gives a cleanup time to finish before anyone else sweeps.
    let sandbox = Sandbox::new(stage.engine.clone(), later(stage.clock.now(), limit + ENGINE_PATIENCE));
    let mut record = Record { timeline: Timeline::default(), inspection: None, invalid: None };

    let ended = tokio::time::timeout(limit, live(trial, image, stage, saw, &sandbox, &mut record)).await;
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

async fn live(
    trial: &Trial,
    image: &str,
    stage: &Stage,
    saw: Saw<'_>,
    sandbox: &Sandbox,
    record: &mut Record,
) -> Result<(), Invalid> {
    let limits = trial.subject.runtime.limits();
    if let Some(limit) = limits.iter().find(|limit| stage.unenforced.iter().any(|other| other == *limit)) {
        return Err(Invalid::NotEnforced(format!("its kernel has no support for `{limit}`")));
    }
    let mounts = sandbox.volumes(trial, image, &stage.contents).await?;
    let subject = match sandbox.subject(trial, image, mounts).await? {
        Create::Made(subject) => subject,
        Create::Refused(reason) => {
            let reason = trial.redactor().redact(&reason);
            for what in [What::Refused { reason }, What::Over] {
                record.timeline.push(Event { at: stage.clock.now(), boot: 0, what });
            }
            return Ok(());
        }
    };
    let mut observer =
        Observer::begin(stage.engine.clone(), &subject.id, stage.clock, trial.subject.ready.clone(), trial.redactor());
    let timeline = &mut record.timeline;
    for text in subject.warnings {
        let not_enforced = text.contains("discarded");
        timeline.push(observer.event(What::Warning { text: text.clone() }));
        if not_enforced {
            return Err(Invalid::NotEnforced(text));
        }
    }
    look_at_files(trial, When::Before, &subject.id, stage, &observer, timeline).await?;

    match stage.engine.start(&subject.id).await? {
        Start::Started => {
            watch_until_decided(trial, stage, saw, &mut observer, timeline).await?;
            catch_up(stage, &mut observer, timeline).await?;
            if trial.stops() && !timeline.is_dead() {
                stop(trial, &subject.id, stage, &mut observer, timeline).await?;
            }
        }
        Start::Refused(reason) => timeline.push(observer.event(What::Refused { reason })),
    }

    if !timeline.is_dead() {
        timeline.push(observer.state().await?);
    }
    look_at_files(trial, When::After, &subject.id, stage, &observer, timeline).await?;
    record.inspection = Some(stage.engine.inspect(&subject.id).await?.raw);
    timeline.complete(observer.complete_logs().await?);
    timeline.push(observer.event(What::Over));
    stage.engine.remove(&Thing::Container(subject.id)).await?;
    Ok(())
}

/// Takes in events until nothing more has to be waited for, then for as long as
/// the trial is to be watched after that.
async fn watch_until_decided(
    trial: &Trial,
    stage: &Stage,
    saw: Saw<'_>,
    observer: &mut Observer,
    timeline: &mut Timeline,
) -> Result<(), Invalid> {
    let timeout = later(stage.clock.now(), trial.timeout);
    let mut settled: Option<Timestamp> = None;
    loop {
        let (wake, limit) = match trial.standing(timeline) {
            Standing::Dead => return Ok(()),
            Standing::Decided => {
                let end = *settled.get_or_insert_with(|| later(stage.clock.now(), trial.settle));
                (end, "it was watched for long enough")
            }
            Standing::Open(next) => {
                settled = None;
                (next.unwrap_or(timeout).min(timeout), "what was waited for did not come")
            }
        };
        tokio::select! {
            event = observer.next() => {
                timeline.push(event?);
                // A subject that writes much is judged by the batch.
                while let Some(event) = observer.at_hand()? {
                    timeline.push(event);
                }
                timeline.events().last().map(|event| &event.what).map(saw);
            }
            () = stage.clock.until(wake) => {
                let over = settled.is_some() || wake == timeout;
                timeline.push(observer.event(What::Elapsed { limit: limit.to_owned() }));
                if over {
                    return Ok(());
                }
            }
            () = stage.interrupted() => return Err(Invalid::Interrupted),
        }
    }
}

/// Takes in what the engine knows already. A subject that is dead now has died
/// in this run, even if the event that says so is still on its way.
async fn catch_up(stage: &Stage, observer: &mut Observer, timeline: &mut Timeline) -> Result<(), Invalid> {
    let seen = observer.state().await?;
    let dead = matches!(&seen.what, What::State { status, .. } if status == "exited" || status == "dead");
    timeline.push(seen);
    let give_up = later(stage.clock.now(), LAG);
    while dead && !timeline.is_dead() {
        tokio::select! {
            event = observer.next() => timeline.push(event?),
            () = stage.clock.until(give_up) => return Ok(()),
        }
    }
    Ok(())
}

/// Asks the subject to stop and takes in events until it is dead.
async fn stop(
    trial: &Trial,
    id: &str,
    stage: &Stage,
    observer: &mut Observer,
    timeline: &mut Timeline,
) -> Result<(), Invalid> {
    timeline.push(observer.event(What::Step { verb: "stop".to_owned() }));
    let stopping = stage.engine.stop(id, trial.subject.runtime.stop_grace_period.map(|grace| grace.0));
    tokio::pin!(stopping);
    let give_up = later(stage.clock.now(), grace(trial) + ENGINE_PATIENCE / 2);
    let mut stopped = false;
    while !timeline.is_dead() {
        tokio::select! {
            event = observer.next() => timeline.push(event?),
            result = &mut stopping, if !stopped => {
                result?;
                stopped = true;
            }
            () = stage.clock.until(give_up) => return Ok(()),
            () = stage.interrupted() => return Err(Invalid::Interrupted),
        }
    }
    Ok(())
}

async fn look_at_files(
    trial: &Trial,
    when: When,
    id: &str,
    stage: &Stage,
    observer: &Observer,
    timeline: &mut Timeline,
) -> Result<(), Invalid> {
    for path in trial.files() {
        let size = stage.engine.stat(id, &path).await?.map(|stat| stat.size);
        timeline.push(observer.event(What::File { path, size, when }));
    }
    Ok(())
}

fn grace(trial: &Trial) -> Duration {
    trial.subject.runtime.stop_grace_period.map_or(DEFAULT_GRACE, |grace| grace.0)
}
