//! Connections from a container's network.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::time::{Duration, Instant};

use agent::Answer;
use nix::ifaddrs::getifaddrs;
use nix::libc;

use crate::commands::Agent;
use crate::dns;
use crate::failure::{OrCannot as _, Outcome, cannot, name, refuse};
use crate::place::below_root;
use crate::serve::{guarded, reply};
use crate::subject::{Rights, Subject};
use crate::tunnels::End;

/// A port that stands for any.
const DISCARD: u16 = 9;

/// Where to, and from where.
pub struct Dial {
    /// Whose network; the agent's own if there is none.
    pub pid: Option<u32>,
    /// Address or name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// For everything together.
    pub timeout: Duration,
}

/// Connects, answers, and carries bytes until the connection ends.
pub fn run(agent: &Agent, id: u64, dial: &Dial, end: &End) {
    let connected = guarded(|| connect(dial));
    if let Ok(connection) = &connected {
        reply(agent, id, Ok(Answer::Done));
        end.carry(connection, &agent.wire);
    }
    // Before the harness hears of a failure, so that it can use the number again at once.
    agent.tunnels.close(end);
    if let Err(failure) = connected {
        reply(agent, id, Err(failure));
    }
}

/// Whether the container's network has a way to an address: a datagram's way is chosen before it is sent.
pub fn try_route(subject: Subject, address: &str) -> Outcome<Answer> {
    let address: IpAddr = address.parse().map_err(|_| refuse(format!("{address} is no address")))?;
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    subject.in_network(|| {
        let socket = UdpSocket::bind((any, 0)).or_cannot(|| "make a socket in the container's network".into())?;
        Ok(Answer::Tried(socket.connect((address, DISCARD)).map_err(|error| name(&error))))
    })
}

fn connect(dial: &Dial) -> Outcome<TcpStream> {
    let deadline = Instant::now() + dial.timeout;
    let Some(pid) = dial.pid else {
        let found = (dial.host.as_str(), dial.port).to_socket_addrs();
        let found = found.or_cannot(|| format!("find the address of {}", dial.host))?;
        return first(&found.map(|address| address.ip()).collect::<Vec<_>>(), dial, deadline);
    };
    let subject = Subject::at(pid)?;
    let addresses = addresses(subject, &dial.host)?;
    subject.in_network(|| {
        let mut addresses = addresses;
        if dial.host == "localhost" {
            addresses.extend(own_addresses());
        }
        first(&addresses, dial, deadline)
    })
}

fn addresses(subject: Subject, host: &str) -> Outcome<Vec<IpAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    if host == "localhost" {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    // An engine that has no name server of its own writes a container's neighbours there.
    let hosts = subject.enter(Rights::Own, || Ok(fs::read_to_string(below_root("etc/hosts")).unwrap_or_default()))?;
    match in_hosts(&hosts, host) {
        found if found.is_empty() => dns::addresses(subject, host),
        found => Ok(found),
    }
}

fn in_hosts(hosts: &str, name: &str) -> Vec<IpAddr> {
    let address = |line: &str| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word == name).then_some(address)
    };
    hosts.lines().filter_map(address).collect()
}

/// An app may listen on none but its address in the container's network.
fn own_addresses() -> Vec<IpAddr> {
    let addresses = getifaddrs().into_iter().flatten().filter_map(|interface| interface.address);
    let addresses = addresses.filter_map(|address| {
        let old = address.as_sockaddr_in().map(|address| IpAddr::from(address.ip()));
        old.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::from(address.ip())))
    });
    // An address that is valid on one interface only could not be dialled without naming that.
    let is_local = |address: &IpAddr| matches!(address, IpAddr::V6(six) if six.is_unicast_link_local());
    addresses.filter(|address| !address.is_loopback() && !is_local(address)).collect()
}

/// The first address that answers; else why the first one did not.
fn first(addresses: &[IpAddr], dial: &Dial, deadline: Instant) -> Outcome<TcpStream> {
    let mut first = None;
    for address in addresses {
        let address = SocketAddr::new(*address, dial.port);
        match try_one(address, deadline) {
            Ok(connection) => return Ok(connection),
            Err(error) => _ = first.get_or_insert_with(|| cannot(&format!("connect to {address}"), &error)),
        }
    }
    Err(first.unwrap_or_else(|| refuse(format!("{} has no address", dial.host))))
}

fn try_one(address: SocketAddr, deadline: Instant) -> io::Result<TcpStream> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::Error::from_raw_os_error(libc::ETIMEDOUT));
    }
    let connection = TcpStream::connect_timeout(&address, left)?;
    connection.set_nodelay(true)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_the_hosts_of_the_container() {
        let hosts = "127.0.0.1 localhost\n172.17.0.2\tdb postgres # db2\n::2 db\n";
        assert_eq!(in_hosts(hosts, "db"), [IpAddr::from([172, 17, 0, 2]), "::2".parse().unwrap()]);
        assert_eq!(in_hosts(hosts, "postgres").len(), 1);
        assert!(in_hosts(hosts, "db2").is_empty());
        assert!(in_hosts(hosts, "172.17.0.2").is_empty());
    }
}
