//! The steps of a life cycle are taken.

use agent::Command;

use super::course::Course;
use super::{DEFAULT_GRACE, ENGINE_PATIENCE, Invalid};
use crate::clock::later;
use crate::engine::{Create, Start};
use crate::scenario::step::Step;
use crate::timeline::{Verb, What, Window};

/// The signal of a crash that names none.
const SIGKILL: &str = "SIGKILL";

impl Course<'_> {
    /// Takes a step. What is expected after the one before is looked at first.
    pub(super) async fn take_step(&mut self, number: u32) -> Result<(), Invalid> {
        let at = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        let Some(step) = self.trial.steps.get(at).cloned() else { return Ok(()) };
        if number > 1 {
            for living in [true, false] {
                self.look_after(Some(Window::Step(number - 1)), living).await?;
            }
        }
        let cannot = |cause: String| Invalid::Step { number, verb: step.verb.to_string(), cause };
        if let Some(cause) = self.obstacle(step.verb) {
            return Err(cannot(cause.to_owned()));
        }
        self.push(What::Step { number, verb: step.verb });
        self.look_before(Some(Window::Step(number))).await?;
        match step.verb {
            Verb::Start => self.start().await,
            Verb::Stop => self.stop().await,
            Verb::Kill => {
                let signal = step.signal.as_ref().map_or(SIGKILL, |signal| signal.name());
                Ok(self.stage.engine.kill(&self.world.subject, signal).await?)
            }
            Verb::Crash => self.crash(&step).await.map_err(cannot),
            Verb::Restart => {
                self.stop().await?;
                self.start().await
            }
            Verb::Recreate | Verb::Upgrade => self.recreate(number).await,
            Verb::Soak => Ok(()),
            Verb::StopService | Verb::StartService => self.service_step(&step).await,
        }
    }

    /// Why a step would come to nothing.
    fn obstacle(&self, verb: Verb) -> Option<&'static str> {
        let boot = self.timeline.boots();
        let lives = boot > 0 && self.timeline.death_of(boot).is_none() && !self.timeline.is_down();
        match verb {
            Verb::Start if lives => Some("it runs already"),
            Verb::Start | Verb::Stop | Verb::Crash | Verb::Kill | Verb::Restart if !self.world.has_subject() => {
                Some("the engine did not make its container")
            }
            _ => None,
        }
    }

    /// Starts the subject's container, new or not.
    pub(super) async fn start(&mut self) -> Result<(), Invalid> {
        if let Start::Refused(reason) = self.stage.engine.start(&self.world.subject).await? {
            self.refused(reason);
        }
        Ok(())
    }

    /// Asks the subject to stop, and takes in events until it is dead.
    pub(super) async fn stop(&mut self) -> Result<(), Invalid> {
        self.lift_faults().await?;
        // A step that makes another subject stops the one before.
        let subject = self.trial.subject_at(self.timeline.steps().saturating_sub(1));
        let grace = subject.runtime.stop_grace_period.map(|grace| grace.0);
        let (engine, id) = (self.stage.engine.clone(), self.world.subject.clone());
        let stopping = async move { engine.stop(&id, grace).await };
        tokio::pin!(stopping);
        let give_up = later(self.now(), grace.unwrap_or(DEFAULT_GRACE) + ENGINE_PATIENCE / 2);
        let mut stopped = false;
        while !self.timeline.is_down() {
            tokio::select! {
                event = self.observer.next() => self.take_in(event?),
                result = &mut stopping, if !stopped => {
                    result?;
                    stopped = true;
                }
                () = self.stage.clock.until(give_up) => return Ok(()),
                () = self.stage.interrupted() => return Err(Invalid::Interrupted),
            }
        }
        // Docker answers a stop when it has put the container's things away.
        if !stopped {
            stopping.await?;
        }
        Ok(())
    }

    /// Kills the subject's PID 1 from outside, so that the restart policy acts.
    async fn crash(&mut self, step: &Step) -> Result<(), String> {
        let words = |invalid: Invalid| invalid.to_string();
        let ground = self.world.ground(None, 0).await.map_err(words)?;
        if ground.pid == 0 {
            return Err("no process of it runs".to_owned());
        }
        let name = step.signal.as_ref().map_or(SIGKILL, |signal| signal.name());
        let signal: nix::sys::signal::Signal =
            name.parse().map_err(|_| format!("{name} is no signal of this system"))?;
        let command = Command::Signal { pid: ground.pid, signal: signal as i32 };
        self.world.command(command).await.map(drop).map_err(words)
    }

    /// Makes a new container in the place of the old one, over the same volumes.
    async fn recreate(&mut self, number: u32) -> Result<(), Invalid> {
        if self.world.has_subject() {
            self.stop().await?;
            self.observer.leave().await?;
            self.world.remove_subject().await?;
        }
        match self.world.make_subject(self.trial, number).await? {
            Create::Made(created) => {
                self.warned(created.warnings)?;
                self.follow().await?;
                self.look_at_new().await?;
                self.start().await
            }
            Create::Refused(reason) => {
                self.refused(reason);
                Ok(())
            }
        }
    }
}
