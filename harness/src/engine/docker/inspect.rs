//! A container as it is at one moment.

use std::collections::BTreeMap;

use bollard::models::{
    ContainerInspectResponse, ContainerState, EndpointSettings, Health, HealthcheckResult, NetworkSettings, PortMap,
};
use bollard::query_parameters::InspectContainerOptions;

use super::Docker;
use crate::engine::{Error, HealthProbe, Inspection};

impl Docker {
    pub(super) async fn inspect_container(&self, id: &str) -> Result<Inspection, Error> {
        let act = || format!("inspect the container {id}");
        let seen = self
            .client
            .inspect_container(id, None::<InspectContainerOptions>)
            .await
            .map_err(|error| self.failed(act(), &error))?;
        let raw =
            serde_json::to_value(&seen).map_err(|error| Error::Failed { act: act(), cause: error.to_string() })?;
        let ContainerInspectResponse { state, restart_count, network_settings, .. } = seen;
        let ContainerState { status, pid, health, .. } = state.unwrap_or_default();
        let Health { status: health, log: probes, .. } = health.unwrap_or_default();
        let NetworkSettings { ports, networks, .. } = network_settings.unwrap_or_default();
        // Docker says `none` where there is no health check.
        let health = health.map(|health| health.to_string()).filter(|health| !matches!(health.as_str(), "" | "none"));
        Ok(Inspection {
            status: status.map(|status| status.to_string()).unwrap_or_default(),
            restart_count: restart_count.unwrap_or_default(),
            // Docker says 0 of what is dead.
            pid: pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0),
            addresses: networks.unwrap_or_default().into_iter().filter_map(address).collect(),
            health,
            probes: probes.unwrap_or_default().into_iter().filter_map(probe).collect(),
            ports: reachable(&ports.unwrap_or_default(), self.endpoint.host()),
            raw,
        })
    }
}

/// The address in a network, which what is dead has lost.
fn address((network, endpoint): (String, EndpointSettings)) -> Option<(String, String)> {
    let addresses = [endpoint.ip_address, endpoint.global_ipv6_address];
    addresses.into_iter().flatten().find(|address| !address.is_empty()).map(|address| (network, address))
}

/// One run of a health check; one that has not ended yet is none.
fn probe(result: HealthcheckResult) -> Option<HealthProbe> {
    Some(HealthProbe {
        at: result.start?.parse().ok()?,
        ended: result.end?.parse().ok()?,
        exit_code: result.exit_code?,
        output: result.output.unwrap_or_default(),
    })
}

/// Published TCP ports, by the container's number, as seen from the harness.
fn reachable(ports: &PortMap, host: &str) -> BTreeMap<u16, String> {
    let one = |(name, bindings): (&String, &Option<Vec<bollard::models::PortBinding>>)| {
        let port = name.strip_suffix("/tcp")?.parse().ok()?;
        let chosen = bindings.as_ref()?.first()?.host_port.as_ref()?;
        Some((port, format!("{host}:{chosen}")))
    };
    ports.iter().filter_map(one).collect()
}
