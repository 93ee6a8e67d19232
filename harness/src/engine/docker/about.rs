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
        let limits = [
            ("cpus", said(info.cpu_cfs_period) && said(info.cpu_cfs_quota)),
            ("cpuset", said(info.cpu_set)),
            ("cpu_shares", said(info.cpu_shares)),
            ("mem_limit", said(info.memory_limit)),
            ("memswap_limit", said(info.swap_limit)),
            ("oom_kill_disable", said(info.oom_kill_disable)),
            ("pids_limit", said(info.pids_limit)),
        ];
        let clock = info.system_time.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
        // An engine that does not say its version of control groups predates the second.
        let cgroups = info.cgroup_version.map(|version| version.to_string()).filter(|version| !version.is_empty());
        Ok(About {
            name: format!("Docker {}", version.version.unwrap_or_default()),
            endpoint: self.endpoint.to_string(),
            api_version: version.api_version.unwrap_or_default(),
            cgroup_version: cgroups.unwrap_or_else(|| "1".to_owned()),
            storage_driver: info.driver.unwrap_or_default(),
            platform: format!("{}/{}", version.os.unwrap_or_default(), version.arch.unwrap_or_default()),
            cpus: info.ncpu.unwrap_or_default(),
            memory: info.mem_total.unwrap_or_default(),
            root_dir: info.docker_root_dir.unwrap_or_default(),
            limits: limits.into_iter().map(|(key, can)| (key.to_owned(), can)).collect(),
            clock: clock.ok_or_else(|| Error::Failed {
                act: "read the engine's clock".to_owned(),
                cause: format!("it said `{}`", info.system_time.unwrap_or_default()),
            })?,
        })
    }
}
