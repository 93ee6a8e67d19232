//! The helper that reaches into containers for the harness: commanded over stdin, answering over stdout.

mod acts;
mod commands;
mod credentials;
mod dial;
mod dns;
mod failure;
mod files_limit;
mod fork;
mod groups;
mod link;
mod listeners;
mod looks;
mod mounts;
mod place;
mod processes;
mod random;
mod raw;
mod serve;
mod status;
mod subject;
mod tunnels;
mod walk;
mod watch;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args_os().nth(1) {
        Some(argument) if argument == fork::ARGUMENT => fork::try_one(),
        volumes => serve::serve(volumes.map_or_else(|| PathBuf::from("/volumes"), PathBuf::from)),
    }
}
