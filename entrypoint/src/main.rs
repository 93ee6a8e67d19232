//! PID 1 of a container: one static program that runs every startup phase and then supervises the app.
//!
//! What it promises is written in `CONTRACT.md`; this file reads like its headings. The map:
//! `settings` (as written) becomes `config` (resolved); `startup` runs the phases in order;
//! `phases::app` turns signals and deaths into events, `supervision` decides, `child` and
//! `signals` make the system calls. `phase`, `log`, `redact`, `cause` and `error` are leaves.

mod banner;
mod cause;
mod child;
mod cli;
mod config;
mod directory;
mod duration;
mod error;
mod executable;
mod help;
mod log;
mod nearest;
mod phase;
mod phases;
mod redact;
mod settings;
mod signals;
mod startup;
mod supervision;

use std::process::ExitCode;

use cli::Request;
use error::Ending;
use log::Log;
use settings::Settings;
use signals::Signals;

fn main() -> ExitCode {
    // Signals: first of all, since the kernel drops those that PID 1 neither blocks nor handles.
    let signals = Signals::block();

    // Command line: text that was asked for needs nothing else.
    let (options, command) = match cli::parse(std::env::args_os()) {
        Ok(Request::Text(text)) => {
            log::print(&text);
            return ExitCode::SUCCESS;
        }
        Ok(Request::Run(run)) => (run.options, Ok(run.command)),
        Err(failure) => (Vec::new(), Err(failure)),
    };

    // Environment: what was written, and where. Whether it is any good is the startup's to say.
    let settings = Settings::new(options);

    // Log lines: the one logger, opened before anything is done that it would have to tell.
    let log = Log::open(&settings);

    // Phases, then the app.
    let result = error::catching_panics(|| startup::run(&settings, command?, &log, &signals));

    // Exit codes: the last line says which, and whose it is.
    Ending::of(result, &log).exit()
}
