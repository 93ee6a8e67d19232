//! Looks at what expectations speak of, each in its own manner.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use agent::{Answer, Command, Failure, Place, TreeEntry};
use tokio::net::TcpStream;

use super::missed::Missed;
use super::{http, sql};
use crate::agent::Agent;
use crate::clock::Clock;
use crate::engine::{Engine, Error};
use crate::scenario::service::Postgres;
use crate::timeline::{HealthCheckSeen, Look, Origin, ProcessSeen, Request, Seen, UsageSeen};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a zombie is looked at again: one that is about to be reaped is none.
const SECOND_LOOKS: usize = 10;

/// The kernel's letter for a process that has ended and was not reaped.
const ZOMBIE: char = 'Z';

/// A service, as far as it can be asked something.
#[derive(Debug, Clone)]
pub struct ServiceAt {
    /// Its container.
    pub id: String,
    /// How it is set up, if it is a Postgres.
    pub postgres: Option<Postgres>,
}

/// Looks at one subject and the services beside it.
#[derive(Clone)]
pub struct Looker {
    pub(super) engine: Arc<dyn Engine>,
    agent: Option<Agent>,
    clock: Clock,
    pub(super) id: String,
    /// The number of its PID 1, where only one boot is looked at.
    known_pid: Option<u32>,
    services: BTreeMap<String, ServiceAt>,
    /// Mount points whose content only the subject's own processes see.
    pub(super) inner: Vec<String>,
}

impl Looker {
    /// Who looks at this container.
    #[must_use]
    pub fn new(
        engine: Arc<dyn Engine>,
        agent: Option<Agent>,
        clock: Clock,
        id: String,
        services: BTreeMap<String, ServiceAt>,
        inner: Vec<String>,
    ) -> Self {
        Self { engine, agent, clock, id, known_pid: None, services, inner }
    }

    /// The container that is looked at.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// One that looks only at the boot that runs now, and need not ask for it again.
    pub async fn at_this_boot(mut self) -> Result<Self, Error> {
        self.known_pid = self.engine.inspect(&self.id).await?.pid;
        Ok(self)
    }

    /// Looks. What cannot be seen of the subject is told in words; an error is a
    /// look that could not be taken.
    pub async fn look(&self, look: &Look) -> Result<Seen, Error> {
        let seen = match look {
            Look::File { path, content } => self.file(path, *content).await,
            Look::Http(request) => self.http(request).await,
            Look::Sql { database, query } => self.sql(database, query).await,
            Look::Tree { volume } => self.tree(volume).await,
            Look::Processes => self.processes().await,
            Look::Usage => self.usage().await,
            Look::HealthCheck => self.health_check().await,
            // That is followed from before the stop on, not looked at.
        };
        seen.or_else(Missed::seen)
    }

    async fn http(&self, request: &Request) -> Result<Seen, Missed> {
        let asking = async {
            match request.from {
                Origin::Inside => {
                    let connection = self.dial(Some(self.pid().await?), "localhost", request.port).await?;
                    http::ask(connection, "localhost", request).await
                }
                Origin::Container => {
                    let host = crate::sandbox::SUBJECT;
                    http::ask(self.dial(None, host, request.port).await?, host, request).await
                }
                Origin::Host => {
                    let ports = self.engine.inspect(&self.id).await?.ports;
                    let nothing = || Missed::Nothing("its port is not published while it does not run".to_owned());
                    let address = ports.get(&request.port).ok_or_else(nothing)?;
                    let connection = TcpStream::connect(address).await.map_err(|_| Missed::Refused)?;
                    http::ask(connection, "localhost", request).await
                }
            }
        };
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(answer) => answer.map(Seen::Answer),
            Err(_) => Err(Missed::Unanswered(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }

    async fn sql(&self, database: &str, query: &str) -> Result<Seen, Missed> {
        if database.starts_with('/') {
            let (files, query) = (self.database(database).await?, query.to_owned());
            let asked = tokio::task::spawn_blocking(move || sql::sqlite(&files, &query)).await;
            return asked.map_err(|error| Missed::unable("ask a database", error))?.map(Seen::Rows);
        }
        let unable = |why: &str| Missed::unable(&format!("ask the service {database}"), why);
        let service = self.services.get(database).ok_or_else(|| unable("there is none"))?;
        let postgres = service.postgres.as_ref().ok_or_else(|| unable("it is no Postgres"))?;
        let pid = self.engine.inspect(&service.id).await?.pid;
        let pid = pid.ok_or_else(|| Missed::Nothing(format!("the service {database} does not run")))?;
        let url = postgres.url("localhost");
        sql::postgres(self.agent()?, Some(pid), "localhost", &url, query).await.map(Seen::Rows)
    }

    async fn tree(&self, volume: &str) -> Result<Seen, Missed> {
        let place = Place::Volume { volume: volume.to_owned(), path: String::new() };
        match self.ask(Command::Tree { place }).await? {
            Answer::Tree(entries) => Ok(Seen::Tree(entries.iter().map(described).collect())),
            other => Err(unexpected(&other)),
        }
    }

    /// The processes, of which a zombie is one only if it stays one.
    async fn processes(&self) -> Result<Seen, Missed> {
        let mut seen = self.processes_now().await?;
        for _ in 0..SECOND_LOOKS {
            let zombies = |seen: &[ProcessSeen]| -> BTreeSet<u32> {
                seen.iter().filter(|process| process.state == ZOMBIE).map(|process| process.pid).collect()
            };
            let before = zombies(&seen);
            if before.is_empty() {
                break;
            }
            self.clock.pace().await;
            let again = self.processes_now().await?;
            let still = zombies(&again);
            seen = again;
            seen.retain(|process| {
                process.state != ZOMBIE || (before.contains(&process.pid) && still.contains(&process.pid))
            });
        }
        Ok(Seen::Processes(seen))
    }

    async fn processes_now(&self) -> Result<Vec<ProcessSeen>, Missed> {
        let Answer::Processes(processes) = self.ask(Command::Processes { pid: self.pid().await? }).await? else {
            return Err(Missed::unable("list the processes of the subject", "the agent answered something else"));
        };
        let mut seen: Vec<ProcessSeen> = processes
            .into_iter()
            .map(|one| ProcessSeen { pid: one.ns_pid, parent: one.ppid, state: one.state, command: one.command })
            .collect();
        seen.sort_by_key(|process| process.pid);
        Ok(seen)
    }

    async fn usage(&self) -> Result<Seen, Missed> {
        match self.ask(Command::Usage { pid: self.pid().await? }).await? {
            Answer::Usage(usage) => {
                let uncounted = |what: &str| Missed::unable("see what the subject uses", what);
                let cpu = usage.cpu_ns.ok_or_else(|| uncounted("this kernel does not count processor time"))?;
                let peak =
                    usage.memory_peak.ok_or_else(|| uncounted("this kernel does not keep the peak of memory"))?;
                Ok(Seen::Usage(UsageSeen { cpu_ms: cpu / 1_000_000, memory_peak: peak }))
            }
            other => Err(unexpected(&other)),
        }
    }

    /// The health check as the engine has it, from the image or the scenario.
    async fn health_check(&self) -> Result<Seen, Missed> {
        let raw = self.engine.inspect(&self.id).await?.raw;
        let check = raw.pointer("/Config/Healthcheck").cloned().unwrap_or_default();
        let texts = |value: &serde_json::Value| {
            value.as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
        };
        // Docker keeps nanoseconds, and 0 for its own defaults.
        let millis = |key: &str, unsaid: u64| match check[key].as_u64() {
            None | Some(0) => unsaid,
            Some(nanoseconds) => nanoseconds / 1_000_000,
        };
        let test: Vec<String> = texts(&check["Test"]);
        let test = if test.first().is_some_and(|word| word == "NONE") { Vec::new() } else { test };
        Ok(Seen::HealthCheck(HealthCheckSeen {
            test,
            interval_ms: millis("Interval", 30_000),
            timeout_ms: millis("Timeout", 30_000),
            start_period_ms: millis("StartPeriod", 0),
            retries: match check["Retries"].as_u64() {
                None | Some(0) => 3,
                Some(retries) => u32::try_from(retries).unwrap_or(u32::MAX),
            },
        }))
    }

    /// The number of the subject's PID 1.
    pub(super) async fn pid(&self) -> Result<u32, Missed> {
        let pid = match self.known_pid {
            Some(pid) => Some(pid),
            None => self.engine.inspect(&self.id).await?.pid,
        };
        pid.ok_or_else(|| Missed::Nothing("no process of it runs".to_owned()))
    }

    async fn dial(&self, pid: Option<u32>, host: &str, port: u16) -> Result<tokio::io::DuplexStream, Missed> {
        http::dialled(self.agent()?, pid, host, port, PATIENCE).await
    }

    /// Has the agent see something. What it cannot see is not there any more.
    pub(super) async fn ask(&self, command: Command) -> Result<Answer, Missed> {
        self.try_to_ask(command).await?.map_err(|failure| Missed::Nothing(failure.cause))
    }

    /// The same, for who knows what a failure means.
    pub(super) async fn try_to_ask(&self, command: Command) -> Result<Result<Answer, Failure>, Missed> {
        Ok(self.agent()?.ask(command).await?)
    }

    fn agent(&self) -> Result<&Agent, Missed> {
        self.agent.as_ref().ok_or_else(|| Missed::unable("ask the agent", "this run has none"))
    }
}

/// An entry of a volume, with all that must not change.
fn described(entry: &TreeEntry) -> (String, String) {
    let content = entry.sha256.as_deref().or(entry.target.as_deref()).unwrap_or_default();
    let kind = serde_json::to_value(entry.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let kind = kind.unwrap_or_default();
    let TreeEntry { path, mode, uid, gid, size, .. } = entry;
    (path.clone(), format!("{kind} {mode:04o} {uid}:{gid} {size} {content}").trim_end().to_owned())
}

pub(super) fn unexpected(answer: &Answer) -> Missed {
    Missed::unable("ask the agent", format!("it answered something else: {answer:?}"))
}
