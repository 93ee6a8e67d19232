//! Sessions on a Postgres that are held so that nobody else gets them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;
use tokio_postgres::Client;

use crate::agent::Agent;
use crate::clock::Clock;
use crate::observe::sql;
use crate::scenario::service::Postgres;

/// How Postgres says that it has no more: too many connections.
const TOO_MANY: &str = "53300";

/// No server that is tried with gives more than this.
const MOST: usize = 10_000;

/// The sessions that are held, by the service.
#[derive(Default)]
pub struct Sessions(Mutex<BTreeMap<String, Held>>);

/// The sessions of one service.
struct Held {
    _sessions: Vec<Session>,
    /// Takes what others give back.
    keeper: Option<AbortHandle>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.keeper.iter().for_each(AbortHandle::abort);
    }
}

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

/// A Postgres, reached from its own network.
pub struct Database {
    /// Its name among the services.
    pub service: String,
    /// Who dials.
    pub agent: Agent,
    /// One of its processes.
    pub pid: Option<u32>,
    /// How it is set up.
    pub postgres: Postgres,
}

impl Database {
    async fn session(&self) -> Result<Session, String> {
        let url = self.postgres.url("localhost");
        let (_client, driver) =
            sql::connect(&self.agent, self.pid, "localhost", &url).await.map_err(|missed| missed.to_string())?;
        Ok(Session { _client, driver })
    }

    /// Takes each session that becomes free, until it is no longer wanted.
    async fn keep(self, clock: Clock) {
        let mut taken = Vec::new();
        loop {
            clock.pace().await;
            taken.extend(self.session().await);
        }
    }
}

impl Sessions {
    /// Takes every session there is and gives some back. If none is to be left,
    /// those are taken too that others give back from now on.
    pub async fn take(&self, of: Database, leave: u32, clock: Clock) -> Result<(), String> {
        let mut taken = Vec::new();
        let refusal = loop {
            match of.session().await {
                Ok(session) => taken.push(session),
                Err(words) => break words,
            }
            if taken.len() >= MOST {
                break format!("it gave {MOST} sessions, and more");
            }
        };
        if !refusal.contains(TOO_MANY) {
            return Err(format!("after {} sessions: {refusal}", taken.len()));
        }
        taken.truncate(taken.len().saturating_sub(usize::try_from(leave).unwrap_or(usize::MAX)));
        let service = of.service.clone();
        let keeper = (leave == 0).then(|| tokio::spawn(of.keep(clock)).abort_handle());
        self.held().insert(service, Held { _sessions: taken, keeper });
        Ok(())
    }

    /// Ends those that are held.
    pub fn give_back(&self, service: &str) {
        self.held().remove(service);
    }

    /// The lock is never held across an await.
    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
