//! One request over HTTP, through whatever connection it can be sent.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};

use super::missed::Missed;
use crate::agent::Agent;
use crate::timeline::{Answer, Request};

/// How much of a body is of interest.
const LARGEST: usize = 256 * 1024;

/// A connection from the network of a process, or why there is none.
pub async fn dialled(
    agent: &Agent,
    pid: Option<u32>,
    host: &str,
    port: u16,
    patience: Duration,
) -> Result<DuplexStream, Missed> {
    agent.dial(pid, host, port, patience).await?.map_err(|failure| match failure.errno {
        Some(errno) if errno == nix::errno::Errno::ECONNREFUSED as i32 => Missed::Refused,
        _ => Missed::Unanswered(failure.cause),
    })
}

/// Sends a request and reads the answer.
pub async fn ask<S>(connection: S, host: &str, request: &Request) -> Result<Answer, Missed>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let silent = |_| Missed::Unanswered("closed without an answer".to_owned());
    let (mut sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(connection)).await.map_err(silent)?;
    let driving = tokio::spawn(driver);
    let mut builder = hyper::Request::builder().method(request.method.as_str()).uri(&request.path);
    if !request.headers.keys().any(|name| name.eq_ignore_ascii_case("host")) {
        builder = builder.header("host", host);
    }
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let body = Full::new(Bytes::from(request.body.clone().unwrap_or_default()));
    let built = builder.body(body).map_err(|error| Missed::unable("put a request together", error))?;
    let response = sender.send_request(built).await.map_err(silent)?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, LARGEST).collect().await.map(http_body_util::Collected::to_bytes);
    driving.abort();
    let headers = head.headers.iter();
    Ok(Answer {
        status: head.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: body.map_or_else(
            |_| String::from("(the body broke off or is too long)"),
            |body| String::from_utf8_lossy(&body).into_owned(),
        ),
    })
}
