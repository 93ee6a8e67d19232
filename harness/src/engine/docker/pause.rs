//! Stops the clock of a container's processes, and lets it go on.

use super::Docker;
use crate::engine::Error;

impl Docker {
    pub(super) async fn pause_container(&self, id: &str) -> Result<(), Error> {
        let paused = self.client.pause_container(id).await;
        paused.map_err(|error| self.failed(format!("pause the container {id}"), &error))
    }

    pub(super) async fn unpause_container(&self, id: &str) -> Result<(), Error> {
        let unpaused = self.client.unpause_container(id).await;
        unpaused.map_err(|error| self.failed(format!("unpause the container {id}"), &error))
    }
}
