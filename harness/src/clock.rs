//! The engine's time, and the only place that waits for time to pass.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// How often a probe asks again.
const PACE: Duration = Duration::from_millis(25);

/// How often something is looked at that has to hold all the time.
const SAMPLE: Duration = Duration::from_millis(200);

/// Reads the engine's clock without asking the engine each time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    base: Timestamp,
    since: Instant,
}

impl Clock {
    /// A clock that the engine has just been seen to show as `theirs`, in an
    /// answer that took `round_trip`. Where our own clock agrees within that, it
    /// is the better one: the engine is on this machine.
    #[must_use]
    pub fn set(theirs: Timestamp, round_trip: Duration) -> Self {
        let ours = Timestamp::now();
        let apart = theirs.duration_since(ours).unsigned_abs();
        let base = if apart <= round_trip { ours } else { theirs };
        Self { base, since: Instant::now() }
    }

    /// The engine's time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        later(self.base, self.since.elapsed())
    }

    /// Waits until the engine's clock shows `when`.
    pub async fn until(&self, when: Timestamp) {
        let ahead = Duration::try_from(when.duration_since(self.now())).unwrap_or(Duration::ZERO);
        tokio::time::sleep(ahead).await;
    }

    /// Waits for the moment of the next look at what has to hold all the time.
    pub async fn sample(&self) {
        tokio::time::sleep(SAMPLE).await;
    }

    /// Waits for the moment at which a probe may ask again.
    pub async fn pace(&self) {
        tokio::time::sleep(PACE).await;
    }
}

/// The moment that comes `by` after `from`.
#[must_use]
pub fn later(from: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| from.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_remote_clock_is_followed_and_a_local_one_is_ours() {
        let remote = Timestamp::from_second(1_000_000).unwrap();
        let clock = Clock::set(remote, Duration::from_millis(50));
        clock.until(later(remote, Duration::from_secs(5))).await;
        assert_eq!(clock.now(), later(remote, Duration::from_secs(5)));

        let local = Clock::set(Timestamp::now(), Duration::from_secs(1));
        assert!(local.now().duration_since(Timestamp::now()).abs() < SignedDuration::from_secs(1));
    }
}
