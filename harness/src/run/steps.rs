//! The steps of a life cycle are taken.

use agent::Command;

use super::course::Course;
use super::{DEFAULT_GRACE, ENGINE_PATIENCE, Invalid};
use crate::clock::later;
use crate::engine::{Create, Start, Thing};
use crate::scenario::step::Step;
use crate::timeline::{ServiceState, Verb, What, Window};

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
        self.push(What::Step { number, verb: step.verb });
        self.look_before(Some(Window::Step(number))).await?;
        let cannot = |cause: String| Invalid::Step { number, verb: step.verb.to_string(), cause };
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
            Verb::Recreate | Verb::Upgrade => self.recreate(&step, number).await,
            Verb::Soak => Ok(()),
            Verb::StopService | Verb::StartService => self.service_step(&step).await,
        }
    }

    /// Starts the subject's container, new or not.
    pub(super) async fn start(&mut self) -> Result<(), Invalid> {
        if let Start::Refused(reason) = self.stage.engine.start(&self.world.subject).await? {
            self.push(What::Refused { reason });
        }
        Ok(())
    }

    /// Asks the subject to stop, and takes in events until it is dead.
    pub(super) async fn stop(&mut self) -> Result<(), Invalid> {
        self.lift_faults().await?;
        let grace = self.subject.runtime.stop_grace_period.map(|grace| grace.0);
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
    async fn recreate(&mut self, step: &Step, number: u32) -> Result<(), Invalid> {
        self.stop().await?;
        self.observer.keep_logs().await?;
        self.stage.engine.remove(&Thing::Container(self.world.subject.clone())).await?;
        if let Some(subject) = &step.subject {
            self.subject = subject.clone();
        }
        let subject = self.subject.clone();
        match self.world.make_subject(self.trial, &subject, number).await? {
            Create::Made(created) => {
                self.warned(created.warnings)?;
                self.observer.follow(self.world.looker(self.trial));
                self.look_at_new().await?;
                self.start().await
            }
            Create::Refused(reason) => {
                self.push(What::Refused { reason });
                Ok(())
            }
        }
    }

    async fn service_step(&mut self, step: &Step) -> Result<(), Invalid> {
        let Some(name) = step.service.clone() else { return Ok(()) };
        if step.verb == Verb::StopService {
            let id = self.world.container(Some(&name))?.to_owned();
            self.stage.engine.stop(&id, None).await?;
            return self.until_service(&name, ServiceState::Exited).await;
        }
        self.start_service(&name).await?;
        match self.trial.services.get(&name).is_some_and(|service| service.wait) {
            true => self.until_service(&name, ServiceState::Ready).await,
            false => Ok(()),
        }
    }

    /// Starts a service.
    pub(super) async fn start_service(&mut self, name: &str) -> Result<(), Invalid> {
        let id = self.world.container(Some(name))?.to_owned();
        match self.stage.engine.start(&id).await? {
            Start::Started => Ok(()),
            Start::Refused(reason) => {
                Err(Invalid::Service { name: name.to_owned(), what: format!("cannot be started: {reason}") })
            }
        }
    }

    /// Takes in events until a service has come to this.
    pub(super) async fn until_service(&mut self, name: &str, wanted: ServiceState) -> Result<(), Invalid> {
        let from = self.timeline.events().len();
        let patience = self.trial.services.get(name).map_or(ENGINE_PATIENCE, |service| service.timeout.0);
        let give_up = later(self.now(), patience);
        loop {
            let states = self.timeline.events().iter().skip(from).filter_map(|event| match &event.what {
                What::Service { name: of, is } if of == name => Some(*is),
                _ => None,
            });
            let reached: Vec<ServiceState> = states.collect();
            if reached.contains(&wanted) {
                return Ok(());
            }
            if reached.contains(&ServiceState::Exited) {
                let what = format!("ended before it was {wanted}{}", self.last_words_of(name));
                return Err(Invalid::Service { name: name.to_owned(), what });
            }
            tokio::select! {
                event = self.observer.next() => self.take_in(event?),
                () = self.stage.clock.until(give_up) => {
                    let within = crate::scenario::value::Duration(patience);
                    let what = format!("was not {wanted} within {within}{}", self.last_words_of(name));
                    return Err(Invalid::Service { name: name.to_owned(), what });
                }
                () = self.stage.interrupted() => return Err(Invalid::Interrupted),
            }
        }
    }

    /// The last line that a service wrote, as the end of a sentence.
    fn last_words_of(&self, name: &str) -> String {
        let mut lines = self.timeline.events().iter().rev().filter_map(|event| match &event.what {
            What::ServiceLine { name: of, text } if of == name && !text.trim().is_empty() => Some(text),
            _ => None,
        });
        lines.next().map_or_else(String::new, |line| format!("; its last words: {line}"))
    }
}
