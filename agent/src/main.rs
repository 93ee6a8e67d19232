//! The helper that reaches into containers for the harness: commanded over stdin, answering over stdout.

mod acts;
mod commands;
mod credentials;
mod dial;
mod disk;
mod dns;
mod failure;
mod files_limit;
mod fork;
mod freezer;
mod groups;
mod link;
mod listeners;
mod looks;
mod member;
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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, task)) if first == member::ARGUMENT => member::obey(task),
        volumes => serve::serve(volumes.map_or_else(|| PathBuf::from("/volumes"), |(path, _)| PathBuf::from(path))),
    }
}
