//! A fault that has begun: what was seen before it, and what undoes it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::fault::{Answered, Fault, Ground};

/// A fault between its beginning and its end.
pub struct Begun {
    pub fault: Arc<Fault>,
    /// The container as it was when the fault was injected.
    pub ground: Ground,
    /// When it began.
    pub since: Timestamp,
    /// What was seen before it.
    pub before: Vec<Answered>,
    /// What its acts answered.
    pub injected: Vec<Answered>,
    /// Whether its effect has been seen.
    pub bitten: bool,
    /// What was seen instead, at the last look.
    pub saw: String,
    /// When to look again.
    pub look_at: Timestamp,
    /// Whether it has been undone.
    pub over: bool,
}
