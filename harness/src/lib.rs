//! Boots real containers under the conditions a scenario describes, records
//! what happens as one timeline, and judges the timeline.
//!
//! [`scenario`], [`plan`], [`timeline`], [`check`], [`redact`] and [`snapshot`]
//! know no engine and no clock: they are functions of what they are given.

pub mod check;
pub mod plan;
pub mod redact;
pub mod scenario;
pub mod snapshot;
pub mod timeline;
