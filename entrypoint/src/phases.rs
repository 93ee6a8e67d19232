//! The phases, one file each.

pub mod app;
pub mod preflight;
