//! Ends the life of a container, as an operator does.

use std::time::Duration;

use bollard::query_parameters::{KillContainerOptionsBuilder, StopContainerOptions};

use super::{Docker, create, refusal};
use crate::engine::Error;

impl Docker {
    pub(super) async fn stop_container(&self, id: &str, grace: Option<Duration>) -> Result<(), Error> {
        let seconds = grace.map(|grace| i32::try_from(create::whole_seconds(grace)).unwrap_or(i32::MAX));
        let options = StopContainerOptions { signal: None, t: seconds };
        self.client
            .stop_container(id, Some(options))
            .await
            .map_err(|error| self.failed(format!("stop the container {id}"), &error))
    }

    pub(super) async fn kill_container(&self, id: &str, signal: &str) -> Result<(), Error> {
        let options = KillContainerOptionsBuilder::default().signal(signal).build();
        match self.client.kill_container(id, Some(options)).await {
            Err(error) if refusal::status(&error) == Some(409) && says_dead(&refusal::words(&error)) => Ok(()),
            other => other.map_err(|error| self.failed(format!("send {signal} to the container {id}"), &error)),
        }
    }
}

/// `Container … is not running`, or `is restarting` between two lives.
fn says_dead(words: &str) -> bool {
    words.contains("is not running") || words.contains("is restarting")
}
