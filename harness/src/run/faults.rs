//! Faults are injected, looked for, and undone.

use std::time::Duration;

use super::Invalid;
use super::begun::Begun;
use super::course::Course;
use crate::clock::later;
use crate::fault::{Act, Answered, Fault};
use crate::timeline::What;

/// How long after a look that saw nothing the next one is taken.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// For how long a fault is looked for that nobody injects.
const IN_VAIN: Duration = Duration::from_secs(1);

impl Course<'_> {
    /// Injects a fault: looks first, acts, looks again.
    pub(super) async fn begin_fault(&mut self, number: u32) -> Result<(), Invalid> {
        let Some(fault) = self.trial.faults.iter().find(|fault| fault.number == number).cloned() else {
            return Ok(());
        };
        let service = fault.service.as_deref();
        let ground = self.world.ground(service, self.stage.seed.wrapping_add(u64::from(number))).await?;
        let before = self.all(fault.action.looks(&ground), service).await?;
        let since = self.now();
        let mut injected = Vec::new();
        // Without its acts, no look may find an effect: the test of all faults relies on it.
        if !self.stage.blunt {
            for act in fault.action.inject(&ground) {
                let answered = self.world.act(act, service).await?;
                if let Answered::Failed(words) = answered {
                    let doing = fault.words();
                    return Err(Invalid::Fault(format!("fault {number} ({doing}) cannot be injected: {words}")));
                }
                injected.push(answered);
            }
        }
        self.push(What::Fault { number, doing: fault.words() });
        let (look_at, saw) = (self.now(), String::new());
        let (bitten, over) = (false, false);
        self.begun.push(Begun { fault, ground, since, before, injected, bitten, saw, look_at, over });
        self.look_for_effects().await
    }

    /// Looks for the effect of every fault of which none was seen, where it is time to.
    pub(super) async fn look_for_effects(&mut self) -> Result<(), Invalid> {
        for place in 0..self.begun.len() {
            let begun = &self.begun[place];
            if begun.bitten || begun.over || begun.look_at > self.now() {
                continue;
            }
            let fault = begun.fault.clone();
            let service = fault.service.as_deref();
            // Another boot may have begun since: what it sees counts too.
            let ground = self.world.ground(service, begun.ground.seed).await?;
            let seen = self.all(fault.action.looks(&ground), service).await?;
            let shown = self.shown_by_event(&self.begun[place]);
            let judged = shown.map_or_else(|| fault.action.bit(&self.begun[place].before, &seen), Ok);
            let look_at = later(self.now(), LOOK_AGAIN);
            match judged {
                Ok(proof) => {
                    self.begun[place].bitten = true;
                    self.push(What::Bit { number: fault.number, proof });
                }
                Err(saw) => {
                    let begun = &mut self.begun[place];
                    (begun.saw, begun.look_at) = (saw, look_at);
                }
            }
        }
        Ok(())
    }

    /// The proof that something that happened to the subject since gives.
    fn shown_by_event(&self, begun: &Begun) -> Option<String> {
        let of_subject = begun.fault.service.is_none();
        let mut events = self.timeline.events().iter().filter(|event| of_subject && event.at >= begun.since);
        events.find_map(|event| begun.fault.action.shown_by(&event.what))
    }

    /// Undoes a fault. One of which no effect was seen by now will show none.
    pub(super) async fn end_fault(&mut self, number: u32) -> Result<(), Invalid> {
        let Some(place) = self.begun.iter().position(|begun| begun.fault.number == number && !begun.over) else {
            return Ok(());
        };
        self.begun[place].look_at = self.now();
        self.look_for_effects().await?;
        let begun = &self.begun[place];
        if !begun.bitten {
            return Err(no_bite(begun));
        }
        let fault = begun.fault.clone();
        // Another boot may have begun since: what is left of the fault is there.
        let ground = self.world.ground(fault.service.as_deref(), begun.ground.seed).await?;
        let undo = fault.action.undo(&ground, &self.begun[place].injected);
        for act in undo.unwrap_or_default() {
            let answered = self.world.act(act, fault.service.as_deref()).await?;
            // Without any process, what held them is gone too.
            if let Answered::Failed(words) = answered
                && ground.pid != 0
            {
                let doing = fault.words();
                return Err(Invalid::Fault(format!("fault {number} ({doing}) cannot be undone: {words}")));
            }
        }
        self.begun[place].over = true;
        self.push(What::Undone { number });
        Ok(())
    }

    /// Undoes what would keep the subject from being stopped or looked at. That it
    /// cannot be undone any more is no harm: its container goes.
    pub(super) async fn lift_faults(&mut self) -> Result<(), Invalid> {
        for begun in self.begun.iter().filter(|begun| !begun.over && begun.fault.action.holds_all()) {
            for act in begun.fault.action.undo(&begun.ground, &begun.injected).unwrap_or_default() {
                self.world.act(act, begun.fault.service.as_deref()).await?;
            }
        }
        Ok(())
    }

    /// When to look for effects again.
    pub(super) fn next_look(&self) -> Option<jiff::Timestamp> {
        self.begun.iter().filter(|begun| !begun.bitten && !begun.over).map(|begun| begun.look_at).min()
    }

    /// Whether faults that nobody injects have been looked for long enough.
    pub(super) fn has_looked_in_vain(&self) -> bool {
        let now = self.now();
        let in_vain = |begun: &Begun| !begun.bitten && later(begun.since, IN_VAIN) <= now;
        self.stage.blunt && !self.begun.is_empty() && self.begun.iter().all(in_vain)
    }

    /// The first fault of which nothing was seen.
    pub(super) fn without_effect(&self) -> Option<Invalid> {
        self.begun.iter().find(|begun| !begun.bitten).map(no_bite)
    }

    async fn all(&self, acts: Vec<Act>, service: Option<&str>) -> Result<Vec<Answered>, Invalid> {
        let mut answers = Vec::new();
        for act in acts {
            answers.push(self.world.act(act, service).await?);
        }
        Ok(answers)
    }
}

fn no_bite(begun: &Begun) -> Invalid {
    let fault: &Fault = &begun.fault;
    Invalid::NoBite { number: fault.number, doing: fault.words(), saw: begun.saw.clone() }
}
