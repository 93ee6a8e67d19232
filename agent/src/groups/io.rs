//! A slow disk.

use std::path::Path;

use agent::{Setting, Settings};

use super::{Group, Groups, Version, device};
use crate::failure::Outcome;
use crate::subject::Subject;

/// Bytes per second, each way.
#[derive(Clone, Copy)]
pub struct Rates {
    /// From the device.
    pub read: Option<u64>,
    /// To the device.
    pub write: Option<u64>,
}

/// Slows the device that a path of the container is on.
pub fn throttle(subject: Subject, path: &Path, rates: Rates) -> Outcome<Settings> {
    let device = device::below(subject, path)?;
    limit(&Groups::of(subject)?, &device, rates)
}

fn limit(groups: &Groups, device: &str, rates: Rates) -> Outcome<Settings> {
    let group = groups.group("blkio", "io")?;
    let ways = match group.version {
        Version::One => [("blkio.throttle.read_bps_device", ""), ("blkio.throttle.write_bps_device", "")],
        Version::Two => [("io.max", "rbps="), ("io.max", "wbps=")],
    };
    let wanted = ways.into_iter().zip([rates.read, rates.write]);
    let wanted: Vec<_> = wanted.filter_map(|((file, key), rate)| Some((file, key, rate?))).collect();
    let before = wanted.iter().map(|(file, key, _)| old(&group, device, file, key));
    let before = before.collect::<Outcome<Vec<_>>>()?;
    let changes: Vec<_> = wanted.iter().map(|(file, key, rate)| (*file, format!("{device} {key}{rate}"))).collect();
    group.change(before, &changes)
}

/// What stood there for this device and way, as it is written; the files hold a line for each limited device.
fn old(group: &Group, device: &str, file: &str, key: &str) -> Outcome<Setting> {
    let text = group.read(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(device)?.strip_prefix(' '));
    let value = line.and_then(|line| line.split(' ').find_map(|word| word.strip_prefix(key)));
    let unlimited = if group.version == Version::One { "0" } else { "max" };
    Ok(group.keeping(file, format!("{device} {key}{}", value.unwrap_or(unlimited))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::tests::unified;

    #[test]
    fn the_old_rates_of_the_device_are_what_undoes_the_new_ones() {
        let tree = unified(&[(
            "io.max",
            "8:0 rbps=5 wbps=max riops=max wiops=max\n8:16 rbps=max wbps=7 riops=max wiops=max\n",
        )]);
        let rates = Rates { read: Some(100), write: Some(200) };
        let before = limit(&tree.groups, "8:0", rates).unwrap();
        let values: Vec<_> = before.0.iter().map(|setting| setting.value.as_str()).collect();
        assert_eq!(values, ["8:0 rbps=5", "8:0 wbps=max"]);
        // A file that keeps what was written last, where the kernel would merge.
        assert_eq!(tree.read("io.max"), "8:0 wbps=200");
    }
}
