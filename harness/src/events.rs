//! What happens while a suite runs, for whoever reports it.

/// Something worth showing at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A scenario was begun.
    Began {
        /// Its name.
        name: String,
    },
    /// It is at this point.
    Doing {
        /// Its name.
        name: String,
        /// What is being done.
        what: String,
    },
    /// It is over.
    Ended {
        /// Its name.
        name: String,
    },
}
