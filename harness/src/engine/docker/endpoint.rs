//! Where the engine is: a socket of this machine, or an address in the network.

use std::fmt;
use std::io::{self, ErrorKind};
use std::str::FromStr;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};

use crate::engine::Error;

/// Where an engine on this machine listens, unless it was told otherwise.
pub const DEFAULT: &str = "unix:///var/run/docker.sock";

/// An address in `DOCKER_HOST`'s notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket file of this machine.
    Unix(String),
    /// A host and a port, reached without encryption.
    Tcp(String),
}

impl Endpoint {
    /// The host at which published ports are reached.
    pub fn host(&self) -> &str {
        match self {
            Self::Unix(_) => "127.0.0.1",
            Self::Tcp(address) => address.rsplit_once(':').map_or(address, |(host, _)| host),
        }
    }

    /// Whether the engine runs on this machine.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Unix(_)) || matches!(self.host(), "127.0.0.1" | "localhost" | "[::1]")
    }

    /// Connects once, to say in plain words why nobody answers.
    pub async fn knock(&self, patience: Duration) -> Result<(), Error> {
        let connected = match self {
            Self::Unix(path) => tokio::time::timeout(patience, UnixStream::connect(path)).await.map(|r| r.map(drop)),
            Self::Tcp(address) => {
                tokio::time::timeout(patience, TcpStream::connect(address)).await.map(|r| r.map(drop))
            }
        };
        let cause = match connected {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => self.plain_words(&error),
            Err(_) => format!("no connection within {} s", patience.as_secs()),
        };
        Err(self.unreachable(cause))
    }

    fn plain_words(&self, error: &io::Error) -> String {
        match (self, error.kind()) {
            (Self::Unix(_), ErrorKind::NotFound) => {
                "there is no such socket; start the engine, or name another one in DOCKER_HOST".to_owned()
            }
            (Self::Unix(_), ErrorKind::PermissionDenied) => {
                "you may not use this socket; add yourself to the docker group or run as root".to_owned()
            }
            (Self::Unix(_), ErrorKind::ConnectionRefused) => {
                "the socket is there, but nothing listens on it; start the engine".to_owned()
            }
            (Self::Tcp(_), ErrorKind::ConnectionRefused) => {
                "nothing listens there; start the engine, or correct DOCKER_HOST".to_owned()
            }
            _ => error.to_string(),
        }
    }

    /// The error that this engine does not answer.
    pub fn unreachable(&self, cause: impl Into<String>) -> Error {
        Error::Unreachable { endpoint: self.to_string(), cause: cause.into() }
    }

    /// A client that speaks to it; no request is made yet.
    pub fn client(&self, limit_seconds: u64) -> Result<bollard::Docker, Error> {
        let version = bollard::API_DEFAULT_VERSION;
        match self {
            Self::Unix(path) => bollard::Docker::connect_with_unix(path, limit_seconds, version),
            Self::Tcp(address) => bollard::Docker::connect_with_http(address, limit_seconds, version),
        }
        .map_err(|error| self.unreachable(error.to_string()))
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(path) = text.strip_prefix("unix://") {
            return Ok(Self::Unix(path.to_owned()));
        }
        let rest = text.strip_prefix("tcp://").or_else(|| text.strip_prefix("http://"));
        let address = rest.map(|address| address.trim_end_matches('/')).filter(|address| !address.is_empty());
        match address {
            // An IPv6 address has colons of its own, inside brackets.
            Some(address) if address.rsplit(']').next().is_some_and(|end| end.contains(':')) => {
                Ok(Self::Tcp(address.to_owned()))
            }
            Some(address) => Ok(Self::Tcp(format!("{address}:2375"))),
            None => Err(Error::Unreachable {
                endpoint: text.to_owned(),
                cause: "DOCKER_HOST has to begin with unix://, tcp:// or http://".to_owned(),
            }),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{path}"),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, shown: &str, host: &str, local: bool) {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!((endpoint.to_string().as_str(), endpoint.host(), endpoint.is_local()), (shown, host, local));
    }

    #[test]
    fn every_notation_of_docker_host_is_read() {
        check("unix:///run/docker.sock", "unix:///run/docker.sock", "127.0.0.1", true);
        check("tcp://nas:2376", "tcp://nas:2376", "nas", false);
        check("http://nas:2376/", "tcp://nas:2376", "nas", false);
        check("tcp://localhost", "tcp://localhost:2375", "localhost", true);
        check("tcp://[::1]:2375", "tcp://[::1]:2375", "[::1]", true);
        check("tcp://[fd00::7]", "tcp://[fd00::7]:2375", "[fd00::7]", false);
    }

    #[test]
    fn an_unknown_scheme_is_an_error_that_names_the_known_ones() {
        for bad in ["ssh://nas", "nas:2375", "", "tcp://"] {
            let error = bad.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.ends_with("DOCKER_HOST has to begin with unix://, tcp:// or http://"), "{error}");
        }
    }

    async fn check_knock(address: &str, expected: &str) {
        let endpoint: Endpoint = address.parse().unwrap();
        let error = endpoint.knock(Duration::from_secs(5)).await.unwrap_err().to_string();
        assert_eq!(error, format!("no Docker engine answers at {address}: {expected}"));
    }

    #[tokio::test]
    async fn a_door_that_stays_shut_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let missing = format!("unix://{}", folder.path().join("missing.sock").display());
        let expected = "there is no such socket; start the engine, or name another one in DOCKER_HOST";
        check_knock(&missing, expected).await;

        // A socket file whose listener is gone refuses.
        let stale = folder.path().join("stale.sock");
        drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
        let expected = "the socket is there, but nothing listens on it; start the engine";
        check_knock(&format!("unix://{}", stale.display()), expected).await;

        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let expected = "nothing listens there; start the engine, or correct DOCKER_HOST";
        check_knock(&format!("tcp://127.0.0.1:{port}"), expected).await;
    }
}
