//! The small values a scenario is written in: sizes, durations, policies.
//!
//! Each knows how to read itself from the way Compose writes it, and says what
//! it expected when it cannot.

mod count;
mod cpus;
mod duration;
mod glob;
mod micros;
mod owner;
mod path;
mod pattern;
mod plain;
mod restart;
mod signal;
mod size;
mod within;

pub use count::Count;
pub use cpus::Cpus;
pub use duration::Duration;
pub use glob::Glob;
pub use micros::Micros;
pub use owner::{Mode, Owner};
pub use path::AbsolutePath;
pub use pattern::Pattern;
pub use plain::Plain;
pub use restart::Restart;
pub use signal::Signal;
pub use size::ByteSize;
pub use within::Within;

/// A value that could not be read, as the end of a sentence that names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(String);

/// Lets serde read and write the types that are written as strings, or as numbers
/// where those mean the same.
macro_rules! written_as_text {
    ($($type:ty),*) => {$(
        impl TryFrom<$crate::scenario::value::Plain> for $type {
            type Error = $crate::scenario::value::BadValue;
            fn try_from(plain: $crate::scenario::value::Plain) -> Result<Self, Self::Error> {
                plain.0.parse()
            }
        }
        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    )*};
}
use written_as_text;

/// Lets serde read and write the types that are written as strings.
macro_rules! written_as_string {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = $crate::scenario::value::BadValue;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    )*};
}
use written_as_string;

#[cfg(test)]
mod testing {
    use std::fmt;
    use std::str::FromStr;

    use super::BadValue;

    /// Reads a text; compares what it is written as again, or why it cannot be read.
    pub fn check<T: FromStr<Err = BadValue> + fmt::Display>(text: &str, expected: Result<&str, &str>) {
        let seen = text.parse::<T>().map(|value| value.to_string()).map_err(|error| error.to_string());
        assert_eq!(seen.as_deref().map_err(String::as_str), expected, "reading `{text}`");
    }
}
