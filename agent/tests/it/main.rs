//! The agent as the harness meets it: commands over stdin, and containers in miniature to reach into.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that panics or says why it skips does its job")]

mod acts;
mod client;
mod dial;
mod groups;
mod links;
mod looks;
mod names;
mod processes;
mod protocol;
mod refusals;
mod subject;
mod watches;
