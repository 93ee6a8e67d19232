//! Looks at what expectations speak of, each in its own manner.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use agent::{Answer, Command, Kind, Place, TreeEntry};
use bytes::Bytes;
use tokio::net::TcpStream;

use super::{http, sql};
use crate::agent::Agent;
use crate::engine::Engine;
use crate::scenario::service::Postgres;
use crate::timeline::{FileSeen, HealthCheckSeen, Look, Origin, ProcessSeen, Request, Seen, UsageSeen};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much of a file's text is of interest.
const LARGEST: u64 = 1024 * 1024;

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
    engine: Arc<dyn Engine>,
    agent: Option<Agent>,
    id: String,
    services: BTreeMap<String, ServiceAt>,
    /// Mount points that only the subject's own processes see.
    tmpfs: Vec<String>,
}

impl Looker {
    /// Who looks at this container.
    #[must_use]
    pub fn new(
        engine: Arc<dyn Engine>,
        agent: Option<Agent>,
        id: String,
        services: BTreeMap<String, ServiceAt>,
        tmpfs: &[String],
    ) -> Self {
        let tmpfs = tmpfs.iter().map(|entry| entry.split(':').next().unwrap_or_default().to_owned()).collect();
        Self { engine, agent, id, services, tmpfs }
    }

    /// The container that is looked at.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Looks. What cannot be seen is told in words: it proves no claim.
    pub async fn look(&self, look: &Look) -> Seen {
        let seen = match look {
            Look::File { path, content } => self.file(path, *content).await,
            Look::Http(request) => self.http(request).await,
            Look::Sql { database, query } => self.sql(database, query).await,
            Look::Tree { volume } => self.tree(volume).await,
            Look::Processes => self.processes().await,
            Look::Usage => self.usage().await,
            Look::HealthCheck => self.health_check().await,
        };
        seen.unwrap_or_else(Seen::Failed)
    }

    async fn file(&self, path: &str, content: bool) -> Result<Seen, String> {
        let in_memory = self.tmpfs.iter().any(|mount| path.starts_with(mount.as_str()));
        if in_memory && let Ok(pid) = self.pid().await {
            return self.file_by_agent(pid, path, content).await;
        }
        let Some(stat) = self.engine.stat(&self.id, path).await.map_err(words)? else { return Ok(Seen::Absent) };
        let mut seen = FileSeen { size: stat.size, directory: stat.directory, ..FileSeen::default() };
        // The engine tells owners only in an archive, and one of a directory holds all below it.
        if content && !stat.directory && stat.size <= LARGEST {
            let archive = self.engine.get(&self.id, path).await.map_err(words)?;
            read_entry(&archive, &mut seen).map_err(words)?;
        } else if content && let Ok(pid) = self.pid().await {
            return self.file_by_agent(pid, path, content).await;
        }
        Ok(Seen::File(seen))
    }

    async fn file_by_agent(&self, pid: u32, path: &str, content: bool) -> Result<Seen, String> {
        match self.ask(Command::Look { pid, path: path.to_owned(), content }).await? {
            Answer::Seen(seen) if !seen.exists => Ok(Seen::Absent),
            Answer::Seen(seen) => Ok(Seen::File(FileSeen {
                size: seen.size,
                directory: seen.kind == Kind::Directory,
                mode: Some(seen.mode),
                owner: Some(format!("{}:{}", seen.uid, seen.gid)),
                text: seen.text,
            })),
            other => Err(unexpected(&other)),
        }
    }

    async fn http(&self, request: &Request) -> Result<Seen, String> {
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
                    let ports = self.engine.inspect(&self.id).await.map_err(words)?.ports;
                    let address = ports.get(&request.port).ok_or("the port is not published")?;
                    let connection = TcpStream::connect(address).await.map_err(|_| "no connection".to_owned())?;
                    http::ask(connection, "localhost", request).await
                }
            }
        };
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(answer) => answer.map(Seen::Answer),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }

    async fn sql(&self, database: &str, query: &str) -> Result<Seen, String> {
        if database.starts_with('/') {
            return self.sqlite(database, query).await;
        }
        let service = self.services.get(database).ok_or_else(|| format!("there is no service {database}"))?;
        let postgres = service.postgres.as_ref().ok_or_else(|| format!("the service {database} is no Postgres"))?;
        let pid = self.engine.inspect(&service.id).await.map_err(words)?.pid;
        let pid = pid.ok_or_else(|| format!("the service {database} does not run"))?;
        let agent = self.agent.as_ref().ok_or("this run has no agent")?;
        let rows = sql::postgres(agent, Some(pid), "localhost", &postgres.url("localhost"), query).await?;
        Ok(Seen::Rows(rows))
    }

    /// A SQLite file is copied with what stands beside it and asked here: the
    /// subject's own file must not be touched.
    async fn sqlite(&self, path: &str, query: &str) -> Result<Seen, String> {
        let (folder, file) = path.rsplit_once('/').ok_or("no absolute path")?;
        let archive = self.engine.get(&self.id, if folder.is_empty() { "/" } else { folder }).await.map_err(words)?;
        let (file, query) = (file.to_owned(), query.to_owned());
        let rows = tokio::task::spawn_blocking(move || sql::sqlite(&archive, &file, &query)).await.map_err(words)??;
        Ok(Seen::Rows(rows))
    }

    async fn tree(&self, volume: &str) -> Result<Seen, String> {
        let place = Place::Volume { volume: volume.to_owned(), path: String::new() };
        match self.ask(Command::Tree { place }).await? {
            Answer::Tree(entries) => Ok(Seen::Tree(entries.iter().map(described).collect())),
            other => Err(unexpected(&other)),
        }
    }

    async fn processes(&self) -> Result<Seen, String> {
        match self.ask(Command::Processes { pid: self.pid().await? }).await? {
            Answer::Processes(processes) => {
                let mut seen: Vec<ProcessSeen> = processes
                    .into_iter()
                    .map(|one| ProcessSeen {
                        pid: one.ns_pid,
                        parent: one.ppid,
                        state: one.state,
                        command: one.command,
                    })
                    .collect();
                seen.sort_by_key(|process| process.pid);
                Ok(Seen::Processes(seen))
            }
            other => Err(unexpected(&other)),
        }
    }

    async fn usage(&self) -> Result<Seen, String> {
        match self.ask(Command::Usage { pid: self.pid().await? }).await? {
            Answer::Usage(usage) => {
                let cpu = usage.cpu_ns.ok_or("the kernel does not count processor time")?;
                let memory = usage.memory_peak.ok_or("the kernel does not keep the peak of memory")?;
                Ok(Seen::Usage(UsageSeen { cpu_ms: cpu / 1_000_000, memory_peak: memory }))
            }
            other => Err(unexpected(&other)),
        }
    }

    /// The health check as the engine has it, from the image or the scenario.
    async fn health_check(&self) -> Result<Seen, String> {
        let raw = self.engine.inspect(&self.id).await.map_err(words)?.raw;
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

    async fn pid(&self) -> Result<u32, String> {
        self.engine.inspect(&self.id).await.map_err(words)?.pid.ok_or_else(|| "no process of it runs".to_owned())
    }

    async fn dial(&self, pid: Option<u32>, host: &str, port: u16) -> Result<tokio::io::DuplexStream, String> {
        let agent = self.agent.as_ref().ok_or("this run has no agent")?;
        http::dialled(agent, pid, host, port, PATIENCE).await
    }

    async fn ask(&self, command: Command) -> Result<Answer, String> {
        let agent = self.agent.as_ref().ok_or("this run has no agent")?;
        agent.ask(command).await.map_err(words)?.map_err(words)
    }
}

/// What the first entry of an archive says of its file, with its text.
fn read_entry(archive: &Bytes, seen: &mut FileSeen) -> std::io::Result<()> {
    let mut archive = tar::Archive::new(&archive[..]);
    if let Some(entry) = archive.entries()?.next() {
        let mut entry = entry?;
        let header = entry.header();
        seen.mode = Some(header.mode()? & 0o7777);
        seen.owner = Some(format!("{}:{}", header.uid()?, header.gid()?));
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        seen.text = Some(String::from_utf8_lossy(&content).into_owned());
    }
    Ok(())
}

/// An entry of a volume, with all that must not change.
fn described(entry: &TreeEntry) -> (String, String) {
    let content = entry.sha256.as_deref().or(entry.target.as_deref()).unwrap_or_default();
    let kind = serde_json::to_value(entry.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let kind = kind.unwrap_or_default();
    let TreeEntry { path, mode, uid, gid, size, .. } = entry;
    (path.clone(), format!("{kind} {mode:04o} {uid}:{gid} {size} {content}").trim_end().to_owned())
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn unexpected(answer: &Answer) -> String {
    format!("the agent answered something else: {answer:?}")
}
