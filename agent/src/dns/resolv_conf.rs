//! `/etc/resolv.conf`: whom to ask, and what to append to short names.

use std::fmt::Write as _;
use std::net::IpAddr;

/// What counts of it.
#[derive(Debug, PartialEq, Eq)]
pub struct ResolvConf {
    /// Whom to ask, one after the other.
    pub servers: Vec<IpAddr>,
    /// Domains to try a name without dots in.
    pub search: Vec<String>,
}

impl ResolvConf {
    /// Reads it; without a server, the one on the same host is meant.
    pub fn parse(text: &str) -> ResolvConf {
        let words = |name: &'static str| {
            let lines = text.lines().filter_map(move |line| line.trim().strip_prefix(name));
            lines.filter(|rest| rest.starts_with([' ', '\t'])).map(str::split_whitespace)
        };
        let mut servers: Vec<IpAddr> = words("nameserver").filter_map(|mut words| words.next()?.parse().ok()).collect();
        if servers.is_empty() {
            servers.push(IpAddr::from([127, 0, 0, 1]));
        }
        let search = words("search").next_back().map(|words| words.map(str::to_owned).collect()).unwrap_or_default();
        ResolvConf { servers, search }
    }
}

/// The same file with another server as the only one, and every other line kept.
pub fn with_server(text: &str, server: IpAddr) -> String {
    let mut changed = String::new();
    for line in text.lines().filter(|line| !line.trim().starts_with("nameserver")) {
        let _ = writeln!(changed, "{line}");
    }
    let _ = writeln!(changed, "nameserver {server}");
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# made by an engine\nsearch lan example.org\nnameserver 127.0.0.11\nnameserver ::1\noptions ndots:0\n";

    #[test]
    fn servers_and_search_domains_are_read() {
        let conf = ResolvConf::parse(TEXT);
        assert_eq!(conf.servers, ["127.0.0.11".parse::<IpAddr>().unwrap(), "::1".parse().unwrap()]);
        assert_eq!(conf.search, ["lan", "example.org"]);
    }

    #[test]
    fn an_empty_one_means_this_host() {
        assert_eq!(ResolvConf::parse("").servers, ["127.0.0.1".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn only_the_servers_are_exchanged() {
        let changed = with_server(TEXT, [127, 0, 0, 66].into());
        assert_eq!(changed, "# made by an engine\nsearch lan example.org\noptions ndots:0\nnameserver 127.0.0.66\n");
    }
}
