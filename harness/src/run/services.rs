//! The services of a run: started, waited for, stopped, and held to their part.

use futures_util::future::join_all;

use super::course::Course;
use super::{ENGINE_PATIENCE, Invalid};
use crate::clock::later;
use crate::fault::Target;
use crate::scenario::step::Step;
use crate::scenario::value::Restart;
use crate::timeline::{ServiceState, Verb, What};

impl Course<'_> {
    /// Brings everything up that the subject finds: the services are started, and
    /// ready where it waits for that.
    pub(super) async fn set_up(&mut self) -> Result<(), Invalid> {
        let early: Vec<&String> =
            self.trial.services.iter().filter(|(_, service)| service.when.is_none()).map(|(name, _)| name).collect();
        for (name, service) in &self.trial.services {
            let id = self.world.container(Some(name))?.to_owned();
            self.observer.follow_service(&id, name, service);
        }
        let started = join_all(early.iter().map(|name| self.world.start_service(name)));
        let (set_up, started) = tokio::join!(self.world.set_up(self.trial), started);
        set_up?;
        started.into_iter().collect::<Result<(), Invalid>>()?;
        for name in early {
            if self.waits_for(name) && !self.service_has_been(name, ServiceState::Ready) {
                self.until_service(name, ServiceState::Ready, 0).await?;
            }
        }
        Ok(())
    }

    /// Starts a service whose moment has come.
    pub(super) async fn start_late(&mut self, name: &str) -> Result<(), Invalid> {
        let from = self.timeline.events().len();
        self.world.start_service(name).await?;
        self.until_service(name, ServiceState::Started, from).await
    }

    /// Stops a service, or starts it again.
    pub(super) async fn service_step(&mut self, step: &Step) -> Result<(), Invalid> {
        let Some(name) = step.service.clone() else { return Ok(()) };
        let from = self.timeline.events().len();
        if step.verb == Verb::StopService {
            let stopping = self.stage.engine.stop(self.world.container(Some(&name))?, None);
            tokio::select! {
                stopped = stopping => stopped?,
                () = self.stage.interrupted() => return Err(Invalid::Interrupted),
            }
            return self.until_service(&name, ServiceState::Exited, from).await;
        }
        self.world.start_service(&name).await?;
        match self.waits_for(&name) {
            true => self.until_service(&name, ServiceState::Ready, from).await,
            false => Ok(()),
        }
    }

    /// Takes in events until a service has come to this, by an event from the place
    /// `from` on.
    async fn until_service(&mut self, name: &str, wanted: ServiceState, from: usize) -> Result<(), Invalid> {
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
            let is_over = self.trial.services.get(name).is_none_or(|service| service.runtime.restart == Restart::No);
            if is_over && reached.contains(&ServiceState::Exited) {
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

    /// Whether nothing else is done before a service is ready.
    fn waits_for(&self, service: &str) -> bool {
        self.trial.services.get(service).is_some_and(|service| service.wait)
    }

    fn service_has_been(&self, name: &str, state: ServiceState) -> bool {
        self.timeline.find(|what| is_service(what, name, state)).next().is_some()
    }

    /// A service that ended although nobody made it.
    pub(super) fn service_failed(&self) -> Option<Invalid> {
        let for_good = self.trial.services.iter().filter(|(_, service)| service.runtime.restart == Restart::No);
        let mut ended = for_good.filter_map(|(name, _)| {
            let (exit, _) = self.timeline.find(|what| is_service(what, name, ServiceState::Exited)).next()?;
            let was_asked = self.timeline.events()[..exit].iter().any(|event| self.may_end(name, &event.what));
            (!was_asked).then(|| Invalid::Service {
                name: name.clone(),
                what: format!("ended during the run{}", self.last_words_of(name)),
            })
        });
        ended.next()
    }

    /// Whether an event is a reason for this service to end.
    fn may_end(&self, service: &str, what: &What) -> bool {
        let of = match what {
            What::Step { number, verb: Verb::StopService } => {
                let at = usize::try_from(number.saturating_sub(1)).ok();
                at.and_then(|at| self.trial.steps.get(at)?.service.as_deref())
            }
            What::Fault { number, .. } => {
                let mut faults = self.trial.faults.iter().filter(|fault| fault.action.target() != Target::Link);
                faults.find(|fault| fault.number == *number).and_then(|fault| fault.service.as_deref())
            }
            _ => None,
        };
        of == Some(service)
    }

    /// A service that was started late, and is not ready although its time is up:
    /// what the subject did meanwhile says nothing.
    pub(super) fn service_was_late(&self, name: &str) -> Option<Invalid> {
        let service = self.trial.services.get(name).filter(|service| service.wait)?;
        let (start, started) = self.timeline.find(|what| is_service(what, name, ServiceState::Started)).next_back()?;
        let since = &self.timeline.events()[start..];
        let came = since.iter().any(|event| {
            let states = [ServiceState::Ready, ServiceState::Exited];
            states.into_iter().any(|state| is_service(&event.what, name, state)) || self.may_end(name, &event.what)
        });
        (!came && later(started.at, service.timeout.0) <= self.now()).then(|| Invalid::Service {
            name: name.to_owned(),
            what: format!("was not ready within {}{}", service.timeout, self.last_words_of(name)),
        })
    }
}

fn is_service(what: &What, wanted: &str, state: ServiceState) -> bool {
    matches!(what, What::Service { name, is } if name == wanted && *is == state)
}
