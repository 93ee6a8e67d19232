//! The way to the service behind a link.

use std::net::TcpStream;
use std::thread;

use super::Orders;
use super::keeper::Order;

/// Where it is, and where to report.
pub struct Upstream {
    address: (String, u16),
    orders: Orders,
}

impl Upstream {
    /// A service at this host and port.
    pub fn new(address: (String, u16), orders: Orders) -> Upstream {
        Upstream { address, orders }
    }

    /// Connects for a connection of this number, on a thread of its own, since the name has to be asked
    /// for each time and may take long. The keeper gets the connection as an order.
    pub fn connect(&self, number: u64) {
        let (address, orders) = (self.address.clone(), self.orders.clone());
        let started = thread::Builder::new().spawn(move || {
            let connected = TcpStream::connect(address).and_then(|connection| {
                connection.set_nonblocking(true)?;
                connection.set_nodelay(true)?;
                Ok(connection)
            });
            orders.give(Order::Connected(number, connected.ok()));
        });
        if started.is_err() {
            self.orders.give(Order::Connected(number, None));
        }
    }
}
