//! What is seen of files, with the rights of whoever's thread it is.

pub mod digest;
pub mod look;
pub mod probe;
pub mod read;
pub mod space;
pub mod tree;
