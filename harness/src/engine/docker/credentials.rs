//! Who the user is to a registry, as `docker login` has kept it.

use std::path::PathBuf;

use bollard::auth::DockerCredentials;
use docker_credential::{CredentialRetrievalError as Cause, DockerCredential};

/// The registry of references that name none, by the name it has in the configuration.
const HUB: &str = "https://index.docker.io/v1/";

/// The credentials for an image's registry, if there are any; or why those that
/// there are cannot be had.
pub async fn of(reference: &str) -> Result<Option<DockerCredentials>, String> {
    if !configuration().is_some_and(|file| file.exists()) {
        return Ok(None);
    }
    let registry = registry_of(reference).to_owned();
    // A helper is a program of the user's, which may take its time.
    let asked = registry.clone();
    let found = tokio::task::spawn_blocking(move || docker_credential::get_credential(&asked)).await;
    let found = found.map_err(|error| error.to_string())?;
    let serveraddress = Some(registry);
    match found {
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(Some(DockerCredentials {
            username: Some(user),
            password: Some(password),
            serveraddress,
            ..DockerCredentials::default()
        })),
        Ok(DockerCredential::IdentityToken(token)) => {
            Ok(Some(DockerCredentials { identitytoken: Some(token), serveraddress, ..DockerCredentials::default() }))
        }
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(words(error)),
    }
}

/// Where `docker login` keeps what it was told.
fn configuration() -> Option<PathBuf> {
    let named = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    Some(named.or_else(|| Some(std::env::home_dir()?.join(".docker")))?.join("config.json"))
}

/// The host of a reference, which has to look like one to be none of Docker Hub's users.
fn registry_of(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => match host {
            "docker.io" | "index.docker.io" => HUB,
            other => other,
        },
        _ => HUB,
    }
}

/// A helper has no other way to say that it knows nothing.
fn is_absence(error: &Cause) -> bool {
    match error {
        Cause::NoCredentialConfigured | Cause::ConfigNotFound => true,
        Cause::HelperFailure { stdout, stderr, .. } => {
            [stdout, stderr].iter().any(|said| said.contains("credentials not found"))
        }
        _ => false,
    }
}

/// One line, without what a helper may have given away.
fn words(error: Cause) -> String {
    match error {
        Cause::HelperFailure { helper, stderr, .. } => format!("{helper} failed: {}", stderr.trim()),
        Cause::HelperCommunicationError => "the credential helper of Docker's configuration does not run".to_owned(),
        Cause::ConfigReadError => "Docker's configuration cannot be read".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_looks_like_a_host() {
        for (reference, expected) in [
            ("postgres", HUB),
            ("postgres:17", HUB),
            ("grafana/grafana:11", HUB),
            ("docker.io/library/postgres", HUB),
            ("ghcr.io/a/b:1", "ghcr.io"),
            ("localhost/app", "localhost"),
            ("127.0.0.1:5000/app@sha256:00", "127.0.0.1:5000"),
        ] {
            assert_eq!(registry_of(reference), expected, "{reference}");
        }
    }

    #[test]
    fn a_helper_that_knows_nothing_is_no_failure() {
        let failure = |stdout: &str, stderr: &str| Cause::HelperFailure {
            helper: "docker-credential-demo".to_owned(),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        };
        assert!(is_absence(&failure("credentials not found in native keychain", "")));
        let locked = failure("secret", "the keychain is locked\n");
        assert!(!is_absence(&locked));
        assert_eq!(words(locked), "docker-credential-demo failed: the keychain is locked");
    }
}
