//! The engine's refusals in its own words, without the client library's.

use std::error::Error as _;

use bollard::errors::Error as Cause;

use super::endpoint::Endpoint;
use crate::engine::Error;

/// What the engine said, or what became of the connection to it.
pub fn words(error: &Cause) -> String {
    match error {
        Cause::DockerResponseServerError { status_code, message } if message.trim().is_empty() => {
            format!("it answered with status {status_code} and no words")
        }
        Cause::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        Cause::DockerStreamError { error } => error.trim().to_owned(),
        Cause::RequestTimeoutError => "no answer in time".to_owned(),
        other => {
            // The library's sentences are general; the deepest cause is what happened.
            let mut deepest = other.to_string();
            let mut next = other.source();
            while let Some(cause) = next {
                deepest = cause.to_string();
                next = cause.source();
            }
            deepest
        }
    }
}

/// Our error for what was tried.
pub fn failed(endpoint: &Endpoint, act: String, error: &Cause) -> Error {
    match error {
        Cause::HyperLegacyError { err } if err.is_connect() => endpoint.unreachable(words(error)),
        Cause::SocketNotFoundError(_) => endpoint.unreachable("the socket has disappeared"),
        _ => Error::Failed { act, cause: words(error) },
    }
}

/// The HTTP status of the engine's answer, if it is an error that has one.
pub fn status(error: &Cause) -> Option<u16> {
    match error {
        Cause::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}
