//! What a container has used.

use agent::Usage;

use super::{Group, Groups, Version};

/// Limits above this are the old version's way to say that there is none.
const UNLIMITED: u64 = 1 << 60;

/// Everything that the kernel counts.
pub fn usage(groups: &Groups) -> Usage {
    let mut usage = Usage::default();
    let kept = |one, two| groups.group(one, two).ok();
    if let Some(group) = kept("cpu", "cpu") {
        cpu(&group, &mut usage);
    }
    if let Some(group) = kept("cpuacct", "cpu") {
        usage.cpu_ns = match group.version {
            Version::One => group.number("cpuacct.usage").ok(),
            Version::Two => key(&group, "cpu.stat", "usage_usec").map(|micros| micros * 1000),
        };
    }
    if let Some(group) = kept("memory", "memory") {
        memory(&group, &mut usage);
    }
    if let Some(group) = kept("pids", "pids") {
        usage.pids = group.number("pids.current").ok();
        usage.pids_limit = group.number("pids.max").ok();
        usage.pids_fails = key(&group, "pids.events", "max");
    }
    if let Some(group) = kept("blkio", "io") {
        (usage.read_bytes, usage.write_bytes) = traffic(&group);
    }
    usage
}

fn cpu(group: &Group, usage: &mut Usage) {
    usage.periods = key(group, "cpu.stat", "nr_periods");
    usage.throttled_periods = key(group, "cpu.stat", "nr_throttled");
    usage.throttled_ns = match group.version {
        Version::One => key(group, "cpu.stat", "throttled_time"),
        Version::Two => key(group, "cpu.stat", "throttled_usec").map(|micros| micros * 1000),
    };
}

fn memory(group: &Group, usage: &mut Usage) {
    let [now, peak, limit] = match group.version {
        Version::One => ["memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.limit_in_bytes"],
        Version::Two => ["memory.current", "memory.peak", "memory.max"],
    };
    usage.memory = group.number(now).ok();
    usage.memory_peak = group.number(peak).ok();
    // `max` is no number either.
    usage.memory_limit = group.number(limit).ok().filter(|limit| *limit < UNLIMITED);
    usage.memory_fails = match group.version {
        Version::One => group.number("memory.failcnt").ok(),
        Version::Two => key(group, "memory.events", "max"),
    };
}

/// The number behind a key, of lines such as `nr_throttled 3`.
fn key(group: &Group, file: &str, key: &str) -> Option<u64> {
    let text = group.read(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// Bytes read and written on all devices together: lines such as `8:0 Read 4096`, or `8:0 rbytes=4096 wbytes=0`.
fn traffic(group: &Group) -> (Option<u64>, Option<u64>) {
    let (file, read, write) = match group.version {
        Version::One => ("blkio.throttle.io_service_bytes", "Read ", "Write "),
        Version::Two => ("io.stat", "rbytes=", "wbytes="),
    };
    let Ok(text) = group.read(file) else { return (None, None) };
    let sum = |key: &str| {
        let number = |(at, _): (usize, &str)| text[at + key.len()..].split_whitespace().next()?.parse::<u64>().ok();
        text.match_indices(key).filter_map(number).sum()
    };
    (Some(sum(read)), Some(sum(write)))
}
