//! What the kernel counts about connections that never reach a program.

use std::fs;

/// Resets sent, for refused connections above all.
pub fn resets_sent() -> u64 {
    read("/proc/self/net/snmp", "Tcp:", "OutRsts")
}

/// Attempts to connect that were dropped at a port that listens.
pub fn drops() -> u64 {
    read("/proc/self/net/netstat", "TcpExt:", "ListenDrops")
}

/// Without the table nothing is counted, and so nothing proven.
fn read(path: &str, group: &str, name: &str) -> u64 {
    fs::read_to_string(path).ok().and_then(|table| value(&table, group, name)).unwrap_or_default()
}

/// A table has two lines for each group: the names, and below them the numbers.
fn value(table: &str, group: &str, name: &str) -> Option<u64> {
    let mut lines = table.lines().filter(|line| line.starts_with(group));
    let at = lines.next()?.split(' ').position(|word| word == name)?;
    lines.next()?.split(' ').nth(at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stands_below_its_name() {
        let table = "Ip: Forwarding\nIp: 1\nTcp: RtoMin OutSegs OutRsts\nTcp: 200 17 5\nUdp: OutRsts\nUdp: 9\n";
        assert_eq!(value(table, "Tcp:", "OutRsts"), Some(5));
        assert_eq!(value(table, "Tcp:", "Other"), None);
        assert_eq!(value("", "Tcp:", "OutRsts"), None);
    }

    #[test]
    fn this_kernel_counts_them() {
        let tables = [("/proc/self/net/snmp", "Tcp:", "OutRsts"), ("/proc/self/net/netstat", "TcpExt:", "ListenDrops")];
        for (path, group, name) in tables {
            assert!(value(&fs::read_to_string(path).unwrap(), group, name).is_some(), "{name}");
        }
    }
}
