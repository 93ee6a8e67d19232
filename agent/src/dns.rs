//! Names: asked for as a container would, and a name server made useless.

pub mod ask;
pub mod fault;
mod message;
mod resolv_conf;

use std::fs;

use agent::Answer;

use crate::failure::{OrCannot as _, Outcome};
use crate::subject::{Rights, Subject};
use resolv_conf::ResolvConf;

/// Where a container's programs read who its name server is.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The addresses of a name, from the container's own name server.
pub fn resolve(pid: u32, name: &str) -> Outcome<Answer> {
    let addresses = addresses(Subject::at(pid)?, name)?;
    Ok(Answer::Addresses(addresses.iter().map(ToString::to_string).collect()))
}

/// The same.
pub fn addresses(subject: Subject, name: &str) -> Outcome<Vec<std::net::IpAddr>> {
    let conf = subject.enter(Rights::Own, || {
        fs::read_to_string(RESOLV_CONF).or_cannot(|| format!("read {RESOLV_CONF} of the container"))
    })?;
    let conf = ResolvConf::parse(&conf);
    subject.in_network(|| ask::ask(&conf, name))
}
