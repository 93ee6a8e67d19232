//! The entrypoint as its users meet it: the binary, small misbehaving apps, and the log.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that panics or says why it skips does its job")]

mod boot;
mod contract;
mod exit_codes;
mod hygiene;
mod init;
mod logging;
mod preflight;
mod stopping;
