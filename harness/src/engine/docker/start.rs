//! Starts a container, and tells a subject that cannot start from an engine that is in trouble.

use bollard::errors::Error as Cause;
use bollard::query_parameters::{InspectContainerOptions, StartContainerOptions};

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

/// Words by which it says that it may not do itself what was asked of it.
const NOT_GRANTED: [&str; 2] = ["unable to apply caps: operation not permitted", "oom_score_adj: permission denied"];

/// Whose fault it is that a container does not start.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// The subject's, or of whoever says how it is run.
    Subject,
    /// The engine lacks a right.
    Rights,
    /// The engine's, or of nobody who is known.
    Engine,
}

impl Docker {
    pub(super) async fn start_container(&self, id: &str) -> Result<Start, Error> {
        let Err(error) = self.client.start_container(id, None::<StartContainerOptions>).await else {
            return Ok(Start::Started);
        };
        let words = refusal::words(&error);
        match fault(&error) {
            Fault::Subject if dies_nameless(&words) && self.is_to_be_spared(id).await => {
                Err(Error::NotGranted(format!("`oom_score_adj` below 0: {words}")))
            }
            Fault::Subject => Ok(Start::Refused(words)),
            Fault::Rights => Err(Error::NotGranted(words)),
            Fault::Engine => Err(self.failed(format!("start the container {id}"), &error)),
        }
    }

    /// Whether the kernel is to kill it later than others for memory.
    async fn is_to_be_spared(&self, id: &str) -> bool {
        let seen = self.client.inspect_container(id, None::<InspectContainerOptions>).await.ok();
        let adjusted = seen.and_then(|seen| seen.host_config?.oom_score_adj);
        adjusted.is_some_and(|adjusted| adjusted < 0)
    }
}

/// An unknown sentence counts as the engine's trouble: a subject is not blamed on a guess.
fn fault(error: &Cause) -> Fault {
    let Cause::DockerResponseServerError { message, .. } = error else {
        return Fault::Engine;
    };
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let may_not_raise = says(&["error setting rlimit"]) && says(&["operation not permitted"]);
    if says(&NOT_GRANTED) || may_not_raise || may_not_set(&message) {
        Fault::Rights
    } else if says(&SUBJECTS_FAULT) && !says(&ENGINES_FAULT) {
        Fault::Subject
    } else {
        Fault::Engine
    }
}

/// A kernel setting that the engine may not write.
fn may_not_set(message: &str) -> bool {
    let denied = ["permission denied", "operation not permitted", "read-only file system"];
    message.contains("/proc/sys/") && denied.iter().any(|word| message.contains(word))
}

/// The runtime's own helper may not lower how readily it is killed, and ends
/// without saying so.
fn dies_nameless(words: &str) -> bool {
    words.contains("can't get final child's PID")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expected: &Fault) {
        let error = Cause::DockerResponseServerError { status_code: 400, message: message.to_owned() };
        assert_eq!(fault(&error), *expected, "{message}");
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
            check(message, &Fault::Subject);
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
            check(message, &Fault::Engine);
        }
    }

    #[test]
    fn a_right_that_the_engine_lacks_is_no_outcome() {
        for message in [
            "OCI runtime create failed: unable to start container process: unable to apply caps: operation not \
             permitted: unknown",
            "OCI runtime create failed: error during container init: error setting rlimits for ready process: error \
             setting rlimit type 7: operation not permitted: unknown",
            "OCI runtime create failed: error during container init: open /proc/sys/net/core/somaxconn: permission \
             denied: unknown",
            "OCI runtime create failed: write /proc/self/oom_score_adj: permission denied: unknown",
        ] {
            check(message, &Fault::Rights);
        }
        // A limit that makes no sense is not the engine's.
        let nonsense = "OCI runtime create failed: error setting rlimit type 7: invalid argument: unknown";
        check(nonsense, &Fault::Subject);
    }

    #[test]
    fn a_lost_connection_is_no_outcome() {
        assert_eq!(fault(&Cause::RequestTimeoutError), Fault::Engine);
    }
}
