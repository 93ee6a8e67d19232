//! The app runs: signals go in, its exit code comes out, and nothing of it is left behind.

use std::env;
use std::time::{Duration, Instant};

use crate::child::{self, App, End};
use crate::config::Config;
use crate::error::{Ending, Failure};
use crate::log::{Line, Log};
use crate::signals::{Signal, Signals};
use crate::supervision::{self, Act, Event, State};

/// How long the kernel may take to end what was killed. Longer means a process that waits for a
/// device, which nothing can end.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Starts the app and supervises it until nothing of it is left.
///
/// Up to the start a failure ends the program. After it nothing does: what fails is logged.
pub fn run(config: &Config, log: &Log, signals: &Signals) -> Result<Ending, Failure> {
    let words: Vec<String> = config.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    log.write(Line::info("starting the application").word("event", "app_starting").with("command", words));
    let began = Instant::now();
    let app = App::start(&config.command)?;
    log.write(Line::info("application started").word("event", "app_started").with("pid", app.leader()));
    // Our working directory would keep a volume from being unmounted.
    if let Err(error) = env::set_current_dir("/") {
        log.write(Line::warn(format!("cannot change to the directory /: {error}")));
    }
    let mut supervisor = Supervisor { app, began, grace: config.stop_grace_period, log, end: None, deadline: None };
    Ok(Ending::of_app(supervisor.watch(signals)))
}

struct Supervisor<'a> {
    app: App,
    began: Instant,
    grace: Duration,
    log: &'a Log,
    /// How the leader ended.
    end: Option<End>,
    /// When the present state is over, whatever happens.
    deadline: Option<Instant>,
}

impl Supervisor<'_> {
    /// The loop. The app's exit code comes back.
    fn watch(&mut self, signals: &Signals) -> u8 {
        let mut state = State::Running;
        while state != State::Done {
            let signal = signals.wait(self.deadline);
            let Some(event) = self.event(signal) else { continue };
            let (next, acts) = supervision::decide(state, event);
            for act in acts {
                self.perform(*act, signal);
            }
            state = next;
        }
        // Only a leader that cannot be killed has not ended by now.
        self.end.map_or(End::Signal(Signal::KILL).code(), End::code)
    }

    fn event(&mut self, signal: Option<Signal>) -> Option<Event> {
        match signal {
            // Not every process of the app is a child of ours whose death would have woken us.
            None => self.reap().or(Some(Event::Deadline)),
            Some(Signal::CHLD) => self.reap(),
            Some(signal) if signal.asks_to_stop() => Some(Event::Stop),
            Some(signal) if signal.is_our_own() => None,
            Some(_) => Some(Event::Signal),
        }
    }

    /// The one place that waits for children, ours and adopted.
    fn reap(&mut self) -> Option<Event> {
        let (deaths, has_children) = child::reap();
        let ended_before = self.end.is_some();
        for death in deaths {
            if death.pid == self.app.leader() && self.end.is_none() {
                self.end = Some(death.end);
                self.tell_end(death.end);
            } else {
                self.log
                    .write(Line::debug("reaped a process").with("pid", death.pid).with("exit_code", death.end.code()));
            }
        }
        match (self.end, self.app.is_left(has_children)) {
            (None, _) => None,
            (Some(_), false) => Some(Event::AllEnded),
            (Some(_), true) if ended_before => None,
            (Some(_), true) => Some(Event::LeaderEnded),
        }
    }

    fn tell_end(&self, end: End) {
        let line = Line::info("application exited")
            .word("event", "app_exited")
            .with("pid", self.app.leader())
            .with("exit_code", end.code());
        let line = match end {
            End::Signal(signal) => line.with("signal", signal.name()),
            End::Code(_) => line,
        };
        self.log.write(line.duration(self.began.elapsed()));
    }

    fn forward(&self, signal: Signal) {
        let line = match self.app.tell_leader(signal) {
            Ok(()) => Line::info("signal received, forwarded").word("event", "signal_forwarded"),
            Err(error) => Line::warn(format!("signal received, and cannot be forwarded: {error}"))
                .with("suggestion", "let the entrypoint and the app run as the same user"),
        };
        self.log.write(line.with("signal", signal.name()).with("pid", self.app.leader()));
    }

    fn perform(&mut self, act: Act, signal: Option<Signal>) {
        match act {
            Act::Forward => {
                if let Some(signal) = signal {
                    self.forward(signal);
                }
            }
            // If this fails, so did the signal that it follows, and that was told.
            Act::WakeLeader => drop(self.app.tell_leader(Signal::CONT)),
            Act::StartGrace => self.deadline = Some(Instant::now() + self.grace),
            Act::StopOthers => {
                let pids = self.app.pids();
                self.app.tell_all(Signal::TERM);
                self.app.tell_all(Signal::CONT);
                self.log.write(
                    Line::info("the application left processes behind, stopping them")
                        .word("event", "stopping_others")
                        .with("remaining", pids.len())
                        .with("pids", pids),
                );
            }
            Act::KillAll => {
                let pids = self.app.pids();
                self.app.tell_all(Signal::KILL);
                self.log.write(
                    Line::warn("grace period over, killing")
                        .word("event", "grace_over")
                        .with("remaining", pids.len())
                        .with("pids", pids)
                        .with(
                            "suggestion",
                            "let the app end on SIGTERM, or raise STOP_GRACE_PERIOD \
                               together with the container's own stop_grace_period",
                        ),
                );
            }
            Act::StartLastWait => self.deadline = Some(Instant::now() + LAST_WAIT),
            Act::Ignore => self.log.write(
                Line::info("signal received, not forwarded: the application is ending")
                    .word("event", "signal_ignored")
                    .with("signal", signal.map(Signal::name)),
            ),
            Act::GiveUp => self.log.write(
                Line::error("processes do not end although they were killed")
                    .with("pids", self.app.pids())
                    .with("suggestion", "they wait for a device; look at its disk or network mount"),
            ),
        }
    }
}
