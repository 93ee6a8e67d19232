//! Networks, and who is in them.

use bollard::models::{NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest};

use super::{Docker, create};
use crate::engine::{Error, Labels};

impl Docker {
    pub(super) async fn make_network(&self, name: &str, labels: &Labels) -> Result<(), Error> {
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            labels: Some(labels.clone().into_iter().collect()),
            ..NetworkCreateRequest::default()
        };
        let made = self.client.create_network(request).await;
        made.map(drop).map_err(|error| self.failed(format!("create the network {name}"), &error))
    }

    pub(super) async fn join(&self, network: &str, container: &str, aliases: &[String]) -> Result<(), Error> {
        let request =
            NetworkConnectRequest { container: container.to_owned(), endpoint_config: Some(create::endpoint(aliases)) };
        let joined = self.client.connect_network(network, request).await;
        joined
            .map_err(|error| self.failed(format!("connect the container {container} to the network {network}"), &error))
    }

    pub(super) async fn leave(&self, network: &str, container: &str) -> Result<(), Error> {
        let request = NetworkDisconnectRequest { container: container.to_owned(), force: None };
        let left = self.client.disconnect_network(network, request).await;
        left.map_err(|error| {
            self.failed(format!("disconnect the container {container} from the network {network}"), &error)
        })
    }
}
