//! Sessions on a Postgres that are held so that nobody else gets them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::task::AbortHandle;
use tokio_postgres::Client;

use crate::agent::Agent;
use crate::observe::sql;
use crate::scenario::service::Postgres;

/// How Postgres says that it has no more: too many connections.
const TOO_MANY: &str = "53300";

/// No server that is tried with gives more than this.
const MOST: usize = 10_000;

/// The sessions that are held, by the service.
#[derive(Default)]
pub struct Sessions(Mutex<BTreeMap<String, Vec<Session>>>);

/// A session that ends when it is dropped.
struct Session {
    _client: Client,
    driver: AbortHandle,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Sessions {
    /// Takes every session there is, from the server's own network, and gives some back.
    pub async fn take(
        &self,
        agent: &Agent,
        pid: Option<u32>,
        service: &str,
        postgres: &Postgres,
        leave: u32,
    ) -> Result<(), String> {
        let mut taken = Vec::new();
        let refusal = loop {
            match sql::connect(agent, pid, "localhost", &postgres.url("localhost")).await {
                Ok((_client, driver)) => taken.push(Session { _client, driver }),
                Err(words) => break words,
            }
            if taken.len() >= MOST {
                break format!("it gave {MOST} sessions, and more");
            }
        };
        if !refusal.contains(TOO_MANY) {
            return Err(format!("after {} sessions: {refusal}", taken.len()));
        }
        let keep = taken.len().saturating_sub(usize::try_from(leave).unwrap_or(usize::MAX));
        taken.truncate(keep);
        self.held().entry(service.to_owned()).or_default().append(&mut taken);
        Ok(())
    }

    /// Ends those that are held.
    pub fn give_back(&self, service: &str) {
        self.held().remove(service);
    }

    /// The lock is never held across an await.
    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
