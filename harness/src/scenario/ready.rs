//! What "ready" means for a subject.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use super::Written;
use super::problem::{Problem, Problems};
use super::read::{Section, described};
use super::value::Pattern;

/// The sign by which a subject is known to be ready.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(title = "sign", with = "AsWritten")]
pub enum Ready {
    /// It wrote a line that matches.
    Log(Pattern),
    /// It answers a GET with 200.
    Http {
        /// The path asked for, such as `/health/ready`.
        path: String,
        /// The TCP port inside the container.
        port: u16,
    },
    /// It accepts connections on a TCP port.
    Tcp(u16),
    /// Its health check says healthy.
    Health,
    /// A database in it answers a query.
    Database {
        /// How it is reached from inside, such as `postgres://app:secret@localhost:5432/app`.
        url: String,
    },
}

/// As it is written: one of the signs, and what belongs to it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct AsWritten {
    /// It wrote a line that matches.
    /// Example: `ready = { log = "listening" }`.
    log: Option<Pattern>,
    /// It answers a GET of this path with 200; needs `port`.
    /// Example: `ready = { http = "/health", port = 8080 }`.
    http: Option<String>,
    /// The port that `http` asks, inside the container.
    /// Example: `ready = { http = "/health", port = 8080 }`.
    port: Option<u16>,
    /// It accepts connections on this port inside the container.
    /// Example: `ready = { tcp = 5432 }`.
    tcp: Option<u16>,
    /// Its health check, the image's or the one that is set here, says healthy.
    /// Example: `ready = { health = true }`.
    health: Option<bool>,
    /// A Postgres in it answers a query; this is how it is reached from inside.
    /// Example: `ready = { database = "postgres://app:secret@localhost:5432/app" }`.
    database: Option<String>,
}

impl Ready {
    /// Reads the value of `ready`.
    pub fn read(written: Written<'_>, problems: &mut Problems) -> Option<Self> {
        let span = written.value.span();
        let example = "write { log = \"listening\" }, { http = \"/health\", port = 8080 }, { tcp = 5432 }, { health = true } \
                       or { database = \"postgres://app:secret@localhost/app\" }";
        let table = match written.value.into_inner() {
            DeValue::Table(table) => table,
            other => {
                let title = format!("`ready` is a table, not {}", described(&other));
                problems.add(Problem::new(Some(span), title).help(example));
                return None;
            }
        };
        let read = Section::new("`ready`", span.clone(), table).read::<AsWritten>(problems)?;
        let title = match read.resolve() {
            Ok(ready) => return Some(ready),
            Err(title) => title,
        };
        problems.add(Problem::new(Some(span), title).help(example));
        None
    }
}

impl AsWritten {
    fn resolve(self) -> Result<Ready, &'static str> {
        let signs = [
            self.log.is_some(),
            self.http.is_some(),
            self.tcp.is_some(),
            self.health.is_some(),
            self.database.is_some(),
        ];
        if signs.into_iter().filter(|sign| *sign).count() > 1 {
            return Err("`ready` has more than one sign");
        }
        if self.port.is_some() && self.http.is_none() {
            return Err("`ready`: `port` belongs to `http`");
        }
        match (self.log, self.http, self.port) {
            (Some(log), ..) => return Ok(Ready::Log(log)),
            (_, Some(path), Some(port)) if path.starts_with('/') => return Ok(Ready::Http { path, port }),
            (_, Some(_), Some(_)) => return Err("`ready`: a path begins with /"),
            (_, Some(_), None) => return Err("`ready`: `http` needs a `port`, the one inside the container"),
            (None, None, _) => {}
        }
        match (self.tcp, self.health, self.database) {
            (Some(port), ..) => Ok(Ready::Tcp(port)),
            (_, Some(true), _) => Ok(Ready::Health),
            (_, Some(false), _) => Err("`ready`: `health` is `true` or not there"),
            (_, _, Some(url)) if url.starts_with("postgres://") => Ok(Ready::Database { url }),
            (_, _, Some(_)) => Err("`ready`: a `database` is named as postgres://USER:PASSWORD@localhost:PORT/NAME"),
            (None, None, None) => Err("`ready` names no sign"),
        }
    }
}

impl Ready {
    /// Whether it is seen by asking, rather than by what the engine tells.
    #[must_use]
    pub fn is_probed(&self) -> bool {
        matches!(self, Self::Http { .. } | Self::Tcp(_) | Self::Database { .. })
    }
}

impl std::fmt::Display for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Log(pattern) => write!(f, "it logs /{pattern}/"),
            Self::Http { path, port } => write!(f, "GET {path} on port {port} answers 200"),
            Self::Tcp(port) => write!(f, "port {port} accepts connections"),
            Self::Health => write!(f, "its health check says healthy"),
            Self::Database { .. } => write!(f, "its database answers a query"),
        }
    }
}
