//! A probe that asks a container, from its own network, until it is ready.

use std::time::Duration;

use super::{Source, http, sql};
use crate::agent::Agent;
use crate::scenario::ready::Ready;
use crate::timeline::{Origin, Request, What};

/// A server that accepts and stays silent must not stop the probing.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a probe is answered by a port that accepts.
const ACCEPTED: &str = "accepted";
/// What a probe is answered by a database that is ready.
const ANSWERED: &str = "answered";

/// Asks until the answer is the sign of being ready. Only an answer other than
/// the one before is worth an event.
pub async fn until_ready(source: Source, ready: Ready) {
    let asked = question(&ready);
    let mut before = String::new();
    let tell = |answer: &str| {
        if answer != before {
            source.send(source.clock.now(), What::Probe { asked: asked.clone(), answer: answer.to_owned() });
            answer.clone_into(&mut before);
        }
    };
    probe(&source, &ready, tell).await;
}

/// The same, of which only the end is of interest.
pub async fn quietly(source: &Source, ready: &Ready) {
    probe(source, ready, |_| ()).await;
}

async fn probe(source: &Source, ready: &Ready, mut tell: impl FnMut(&str)) {
    let Some(agent) = source.agent.clone() else { return };
    loop {
        let answer = match pid(source).await {
            Some(pid) => ask(&agent, pid, ready).await,
            None => "no process to ask".to_owned(),
        };
        tell(&answer);
        if is_sign(ready, &answer) {
            return;
        }
        source.clock.pace().await;
    }
}

/// Whether an answer is the sign of being ready.
pub fn is_sign(ready: &Ready, answer: &str) -> bool {
    match ready {
        Ready::Http { .. } => answer == "200",
        Ready::Tcp(_) => answer == ACCEPTED,
        Ready::Database { .. } => answer == ANSWERED,
        Ready::Log(_) | Ready::Health => false,
    }
}

/// The number of the container's PID 1. It changes from boot to boot.
async fn pid(source: &Source) -> Option<u32> {
    source.engine.inspect(&source.id).await.ok()?.pid
}

fn question(ready: &Ready) -> String {
    match ready {
        Ready::Http { path, .. } => format!("GET {path}"),
        Ready::Tcp(port) => format!("port {port}"),
        Ready::Database { .. } => "database".to_owned(),
        Ready::Log(_) | Ready::Health => String::new(),
    }
}

/// The answer, or in a few words why there is none.
async fn ask(agent: &Agent, pid: u32, ready: &Ready) -> String {
    let asking = async {
        match ready {
            Ready::Http { path, port } => {
                let request = Request {
                    from: Origin::Inside,
                    method: "GET".to_owned(),
                    path: path.clone(),
                    port: *port,
                    headers: std::collections::BTreeMap::new(),
                    body: None,
                };
                let dialled = http::dialled(agent, Some(pid), "localhost", *port, PATIENCE).await?;
                http::ask(dialled, "localhost", &request).await.map(|answer| answer.status.to_string())
            }
            Ready::Tcp(port) => {
                http::dialled(agent, Some(pid), "localhost", *port, PATIENCE).await.map(|_| ACCEPTED.to_owned())
            }
            Ready::Database { url } => {
                sql::postgres(agent, Some(pid), "localhost", url, "SELECT 1").await.map(|_| ANSWERED.to_owned())
            }
            Ready::Log(_) | Ready::Health => Ok(String::new()),
        }
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(missed)) => missed.to_string(),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    }
}
