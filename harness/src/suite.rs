//! Runs many scenarios, some at once, and judges each.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::bundle::Bundle;
use crate::check::verdict::{self, Unproven, Verdict};
use crate::corpus::{Case, snapshot_path};
use crate::events::Progress;
use crate::image::{self, Images};
use crate::judged::{Controlled, Course, Judged, Judgement, Reason, name_of};
use crate::plan::{Plan, Trial};
use crate::run::{ImageNames, Invalid, Record, Stage, run};
use crate::scenario::control::Control;
use crate::snapshot;
use crate::timeline::{Stdio, Timeline, What};

/// What running scenarios needs.
pub struct Suite {
    /// What every run needs.
    pub stage: Stage,
    /// Where images come from.
    pub images: Arc<Images>,
    /// The folder below which bundles are left.
    pub bundles: PathBuf,
    /// Takes what happens, for whoever reports it.
    pub events: mpsc::UnboundedSender<Progress>,
    /// Whether what subjects write becomes their new snapshots.
    pub accept: bool,
    /// Whether controls are run in the place of their scenarios.
    pub control_only: bool,
}

impl Suite {
    /// Runs all cases, `jobs` of them at once, and returns them in their order.
    pub async fn run_all(&self, cases: Vec<Case>, jobs: usize) -> Vec<Arc<Judged>> {
        self.run_each(cases, jobs, Arc::clone).await
    }

    /// The same, but keeps of each only what `keep` makes of it: hundreds of
    /// timelines are a lot of memory.
    pub async fn run_each<T>(&self, cases: Vec<Case>, jobs: usize, keep: impl Fn(&Arc<Judged>) -> T) -> Vec<T> {
        let keep = &keep;
        let runs = cases.into_iter().map(|case| async move { keep(&self.run_case(case).await) });
        futures_util::stream::iter(runs).buffered(jobs.max(1)).collect().await
    }

    async fn run_case(&self, case: Case) -> Arc<Judged> {
        let began = Instant::now();
        let name = name_of(&case.file);
        self.tell(Progress::Began { name: name.clone() });
        let claim = match &case.plan {
            Ok(plan) if self.control_only => format!("the control of: {}", plan.head.claim),
            Ok(plan) => plan.head.claim.clone(),
            Err(_) => name.clone(),
        };
        let outcome = match case.plan {
            Err(problems) => Course::BadFile(problems),
            Ok(plan) => self.run_plan(plan).await,
        };
        let judged = Judged { file: case.file, claim, verdict: outcome.verdict(), took: began.elapsed(), outcome };
        let judged = Arc::new(judged);
        self.tell(Progress::Ended { name });
        self.tell(Progress::Judged(judged.clone()));
        judged
    }

    async fn run_plan(&self, plan: Plan) -> Course {
        let name = name_of(&plan.file);
        if self.control_only {
            return match &plan.control {
                None => Course::NoControl,
                Some((trial, _)) => Course::Ran { main: self.run_trial(&name, "control", trial).await, control: None },
            };
        }
        let mut main = self.run_trial(&name, "main", &plan.main).await;
        if self.accept && plan.main.has_snapshots() && main.invalid.is_none() {
            main = accept_snapshots(&plan, main);
        }
        let control = match &plan.control {
            // A run that was interrupted or that fails needs no control to say so.
            Some((trial, control)) if main.verdict() == Verdict::Pass => {
                Some(self.run_control(&name, trial, control.clone(), &main.timeline).await)
            }
            _ => None,
        };
        Course::Ran { main, control }
    }

    /// Runs a trial as a control, and says whether it failed as it must.
    pub async fn run_control(&self, name: &str, trial: &Trial, control: Control, main: &Timeline) -> Controlled {
        let mut judgement = self.run_trial(name, "control", trial).await;
        let proven = verdict::control(&control.fails, &control.because, &judgement.findings, &judgement.timeline)
            .map(|breach| verdict::decider(breach, &judgement.timeline));
        let proven = proven.and_then(|event| match verdict::fault_missing(main, &judgement.timeline) {
            Some(number) => Err(Unproven::FaultMissing(number)),
            None => Ok(event),
        });
        if let Some(folder) = &judgement.bundle
            && let Err(error) = Bundle::of(folder.clone(), trial).judge_control(&control, &proven)
        {
            judgement.invalid = judgement.invalid.or(Some(Reason::unwritable(folder, &error)));
        }
        Controlled { control, judgement, proven }
    }

    async fn run_trial(&self, name: &str, role: &'static str, trial: &Trial) -> Judgement {
        let doing = |what: String| self.tell(Progress::Doing { name: name.to_owned(), what });
        let folder = self.bundles.join(name).join(role);
        let progress = |line: &str| doing(format!("{role}: {line}"));
        if *self.stage.interrupt.borrow() {
            return Judgement::nothing(Reason::from(&Invalid::Interrupted));
        }
        let images = tokio::select! {
            images = self.images_of(trial, &progress) => images,
            () = self.stage.interrupted() => return Judgement::nothing(Reason::from(&Invalid::Interrupted)),
        };
        let images = match images {
            Ok(images) => images,
            Err(error) => return Judgement::nothing(Reason::from_image(&error)),
        };
        let bundle = match Bundle::begin(folder.clone(), trial, &images.names, self.stage.seed) {
            Ok(bundle) => bundle,
            Err(error) => return Judgement::nothing(Reason::unwritable(&folder, &error)),
        };
        let saw = |what: &What| self.tell(Progress::Saw { name: name.to_owned(), what: format!("{role}: {what}") });
        let record = run(trial, &images, &self.stage, &saw).await;
        judge(trial, record, &bundle)
    }

    /// Sees to it that the engine has every image that a trial boots.
    async fn images_of(
        &self,
        trial: &Trial,
        progress: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<ImageNames, image::Error> {
        let mut images = ImageNames::default();
        for image in trial.images() {
            let name = self.images.obtain(&image, progress).await?;
            images.names.insert(image, name);
        }
        if trial.needs_agent() {
            images.agent = Some(self.images.agent(progress).await?);
        }
        Ok(images)
    }

    fn tell(&self, progress: Progress) {
        // Whoever reported may have left; the run goes on without it.
        let _ = self.events.send(progress);
    }
}

/// Makes what the subject wrote its snapshots, and judges again by them. The
/// output of a subject that breaks another claim is nothing to agree to.
fn accept_snapshots(plan: &Plan, main: Judgement) -> Judgement {
    let mut judged = plan.main.claims.iter().zip(&main.findings);
    if judged.any(|(claim, finding)| finding.breach.is_some() && !claim.expectation.wants().snapshot) {
        return main;
    }
    for stream in [Stdio::Stdout, Stdio::Stderr] {
        let path = snapshot_path(&plan.file, stream);
        let text = snapshot::file(&plan.file.to_string_lossy(), stream, &snapshot::text_of(&main.timeline, stream));
        if let Err(error) = std::fs::write(&path, text) {
            return Judgement { invalid: Some(Reason::unwritable(&path, &error)), ..main };
        }
    }
    match Case::read(&plan.file).plan {
        Ok(plan) => {
            conclude(&plan.main, Judgement { findings: verdict::judge(&plan.main.claims, &main.timeline), ..main })
        }
        Err(problems) => {
            let reason = Reason {
                title: format!("the file has changed since: {problems}"),
                detail: Vec::new(),
                interrupted: false,
            };
            Judgement { invalid: Some(reason), ..main }
        }
    }
}

fn judge(trial: &Trial, record: Record, bundle: &Bundle) -> Judgement {
    let Record { timeline, inspection, invalid } = record;
    let judged = verdict::judge(&trial.claims, &timeline);
    let failed = judged.iter().any(|finding| finding.breach.as_ref().is_some_and(|breach| breach.decided_by.is_some()));
    // What did not happen may not have happened because the subject failed before.
    let invalid = invalid.filter(|invalid| !(failed && invalid.yields_to_failure()));
    let findings = if invalid.is_none() { judged } else { Vec::new() };
    let invalid = invalid.as_ref().map(Reason::from);
    let written = bundle.record(&timeline, inspection.as_ref());
    let unwritten = written.err().map(|error| Reason::unwritable(bundle.folder(), &error));
    let folder = Some(bundle.folder().to_owned());
    conclude(trial, Judgement { findings, timeline, invalid: invalid.or(unwritten), bundle: folder })
}

/// Writes what was found into the bundle, in the place of what was found before.
fn conclude(trial: &Trial, judgement: Judgement) -> Judgement {
    let Some(folder) = &judgement.bundle else { return judgement };
    let found = serde_json::json!({ "invalid": judgement.invalid, "findings": judgement.findings });
    match Bundle::of(folder.clone(), trial).conclude(&found) {
        Ok(()) => judgement,
        Err(error) => {
            let unwritten = Reason::unwritable(folder, &error);
            Judgement { invalid: judgement.invalid.or(Some(unwritten)), ..judgement }
        }
    }
}
