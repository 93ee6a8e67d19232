//! Why a question was not answered.

use std::fmt;

use crate::engine::Error;
use crate::timeline::Seen;

/// Why there is no answer.
#[derive(Debug)]
pub enum Missed {
    /// Nothing listens there.
    Refused,
    /// It was asked and gave no answer of use; these words say what came instead.
    Unanswered(String),
    /// There was nothing to ask, such as no process that runs.
    Nothing(String),
    /// Whoever asks could not: that is no fact about the subject.
    Engine(Error),
}

impl Missed {
    /// What was seen instead of an answer.
    pub fn seen(self) -> Result<Seen, Error> {
        match self {
            Self::Refused => Ok(Seen::Refused),
            Self::Unanswered(words) => Ok(Seen::Unanswered(words)),
            Self::Nothing(words) => Ok(Seen::Failed(words)),
            Self::Engine(error) => Err(error),
        }
    }

    /// Something that cannot be done here at all.
    pub fn unable(act: &str, cause: impl fmt::Display) -> Self {
        Self::Engine(Error::Failed { act: act.to_owned(), cause: cause.to_string() })
    }
}

impl From<Error> for Missed {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("no connection"),
            Self::Unanswered(words) | Self::Nothing(words) => f.write_str(words),
            Self::Engine(error) => write!(f, "{error}"),
        }
    }
}
