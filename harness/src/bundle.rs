//! The folder that a run leaves: all that is known about it, for a person.
//!
//! It is written at three moments, so that a run which is killed leaves what
//! was known by then: the scenario before anything starts, the record when the
//! run is over, the verdict when it has been judged.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::check::verdict::Unproven;
use crate::plan::Trial;
use crate::redact::Redactor;
use crate::scenario::control::Control;
use crate::scenario::wanted::Wanted;
use crate::snapshot;
use crate::timeline::{Stdio, Timeline, What};

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct Bundle {
    folder: PathBuf,
    redactor: Redactor,
}

impl Bundle {
    /// The bundle of this trial in that folder, as it is.
    #[must_use]
    pub fn of(folder: PathBuf, trial: &Trial) -> Self {
        Self { folder, redactor: trial.redactor() }
    }

    /// Empties the folder, or makes it, and writes down what is to be run.
    pub fn begin(folder: PathBuf, trial: &Trial, images: &BTreeMap<Wanted, String>, seed: u64) -> io::Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let bundle = Self::of(folder, trial);
        let claims: Vec<String> =
            trial.claims.iter().map(|claim| format!("{}: {}", claim.key, claim.words())).collect();
        let faults: Vec<String> =
            trial.faults.iter().map(|fault| format!("{}: {}, {}", fault.number, fault.words(), fault.when)).collect();
        bundle.write_json(
            "scenario.json",
            &serde_json::json!({
                "harness": env!("CARGO_PKG_VERSION"),
                "file": trial.file,
                "claim": trial.claim,
                "seed": seed,
                "images": images.iter().map(|(wanted, name)| (wanted.image.to_string(), name)).collect::<BTreeMap<_, _>>(),
                "subject": trial.subject,
                "volumes": trial.volumes,
                "services": trial.services,
                "steps": trial.steps,
                "faults": faults,
                "expects": claims,
                "timeout_ms": trial.timeout.as_millis(),
                "settle_ms": trial.settle.as_millis(),
            }),
        )?;
        Ok(bundle)
    }

    /// Writes what was seen: the timeline, each stream, the snapshots it would
    /// make, and what the engine said last.
    pub fn record(&self, timeline: &Timeline, inspection: Option<&serde_json::Value>) -> io::Result<()> {
        let lines = timeline.events().iter().map(|event| serde_json::to_string(event).map(|line| line + "\n"));
        self.write("timeline.jsonl", &lines.collect::<Result<String, _>>()?)?;
        for stream in [Stdio::Stdout, Stdio::Stderr] {
            let text: String = timeline.lines(Some(stream)).map(|(_, line)| format!("{line}\n")).collect();
            self.write(&format!("{stream}.log"), &text)?;
            self.write(&format!("{stream}.snap.new"), &snapshot::text_of(timeline, stream))?;
        }
        let mut services: BTreeMap<&str, String> = BTreeMap::new();
        for event in timeline.events() {
            if let What::ServiceLine { name, text } = &event.what {
                let log = services.entry(name).or_default();
                log.push_str(text);
                log.push('\n');
            }
        }
        for (name, log) in services {
            self.write(&format!("service-{name}.log"), &log)?;
        }
        match inspection {
            Some(inspection) => self.write_json("inspect.json", inspection),
            None => Ok(()),
        }
    }

    /// Writes what was found.
    pub fn conclude(&self, verdict: &impl Serialize) -> io::Result<()> {
        self.write_json("verdict.json", verdict)
    }

    /// Writes, beside what was found, whether a control failed as it must.
    pub fn judge_control(&self, control: &Control, proven: &Result<String, Unproven>) -> io::Result<()> {
        let (because_of, unproven) = (proven.as_ref().ok(), proven.as_ref().err().map(ToString::to_string));
        let verdict = serde_json::json!({
            "fails": control.fails,
            "because": control.because,
            "decided_by": because_of,
            "unproven": unproven,
        });
        self.write_json("control.json", &verdict)
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let value = self.redactor.redact_json(serde_json::to_value(value)?);
        self.write(name, &(serde_json::to_string_pretty(&value)? + "\n"))
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        std::fs::write(self.folder.join(name), text)
    }
}
