//! What one scenario file asks for: the trials to make and the claims to judge.
//!
//! A plan is valid by construction. While a run goes on it says, from the
//! timeline alone, what is still waited for; it does nothing itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::check::{self, Claim, Outcome, Reading};
use crate::redact::Redactor;
use crate::scenario::control::Control;
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::subject::Subject;
use crate::scenario::value::Restart;
use crate::scenario::volume::Volume;
use crate::scenario::{self, Head, Scenario, Surroundings};
use crate::timeline::{Stdio, Timeline};

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
    /// The claims; those of the file first, then what is always checked.
    pub claims: Vec<Arc<Claim>>,
    /// How long it may take to come to a decision.
    pub timeout: Duration,
    /// How long it is watched after the decision.
    pub settle: Duration,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Something is still waited for; at this moment, if any, it is too late.
    Open(Option<Timestamp>),
    /// Everything is decided as far as waiting can decide it.
    Decided,
    /// The subject is dead for good: nothing more can happen.
    Dead,
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
        let (scenario, written) = scenario::parse(text, around, &mut problems);
        let ready = scenario.as_ref().is_some_and(|scenario| scenario.subject.ready.is_some());
        let claims = check::read_all(written, &mut Reading { problems: &mut problems, ready, snapshots });
        let resolved = scenario.map(|scenario| {
            // Words that could not be read must not be missed where they are meant.
            if problems.is_empty() {
                find_contradictions(&scenario, &claims, &mut problems);
            }
            Self::assemble(file, scenario, claims)
        });
        match resolved {
            Some(plan) if problems.is_empty() => Ok(plan),
            _ => Err(problems),
        }
    }

    fn assemble(file: &Path, scenario: Scenario, claims: Vec<Claim>) -> Self {
        let Scenario { head, subject, volumes, control } = scenario;
        let claims: Vec<Arc<Claim>> = claims.into_iter().map(Arc::new).collect();
        // A budget that is longer than the timeout was meant to be used.
        let takes = claims.iter().filter_map(|claim| claim.expectation.wants().takes).sum::<Duration>();
        let timeout = head.timeout.0.max(takes + head.settle.0);
        let (file, claim) = (file.to_owned(), head.claim.clone());
        let main = Trial { file: file.clone(), claim, subject, volumes, claims, timeout, settle: head.settle.0 };
        let control = control.map(|control| (main.broken(&control), control));
        Self { file, head, main, control }
    }

    /// The name of the scenario: its file's, without the ending.
    #[must_use]
    pub fn name(&self) -> String {
        self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// What is wrong although each word by itself is right.
fn find_contradictions(scenario: &Scenario, claims: &[Claim], problems: &mut Problems) {
    let said = || claims.iter().filter(|claim| claim.place.is_some());
    if scenario.subject.ready.is_none()
        && let Some(claim) = said().find(|claim| claim.expectation.wants().ready_sign)
    {
        let title = format!("`{}` needs to know when the subject is ready", claim.key);
        let help =
            "say it in [subject]: `ready = { log = \"listening\" }` or `ready = { http = \"/health\", port = 8080 }`";
        problems.add(Problem::new(claim.span.clone(), title).help(help));
    }
    if scenario.subject.runtime.restart == Restart::No
        && let Some(claim) = said().find(|claim| claim.expectation.wants().restarts)
    {
        let title = "`restarts` expects a restart, and nothing restarts the subject";
        problems
            .add(Problem::new(claim.span.clone(), title).help("give [subject] a policy: `restart = \"on-failure:3\"`"));
    }
    let ends = scenario.subject.ready.is_some() || said().any(|claim| claim.expectation.wants().decides);
    if said().next().is_some() && !ends {
        let help = "give [subject] a `ready`, or expect something that happens, such as `exit_code` or `state`";
        let span = said().find_map(|claim| claim.span.clone());
        problems.add(Problem::new(span, "nothing in [expect] says when the run is over").help(help));
    }
    if let Some(control) = &scenario.control
        && !claims.iter().any(|claim| claim.key == control.fails)
    {
        let known: Vec<&str> = claims.iter().map(|claim| claim.key).collect();
        let title = format!("the control fails by `{}`, which this scenario does not check", control.fails);
        problems.add(Problem::new(Some(control.span.clone()), title).help(format!("it checks {}", known.join(", "))));
    }
}

impl Trial {
    /// The same trial of the control's subject. A broken subject writes other
    /// lines than a good one, so its output is compared with the snapshots only
    /// where that is how it has to fail.
    fn broken(&self, control: &Control) -> Self {
        let mut trial = Self { subject: control.subject.clone(), ..self.clone() };
        trial.claims.retain(|claim| control.fails == claim.key || !claim.expectation.wants().snapshot);
        trial
    }

    /// Whether its output is compared with stored snapshots.
    #[must_use]
    pub fn has_snapshots(&self) -> bool {
        self.claims.iter().any(|claim| claim.expectation.wants().snapshot)
    }

    /// Whether the subject is to be stopped at the end.
    #[must_use]
    pub fn stops(&self) -> bool {
        self.claims.iter().any(|claim| claim.expectation.wants().stop)
    }

    /// Knows the secrets that the scenario gives to the subject.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        let environment = &self.subject.runtime.environment;
        Redactor::from_environment(environment.iter().map(|(name, value)| (name.as_str(), value.0.as_str())))
    }

    /// The paths to look at, each once.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let mut files: Vec<String> = self.claims.iter().flat_map(|claim| claim.expectation.wants().files).collect();
        files.sort();
        files.dedup();
        files
    }

    /// How far the run has come.
    #[must_use]
    pub fn standing(&self, timeline: &Timeline) -> Standing {
        if timeline.is_dead() {
            return Standing::Dead;
        }
        let boot = timeline.boots();
        let lives = boot > 0 && timeline.death_of(boot).is_none();
        let mut open = false;
        let mut next: Option<Timestamp> = None;
        for claim in &self.claims {
            match claim.expectation.judge(timeline) {
                Outcome::Holds | Outcome::Unbroken => {}
                // What is broken stays so. But between two boots the next one is
                // waited for, until there are more of them than there should be:
                // only then is a death known to be part of a loop.
                Outcome::Broken(_) if lives || claim.key == check::LOOP => return Standing::Decided,
                Outcome::Broken(_) => open = true,
                Outcome::Waiting(limit) => {
                    open = true;
                    next = next.into_iter().chain(limit).min();
                }
            }
        }
        let unready = self.subject.ready.is_some() && timeline.ready_in(boot).is_none();
        // A subject that can say when it is ready is waited for, whatever is claimed.
        if open || !lives || unready { Standing::Open(next) } else { Standing::Decided }
    }
}
