//! What the engine says of itself.

use jiff::Timestamp;

use super::Docker;
use crate::engine::{About, Error};

impl Docker {
    pub(super) async fn describe(&self) -> Result<About, Error> {
        let act = "ask the engine what it is";
        let version = self.client.version().await.map_err(|error| self.failed(act, &error))?;
        let info = self.client.info().await.map_err(|error| self.failed(act, &error))?;
        let said = |flag: Option<bool>| flag.unwrap_or(false);
        // An engine that does not say its version of control groups predates the second.
        let cgroups = info.cgroup_version.map(|version| version.to_string()).filter(|version| !version.is_empty());
        let cgroups = cgroups.unwrap_or_else(|| "1".to_owned());
        let warns = |of: &str| info.warnings.iter().flatten().any(|warning| warning.contains(of));
        let quota = said(info.cpu_cfs_period) && said(info.cpu_cfs_quota);
        let limits = [
            ("blkio_config", !warns("No blkio throttle")),
            ("cpu_quota", quota),
            ("cpu_shares", said(info.cpu_shares)),
            ("cpus", quota),
            ("cpuset", said(info.cpu_set)),
            ("healthcheck.start_interval", version.api_version.as_deref().is_some_and(knows_start_interval)),
            ("mem_limit", said(info.memory_limit)),
            ("mem_reservation", said(info.memory_limit)),
            // The second version of control groups has no such setting.
            ("mem_swappiness", said(info.memory_limit) && cgroups == "1"),
            ("memswap_limit", said(info.swap_limit)),
            ("oom_kill_disable", said(info.oom_kill_disable)),
            ("pids_limit", said(info.pids_limit)),
        ];
        // Only its absence is ever told; where it is not, a container's making tells.
        let weight = warns("No blkio weight").then_some(("blkio_config.weight", false));
        let clock = info.system_time.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
        Ok(About {
            name: format!("Docker {}", version.version.unwrap_or_default()),
            endpoint: self.endpoint.to_string(),
            api_version: version.api_version.unwrap_or_default(),
            cgroup_version: cgroups,
            storage_driver: info.driver.unwrap_or_default(),
            platform: format!("{}/{}", version.os.unwrap_or_default(), version.arch.unwrap_or_default()),
            cpus: info.ncpu.unwrap_or_default(),
            memory: info.mem_total.unwrap_or_default(),
            root_dir: info.docker_root_dir.unwrap_or_default(),
            limits: limits.into_iter().chain(weight).map(|(key, can)| (key.to_owned(), can)).collect(),
            clock: clock.ok_or_else(|| Error::Failed {
                act: "read the engine's clock".to_owned(),
                cause: format!("it said `{}`", info.system_time.unwrap_or_default()),
            })?,
        })
    }
}

/// Older engines take the word and do nothing.
fn knows_start_interval(api: &str) -> bool {
    let number = |text: &str| text.parse::<u32>().unwrap_or_default();
    let (major, minor) = api.split_once('.').unwrap_or((api, ""));
    (number(major), number(minor)) >= (1, 44)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_newer_engines_know_a_start_interval() {
        assert!(!knows_start_interval("1.41"));
        assert!(knows_start_interval("1.44"));
        assert!(knows_start_interval("2.0"));
        assert!(!knows_start_interval(""));
    }
}
