//! A delay line: bytes wait in the order in which they came, each until its own time. So a late byte holds
//! up those behind it, and nothing else: what is under way is not limited to one piece at a time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use agent::Condition;

/// How much waits at most. With a delay it bounds what is under way, so it is ample; without one it is a
/// buffer, in which a sender should not be able to leave much.
const UNDER_WAY: usize = 4 << 20;
const BUFFERED: usize = 64 << 10;

/// How a stream of bytes ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its sender has said all.
    Eof,
    /// Its sender has broken off.
    Reset,
}

/// Bytes of one direction of a connection.
#[derive(Default)]
pub struct Line {
    chunks: VecDeque<Chunk>,
    held: usize,
    end: Option<(Moment, End)>,
}

/// When something came, and its share of the jitter: 0 is none, the largest number all.
#[derive(Clone, Copy)]
pub struct Moment {
    /// When.
    pub came: Instant,
    /// The share.
    pub share: u32,
}

struct Chunk {
    moment: Moment,
    bytes: Vec<u8>,
    passed: usize,
}

impl Moment {
    /// How long what came then waits. It is not fixed when it comes, so that a change concerns it too.
    fn delay(self, condition: &Condition) -> Duration {
        let jitter = u128::from(condition.jitter_ms) * 1_000_000 * u128::from(self.share) / u128::from(u32::MAX);
        let jitter = Duration::from_nanos(u64::try_from(jitter).unwrap_or(u64::MAX));
        Duration::from_millis(condition.latency_ms).saturating_add(jitter)
    }

    fn due(self, condition: &Condition) -> Instant {
        // A delay beyond what a clock can show is a day.
        self.came.checked_add(self.delay(condition)).unwrap_or(self.came + Duration::from_secs(86_400))
    }
}

impl Line {
    /// Takes bytes.
    pub fn push(&mut self, moment: Moment, bytes: Vec<u8>) {
        self.held += bytes.len();
        self.chunks.push_back(Chunk { moment, bytes, passed: 0 });
    }

    /// Takes the end.
    pub fn finish(&mut self, moment: Moment, end: End) {
        self.end = Some((moment, end));
    }

    /// Whether more may come.
    pub fn has_room(&self, condition: &Condition) -> bool {
        let is_delayed = condition.latency_ms + condition.jitter_ms > 0;
        self.end.is_none() && self.held < if is_delayed { UNDER_WAY } else { BUFFERED }
    }

    /// When the first bytes, or the end, may go on. None if there is nothing.
    pub fn due(&self, condition: &Condition) -> Option<Instant> {
        let first = self.chunks.front().map(|chunk| chunk.moment);
        first.or(self.end.map(|(moment, _)| moment)).map(|moment| moment.due(condition))
    }

    /// The first bytes, whether they are due or not.
    pub fn first(&self) -> &[u8] {
        self.chunks.front().map_or(&[], |chunk| &chunk.bytes[chunk.passed..])
    }

    /// How it ends, if nothing but the end is left.
    pub fn end(&self) -> Option<End> {
        self.end.filter(|_| self.chunks.is_empty()).map(|(_, end)| end)
    }

    /// Lets bytes of the first ones go, and tells how long they were delayed if they were the last of these.
    pub fn pass(&mut self, bytes: usize, condition: &Condition) -> Option<Duration> {
        self.held -= bytes;
        let chunk = self.chunks.front_mut()?;
        chunk.passed += bytes;
        let delay = chunk.moment.delay(condition);
        if chunk.passed < chunk.bytes.len() {
            return None;
        }
        self.chunks.pop_front();
        (!delay.is_zero()).then_some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn late(latency_ms: u64, jitter_ms: u64) -> Condition {
        Condition { latency_ms, jitter_ms, ..Condition::default() }
    }

    fn line(start: Instant, chunks: &[(u32, u32, &[u8])]) -> Line {
        let mut line = Line::default();
        for (after, share, bytes) in chunks {
            line.push(Moment { came: start + MS * *after, share: *share }, bytes.to_vec());
        }
        line
    }

    #[test]
    fn chunks_that_come_together_go_together() {
        let start = Instant::now();
        let mut line = line(start, &[(0, 0, b"ab"), (1, 0, b"cd")]);
        assert_eq!(line.due(&late(100, 0)), Some(start + 100 * MS));
        assert_eq!(line.pass(2, &late(100, 0)), Some(100 * MS));
        assert_eq!(line.due(&late(100, 0)), Some(start + 101 * MS), "and not 100 ms later");
    }

    #[test]
    fn jitter_keeps_the_order() {
        let start = Instant::now();
        let mut line = line(start, &[(0, u32::MAX, b"first"), (0, 0, b"second")]);
        let condition = late(10, 50);
        assert_eq!((line.first(), line.due(&condition)), (&b"first"[..], Some(start + 60 * MS)));
        line.pass(5, &condition);
        assert_eq!((line.first(), line.due(&condition)), (&b"second"[..], Some(start + 10 * MS)));
    }

    #[test]
    fn a_change_concerns_what_is_under_way() {
        let start = Instant::now();
        let line = line(start, &[(0, u32::MAX / 2, b"x")]);
        assert!(line.due(&late(1000, 1000)).unwrap() > start + 1499 * MS);
        assert_eq!(line.due(&Condition::default()), Some(start));
    }

    #[test]
    fn the_end_comes_last_and_is_late_too() {
        let start = Instant::now();
        let mut line = line(start, &[(0, 0, b"x")]);
        line.finish(Moment { came: start + MS, share: 0 }, End::Eof);
        assert_eq!(line.end(), None);
        line.pass(1, &late(5, 0));
        assert_eq!((line.end(), line.due(&late(5, 0))), (Some(End::Eof), Some(start + 6 * MS)));
        assert!(!line.has_room(&late(5, 0)));
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut line = Line::default();
        line.push(Moment { came: Instant::now(), share: 0 }, vec![0; BUFFERED]);
        assert!(!line.has_room(&Condition::default()));
        assert!(line.has_room(&late(1, 0)));
    }
}
