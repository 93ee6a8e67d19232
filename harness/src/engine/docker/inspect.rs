//! A container as it is at one moment.

use std::collections::BTreeMap;

use bollard::models::{ContainerInspectResponse, PortMap};
use bollard::query_parameters::InspectContainerOptions;

use super::Docker;
use crate::engine::{Error, Inspection};

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
        let status = state.and_then(|state| state.status).map(|status| status.to_string());
        let ports = network_settings.and_then(|network| network.ports).unwrap_or_default();
        Ok(Inspection {
            status: status.unwrap_or_default(),
            restart_count: restart_count.unwrap_or_default(),
            ports: reachable(&ports, self.endpoint.host()),
            raw,
        })
    }
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
