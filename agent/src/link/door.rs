//! The port of a link: open, closed, or there without ever answering.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use agent::Condition;
use nix::sys::socket::{Backlog, listen};

use super::kernel;
use crate::failure::{OrCannot as _, Outcome};

/// How many connections wait to be accepted before the kernel drops more.
const BACKLOG: i32 = 128;

/// How long a connection from the same host may take; it takes no time, or never comes.
const FILLING: Duration = Duration::from_millis(200);

/// The port, and what the kernel has counted about it so far.
pub struct Door {
    port: u16,
    state: State,
    refused: u64,
    unanswered: u64,
}

enum State {
    /// With the address of a guest of our own who may still wait.
    Open { listener: TcpListener, guest: Option<SocketAddr> },
    /// Nothing listens, so the kernel refuses. With what it had counted when that began.
    Closed { since: u64 },
    /// The queue of those who wait is one long and full, so the kernel drops who comes.
    Full { listener: TcpListener, guest: Option<TcpStream>, since: u64 },
}

impl Door {
    /// Opens a port, or any if it is 0.
    pub fn open(port: u16) -> Outcome<Door> {
        let listener = bind(port)?;
        let port = listener.local_addr().or_cannot(|| format!("listen on port {port}"))?.port();
        Ok(Door { port, state: State::Open { listener, guest: None }, refused: 0, unanswered: 0 })
    }

    /// Its number.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Brings the port into the state that a condition asks for.
    pub fn set(&mut self, condition: &Condition) -> Outcome<()> {
        match (condition.refuse, condition.black_hole, &self.state) {
            (true, _, State::Closed { .. })
            | (false, true, State::Full { .. })
            | (false, false, State::Open { .. }) => return Ok(()),
            _ => {}
        }
        (self.refused, self.unanswered) = (self.refused(), self.unanswered());
        let (listener, guest) = match std::mem::replace(&mut self.state, State::Closed { since: 0 }) {
            State::Open { listener, .. } => (Some(listener), None),
            State::Full { listener, guest, .. } => (Some(listener), guest),
            State::Closed { .. } => (None, None),
        };
        if condition.refuse {
            // Whoever waits in the queue is reset by this, and not counted: our own guest may be there.
            drop((listener, guest));
            self.state = State::Closed { since: kernel::resets_sent() };
            return Ok(());
        }
        let listener = listener.map_or_else(|| bind(self.port), Ok)?;
        self.state = if condition.black_hole { full(listener, self.port)? } else { open(listener, guest, self.port)? };
        Ok(())
    }

    /// Closes the port for good.
    pub fn close(&mut self) {
        self.state = State::Closed { since: u64::MAX };
    }

    /// What listens and is to be listened to.
    pub fn listener(&self) -> Option<BorrowedFd<'_>> {
        match &self.state {
            State::Open { listener, .. } => Some(listener.as_fd()),
            _ => None,
        }
    }

    /// The next connection, if one waits.
    pub fn accept(&self) -> Option<TcpStream> {
        let State::Open { listener, guest } = &self.state else { return None };
        loop {
            // A client that breaks off while it waits is its own problem.
            let (client, address) = listener.accept().ok()?;
            let address = SocketAddr::new(address.ip().to_canonical(), address.port());
            if Some(address) != *guest {
                return Some(client);
            }
        }
    }

    /// How many the kernel has refused here.
    pub fn refused(&self) -> u64 {
        match self.state {
            State::Closed { since } => self.refused + kernel::resets_sent().saturating_sub(since),
            _ => self.refused,
        }
    }

    /// How many attempts the kernel has dropped here.
    pub fn unanswered(&self) -> u64 {
        match self.state {
            State::Full { since, .. } => self.unanswered + kernel::drops().saturating_sub(since),
            _ => self.unanswered,
        }
    }
}

/// On every address, of both kinds where the kernel has both.
fn bind(port: u16) -> Outcome<TcpListener> {
    let addresses: [IpAddr; 2] = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
    let bound = TcpListener::bind(&addresses.map(|address| SocketAddr::new(address, port))[..]);
    let listener = bound.and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.or_cannot(|| format!("listen on port {port}"))
}

/// The queue of a length of 0 holds one connection. One of our own takes that place.
fn full(listener: TcpListener, port: u16) -> Outcome<State> {
    queue(&listener, 0, port)?;
    // If it does not get in, somebody else has filled the queue, who is not answered either.
    let guest = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), FILLING).ok();
    Ok(State::Full { listener, guest, since: kernel::drops() })
}

/// Whoever waited in the full queue is accepted like anybody, but for our own guest.
fn open(listener: TcpListener, guest: Option<TcpStream>, port: u16) -> Outcome<State> {
    queue(&listener, BACKLOG, port)?;
    let guest = guest.and_then(|guest| guest.local_addr().ok());
    Ok(State::Open { listener, guest })
}

/// Changes the length of the queue of a port that listens, which goes on listening.
fn queue(listener: &TcpListener, length: i32, port: u16) -> Outcome<()> {
    let changed = Backlog::new(length).and_then(|length| listen(listener, length));
    changed.or_cannot(|| format!("change the queue of port {port}"))
}
