//! What a scripted engine says of a container.

use super::world::{World, failed};
use crate::engine::{Error, Inspection};

/// A port that nothing listens on.
const NOWHERE: &str = "127.0.0.1:1";

impl World {
    pub fn seen(&mut self, id: &str) -> Result<Inspection, Error> {
        let id = self.existing(id, "inspect")?.id.clone();
        let Some(container) = self.record(&id) else { return Err(failed("inspect", "it is gone")) };
        let (status, image) = (container.status.word(), &container.spec.image);
        let raw = serde_json::json!({
            "Id": container.id,
            "Name": format!("/{}", container.spec.name),
            "RestartCount": container.restart_count,
            "State": { "Status": status, "ExitCode": container.exit_code },
            "Config": { "Image": image },
        });
        let alive = container.status.is_alive();
        let published = if alive { container.spec.publish.clone() } else { Vec::new() };
        let addresses = self.script(image).map(|script| script.ports.clone()).unwrap_or_default();
        let address = |port: u16| addresses.get(&port).map_or(NOWHERE, String::as_str).to_owned();
        Ok(Inspection {
            status: status.to_owned(),
            restart_count: container.restart_count,
            // A number that no other life has had.
            pid: u32::try_from(1000 + container.happenings.len()).ok().filter(|_| alive),
            addresses: self.addresses(container),
            health: container.health.clone(),
            probes: container.probes.clone(),
            ports: published.into_iter().map(|port| (port, address(port))).collect(),
            raw,
        })
    }
}
