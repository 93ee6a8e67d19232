//! What a link has done so far.

use std::time::Duration;

use agent::Counters;

use super::flow::Passed;

/// Counters, with times that are not rounded yet.
#[derive(Default)]
pub struct Tally {
    /// Everything but the times.
    pub counters: Counters,
    delayed: Duration,
    throttled: Duration,
}

impl Tally {
    /// Adds what went towards the service.
    pub fn up(&mut self, passed: &Passed) {
        self.counters.bytes_up += passed.bytes;
        self.either(passed);
    }

    /// Adds what went towards the client.
    pub fn down(&mut self, passed: &Passed) {
        self.counters.bytes_down += passed.bytes;
        self.either(passed);
    }

    fn either(&mut self, passed: &Passed) {
        self.counters.delayed_chunks += passed.delayed;
        self.delayed += passed.delay;
        self.throttled += passed.throttled;
    }

    /// The counters, with the times.
    pub fn counters(&self) -> Counters {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Counters { delayed_ms: millis(self.delayed), throttled_ms: millis(self.throttled), ..self.counters.clone() }
    }
}
