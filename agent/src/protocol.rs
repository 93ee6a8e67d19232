//! The words of the protocol.

pub mod answer;
pub mod command;
pub mod content;
pub mod files;
pub mod frame;
pub mod limits;
pub mod link;
pub mod processes;
#[cfg(test)]
mod tests;
