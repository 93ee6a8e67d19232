//! On which TCP ports something in a container's network listens.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use agent::{Answer, Listener};

use crate::failure::{OrCannot as _, Outcome};
use crate::subject::Subject;

/// The kernel's number for the state.
const LISTEN: &str = "0A";

/// What listens, whether or not it accepts.
pub fn listeners(pid: u32) -> Outcome<Answer> {
    let subject = Subject::at(pid)?;
    let table = fs::read_to_string(subject.proc("net/tcp"));
    let mut found = parse(&table.or_cannot(|| format!("read the connections of process {pid}"))?);
    // Without IPv6 there is no such table.
    found.extend(parse(&fs::read_to_string(subject.proc("net/tcp6")).unwrap_or_default()));
    found.sort();
    found.dedup();
    Ok(Answer::Listeners(found))
}

/// Lines such as `0: 0100007F:1F90 00000000:0000 0A …`.
fn parse(table: &str) -> Vec<Listener> {
    let listener = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (address, port) = fields.next()?.split_once(':')?;
        let is_listening = fields.nth(1)? == LISTEN;
        let port = u16::from_str_radix(port, 16).ok()?;
        is_listening.then_some(Listener { port, address: address_of(address)?.to_string() })
    };
    table.lines().filter_map(listener).collect()
}

/// The kernel writes addresses as words of four bytes in the machine's own order.
fn address_of(hexadecimal: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hexadecimal.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    if hexadecimal.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).into());
    }
    let words = [word(0)?, word(8)?, word(16)?, word(24)?];
    let bytes: [u8; 16] = words.concat().try_into().ok()?;
    Some(Ipv6Addr::from(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn only_what_listens_is_told() {
        let table = "  sl  local_address rem_address   st\n\
                     0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 0 0 1\n\
                     1: 0100007F:1F91 0200007F:1234 01 0:0 00:0 0 0 0 2\n\
                     2: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0:0\n";
        let expected =
            [Listener { port: 8080, address: "127.0.0.1".into() }, Listener { port: 80, address: "::1".into() }];
        assert_eq!(parse(table), expected);
    }
}
