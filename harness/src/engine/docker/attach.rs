//! A hold on a container's streams.

use bollard::container::LogOutput;
use bollard::query_parameters::AttachContainerOptionsBuilder;
use futures_util::StreamExt;

use super::Docker;
use crate::engine::{Attached, Error, Output, Stdio};

impl Docker {
    pub(super) async fn attach_to(&self, id: &str) -> Result<Attached, Error> {
        let options =
            AttachContainerOptionsBuilder::default().stream(true).stdin(true).stdout(true).stderr(true).build();
        let act = format!("attach to the container {id}");
        let attached = self.client.attach_container(id, Some(options)).await;
        let attached = attached.map_err(|error| self.failed(act.clone(), &error))?;
        let this = self.clone();
        let output =
            attached.output.map(move |piece| piece.map(told).map_err(|error| this.failed(act.clone(), &error)));
        Ok(Attached { output: output.boxed(), input: attached.input })
    }
}

fn told(piece: LogOutput) -> Output {
    let (stream, bytes) = match piece {
        LogOutput::StdErr { message } => (Stdio::Stderr, message),
        LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message } => {
            (Stdio::Stdout, message)
        }
    };
    Output { stream, bytes }
}
