//! One direction of a connection: from its source through a line to its sink.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use agent::Condition;

use super::line::{End, Line, Moment};
use super::pace::Pace;
use crate::random::Random;

/// How much is read at once, and how often before others have their turn.
const PIECE: usize = 64 << 10;
const TURNS: u32 = 8;

/// What waits, and how far it has come.
pub struct Flow {
    line: Line,
    pace: Pace,
    is_blocked: bool,
    is_passed: bool,
}

/// Who has broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Who sends.
    Source,
    /// Who receives.
    Sink,
}

/// What went on in one turn.
#[derive(Default)]
pub struct Passed {
    /// Bytes that went to the sink.
    pub bytes: u64,
    /// Chunks that had been delayed.
    pub delayed: u64,
    /// For how long, together.
    pub delay: Duration,
    /// How long pieces waited for their turn.
    pub throttled: Duration,
}

impl Flow {
    /// One through which nothing has come yet.
    pub fn new(now: Instant) -> Flow {
        Flow { line: Line::default(), pace: Pace::new(now), is_blocked: false, is_passed: false }
    }

    /// Another condition is in force from now on.
    pub fn change(&mut self, now: Instant) {
        self.pace = Pace::new(now);
    }

    /// Whether the source is to be read.
    pub fn wants(&self, condition: &Condition) -> bool {
        self.line.has_room(condition)
    }

    /// Whether the sink takes no more for now.
    pub fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// Whether the sink was told of the end.
    pub fn is_passed(&self) -> bool {
        self.is_passed
    }

    /// When the next bytes are to go, if the sink takes them.
    pub fn wake(&self, now: Instant, condition: &Condition) -> Option<Instant> {
        let due = self.line.due(condition).filter(|_| !self.is_blocked && !self.is_passed)?;
        match condition.bytes_per_second {
            Some(rate) if self.line.end().is_none() => {
                self.pace.next(now, due, self.line.first().len(), rate).map(|piece| piece.due)
            }
            _ => Some(due),
        }
    }

    /// Reads what the source has, as far as there is room.
    pub fn read(&mut self, mut source: &TcpStream, now: Instant, condition: &Condition, random: &mut Random) {
        let mut piece = [0; PIECE];
        for _ in 0..TURNS {
            if !self.wants(condition) {
                return;
            }
            let moment = Moment { came: now, share: (random.next() >> 32) as u32 };
            match source.read(&mut piece) {
                Ok(0) => self.line.finish(moment, End::Eof),
                Ok(read) => self.line.push(moment, piece[..read].to_vec()),
                Err(error) if is_for_later(&error) => return,
                Err(_) => self.line.finish(moment, End::Reset),
            }
        }
    }

    /// Writes what is due, no more than `most` bytes.
    pub fn write(
        &mut self,
        mut sink: &TcpStream,
        now: Instant,
        condition: &Condition,
        most: u64,
    ) -> Result<Passed, Broken> {
        let mut passed = Passed::default();
        self.is_blocked = false;
        while let Some(due) = self.line.due(condition).filter(|due| *due <= now) {
            match self.line.end() {
                Some(_) if self.is_passed => return Ok(passed),
                Some(End::Reset) => return Err(Broken::Source),
                Some(End::Eof) => {
                    self.is_passed = true;
                    return sink.shutdown(Shutdown::Write).map(|()| passed).map_err(|_| Broken::Sink);
                }
                None => {}
            }
            let left = usize::try_from(most - passed.bytes).unwrap_or(usize::MAX);
            let waiting = self.line.first().len().min(left);
            let piece = condition.bytes_per_second.map(|rate| (rate, self.pace.next(now, due, waiting, rate)));
            let bytes = match &piece {
                None => waiting,
                Some((_, Some(piece))) if piece.due <= now => piece.bytes,
                Some(_) => 0,
            };
            if bytes == 0 {
                return Ok(passed);
            }
            let written = match sink.write(&self.line.first()[..bytes]) {
                Err(error) if is_for_later(&error) => {
                    self.is_blocked = true;
                    return Ok(passed);
                }
                written => written.map_err(|_| Broken::Sink)?,
            };
            if let Some((rate, Some(piece))) = piece {
                self.pace.spend(&piece, written, rate);
                passed.throttled += now - piece.start;
            }
            passed.bytes += written as u64;
            if let Some(delay) = self.line.pass(written, condition) {
                passed.delayed += 1;
                passed.delay += delay;
            }
        }
        Ok(passed)
    }
}

/// Whether an error says nothing but that it is not the time.
pub fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
