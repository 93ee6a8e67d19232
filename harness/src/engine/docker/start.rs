//! Starts a container, and tells a subject that cannot start from an engine that is in trouble.

use bollard::errors::Error as Cause;
use bollard::query_parameters::StartContainerOptions;

use super::{Docker, refusal};
use crate::engine::{Error, Start};

/// Words by which the engine says that the process or a mount of it is at fault.
const SUBJECTS_FAULT: [&str; 17] = [
    "oci runtime",
    "starting container process",
    "exec format error",
    "executable file not found",
    "error during container init",
    "error mounting",
    "error while creating mount source path",
    "invalid mount",
    "no such file or directory",
    "not a directory",
    "permission denied",
    "unable to find user",
    "unable to find group",
    "error gathering device information",
    "invalid ipc mode",
    "invalid tmpfs option",
    "seccomp profile",
];

/// Words by which it says that the container was not there to be started, or
/// that the machine has run out of something.
const ENGINES_FAULT: [&str; 4] =
    ["no such container", "marked for removal", "cannot allocate memory", "no space left on device"];

impl Docker {
    pub(super) async fn start_container(&self, id: &str) -> Result<Start, Error> {
        match self.client.start_container(id, None::<StartContainerOptions>).await {
            Ok(()) => Ok(Start::Started),
            Err(error) if refused(&error) => Ok(Start::Refused(refusal::words(&error))),
            Err(error) => Err(self.failed(format!("start the container {id}"), &error)),
        }
    }
}

/// An unknown sentence counts as the engine's trouble: a subject is not blamed on a guess.
fn refused(error: &Cause) -> bool {
    let Cause::DockerResponseServerError { message, .. } = error else {
        return false;
    };
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    says(&SUBJECTS_FAULT) && !says(&ENGINES_FAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expected: bool) {
        let error = Cause::DockerResponseServerError { status_code: 400, message: message.to_owned() };
        assert_eq!(refused(&error), expected, "{message}");
    }

    #[test]
    fn a_process_that_cannot_be_started_is_the_subjects_fault() {
        for message in [
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container \
             process: exec: \"/app\": permission denied: unknown",
            "OCI runtime create failed: container_linux.go:380: starting container process caused: exec: \"app\": \
             executable file not found in $PATH: unknown",
            "unable to find user nobody: no matching entries in passwd file",
            "Unable to find group staff: no matching entries in group file",
            "error gathering device information while adding custom device \"/dev/nope\": no such device",
            "invalid tmpfs option [\"nope\" \"1\"]",
            "Decoding seccomp profile failed: invalid character 'x' looking for beginning of value",
            "error while creating mount source path '/srv/data': mkdir /srv: read-only file system",
        ] {
            check(message, true);
        }
    }

    #[test]
    fn an_engine_in_trouble_is_no_outcome() {
        for message in [
            "No such container: 0123",
            "container is marked for removal and cannot be started",
            "OCI runtime create failed: cannot allocate memory: unknown",
            "driver failed programming external connectivity on endpoint demo",
            "something never seen before",
        ] {
            check(message, false);
        }
    }

    #[test]
    fn a_lost_connection_is_no_outcome() {
        assert!(!refused(&Cause::RequestTimeoutError));
    }
}
