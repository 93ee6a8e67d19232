//! Boots real containers under the conditions a scenario describes, records
//! what happens as one timeline, and judges the timeline.
//!
//! Read from the top: [`suite`] runs many scenarios, [`run`] one trial of one.
//! [`scenario`], [`plan`], [`timeline`], [`check`], [`redact`] and [`snapshot`]
//! know no engine and no clock: they are functions of what they are given.
//! [`engine`] is the only door to containers, and [`report`] alone speaks.

pub mod agent;
pub mod bundle;
pub mod check;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod corpus;
pub mod doctor;
pub mod engine;
pub mod events;
pub mod exit;
pub mod fault;
pub mod image;
pub mod judged;
pub mod language;
mod nearest;
pub mod observe;
pub mod plan;
pub mod redact;
pub mod report;
pub mod run;
pub mod sandbox;
pub mod scenario;
pub mod seed;
pub mod snapshot;
pub mod suite;
pub mod timeline;
