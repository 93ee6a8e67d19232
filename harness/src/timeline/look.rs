//! What is looked at on behalf of expectations, and what is seen there.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// What stands at a path in the subject.
    File {
        /// The absolute path.
        path: String,
        /// Whether its text is of interest.
        content: bool,
    },
    /// An answer over HTTP.
    Http(Request),
    /// Rows out of a database.
    Sql {
        /// The name of a service, or the absolute path of a SQLite file in the subject.
        database: String,
        /// The query.
        query: String,
    },
    /// Everything that a volume holds.
    Tree {
        /// The volume's name in the file.
        volume: String,
    },
    /// The processes of the subject.
    Processes,
    /// What the subject has used of processor and memory so far.
    Usage,
    /// The image's own health check.
    HealthCheck,
}

/// A request over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Request {
    /// Where it comes from.
    pub from: Origin,
    /// The method, such as `GET`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The port inside the container.
    pub port: u16,
    /// Headers it carries.
    pub headers: BTreeMap<String, String>,
    /// What it carries besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The subject's own network namespace, over its loopback.
    #[default]
    Inside,
    /// Another container on the same network.
    Container,
    /// The engine's host, over a published port.
    Host,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// Nothing stands there.
    Absent,
    /// A file, a directory or something else.
    File(FileSeen),
    /// An answer over HTTP.
    Answer(Answer),
    /// Nothing listens there.
    Refused,
    /// It was asked and gave no answer of use; these words say what came instead.
    Unanswered(String),
    /// Rows of a query.
    Rows(Vec<Vec<serde_json::Value>>),
    /// The entries of a volume, by path below its root.
    Tree(BTreeMap<String, String>),
    /// The processes, PID 1 first.
    Processes(Vec<ProcessSeen>),
    /// What was used so far.
    Usage(UsageSeen),
    /// The image's own health check.
    HealthCheck(HealthCheckSeen),
    /// There was nothing to look at, such as no process that runs: it proves no claim.
    Failed(String),
}

/// Something that stands at a path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSeen {
    /// Bytes.
    pub size: u64,
    /// Whether it is a directory.
    #[serde(default)]
    pub directory: bool,
    /// Permission bits.
    #[serde(default)]
    pub mode: Option<u32>,
    /// Its owner, as `uid:gid`.
    #[serde(default)]
    pub owner: Option<String>,
    /// Its text, where that is of interest.
    #[serde(default)]
    pub text: Option<String>,
}

/// An answer over HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, as text.
    pub body: String,
}

/// One process of the subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessSeen {
    /// Its number inside the container.
    pub pid: u32,
    /// Its parent's.
    pub parent: u32,
    /// The kernel's letter for its state: `R`, `S`, `Z`, …
    pub state: char,
    /// Its name.
    pub command: String,
}

/// What the subject's control group has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageSeen {
    /// Processor time, in milliseconds.
    pub cpu_ms: u64,
    /// The most memory at a time, in bytes.
    pub memory_peak: u64,
}

/// A health check as the image or the scenario sets it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheckSeen {
    /// The command it runs; empty where there is no health check.
    pub test: Vec<String>,
    /// Between two checks, in milliseconds.
    pub interval_ms: u64,
    /// How long one may take, in milliseconds.
    pub timeout_ms: u64,
    /// For how long after the start a failure does not count, in milliseconds.
    pub start_period_ms: u64,
    /// How many failures in a row make it unhealthy.
    pub retries: u32,
}

impl Look {
    /// Tells it from others (FNV-1a). Two that look alike once their secrets are
    /// taken out have different marks.
    #[must_use]
    pub fn mark(&self) -> u32 {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.iter().fold(0x811c_9dc5, |mark, byte| (mark ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
    }
}

impl fmt::Display for Look {
    /// The beginning of a line that what was seen completes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => write!(f, "file {path}: "),
            Self::Http(request) => write!(f, "{request} "),
            Self::Sql { database, query } => write!(f, "sql on {database}: {query}: "),
            Self::Tree { volume } => write!(f, "volume {volume}: "),
            Self::Processes => write!(f, "processes: "),
            Self::Usage => write!(f, "usage: "),
            Self::HealthCheck => write!(f, "health check: "),
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        match self.from {
            Origin::Inside => Ok(()),
            Origin::Container => write!(f, " from another container"),
            Origin::Host => write!(f, " from the host"),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => write!(f, "absent"),
            Self::File(file) => write!(f, "{file}"),
            Self::Answer(answer) => write!(f, "{}", answer.status),
            Self::Refused => write!(f, "refused"),
            Self::Rows(rows) => write!(f, "{}", serde_json::json!(rows)),
            Self::Tree(entries) => write!(f, "{} entries", entries.len()),
            Self::Processes(processes) => {
                let names: Vec<String> = processes.iter().map(ToString::to_string).collect();
                write!(f, "{}", names.join(", "))
            }

            Self::Usage(usage) => {
                write!(f, "{} ms of processor time, at most {} bytes of memory", usage.cpu_ms, usage.memory_peak)
            }
            Self::HealthCheck(check) if check.test.is_empty() => write!(f, "none"),
            Self::HealthCheck(check) => write!(
                f,
                "{} every {} ms, {} times, after {} ms",
                check.test.join(" "),
                check.interval_ms,
                check.retries,
                check.start_period_ms
            ),
            Self::Failed(words) | Self::Unanswered(words) => write!(f, "{words}"),
        }
    }
}

impl fmt::Display for FileSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.directory {
            true => write!(f, "a directory")?,
            false => write!(f, "{} bytes", self.size)?,
        }
        if let Some(mode) = self.mode {
            write!(f, ", mode {mode:04o}")?;
        }
        self.owner.as_ref().map_or(Ok(()), |owner| write!(f, ", owner {owner}"))
    }
}

impl fmt::Display for ProcessSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.pid, self.command, self.state)
    }
}
