//! What scenarios say, without running them.

use super::style;
use crate::corpus::Case;
use crate::judged::name_of;
use crate::plan::{Plan, Trial};
use crate::scenario::wanted::PullPolicy;

/// One line for each scenario.
#[must_use]
pub fn list(cases: &[Case]) -> String {
    let width = cases.iter().map(|case| name_of(&case.file).len()).max().unwrap_or(0);
    let lines = cases.iter().map(|case| {
        let name = format!("{:width$}", name_of(&case.file));
        match &case.plan {
            Ok(plan) => {
                let covers = if plan.head.covers.is_empty() {
                    String::new()
                } else {
                    format!("  [{}]", plan.head.covers.join(" "))
                };
                format!("{}  {}{}", style::strong(name), plan.head.claim, style::faint(covers))
            }
            Err(_) => format!("{}  {}", style::strong(name), style::bad("this file cannot be read as a scenario")),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// That a scenario has been begun, and what to do with it.
#[must_use]
pub fn begun(file: &std::path::Path) -> String {
    let file = file.display();
    format!("{file} is written; `harness explain {file}` says what it does, `harness run {file}` does it")
}

/// The plan of one scenario, in words.
#[must_use]
pub fn explanation(plan: &Plan) -> String {
    let mut lines = vec![style::strong(&plan.head.claim)];
    lines.extend(plan.head.origin.iter().map(|origin| format!("first met: {origin}")));
    if !plan.head.covers.is_empty() {
        lines.push(format!("covers {}", plan.head.covers.join(", ")));
    }
    lines.push(String::new());
    lines.extend(of_trial(&plan.main));
    lines.push(format!(
        "The run is decided within {} and watched for {} more.",
        crate::scenario::value::Duration(plan.main.timeout),
        crate::scenario::value::Duration(plan.main.settle)
    ));
    lines.push("It passes when the subject".to_owned());
    for claim in &plan.main.claims {
        let always = if claim.place.is_none() { style::faint("  (always checked)") } else { String::new() };
        lines.push(format!("  - {}{always}", claim.words()));
    }
    match &plan.control {
        Some((trial, control)) => {
            lines.push(String::new());
            lines.push(format!(
                "The control must fail by {}, decided by an event that matches /{}/:",
                style::strong(&control.fails),
                control.because
            ));
            lines.extend(of_trial(trial).into_iter().map(|line| format!("  {line}")));
        }
        None => lines.push(style::doubtful("\nThere is no control: nothing shows that this scenario can fail.")),
    }
    lines.join("\n")
}

fn of_trial(trial: &Trial) -> Vec<String> {
    let subject = &trial.subject;
    let platform = subject.platform.iter().map(|platform| format!(" for {platform}"));
    let policy = match subject.pull_policy {
        PullPolicy::Missing => None,
        PullPolicy::Always => Some(", pulled anew".to_owned()),
        PullPolicy::Never => Some(", which the engine has to have".to_owned()),
        PullPolicy::Build => Some(", built anew".to_owned()),
    };
    let how: String = platform.chain(policy).collect();
    let mut lines = vec![format!("The subject is {}{how}", style::strong(&subject.image))];
    if let Ok(serde_json::Value::Object(options)) = serde_json::to_value(&trial.subject.runtime) {
        let said = options.iter().filter(|(_, value)| is_said(value));
        let redactor = trial.redactor();
        lines.extend(said.map(|(key, value)| format!("  with {key} = {}", redactor.redact_json(value.clone()))));
    }
    for (name, volume) in &trial.volumes {
        let owner = volume.owner.map(|owner| format!(", owned by {owner}")).unwrap_or_default();
        let mode = volume.mode.map(|mode| format!(", mode {mode}")).unwrap_or_default();
        let read_only = if volume.read_only { ", read-only" } else { "" };
        let content = volume.content.as_ref().map(|content| format!(", beginning with {content}")).unwrap_or_default();
        let files: String = volume.files.keys().map(|file| format!(", with a file {file}")).collect();
        lines.push(format!("  and the volume {name} at {}{owner}{mode}{read_only}{content}{files}", volume.target));
    }
    lines.extend(trial.subject.ready.iter().map(|ready| format!("  which is ready when {ready}")));
    lines
}

/// What is left to the image and the engine needs no word.
fn is_said(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Null | serde_json::Value::Bool(false) => false,
        serde_json::Value::String(text) => text != "no",
        serde_json::Value::Array(list) => !list.is_empty(),
        serde_json::Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}
