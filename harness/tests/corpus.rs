//! Every file of the corpus is a test of its own: a new file is a new test,
//! without a line of Rust.
//!
//! Beside each scenario stands a second test: its control with the good subject
//! put in the bad one's place must be reported as a control that did not fail.
//! Beside each with faults stands a third: with nothing in the place of what
//! they do, no look may find an effect, and the scenario proves nothing.

#![allow(clippy::print_stdout, reason = "a test may print")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use harness::check::verdict::{Unproven, Verdict};
use harness::commands;
use harness::corpus::{self, Case};
use harness::judged::{Course, name_of};
use harness::plan::Plan;
use harness::report;
use harness::run::Stage;
use harness::suite::Suite;
use harness::timeline::{Timeline, What};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::sync::mpsc;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in a workspace");
    let files = match corpus::find(&[root.join("scenarios")]) {
        Ok(files) if !files.is_empty() => files,
        Ok(_) => panic!("the corpus is empty"),
        Err(error) => panic!("{error}"),
    };
    let mut trials = Vec::new();
    for file in files {
        let name = name_of(&file);
        let plan = Case::read(&file).plan.ok();
        if plan.as_ref().is_some_and(|plan| !plan.main.faults.is_empty()) {
            let file = file.clone();
            trials.push(Trial::test(format!("blunt::{name}"), move || is_blunt(&file)));
        }
        if plan.is_some_and(|plan| plan.control.is_some()) {
            let file = file.clone();
            trials.push(Trial::test(format!("control_can_pass::{name}"), move || control_can_pass(&file)));
        }
        trials.push(Trial::test(format!("scenario::{name}"), move || holds(&file)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The scenario passes, and its control fails as it must.
fn holds(file: &Path) -> Result<(), Failed> {
    with_suite(file, async |suite| {
        let judged = suite.run_all(vec![Case::read(file)], 1).await;
        let Some(one) = judged.first().filter(|one| one.verdict != Verdict::Pass) else { return Ok(()) };
        // CI servers pick up what is named like this.
        if let Course::Ran { main, .. } = &one.outcome
            && let Some(bundle) = &main.bundle
        {
            println!("[[ATTACHMENT|{}]]", bundle.join("timeline.jsonl").display());
        }
        Err(Failed::from(report::plain(one)))
    })
}

/// A control that is given the good subject does not fail, and that is noticed.
fn control_can_pass(file: &Path) -> Result<(), Failed> {
    with_suite(file, async |suite| {
        let plan = Case::read(file).plan.map_err(|problems| problems.to_string())?;
        let Some((_, control)) = &plan.control else { return Err(Failed::from("it has no control")) };
        let name = format!("{}-swapped", name_of(file));
        let controlled = suite.run_control(&name, &plan.main, control.clone(), &Timeline::default()).await;
        match (&controlled.judgement.invalid, &controlled.proven) {
            (None, Err(Unproven::DidNotFail)) => Ok(()),
            (invalid, proven) => Err(Failed::from(format!("invalid: {invalid:?}, proven: {proven:?}"))),
        }
    })
}

/// Faults that do nothing are noticed.
fn is_blunt(file: &Path) -> Result<(), Failed> {
    with_suite(file, async |suite| {
        let plan = Case::read(file).plan.map_err(|problems| problems.to_string())?;
        let case = Case { file: file.to_owned(), plan: Ok(Plan { control: None, ..plan }) };
        let stage = Stage { blunt: true, ..suite.stage.clone() };
        let suite = Suite { stage, bundles: suite.bundles.join("blunt"), ..suite };
        let judged = suite.run_all(vec![case], 1).await;
        let Some(Course::Ran { main, .. }) = judged.first().map(|one| &one.outcome) else {
            return Err(Failed::from("it did not run"));
        };
        let bitten = main.timeline.events().iter().find(|event| matches!(event.what, What::Bit { .. }));
        match (&main.invalid, bitten) {
            (Some(reason), None) if reason.title.contains("did not take effect") => Ok(()),
            (reason, bitten) => Err(Failed::from(format!("invalid: {reason:?}, found: {bitten:?}"))),
        }
    })
}

fn with_suite(file: &Path, test: impl AsyncFnOnce(Suite) -> Result<(), Failed>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let (stage, images) = commands::stage(&[file.to_owned()]).await.map_err(|stop| stop.to_string())?;
        let (events, _) = mpsc::unbounded_channel();
        let bundles = bundles();
        test(Suite { stage, images: Arc::new(images), bundles, events, accept: false, control_only: false }).await
    })
}

/// Beside the compiled test, wherever that is.
fn bundles() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bootproof")
}
