//! The networks of a scripted engine, and who is in them.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{Container, World, failed};
use crate::engine::{Error, Labels};

/// A network.
pub struct Network {
    pub labels: Labels,
    /// Part of the addresses in it.
    number: usize,
    /// The identifiers of the containers that are in it.
    members: BTreeSet<String>,
}

impl World {
    pub fn make_network(&mut self, name: &str, labels: &Labels) -> Result<(), Error> {
        if self.networks.contains_key(name) {
            let words = format!("network with name {name} already exists");
            return Err(failed(format!("create the network {name}"), words));
        }
        // The default network has the number 0.
        let number = self.networks.values().map(|network| network.number).max().unwrap_or(0) + 1;
        self.networks.insert(name.to_owned(), Network { labels: labels.clone(), number, members: BTreeSet::new() });
        Ok(())
    }

    pub fn join(&mut self, network: &str, id: &str) -> Result<(), Error> {
        let act = format!("connect the container {id} to the network {network}");
        match self.networks.get_mut(network).map(|found| found.members.insert(id.to_owned())) {
            Some(true) => Ok(()),
            Some(false) => Err(failed(act, format!("endpoint with name {id} already exists in network {network}"))),
            None => Err(failed(act, format!("network {network} not found"))),
        }
    }

    pub fn leave(&mut self, network: &str, id: &str) -> Result<(), Error> {
        let act = format!("disconnect the container {id} from the network {network}");
        match self.networks.get_mut(network).map(|found| found.members.remove(id)) {
            Some(true) => Ok(()),
            Some(false) => Err(failed(act, format!("container {id} is not connected to network {network}"))),
            None => Err(failed(act, format!("network {network} not found"))),
        }
    }

    pub fn leave_all(&mut self, id: &str) {
        for network in self.networks.values_mut() {
            network.members.remove(id);
        }
    }

    /// Only what lives has an endpoint that keeps a network.
    pub fn remove_network(&mut self, name: &str) -> Result<(), Error> {
        let members = self.networks.get(name).into_iter().flat_map(|network| &network.members);
        if members.filter_map(|id| self.record(id)).any(|container| container.status.is_alive()) {
            let words = format!("error while removing network: network {name} has active endpoints");
            return Err(failed(format!("remove the network {name}"), words));
        }
        self.networks.remove(name);
        Ok(())
    }

    /// The address of a container in each of its networks, while it is alive.
    pub fn addresses(&self, container: &Container) -> BTreeMap<String, String> {
        if !container.status.is_alive() {
            return BTreeMap::new();
        }
        let place = self.containers.iter().position(|other| other.id == container.id).unwrap_or_default();
        let address = |number: usize| format!("10.0.{number}.{}", place + 2);
        let joined = self.networks.iter().filter(|(_, network)| network.members.contains(&container.id));
        let mut found: BTreeMap<String, String> =
            joined.map(|(name, network)| (name.clone(), address(network.number))).collect();
        if container.spec.networks.is_empty() && !container.spec.is_alone() {
            found.insert("bridge".to_owned(), address(0));
        }
        found
    }
}
