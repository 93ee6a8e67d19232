//! What one scenario file asks for: the trials to make and the claims to judge.
//!
//! A plan is valid by construction. While a run goes on it says, from the
//! timeline alone, what is still waited for; it does nothing itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::check::{self, Claim, Expected, Reading, Sampled, Wants};
use crate::fault::{self, Fault};
use crate::redact::Redactor;
use crate::scenario::control::Control;
use crate::scenario::link::Condition;
use crate::scenario::problem::{Place, Problems};
use crate::scenario::ready::Ready;
use crate::scenario::runtime::{Runtime, is_below};
use crate::scenario::service::Service;
use crate::scenario::step::Step;
use crate::scenario::subject::Subject;
use crate::scenario::trigger::{Occasion, Trigger};
use crate::scenario::value::Duration as After;
use crate::scenario::volume::Volume;
use crate::scenario::wanted::Wanted;
use crate::scenario::{self, Head, Parsed, Scenario, Surroundings};
use crate::timeline::{Look, Origin, Stdio, Verb, Window};

mod agenda;
mod contradictions;
pub mod moment;
mod standing;

pub use agenda::{Due, Next};
pub use standing::Standing;

/// A scenario file, resolved.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The file, as the user named it.
    pub file: PathBuf,
    /// What the file says of itself.
    pub head: Head,
    /// The run that must hold.
    pub main: Trial,
    /// The run that must fail, if there is one, and how.
    pub control: Option<(Trial, Control)>,
}

/// One run: a subject, its state, and the claims about it.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The file it comes from.
    pub file: PathBuf,
    /// What the file claims.
    pub claim: String,
    /// The container under test.
    pub subject: Subject,
    /// The state mounted into it.
    pub volumes: BTreeMap<String, Volume>,
    /// What it depends on.
    pub services: BTreeMap<String, Service>,
    /// Its life cycle.
    pub steps: Vec<Step>,
    /// What is done to it.
    pub faults: Vec<Arc<Fault>>,
    /// The claims; those of the file first, then what is always checked.
    pub claims: Vec<Arc<Claim>>,
    /// How long it may take to come to a decision.
    pub timeout: Duration,
    /// How long it is watched after the decision.
    pub settle: Duration,
}

impl Plan {
    /// Resolves the text of a scenario file, with what it can name and the
    /// snapshots stored beside it.
    pub fn resolve(
        file: &Path,
        text: &str,
        around: &Surroundings,
        snapshots: &BTreeMap<Stdio, String>,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::new(file, text);
        let Parsed { scenario, expect, step_expects, faults } = scenario::parse(text, around, &mut problems);
        let subject = scenario.as_ref().map(|scenario| &scenario.subject);
        let ready = subject.is_some_and(|subject| subject.ready.is_some());
        let tty = subject.is_some_and(|subject| subject.runtime.tty);
        let mut reading = Reading { problems: &mut problems, throughout: false, ready, tty, snapshots };
        let claims = check::read_all(Expected { whole: expect, steps: step_expects }, &mut reading);
        let faults = fault::read_all(faults, &mut problems);
        let resolved = scenario.map(|scenario| {
            // Words that could not be read must not be missed where they are meant.
            if problems.is_empty() {
                contradictions::find(&scenario, &claims, &faults, &mut problems);
            }
            Self::assemble(file, scenario, claims, faults)
        });
        match resolved {
            Some(plan) if problems.is_empty() => Ok(plan),
            _ => Err(problems),
        }
    }

    fn assemble(file: &Path, scenario: Scenario, claims: Vec<Claim>, faults: Vec<Fault>) -> Self {
        let Scenario { head, subject, volumes, services, steps, control } = scenario;
        let claims: Vec<Arc<Claim>> = claims.into_iter().map(Arc::new).collect();
        let scripted = scripted_faults(&services, faults.len());
        let faults: Vec<Arc<Fault>> = faults.into_iter().chain(scripted).map(Arc::new).collect();
        // A budget that is longer than the timeout was meant to be used.
        let budgets = claims.iter().filter_map(|claim| claim.expectation.wants().takes);
        let waits = triggers(&steps, &faults).filter_map(|trigger| trigger.after).map(|after| after.0);
        let soaks = steps.iter().filter_map(|step| step.lasts).map(|lasts| lasts.0);
        let takes = budgets.chain(waits).chain(soaks).sum::<Duration>();
        let timeout = head.timeout.0.max(takes + head.settle.0);
        let (file, claim, settle) = (file.to_owned(), head.claim.clone(), head.settle.0);
        let main =
            Trial { file: file.clone(), claim, subject, volumes, services, steps, faults, claims, timeout, settle };
        let control = control.map(|control| (main.broken(&control), control));
        Self { file, head, main, control }
    }

    /// The name of the scenario: its file's, without the ending.
    #[must_use]
    pub fn name(&self) -> String {
        self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// The scripts of links as faults: each part that disturbs begins when the one
/// before is over, ends where one follows that does not disturb, and has to be
/// seen to take effect like any other.
fn scripted_faults(services: &BTreeMap<String, Service>, written: usize) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, service) in services {
        let script = service.link.as_ref().map_or(&[][..], |link| &link.script);
        let mut began = Duration::ZERO;
        for (place, passage) in script.iter().enumerate() {
            let over = began + passage.lasts.map_or(Duration::ZERO, |lasts| lasts.0);
            let after = |time: Duration, on| Trigger { on, nth: 1, after: Some(After(time)) };
            let calm = script.get(place + 1).is_some_and(|next| next.condition == Condition::default());
            if passage.condition != Condition::default() {
                let first = began.is_zero();
                faults.push(Fault {
                    number: u32::try_from(written + faults.len() + 1).unwrap_or(u32::MAX),
                    when: if first { Trigger::first(Occasion::Beginning) } else { after(began, Occasion::Time) },
                    // The first begins before the subject does; time is counted from its start.
                    until: calm.then(|| match first {
                        true => after(over, Occasion::Started),
                        false => after(over - began, Occasion::Time),
                    }),
                    service: Some(name.clone()),
                    action: Box::new(fault::Link(passage.condition.clone())),
                    place: Place::default(),
                });
            }
            began = over;
        }
    }
    faults
}

/// The triggers that a life cycle and its faults wait for.
fn triggers<'a>(steps: &'a [Step], faults: &'a [Arc<Fault>]) -> impl Iterator<Item = &'a Trigger> {
    let of_faults = faults.iter().flat_map(|fault| std::iter::once(&fault.when).chain(&fault.until));
    steps.iter().filter_map(|step| step.when.as_ref()).chain(of_faults)
}

impl Trial {
    /// The same trial of the control's subject. A broken subject writes other
    /// lines than a good one, so its output is compared with the snapshots only
    /// where that is how it has to fail.
    fn broken(&self, control: &Control) -> Self {
        let mut trial = Self { subject: control.subject.clone(), steps: control.steps.clone(), ..self.clone() };
        trial.claims.retain(|claim| control.fails == claim.key || !claim.expectation.wants().snapshot);
        trial
    }

    /// The subject as it is from this step on.
    #[must_use]
    pub fn subject_at(&self, step: u32) -> &Subject {
        let taken = self.steps.iter().take(usize::try_from(step).unwrap_or(usize::MAX));
        taken.filter_map(|step| step.subject.as_ref()).next_back().unwrap_or(&self.subject)
    }

    /// The subject, and each that a step makes of it.
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        std::iter::once(&self.subject).chain(self.steps.iter().filter_map(|step| step.subject.as_ref()))
    }

    /// How each of its containers is run.
    pub fn runtimes(&self) -> impl Iterator<Item = &Runtime> {
        let services = self.services.values().map(|service| &service.runtime);
        self.subjects().map(|subject| &subject.runtime).chain(services)
    }

    /// Every image that it boots, each once; without the agent's.
    #[must_use]
    pub fn images(&self) -> Vec<Wanted> {
        let services = self.services.values().map(|service| service.wanted.clone());
        distinct(self.subjects().map(Subject::wanted).chain(services))
    }

    /// Whether its output is compared with stored snapshots.
    #[must_use]
    pub fn has_snapshots(&self) -> bool {
        self.claims.iter().any(|claim| claim.expectation.wants().snapshot)
    }

    /// Whether the subject is to be stopped at the end, beyond what its steps do.
    #[must_use]
    pub fn stops(&self) -> bool {
        let whole = self.claims.iter().filter(|claim| claim.scope.window.is_none());
        whole.into_iter().any(|claim| claim.expectation.wants().stop)
    }

    /// Knows the secrets that the scenario gives to the subject, in whichever step.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        let variables = self.subjects().flat_map(|subject| &subject.runtime.environment);
        let wants: Vec<Wants> = self.claims.iter().map(|claim| claim.expectation.wants()).collect();
        Redactor::from_environment(variables.map(|(name, value)| (name.as_str(), value.0.as_str())))
            .and(wants.iter().flat_map(|wants| &wants.secrets).map(String::as_str))
    }

    /// What is looked at on behalf of the claims about a window, each once;
    /// `None` is the whole.
    #[must_use]
    pub fn looks(&self, window: Option<Window>) -> Vec<Look> {
        let claims = self.claims.iter().filter(|claim| claim.scope.window == window);
        distinct(claims.flat_map(|claim| claim.expectation.wants().looks))
    }

    /// What is looked at again and again while the subject is ready, beyond what is
    /// for as long as it lives.
    #[must_use]
    pub fn samples(&self) -> Vec<Look> {
        let mut samples = self.sampled(Sampled::Ready);
        let early = self.early_samples();
        samples.retain(|look| !early.contains(look));
        samples
    }

    /// What is looked at again and again for as long as the subject lives.
    #[must_use]
    pub fn early_samples(&self) -> Vec<Look> {
        self.sampled(Sampled::Alive)
    }

    fn sampled(&self, sampled: Sampled) -> Vec<Look> {
        let wants = self.claims.iter().map(|claim| claim.expectation.wants());
        distinct(wants.filter(|wants| wants.sampled == sampled).flat_map(|wants| wants.looks))
    }

    /// Whether somebody wants to look at this, at whatever time.
    #[must_use]
    pub fn looks_at(&self, wanted: &Look) -> bool {
        self.all_looks().any(|look| look == *wanted)
    }

    /// Everything that is looked at, at whatever time.
    fn all_looks(&self) -> impl Iterator<Item = Look> {
        self.claims.iter().flat_map(|claim| claim.expectation.wants().looks)
    }

    /// The files whose changes a trigger waits for.
    #[must_use]
    pub fn watched(&self) -> Vec<String> {
        let file = |trigger: &Trigger| match &trigger.on {
            Occasion::File { path, .. } => Some(path.clone()),
            _ => None,
        };
        let claimed = self.claims.iter().flat_map(|claim| claim.expectation.wants().moments);
        let claimed: Vec<String> = claimed.filter_map(|trigger| file(&trigger)).collect();
        distinct(triggers(&self.steps, &self.faults).filter_map(file).chain(claimed))
    }

    /// Whether anything has to be seen or done that only the agent can.
    #[must_use]
    pub fn needs_agent(&self) -> bool {
        let ready = |subject: &Subject| subject.ready.as_ref().is_some_and(Ready::is_probed);
        let by_agent = |look: &Look| match look {
            Look::File { path, .. } => {
                let mut mounts = self.subjects().flat_map(|subject| subject.runtime.inner_mounts());
                mounts.any(|mount| is_below(path, mount))
            }
            Look::HealthCheck => false,
            Look::Http(request) => request.from != Origin::Host,
            Look::Sql { .. } | Look::Tree { .. } | Look::Processes | Look::Usage => true,
        };
        self.subjects().any(ready)
            || !self.faults.is_empty()
            || !self.services.is_empty()
            || self.steps.iter().any(|step| step.verb == Verb::Crash)
            || !self.watched().is_empty()
            || self.volumes.values().any(Volume::needs_agent)
            || self.all_looks().any(|look| by_agent(&look))
    }

    /// Where the agent finds a path of the subject that lies in a volume.
    #[must_use]
    pub fn volume_place(&self, path: &str) -> Option<agent::Place> {
        let mounted = self.mounted(1).into_iter();
        let volumes = mounted.filter_map(|name| Some((self.volumes.get(&name)?.target.clone(), name))).collect();
        match (fault::Ground { volumes, ..fault::Ground::default() }).place(path) {
            place @ agent::Place::Volume { .. } => Some(place),
            agent::Place::Container { .. } => None,
        }
    }

    /// Whether the subject and what stands beside it need a network of their own.
    #[must_use]
    pub fn needs_network(&self) -> bool {
        let needs_names = self.faults.iter().any(|fault| fault.action.needs_names());
        !self.services.is_empty() || self.asks_from_outside() || needs_names
    }

    /// Whether something is asked of the subject from another container.
    #[must_use]
    pub fn asks_from_outside(&self) -> bool {
        self.all_looks().any(|look| matches!(look, Look::Http(request) if request.from == Origin::Container))
    }

    /// The ports that are published on the engine's host.
    #[must_use]
    pub fn published(&self) -> Vec<u16> {
        distinct(self.all_looks().filter_map(|look| match look {
            Look::Http(request) if request.from == Origin::Host => Some(request.port),
            _ => None,
        }))
    }

    /// The volumes that the subject has from this step on.
    #[must_use]
    pub fn mounted(&self, step: u32) -> Vec<String> {
        let taken = self.steps.iter().take(usize::try_from(step).unwrap_or(usize::MAX));
        let named = taken.filter_map(|step| step.volumes.clone()).next_back();
        named.unwrap_or_else(|| {
            self.volumes.iter().filter(|(_, volume)| !volume.absent).map(|(name, _)| name.clone()).collect()
        })
    }
}

fn distinct<T: Ord>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.into_iter().collect();
    all.sort();
    all.dedup();
    all
}
