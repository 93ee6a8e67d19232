//! Runs a command in a container.

use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use futures_util::StreamExt;

use super::{Docker, refusal};
use crate::engine::{Error, Executed};

/// What a shell says of a program that is not there.
const NOT_FOUND: i64 = 127;

impl Docker {
    pub(super) async fn run_inside(&self, id: &str, command: &[String]) -> Result<Executed, Error> {
        let failed = |error: &bollard::errors::Error| {
            self.failed(format!("run `{}` in the container {id}", command.join(" ")), error)
        };
        let config = ExecConfig {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.to_vec()),
            ..ExecConfig::default()
        };
        let made = self.client.create_exec(id, config).await.map_err(|error| failed(&error))?;
        let mut bytes = Vec::new();
        match self.client.start_exec(&made.id, None).await {
            Ok(StartExecResults::Attached { mut output, .. }) => {
                while let Some(piece) = output.next().await {
                    bytes.extend_from_slice(piece.map_err(|error| failed(&error))?.as_ref());
                }
            }
            Ok(StartExecResults::Detached) => {}
            // Some engines answer instead of saying it on the stream.
            Err(error) if refusal::words(&error).contains("OCI runtime exec failed") => {
                return Ok(Executed { code: NOT_FOUND, output: refusal::words(&error) });
            }
            Err(error) => return Err(failed(&error)),
        }
        let seen = self.client.inspect_exec(&made.id).await.map_err(|error| failed(&error))?;
        let code = seen.exit_code.ok_or_else(|| Error::Failed {
            act: format!("run `{}` in the container {id}", command.join(" ")),
            cause: "the engine does not say what it exited with".to_owned(),
        })?;
        Ok(Executed { code, output: String::from_utf8_lossy(&bytes).into_owned() })
    }
}
