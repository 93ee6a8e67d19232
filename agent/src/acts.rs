//! What is done to files, with the agent's own rights. Paths start at the root that was entered.

pub mod corrupt;
pub mod delete;
pub mod fill;
pub mod names;
pub mod ownership;
pub mod rewrite;
