//! Less of the processors.

use agent::Settings;

use super::{Groups, Version};
use crate::failure::{Outcome, refuse};

/// In microseconds: the usual period, the longest one, and the shortest share of either.
const PERIOD: f64 = 100_000.0;
const LONGEST: f64 = 1_000_000.0;
const SHORTEST: f64 = 1_000.0;

/// Allows so many processors' time, of which a fraction is meant.
pub fn throttle(groups: &Groups, cpus: f64) -> Outcome<Settings> {
    let (quota, period) = share(cpus)?;
    let group = groups.group("cpu", "cpu")?;
    match group.version {
        Version::One => {
            let before = vec![group.setting("cpu.cfs_quota_us")?, group.setting("cpu.cfs_period_us")?];
            let changes = [("cpu.cfs_period_us", period.to_string()), ("cpu.cfs_quota_us", quota.to_string())];
            group.change(before, &changes)
        }
        Version::Two => {
            let before = vec![group.setting("cpu.max")?];
            group.change(before, &[("cpu.max", format!("{quota} {period}"))])
        }
    }
}

fn share(cpus: f64) -> Outcome<(u64, u64)> {
    let period = if cpus * PERIOD < SHORTEST { LONGEST } else { PERIOD };
    let quota = cpus * period;
    if !quota.is_finite() || quota < SHORTEST {
        return Err(refuse(format!("{cpus} processors cannot be given: the least is 0.001")));
    }
    Ok((quota.round() as u64, period as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_part_of_a_period_that_the_kernel_accepts() {
        assert_eq!(share(0.5).unwrap(), (50_000, 100_000));
        assert_eq!(share(2.0).unwrap(), (200_000, 100_000));
        assert_eq!(share(0.005).unwrap(), (5_000, 1_000_000));
        for nonsense in [0.0, -1.0, 0.0001, f64::NAN, f64::INFINITY] {
            assert!(share(nonsense).is_err(), "{nonsense}");
        }
    }
}
