//! The course of a run: events are taken in, and what is due is done, until
//! nothing more has to be waited for.

use jiff::Timestamp;

use super::begun::Begun;
use super::world::{World, not_enforced};
use super::{ImageNames, Invalid, Record, Saw, Stage};
use crate::clock::later;
use crate::engine::Create;
use crate::observe::{Observer, Watched};
use crate::plan::{Due, Next, Standing, Trial};
use crate::sandbox::Sandbox;
use crate::scenario::subject::Subject;
use crate::timeline::{Event, Timeline, Verb, What};

/// How far the engine's events may lag behind its state.
const LAG: std::time::Duration = std::time::Duration::from_secs(5);

/// A run that is under way.
pub struct Course<'a> {
    pub(super) trial: &'a Trial,
    pub(super) stage: &'a Stage,
    pub(super) world: World<'a>,
    pub(super) observer: Observer,
    pub(super) timeline: &'a mut Timeline,
    pub(super) begun: Vec<Begun>,
    saw: Saw<'a>,
}

impl<'a> Course<'a> {
    /// Makes everything, lets it live, and looks at what is left.
    pub async fn live(
        trial: &'a Trial,
        images: &'a ImageNames,
        stage: &'a Stage,
        saw: Saw<'a>,
        sandbox: &'a Sandbox,
        record: &'a mut Record,
    ) -> Result<(), Invalid> {
        let (world, made) = World::make(trial, images, stage, sandbox).await?;
        let (volumes, boots): (Vec<String>, Vec<String>) =
            trial.watched().into_iter().partition(|path| trial.volume_place(path).is_some());
        let watched = Watched { files: boots, samples: trial.samples(), early_samples: trial.early_samples() };
        let agent = world.agent().cloned();
        let observer = Observer::new(stage.engine.clone(), agent, stage.clock, watched, trial.redactor());
        let Record { timeline, inspection, .. } = record;
        let mut course = Self { trial, stage, world, observer, timeline, begun: Vec::new(), saw };
        let created = match made {
            Create::Made(created) => created,
            Create::Refused(reason) => {
                course.push(What::Refused { reason, again: false });
                course.push(What::Over);
                return Ok(());
            }
        };
        course.warned(created.warnings)?;
        course.follow().await?;
        course.set_up().await?;
        for path in volumes {
            if let Some(place) = trial.volume_place(&path) {
                course.observer.watch_file(&path, place);
            }
        }
        course.look_at_new().await?;
        course.look_before(None).await?;
        course.run_its_course().await?;
        course.conclude(inspection).await
    }

    /// Watches the subject's container, which has just been made.
    pub(super) async fn follow(&mut self) -> Result<(), Invalid> {
        let looker = self.world.looker(self.trial, self.timeline.steps());
        Ok(self.observer.follow(looker, self.subject().ready.clone()).await?)
    }

    /// The subject as the last step made it.
    pub(super) fn subject(&self) -> &'a Subject {
        self.trial.subject_at(self.timeline.steps())
    }

    /// Takes in events and does what is due, until the run is decided.
    async fn run_its_course(&mut self) -> Result<(), Invalid> {
        let timeout = later(self.now(), self.trial.timeout);
        let mut settled: Option<Timestamp> = None;
        loop {
            if let Some(invalid) = self.service_failed() {
                return Err(invalid);
            }
            self.look_for_effects().await?;
            if self.has_looked_in_vain() {
                return Ok(());
            }
            let due = match self.trial.next(self.timeline, self.now()) {
                Next::Now(due) => {
                    self.carry_out(due).await?;
                    settled = None;
                    continue;
                }
                Next::At(moment) => Some(moment),
                Next::Nothing => None,
            };
            let (wake, limit) = match self.trial.standing(self.timeline) {
                Standing::Dead if due.is_none() => return Ok(()),
                Standing::Decided | Standing::Broken if due.is_none() || self.is_broken() => {
                    let end = *settled.get_or_insert_with(|| later(self.stage.clock.now(), self.trial.settle));
                    (end, "it was watched for long enough")
                }
                Standing::Open(next) => {
                    settled = None;
                    let soonest = [next, due, self.next_look()].into_iter().flatten().min();
                    (soonest.unwrap_or(timeout).min(timeout), "what was waited for did not come")
                }
                _ => {
                    settled = None;
                    (due.unwrap_or(timeout).min(timeout), "what was waited for did not come")
                }
            };
            tokio::select! {
                event = self.observer.next() => {
                    self.take_in(event?);
                    // A subject that writes much is judged by the batch.
                    while let Some(event) = self.observer.at_hand()? {
                        self.take_in(event);
                    }
                }
                () = self.stage.clock.until(wake) => {
                    let over = settled.is_some() || wake == timeout;
                    let only_a_look = !over && self.next_look() == Some(wake);
                    if !only_a_look {
                        self.push(What::Elapsed { limit: limit.to_owned() });
                    }
                    if over {
                        return Ok(());
                    }
                }
                () = self.stage.interrupted() => return Err(Invalid::Interrupted),
            }
        }
    }

    async fn carry_out(&mut self, due: Due) -> Result<(), Invalid> {
        match due {
            Due::Service(place) => match self.trial.services.keys().nth(place).cloned() {
                Some(name) => self.start_late(&name).await,
                None => Ok(()),
            },
            Due::Fault(number) => self.begin_fault(number).await,
            Due::End(number) => self.end_fault(number).await,
            Due::Step(number) => self.take_step(number).await,
        }
    }

    /// What is to be seen when nothing more is waited for.
    async fn conclude(&mut self, inspection: &mut Option<serde_json::Value>) -> Result<(), Invalid> {
        let refused = self.timeline.refusal().is_some();
        let window = Some(crate::timeline::Window::Step(self.timeline.steps()));
        if !refused {
            self.catch_up().await?;
            self.look_for_effects().await?;
            for window in [window, None] {
                self.look_after(window, true).await?;
            }
            if self.trial.stops() && !self.timeline.is_down() {
                let number = self.timeline.steps() + 1;
                self.push(What::Step { number, verb: Verb::Stop });
                self.stop().await?;
            }
            self.lift_faults().await?;
        }
        if !self.timeline.is_dead() {
            let state = self.observer.state().await?;
            self.timeline.push(state);
        }
        for window in [window, None] {
            self.look_after(window, false).await?;
        }
        if self.world.has_subject() {
            *inspection = Some(self.stage.engine.inspect(&self.world.subject).await?.raw);
        }
        let lines = self.observer.complete_logs().await?;
        self.timeline.complete(lines);
        self.push(What::Over);
        self.proves_nothing().map_or(Ok(()), Err)
    }

    /// Why the run proves nothing although it came to its end.
    fn proves_nothing(&self) -> Option<Invalid> {
        let unready = self.trial.services.keys().find_map(|name| self.service_was_late(name));
        let unfired = self.trial.unfired(self.timeline);
        let unfired = (!unfired.is_empty() && self.timeline.refusal().is_none())
            .then(|| Invalid::Unfired(format!("{}{}", unfired.join("; "), self.trial.why_no_phase(self.timeline))));
        self.service_failed().or(unready).or_else(|| self.without_effect()).or(unfired)
    }

    /// Takes in what the engine knows already. A subject that is dead now has died
    /// in this run, even if the event that says so is still on its way.
    async fn catch_up(&mut self) -> Result<(), Invalid> {
        let seen = self.observer.state().await?;
        let dead = matches!(&seen.what, What::State { status, .. } if status == "exited" || status == "dead");
        self.timeline.push(seen);
        let give_up = later(self.now(), LAG);
        while dead && !self.timeline.is_down() {
            tokio::select! {
                event = self.observer.next() => self.take_in(event?),
                () = self.stage.clock.until(give_up) => return Ok(()),
            }
        }
        Ok(())
    }

    /// What the engine said it would not do; what it does not enforce ends the run.
    pub(super) fn warned(&mut self, warnings: Vec<String>) -> Result<(), Invalid> {
        for text in warnings {
            self.push(What::Warning { text: text.clone() });
            if not_enforced(&text) {
                return Err(Invalid::NotEnforced(text));
            }
        }
        Ok(())
    }

    /// Appends an event that came from outside.
    pub(super) fn take_in(&mut self, mut event: Event) {
        if let What::State { again, .. } = &mut event.what {
            *again = self.is_started_later() || self.timeline.is_starting();
        }
        self.timeline.push(event);
        self.tell();
    }

    /// Appends an event of the harness itself, at the engine's present time.
    pub(super) fn push(&mut self, what: What) {
        let event = self.observer.event(what);
        self.timeline.push(event);
        self.tell();
    }

    fn tell(&self) {
        self.timeline.events().last().map(|event| &event.what).map(self.saw);
    }

    /// What the engine refuses to start, in its words.
    pub(super) fn refused(&mut self, reason: String) {
        let again = self.is_started_later();
        self.push(What::Refused { reason, again });
    }

    /// Whether a step that is still to come starts the subject.
    fn is_started_later(&self) -> bool {
        let taken = usize::try_from(self.timeline.steps()).unwrap_or(usize::MAX);
        self.trial.steps.iter().skip(taken).any(|step| step.verb.starts())
    }

    fn is_broken(&self) -> bool {
        self.trial.standing(self.timeline) == Standing::Broken
    }

    pub(super) fn now(&self) -> Timestamp {
        self.stage.clock.now()
    }
}
