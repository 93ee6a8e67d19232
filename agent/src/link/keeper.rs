//! The loop of a link: orders, new clients, a turn for each connection, and a wait for the next event.

use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use agent::{Condition, Counters};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::EventFd;

use super::connection::{Connection, Is};
use super::door::Door;
use super::tally::Tally;
use super::upstream::Upstream;
use crate::failure::Outcome;
use crate::random::Random;

/// What a keeper is asked.
pub enum Order {
    /// Another condition, answered when it is in force.
    Set(Condition, Sender<Outcome<()>>),
    /// The counters.
    Count(Sender<Counters>),
    /// The end, and the counters.
    Close(Sender<Counters>),
    /// The service answered to the connection of this number, or did not.
    Connected(u64, Option<std::net::TcpStream>),
}

/// Holds everything of a link.
pub struct Keeper {
    door: Door,
    upstream: Upstream,
    random: Random,
    condition: Condition,
    connections: Vec<Connection>,
    tally: Tally,
}

impl Keeper {
    /// One whose link passes everything on.
    pub fn new(door: Door, upstream: Upstream, seed: u64) -> Keeper {
        Keeper {
            door,
            upstream,
            random: Random::new(seed),
            condition: Condition::default(),
            connections: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Keeps the link until it is told to close it.
    pub fn keep(mut self, orders: &Receiver<Order>, bell: &EventFd) {
        loop {
            self.wait(bell);
            // The bell is silenced before the orders are read, so that none is left lying.
            let _ = bell.read();
            while let Ok(order) = orders.try_recv() {
                if self.obey(order).is_break() {
                    return;
                }
            }
            self.turn();
        }
    }

    fn obey(&mut self, order: Order) -> ControlFlow<()> {
        // Whoever asked may have given up waiting.
        match order {
            Order::Set(condition, answer) => _ = answer.send(self.set(condition)),
            Order::Count(answer) => _ = answer.send(self.counters()),
            Order::Connected(number, service) => {
                let connection = self.connections.iter_mut().find(|connection| connection.number == number);
                if let Some(connection) = connection {
                    connection.connected(service);
                }
            }
            Order::Close(answer) => {
                let counters = self.counters();
                self.connections.clear();
                self.door.close();
                let _ = answer.send(counters);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn set(&mut self, condition: Condition) -> Outcome<()> {
        // Who was there before belongs to the old condition.
        self.turn();
        self.door.set(&condition)?;
        self.condition = condition;
        let now = Instant::now();
        for connection in &mut self.connections {
            connection.change(now, &self.condition);
        }
        self.turn();
        Ok(())
    }

    fn counters(&self) -> Counters {
        let open = self.connections.iter().filter(|connection| connection.is_open()).count();
        Counters {
            open: open as u64,
            refused: self.door.refused(),
            unanswered: self.door.unanswered(),
            ..self.tally.counters()
        }
    }

    /// Lets in who waits, and gives everybody a turn.
    fn turn(&mut self) {
        let now = Instant::now();
        while let Some(client) = self.door.accept() {
            self.tally.counters.accepted += 1;
            let number = self.tally.counters.accepted;
            self.connections.push(Connection::new(number, client, now, &self.condition));
        }
        let Keeper { upstream, random, condition, tally, .. } = self;
        self.connections.retain_mut(|connection| connection.turn(now, condition, upstream, random, tally) == Is::Going);
    }

    fn wait(&self, bell: &EventFd) {
        let now = Instant::now();
        let mut interests = vec![PollFd::new(bell.as_fd(), PollFlags::POLLIN)];
        interests.extend(self.door.listener().map(|listener| PollFd::new(listener, PollFlags::POLLIN)));
        for connection in &self.connections {
            connection.interests(&self.condition, &mut interests);
        }
        let wakes = self.connections.iter().filter_map(|connection| connection.wake(now, &self.condition));
        // Nothing is lost if it fails: the next turn comes early.
        let _ = poll(&mut interests, timeout(wakes.min().map(|wake| wake.saturating_duration_since(now))));
    }
}

/// Rounded up, or the last millisecond would be spent in a busy loop.
fn timeout(left: Option<Duration>) -> PollTimeout {
    left.map_or(PollTimeout::NONE, |left| {
        let millis = left.as_nanos().div_ceil(1_000_000);
        i32::try_from(millis).ok().and_then(|millis| PollTimeout::try_from(millis).ok()).unwrap_or(PollTimeout::MAX)
    })
}
