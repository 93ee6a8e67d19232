//! What a container shares with the engine's machine, where there is a choice.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which network a container is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// None but its own loopback.
    None,
    /// The engine's default one.
    Bridge,
}

/// Whose shared memory it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ipc {
    /// Nobody's: there is no `/dev/shm` either.
    None,
    /// Its own.
    Private,
    /// Its own, which other containers may join.
    Shareable,
    /// The machine's.
    Host,
}

/// Whose user numbers it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UsernsMode {
    /// The machine's, even where the engine maps those of others.
    Host,
}

impl Ipc {
    /// Compose's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Private => "private",
            Self::Shareable => "shareable",
            Self::Host => "host",
        }
    }
}
