//! What the engine keeps for a run, and how it is taken away again.

use std::collections::HashMap;

use bollard::errors::Error as Cause;
use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder, RemoveVolumeOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;

use super::{Docker, refusal};
use crate::engine::{Error, Labels, Owned, Thing};

impl Docker {
    pub(super) async fn make_volume(&self, name: &str, labels: &Labels, size: Option<u64>) -> Result<String, Error> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            driver_opts: size.map(in_memory),
            labels: Some(labels.clone().into_iter().collect()),
            ..VolumeCreateRequest::default()
        };
        let made = self.client.create_volume(request).await;
        made.map(|volume| volume.mountpoint).map_err(|error| self.failed(format!("create the volume {name}"), &error))
    }

    pub(super) async fn labelled_things(&self, label: &str) -> Result<Vec<Owned>, Error> {
        let filters = HashMap::from([("label", vec![label])]);
        let act = || format!("list what carries the label {label}");
        let owned = |thing: Thing, labels: Option<HashMap<String, String>>| Owned {
            thing,
            labels: labels.unwrap_or_default().into_iter().collect(),
        };
        let mut found = Vec::new();

        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let containers = self.client.list_containers(Some(options)).await;
        for container in containers.map_err(|error| self.failed(act(), &error))? {
            let name = container.names.into_iter().flatten().next();
            // A container that is being removed may have lost its name.
            if let Some(name) = name.or(container.id) {
                found.push(owned(Thing::Container(name.trim_start_matches('/').to_owned()), container.labels));
            }
        }
        let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
        let volumes = self.client.list_volumes(Some(options)).await;
        for volume in volumes.map_err(|error| self.failed(act(), &error))?.volumes.into_iter().flatten() {
            found.push(owned(Thing::Volume(volume.name), Some(volume.labels)));
        }
        let options = ListNetworksOptionsBuilder::default().filters(&filters).build();
        let networks = self.client.list_networks(Some(options)).await;
        for network in networks.map_err(|error| self.failed(act(), &error))? {
            if let Some(name) = network.name {
                found.push(owned(Thing::Network(name), network.labels));
            }
        }
        Ok(found)
    }

    pub(super) async fn remove_thing(&self, thing: &Thing) -> Result<(), Error> {
        let (act, removed) = match thing {
            Thing::Container(name) => {
                let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
                let removed = self.client.remove_container(name, Some(options)).await;
                if removed.as_ref().is_err_and(in_progress) {
                    self.wait_until_gone(name).await;
                    return Ok(());
                }
                (format!("remove the container {name}"), removed)
            }
            Thing::Volume(name) => {
                let options = RemoveVolumeOptionsBuilder::default().force(true).build();
                let removed = self.client.remove_volume(name, Some(options)).await;
                (format!("remove the volume {name}"), removed)
            }
            Thing::Network(name) => (format!("remove the network {name}"), self.client.remove_network(name).await),
            Thing::Image(reference) => {
                let options = RemoveImageOptionsBuilder::default().force(true).build();
                let removed = self.client.remove_image(reference, Some(options), None).await;
                (format!("remove the image {reference}"), removed.map(drop))
            }
        };
        match removed {
            Err(error) if refusal::status(&error) != Some(404) => Err(self.failed(act, &error)),
            _ => Ok(()),
        }
    }

    /// Somebody else removes it already. Its volumes are free only when it is gone.
    async fn wait_until_gone(&self, name: &str) {
        let options = WaitContainerOptionsBuilder::default().condition("removed").build();
        let mut gone = Box::pin(self.client.wait_container(name, Some(options)));
        while let Some(Ok(_)) = gone.next().await {}
    }
}

/// A disk's own quota needs one kind of file system; memory is limited on all machines.
fn in_memory(size: u64) -> HashMap<String, String> {
    let options = [("type", "tmpfs".to_owned()), ("device", "tmpfs".to_owned()), ("o", format!("size={size}"))];
    options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn in_progress(error: &Cause) -> bool {
    refusal::status(error) == Some(409) && refusal::words(error).contains("already in progress")
}
