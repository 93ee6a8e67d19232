//! Tests of the harness as a whole, in one binary.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "what serves tests here may do what a test may")]

mod architecture;
mod bad_input;
mod commands;
mod desk;
mod engine;
mod guide;
mod had;
mod image;
mod language;
mod network;
mod remote;
mod runtime;
mod start;
mod whole;
