//! The phases of a startup.

/// A phase, in the order in which they run. Its word is its name in the log and in scenario files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The data directories exist and can be written to.
    Preflight,
    /// The app runs, until it ends.
    App,
}

impl Phase {
    /// The name in log lines.
    pub fn word(self) -> &'static str {
        match self {
            Phase::Preflight => "preflight",
            Phase::App => "app",
        }
    }
}
