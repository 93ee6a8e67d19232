//! Before anything else: the data directories are there and can be written to.

use crate::config::Config;
use crate::directory;
use crate::error::Failure;
use crate::log::{Line, Log};

/// Checks every data directory and tells all that is wrong; the first one's exit code counts.
pub fn run(config: &Config, log: &Log) -> Result<(), Failure> {
    if config.data_directories.is_empty() {
        log.write(Line::info("no data directory configured"));
    }
    let mut failures = Vec::new();
    for path in &config.data_directories {
        match directory::prepare(path, log) {
            Ok(facts) => log.write(facts.describe(Line::info("data directory is writable").path("path", path))),
            Err(failure) => failures.push(failure),
        }
    }
    let Some(exit) = failures.first().map(|failure| failure.exit) else { return Ok(()) };
    Err(Failure { exit, lines: failures.into_iter().flat_map(|failure| failure.lines).collect() })
}
