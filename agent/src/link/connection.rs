//! One connection through a link: a client, a service, and what happens between them.

use std::io::Read as _;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use agent::Condition;
use nix::libc;
use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::{setsockopt, sockopt};

use super::flow::{Broken, Flow, is_for_later};
use super::tally::Tally;
use super::upstream::Upstream;
use crate::random::Random;
use crate::raw;

/// How often it is asked whether a client has got everything: no event tells.
const PACE: Duration = Duration::from_millis(1);

/// A client that was let in.
pub struct Connection {
    /// By which the service is found when it is there.
    pub number: u64,
    client: TcpStream,
    service: Service,
    up: Flow,
    down: Flow,
    quota: Option<Quota>,
    ending: Option<Ending>,
    is_silenced: bool,
}

enum Service {
    NotAsked,
    Asked,
    There(TcpStream),
    Unreachable,
}

/// How many more bytes the client gets, and what comes then.
struct Quota {
    left: u64,
    then: Ending,
}

/// How a connection is brought to an end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Close,
    Reset,
}

/// Whether a connection is still there after a turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// Yes.
    Going,
    /// No.
    Over,
}

impl Connection {
    /// A new client.
    pub fn new(number: u64, client: TcpStream, now: Instant, condition: &Condition) -> Connection {
        // Without them nothing goes wrong but the timing.
        let _ = client.set_nonblocking(true);
        let _ = client.set_nodelay(true);
        let (up, down) = (Flow::new(now), Flow::new(now));
        let service = Service::NotAsked;
        let quota = Quota::of(condition);
        Connection { number, client, service, up, down, quota, ending: None, is_silenced: false }
    }

    /// Another condition is in force from now on.
    pub fn change(&mut self, now: Instant, condition: &Condition) {
        self.quota = Quota::of(condition);
        self.up.change(now);
        self.down.change(now);
    }

    /// The service answered, or did not.
    pub fn connected(&mut self, service: Option<TcpStream>) {
        self.service = service.map_or(Service::Unreachable, Service::There);
    }

    /// Does what can be done at this moment.
    pub fn turn(
        &mut self,
        now: Instant,
        condition: &Condition,
        upstream: &Upstream,
        random: &mut Random,
        tally: &mut Tally,
    ) -> Is {
        if condition.reset {
            tally.counters.reset += 1;
            return self.reset();
        }
        if self.ending.is_none() && condition.close {
            tally.counters.closed += 1;
            self.end(Ending::Close);
        }
        if self.ending.is_some() {
            return self.farewell();
        }
        if is_silent(condition) {
            tally.counters.silenced += u64::from(!self.is_silenced);
            self.is_silenced = true;
            // A client that has broken off has heard the silence.
            return if self.client.take_error().is_ok_and(|error| error.is_none()) { Is::Going } else { Is::Over };
        }
        self.is_silenced = false;
        if self.quota.as_ref().is_some_and(|quota| quota.left == 0) {
            return self.spend(0, tally);
        }
        self.pass(now, condition, upstream, random, tally)
    }

    fn pass(
        &mut self,
        now: Instant,
        condition: &Condition,
        upstream: &Upstream,
        random: &mut Random,
        tally: &mut Tally,
    ) -> Is {
        self.up.read(&self.client, now, condition, random);
        let service = match &self.service {
            Service::There(service) => service,
            Service::Asked => return Is::Going,
            Service::NotAsked => {
                upstream.connect(self.number);
                self.service = Service::Asked;
                return Is::Going;
            }
            Service::Unreachable => {
                tally.counters.reset += 1;
                return self.reset();
            }
        };
        self.down.read(service, now, condition, random);
        let most = self.quota.as_ref().map_or(u64::MAX, |quota| quota.left);
        let down = self.down.write(&self.client, now, condition, most);
        let up = self.up.write(service, now, condition, u64::MAX);
        match (up, down) {
            (Ok(up), Ok(down)) => {
                tally.up(&up);
                tally.down(&down);
                self.spend(down.bytes, tally)
            }
            // One side has broken off, and so the other hears of it the same way.
            (up, down) => {
                let client_left = up.err() == Some(Broken::Source) || down.err() == Some(Broken::Sink);
                tally.counters.reset += u64::from(!client_left);
                self.reset()
            }
        }
    }

    fn spend(&mut self, bytes: u64, tally: &mut Tally) -> Is {
        if let Some(quota) = &mut self.quota {
            quota.left -= bytes;
            if quota.left == 0 {
                tally.counters.cut += 1;
                let then = quota.then;
                self.end(then);
                return self.farewell();
            }
        }
        if self.up.is_passed() && self.down.is_passed() { Is::Over } else { Is::Going }
    }

    /// Lets the service go, and the client as soon as it has got what was sent.
    fn end(&mut self, ending: Ending) {
        self.service = Service::Unreachable;
        self.ending = Some(ending);
        if ending == Ending::Close {
            // It fails if the client has gone.
            let _ = self.client.shutdown(Shutdown::Write);
        }
    }

    /// A reset, or a close while something was not read, would take back what is under way to the client.
    fn farewell(&mut self) -> Is {
        let mut piece = [0; 4096];
        loop {
            match (&self.client).read(&mut piece) {
                Ok(1..) => {}
                Err(error) if is_for_later(&error) => break,
                Ok(0) | Err(_) => break,
            }
        }
        match (raw::unacknowledged(&self.client), self.ending) {
            (Ok(1..), _) => Is::Going,
            (_, Some(Ending::Reset)) => self.reset(),
            _ => Is::Over,
        }
    }

    /// Breaks off towards both sides.
    fn reset(&self) -> Is {
        let abruptly = libc::linger { l_onoff: 1, l_linger: 0 };
        // It fails only if the side has gone.
        let _ = setsockopt(&self.client, sockopt::Linger, &abruptly);
        if let Service::There(service) = &self.service {
            let _ = setsockopt(service, sockopt::Linger, &abruptly);
        }
        Is::Over
    }

    /// Whether it is more than a farewell.
    pub fn is_open(&self) -> bool {
        self.ending.is_none()
    }

    /// What to wait for before the next turn.
    pub fn interests<'a>(&'a self, condition: &Condition, interests: &mut Vec<PollFd<'a>>) {
        let mut add = |side: &'a TcpStream, reads: bool, writes: bool| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::POLLIN, reads);
            flags.set(PollFlags::POLLOUT, writes);
            // Without interest nothing is added: a side that has ended would be told of again and again.
            if !flags.is_empty() {
                interests.push(PollFd::new(side.as_fd(), flags));
            }
        };
        if self.ending.is_some() {
            return;
        }
        if is_silent(condition) {
            // Still told of a client that breaks off.
            if !self.down.is_passed() {
                interests.push(PollFd::new(self.client.as_fd(), PollFlags::empty()));
            }
            return;
        }
        add(&self.client, self.up.wants(condition), self.down.is_blocked());
        if let Service::There(service) = &self.service {
            add(service, self.down.wants(condition), self.up.is_blocked());
        }
    }

    /// When the next turn is at the latest.
    pub fn wake(&self, now: Instant, condition: &Condition) -> Option<Instant> {
        if self.ending.is_some() {
            return Some(now + PACE);
        }
        if is_silent(condition) || !matches!(self.service, Service::There(_)) {
            return None;
        }
        [self.up.wake(now, condition), self.down.wake(now, condition)].into_iter().flatten().min()
    }
}

impl Quota {
    fn of(condition: &Condition) -> Option<Quota> {
        let cut = condition.cut_after.map(|left| Quota { left, then: Ending::Close });
        let reset = condition.reset_after.map(|left| Quota { left, then: Ending::Reset });
        cut.into_iter().chain(reset).min_by_key(|quota| quota.left)
    }
}

fn is_silent(condition: &Condition) -> bool {
    condition.silent || condition.black_hole
}
