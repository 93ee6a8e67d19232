//! The startup: configuration, banner, the phases in their order, each timed.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::banner;
use crate::child;
use crate::config::Config;
use crate::error::{Ending, Exit, Failure, milliseconds};
use crate::log::{Line, Log};
use crate::phase::Phase;
use crate::phases::{app, preflight};
use crate::settings::Settings;
use crate::signals::{Signal, Signals};

/// Runs everything; comes back when the app has ended or cannot be run.
pub fn run(settings: &Settings, command: Vec<OsString>, log: &Log, signals: &Signals) -> Result<Ending, Failure> {
    let config = Config::resolve(settings, command)?;
    banner::write(&config, log);

    let mut startup = Startup { log, signals, report: Vec::new() };
    startup.phase(Phase::Preflight, || preflight::run(&config, log))?;
    // LOG_DEST may lie in a data directory that has only now been made.
    log.settle();

    startup.report();
    startup.phase(Phase::App, || app::run(&config, log, signals))
}

struct Startup<'a> {
    log: &'a Log,
    signals: &'a Signals,
    report: Vec<(Phase, Duration)>,
}

impl Startup<'_> {
    /// Runs one phase, unless we were asked to stop, between two lines that a machine can read.
    fn phase<T>(&mut self, phase: Phase, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        self.refuse_if_asked_to_stop(phase)?;
        self.log.enter(Some(phase));
        self.log.write(Line::info("phase begun").word("event", "phase_begun"));
        let began = Instant::now();
        let mut result = work();
        let took = began.elapsed();
        if let Err(failure) = &mut result {
            // Here, so that the lines carry the phase.
            failure.tell(self.log);
        }
        self.report.push((phase, took));
        let outcome = if result.is_ok() { "ok" } else { "failed" };
        self.log.write(Line::info("phase ended").word("event", "phase_ended").word("outcome", outcome).duration(took));
        self.log.enter(None);
        result
    }

    /// Takes what arrived while nobody could be told. Afterwards a signal waits for the app's loop.
    fn refuse_if_asked_to_stop(&self, next: Phase) -> Result<(), Failure> {
        while let Some(signal) = self.signals.pending() {
            if signal.asks_to_stop() {
                let line = Line::error(format!("stopped by {} before the app ran", signal.name()))
                    .word("event", "stopped")
                    .with("signal", signal.name())
                    .word("next_phase", next.word());
                return Err(Failure::new(Exit::Stopped, line));
            }
            if signal == Signal::CHLD {
                // PID 1 adopts orphans from its first moment on.
                child::reap();
            } else {
                self.log.write(
                    Line::info("signal received, not forwarded: the application does not run yet")
                        .word("event", "signal_ignored")
                        .with("signal", signal.name()),
                );
            }
        }
        Ok(())
    }

    /// One line on all phases so far, for dashboards.
    fn report(&self) {
        let phases: Vec<Value> = self
            .report
            .iter()
            .map(|(phase, took)| json!({ "phase": phase.word(), "duration_ms": milliseconds(*took) }))
            .collect();
        self.log.write(
            Line::info("startup report")
                .word("event", "startup_report")
                .with("phases", phases)
                .duration(self.log.age()),
        );
    }
}
