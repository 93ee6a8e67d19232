//! Tests of the harness as a whole, in one binary.

mod architecture;
mod bad_input;
mod engine;
mod image;
mod whole;
