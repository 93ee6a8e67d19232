//! What a link does to what passes through it.

use serde::{Deserialize, Serialize};

/// What a link does. The default passes everything on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Condition {
    /// Nothing listens: the kernel refuses each new connection.
    pub refuse: bool,
    /// Connections are accepted, and nothing is passed on in either direction.
    pub silent: bool,
    /// New connections are not answered at all, and open ones fall silent.
    pub black_hole: bool,
    /// How much later than it came each byte is passed on, in each direction.
    pub latency_ms: u64,
    /// By how much more at most, at random.
    pub jitter_ms: u64,
    /// The most that is passed on, in each direction and on each connection.
    pub bytes_per_second: Option<u64>,
    /// After so many bytes towards the client, counted from now or from a later accept, the connection is closed.
    pub cut_after: Option<u64>,
    /// The same, but reset.
    pub reset_after: Option<u64>,
    /// Open and new connections are reset.
    pub reset: bool,
    /// Open and new connections are closed.
    pub close: bool,
}

/// What a link has done since it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Connections accepted.
    pub accepted: u64,
    /// Of these, open now.
    pub open: u64,
    /// Connections that the kernel refused while the link did. Two links that refuse at once share a count.
    pub refused: u64,
    /// Attempts to connect that got no answer while the link was a black hole. Two black holes share a count.
    pub unanswered: u64,
    /// Connections that were silenced.
    pub silenced: u64,
    /// Chunks that waited for their time.
    pub delayed_chunks: u64,
    /// How long they waited, together.
    pub delayed_ms: u64,
    /// How long chunks waited for their turn under the limit of bytes, together.
    pub throttled_ms: u64,
    /// Connections ended after a number of bytes, closed and reset.
    pub cut: u64,
    /// Connections reset, by the condition or because the upstream could not be reached or was reset.
    pub reset: u64,
    /// Connections closed by the condition.
    pub closed: u64,
    /// Bytes passed on to the upstream.
    pub bytes_up: u64,
    /// Bytes passed on to the client.
    pub bytes_down: u64,
}
