//! Links: ports of the agent that lead to a service, as well or as badly as they are told.
//!
//! Each link is one thread with one loop, the keeper. It alone holds the sockets, so that a condition is in
//! force, and the port really closed, when the order to change it is answered.

mod connection;
mod door;
mod flow;
mod keeper;
mod kernel;
mod line;
mod pace;
mod tally;
mod upstream;

use std::collections::HashMap;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use agent::{Answer, Condition};
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::failure::{OrCannot as _, Outcome, refuse};
use door::Door;
use keeper::{Keeper, Order};
use upstream::Upstream;

/// The links by their names.
#[derive(Default)]
pub struct Links {
    open: Mutex<HashMap<String, Orders>>,
}

/// The way to a keeper: what is put in wakes it.
#[derive(Clone)]
pub struct Orders {
    sender: Sender<Order>,
    bell: Arc<EventFd>,
}

impl Orders {
    /// Gives an order. A keeper that has ended takes none.
    pub fn give(&self, order: Order) {
        let _ = self.sender.send(order);
        // It fails only if it is full of rings that were not heard yet.
        let _ = self.bell.write(1);
    }

    /// Gives an order and waits for what comes of it.
    fn ask<T>(&self, order: impl FnOnce(Sender<T>) -> Order) -> Outcome<T> {
        let (sender, answer) = mpsc::channel();
        self.give(order(sender));
        answer.recv().map_err(|_| refuse("the link has ended"))
    }
}

impl Links {
    /// Opens a link and answers its port.
    pub fn open(&self, name: &str, port: u16, upstream: (String, u16), seed: u64) -> Outcome<Answer> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.contains_key(name) {
            return Err(refuse(format!("the link {name} is open already")));
        }
        let door = Door::open(port)?;
        let port = door.port();
        let (sender, received) = mpsc::channel();
        let bell = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC);
        let bell = Arc::new(bell.or_cannot(|| format!("open the link {name}"))?);
        let orders = Orders { sender, bell: Arc::clone(&bell) };
        let upstream = Upstream::new(upstream, orders.clone());
        let keeper = Keeper::new(door, upstream, seed);
        let started = thread::Builder::new().spawn(move || keeper.keep(&received, &bell));
        started.or_cannot(|| format!("open the link {name}"))?;
        open.insert(name.to_owned(), orders);
        Ok(Answer::Port(port))
    }

    /// Changes what a link does.
    pub fn set(&self, name: &str, condition: Condition) -> Outcome<Answer> {
        self.find(name)?.ask(|answer| Order::Set(condition, answer))??;
        Ok(Answer::Done)
    }

    /// What a link has done.
    pub fn counters(&self, name: &str) -> Outcome<Answer> {
        self.find(name)?.ask(Order::Count).map(Answer::Counters)
    }

    /// Closes a link and answers what it has done.
    pub fn close(&self, name: &str) -> Outcome<Answer> {
        let orders = self.find(name)?;
        let counters = orders.ask(Order::Close)?;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(Answer::Counters(counters))
    }

    fn find(&self, name: &str) -> Outcome<Orders> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(name).cloned().ok_or_else(|| refuse(format!("there is no link {name}")))
    }
}
