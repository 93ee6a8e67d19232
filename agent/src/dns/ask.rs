//! Asks a name server, as the C library would, and with less patience.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

use super::message::{self, Reply};
use super::resolv_conf::ResolvConf;
use crate::failure::{Outcome, cannot, refuse};

/// How often each server is asked, and how long it has each time.
const ROUNDS: u32 = 2;
const PATIENCE: Duration = Duration::from_secs(1);

const PORT: u16 = 53;

/// The addresses of a name, old ones first.
pub fn ask(conf: &ResolvConf, name: &str) -> Outcome<Vec<IpAddr>> {
    let mut names = vec![name.to_owned()];
    if !name.contains('.') {
        names.extend(conf.search.iter().map(|domain| format!("{name}.{domain}")));
    }
    let mut first = None;
    for name in names {
        match ask_for(conf, &name) {
            Ok(addresses) if !addresses.is_empty() => return Ok(addresses),
            Ok(_) => _ = first.get_or_insert_with(|| refuse(format!("{name} has no address"))),
            Err(failure) => _ = first.get_or_insert(failure),
        }
    }
    Err(first.unwrap_or_else(|| refuse(format!("{name} was not asked for"))))
}

fn ask_for(conf: &ResolvConf, name: &str) -> Outcome<Vec<IpAddr>> {
    let mut addresses = Vec::new();
    for kind in message::ADDRESSES {
        addresses.extend(ask_servers(conf, name, kind)?);
    }
    Ok(addresses)
}

fn ask_servers(conf: &ResolvConf, name: &str, kind: u16) -> Outcome<Vec<IpAddr>> {
    let mut last = refuse("no name server is known");
    for _ in 0..ROUNDS {
        for server in &conf.servers {
            match ask_server(*server, name, kind) {
                Ok(Reply::Addresses(addresses)) => return Ok(addresses),
                Ok(Reply::Error(error)) => {
                    let error = message::error_name(error);
                    return Err(refuse(format!("the name server {server} says {error} of {name}")));
                }
                Err(error) => last = cannot(&format!("ask the name server {server} for {name}"), &error),
            }
        }
    }
    Err(last)
}

fn ask_server(server: IpAddr, name: &str, kind: u16) -> io::Result<Reply> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(SocketAddr::new(server, PORT))?;
    let id = some_number();
    let question = message::question(id, name, kind);
    socket.send(&question.ok_or_else(|| io::Error::other(format!("{name:?} can be no name")))?)?;
    let deadline = Instant::now() + PATIENCE;
    let mut bytes = [0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv(&mut bytes) {
            Ok(length) => {
                if let Some(reply) = message::reply(&bytes[..length], id) {
                    return Ok(reply);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Tells this reply from a late one to an earlier question.
fn some_number() -> u16 {
    (SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().subsec_nanos() & 0xffff) as u16
}
