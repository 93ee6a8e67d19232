//! So many bytes per second: each piece is paid for by time before it goes.

use std::time::{Duration, Instant};

/// Pieces per second, where there are bytes enough.
const PIECES: u64 = 50;

/// What a reader that was slow for a while may catch up at most.
const CREDIT: Duration = Duration::from_millis(50);

/// The pace of one direction of a connection.
pub struct Pace {
    /// Until when time was spent already.
    spent: Instant,
}

/// The next piece.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// Of how many bytes.
    pub bytes: usize,
    /// From when on time is spent on it.
    pub start: Instant,
    /// When it may go.
    pub due: Instant,
}

impl Pace {
    /// A pace that starts now. Nothing is saved up from before.
    pub fn new(now: Instant) -> Pace {
        Pace { spent: now }
    }

    /// The next piece of bytes that are ready since a moment. None ever goes at a rate of 0.
    pub fn next(&self, now: Instant, ready: Instant, waiting: usize, rate: u64) -> Option<Piece> {
        let most = usize::try_from((rate / PIECES).max(1)).unwrap_or(usize::MAX);
        let bytes = waiting.min(most);
        let start = self.spent.max(ready).max(now.checked_sub(CREDIT).unwrap_or(now));
        let start = if bytes == 0 { now } else { start };
        Some(Piece { bytes, start, due: start + cost(bytes, rate)? })
    }

    /// So many bytes of a piece went.
    pub fn spend(&mut self, piece: &Piece, bytes: usize, rate: u64) {
        self.spent = piece.start + cost(bytes, rate).unwrap_or_default();
    }
}

fn cost(bytes: usize, rate: u64) -> Option<Duration> {
    let nanos = (bytes as u128 * 1_000_000_000).checked_div(u128::from(rate))?;
    Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: usize, rate: u64, at_least: Duration) {
        let start = Instant::now();
        let (mut pace, mut now, mut left) = (Pace::new(start), start, bytes);
        while left > 0 {
            let piece = pace.next(now, start, left, rate).unwrap();
            now = now.max(piece.due);
            pace.spend(&piece, piece.bytes, rate);
            left -= piece.bytes;
        }
        let took = now - start;
        assert!(took >= at_least && took <= at_least + Duration::from_millis(2), "{took:?}");
    }

    #[test]
    fn bytes_take_their_time_and_no_more() {
        check(100_000, 50_000, Duration::from_millis(1999));
        check(3, 1, Duration::from_millis(3000));
        check(1 << 20, 1 << 30, Duration::from_micros(976));
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let start = Instant::now();
        let pace = Pace::new(start);
        let later = start + Duration::from_secs(60);
        let piece = pace.next(later, later, 1000, 50_000).unwrap();
        assert_eq!(piece.due, later + Duration::from_millis(20));
        let blocked = pace.next(later, start, 1000, 50_000).unwrap();
        assert!(blocked.due >= later + Duration::from_millis(20) - CREDIT);
    }

    #[test]
    fn nothing_goes_at_no_rate() {
        let now = Instant::now();
        assert_eq!(Pace::new(now).next(now, now, 10, 0), None);
    }
}
