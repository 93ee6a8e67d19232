//! Runs many scenarios, some at once, and judges each.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::bundle::Bundle;
use crate::check::verdict::{self, Finding, Unproven, Verdict};
use crate::corpus::{Case, snapshot_path};
use crate::events::Progress;
use crate::image::Images;
use crate::plan::{Boot, Plan};
use crate::run::{Invalid, Record, Stage, run};
use crate::scenario::control::Control;
use crate::scenario::problem::Problems;
use crate::snapshot;
use crate::timeline::{Stdio, Timeline};

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

/// A scenario, judged.
#[derive(Debug)]
pub struct Judged {
    /// Its file.
    pub file: PathBuf,
    /// Its claim; the file's name where the file is bad.
    pub claim: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
    /// What it was judged by.
    pub outcome: Outcome,
}

/// What a scenario was judged by.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one per scenario")]
pub enum Outcome {
    /// Its file says nothing that could be run.
    BadFile(Problems),
    /// There is no control to run in its place.
    NoControl,
    /// Its runs.
    Ran {
        /// The run that must hold.
        main: Judgement,
        /// The run that must fail, if there is one.
        control: Option<Controlled>,
    },
}

/// One run, judged.
#[derive(Debug)]
pub struct Judgement {
    /// Each claim.
    pub findings: Vec<Finding>,
    /// What they were judged over.
    pub timeline: Timeline,
    /// Why the run proves nothing, if it does.
    pub invalid: Option<Reason>,
    /// The folder it left, if it got that far.
    pub bundle: Option<PathBuf>,
}

/// Why a run proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// In a sentence.
    pub title: String,
    /// More lines, such as the log of a build.
    pub detail: Vec<String>,
}

/// A control's run, and whether it failed as it must.
#[derive(Debug)]
pub struct Controlled {
    /// How it was to fail.
    pub control: Control,
    /// The run.
    pub judgement: Judgement,
    /// The event that decided the right breach, or why it proves nothing.
    pub proven: Result<String, Unproven>,
}

impl Suite {
    /// Runs all cases, `jobs` of them at once, and returns them in their order.
    pub async fn run_all(&self, cases: Vec<Case>, jobs: usize) -> Vec<Judged> {
        let runs = cases.into_iter().map(|case| self.run_case(case));
        futures_util::stream::iter(runs).buffered(jobs.max(1)).collect().await
    }

    async fn run_case(&self, case: Case) -> Judged {
        let began = Instant::now();
        let name = name_of(&case.file);
        self.tell(Progress::Began { name: name.clone() });
        let claim = match &case.plan {
            Ok(plan) if self.control_only => format!("the control of: {}", plan.head.claim),
            Ok(plan) => plan.head.claim.clone(),
            Err(_) => name.clone(),
        };
        let outcome = match case.plan {
            Err(problems) => Outcome::BadFile(problems),
            Ok(plan) => self.run_plan(plan).await,
        };
        let judged = Judged { file: case.file, claim, verdict: outcome.verdict(), took: began.elapsed(), outcome };
        self.tell(Progress::Ended { name });
        judged
    }

    async fn run_plan(&self, plan: Plan) -> Outcome {
        let name = name_of(&plan.file);
        if self.control_only {
            return match &plan.control {
                None => Outcome::NoControl,
                Some((boot, _)) => Outcome::Ran { main: self.run_boot(&name, "control", boot).await, control: None },
            };
        }
        let mut main = self.run_boot(&name, "main", &plan.main).await;
        if self.accept && plan.main.has_snapshots() && main.invalid.is_none() {
            main = self.accept_snapshots(&plan, main);
        }
        let control = match &plan.control {
            // A run that was interrupted or that fails needs no control to say so.
            Some((boot, control)) if main.verdict() == Verdict::Pass => {
                Some(self.run_control(&name, boot, control.clone()).await)
            }
            _ => None,
        };
        Outcome::Ran { main, control }
    }

    /// Runs a boot as a control, and says whether it failed as it must.
    pub async fn run_control(&self, name: &str, boot: &Boot, control: Control) -> Controlled {
        let judgement = self.run_boot(name, "control", boot).await;
        let proven = verdict::control(&control.fails, &control.because, &judgement.findings, &judgement.timeline)
            .map(|breach| verdict::decider(breach, &judgement.timeline));
        Controlled { control, judgement, proven }
    }

    async fn run_boot(&self, name: &str, role: &'static str, boot: &Boot) -> Judgement {
        let doing = |what: String| self.tell(Progress::Doing { name: name.to_owned(), what });
        let folder = self.bundles.join(name).join(role);
        doing(format!("{role}: image {}", boot.subject.image));
        let progress = |line: &str| doing(format!("{role}: {line}"));
        let image = tokio::select! {
            image = self.images.ensure(&boot.subject.image, &progress) => image,
            () = self.stage.interrupted() => return Judgement::nothing(Reason::from(&Invalid::Interrupted)),
        };
        let image = match image {
            Ok(image) => image,
            Err(error) => return Judgement::nothing(Reason::from_image(&error)),
        };
        let bundle = match Bundle::begin(folder.clone(), boot, &image) {
            Ok(bundle) => bundle,
            Err(error) => return Judgement::nothing(Reason::unwritable(&folder, &error)),
        };
        doing(format!("{role}: booting"));
        let record = run(boot, &image, &self.stage).await;
        judge(boot, record, &bundle)
    }

    /// Makes what the subject wrote its snapshots, and judges again by them.
    fn accept_snapshots(&self, plan: &Plan, main: Judgement) -> Judgement {
        for stream in [Stdio::Stdout, Stdio::Stderr] {
            let path = snapshot_path(&plan.file, stream);
            let text = snapshot::file(&plan.file.to_string_lossy(), stream, &snapshot::text_of(&main.timeline, stream));
            if let Err(error) = std::fs::write(&path, text) {
                return Judgement { invalid: Some(Reason::unwritable(&path, &error)), ..main };
            }
        }
        match Case::read(&plan.file).plan {
            Ok(plan) => Judgement { findings: verdict::judge(&plan.main.claims, &main.timeline), ..main },
            Err(_) => main,
        }
    }

    fn tell(&self, progress: Progress) {
        // Whoever reported may have left; the run goes on without it.
        let _ = self.events.send(progress);
    }
}

fn judge(boot: &Boot, record: Record, bundle: &Bundle) -> Judgement {
    let Record { timeline, inspection, invalid } = record;
    let findings = if invalid.is_none() { verdict::judge(&boot.claims, &timeline) } else { Vec::new() };
    let invalid = invalid.as_ref().map(Reason::from);
    let written = bundle
        .record(&timeline, inspection.as_ref())
        .and_then(|()| bundle.conclude(&serde_json::json!({ "invalid": invalid, "findings": findings })));
    let unwritten = written.err().map(|error| Reason::unwritable(bundle.folder(), &error));
    Judgement { findings, timeline, invalid: invalid.or(unwritten), bundle: Some(bundle.folder().to_owned()) }
}

/// What a scenario is called: its path without the ending, below the folder of scenarios.
#[must_use]
pub fn name_of(file: &Path) -> String {
    let stem = file.with_extension("");
    let parts: Vec<_> = stem.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let below = parts.iter().rposition(|part| part == "scenarios").map_or(parts.len().saturating_sub(1), |at| at + 1);
    parts[below..].join("/")
}

impl Judgement {
    fn nothing(reason: Reason) -> Self {
        Self { findings: Vec::new(), timeline: Timeline::default(), invalid: Some(reason), bundle: None }
    }

    /// What the run by itself comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match &self.invalid {
            Some(_) => Verdict::Invalid,
            None if self.findings.iter().any(|finding| finding.breach.is_some()) => Verdict::Fail,
            None => Verdict::Pass,
        }
    }
}

impl Outcome {
    fn verdict(&self) -> Verdict {
        match self {
            Self::BadFile(_) => Verdict::Fail,
            Self::NoControl => Verdict::Invalid,
            Self::Ran { main, control } => match (main.verdict(), control) {
                (Verdict::Pass, Some(controlled)) if !controlled.is_proof() => Verdict::Invalid,
                (verdict, _) => verdict,
            },
        }
    }
}

impl Controlled {
    /// Whether it shows that the scenario can fail for the reason it names.
    #[must_use]
    pub fn is_proof(&self) -> bool {
        self.judgement.invalid.is_none() && self.proven.is_ok()
    }
}

impl From<&Invalid> for Reason {
    fn from(invalid: &Invalid) -> Self {
        Self { title: invalid.to_string(), detail: Vec::new() }
    }
}

impl Reason {
    fn from_image(error: &crate::image::Error) -> Self {
        Self { title: error.to_string(), detail: error.log().lines().map(str::to_owned).collect() }
    }

    fn unwritable(path: &Path, error: &std::io::Error) -> Self {
        Self { title: format!("cannot write {}: {error}", path.display()), detail: Vec::new() }
    }
}
