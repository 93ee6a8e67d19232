//! A probe that asks the subject over HTTP until it is ready.

use std::time::Duration;

use super::Source;
use crate::timeline::What;

/// A server that accepts and stays silent must not stop the probing.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks for `path` on `port` until the answer is 200. Only an answer other than
/// the one before is worth an event.
pub async fn probe(source: Source, path: String, port: u16) {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
    let Ok(client) = client.build() else { return };
    let asked = format!("GET {path}");
    let mut before = String::new();
    loop {
        let answer = match address(&source, port).await {
            Some(address) => ask(&client, &format!("http://{address}{path}")).await,
            None => format!("port {port} is not published"),
        };
        let done = answer == "200";
        if answer != before {
            source.send(source.clock.now(), What::Probe { asked: asked.clone(), answer: answer.clone() });
            before = answer;
        }
        if done {
            return;
        }
        source.clock.pace().await;
    }
}

/// Where the port is reached. A published port changes from boot to boot.
async fn address(source: &Source, port: u16) -> Option<String> {
    source.engine.inspect(&source.id).await.ok()?.ports.get(&port).cloned()
}

/// The status, or in a few words why there is none.
async fn ask(client: &reqwest::Client, url: &str) -> String {
    match client.get(url).send().await {
        Ok(response) => response.status().as_u16().to_string(),
        Err(error) if error.is_timeout() => format!("no answer within {} s", PATIENCE.as_secs()),
        Err(error) if error.is_connect() => "no connection".to_owned(),
        // A published port is answered by the engine's proxy even when nothing
        // listens behind it; then the connection is closed or reset.
        Err(_) => "closed without an answer".to_owned(),
    }
}
