//! What happens while a suite runs, for whoever reports it.

use std::sync::Arc;

use crate::judged::Judged;

/// Something worth showing at once.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Something that takes time was begun: a scenario, or an image.
    Began {
        /// Its name.
        name: String,
    },
    /// It is at this point, which may take long.
    Doing {
        /// Its name.
        name: String,
        /// What is being done.
        what: String,
    },
    /// This happened to its subject.
    Saw {
        /// Its name.
        name: String,
        /// What happened.
        what: String,
    },
    /// It is over.
    Ended {
        /// Its name.
        name: String,
    },
    /// This is what a scenario came to.
    Judged(Arc<Judged>),
}
