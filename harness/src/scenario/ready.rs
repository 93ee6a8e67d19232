//! What "ready" means for a subject.

use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use super::Written;
use super::problem::{Problem, Problems};
use super::read::{Section, described};
use super::value::Pattern;

/// The sign by which a subject is known to be ready.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
}

/// As it is written: one of the signs, and what belongs to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AsWritten {
    log: Option<Pattern>,
    http: Option<String>,
    port: Option<u16>,
}

impl Ready {
    /// Reads the value of `ready`.
    pub fn read(written: Written<'_>, problems: &mut Problems) -> Option<Self> {
        let span = written.value.span();
        let example = "write { log = \"listening\" } or { http = \"/health\", port = 8080 }";
        let table = match written.value.into_inner() {
            DeValue::Table(table) => table,
            other => {
                let title = format!("`ready` is a table, not {}", described(&other));
                problems.add(Problem::new(Some(span), title).help(example));
                return None;
            }
        };
        let read = Section::new("`ready`", span.clone(), table).read::<AsWritten>(problems)?;
        let title = match (read.log, read.http, read.port) {
            (Some(log), None, None) => return Some(Self::Log(log)),
            (None, Some(path), Some(port)) if path.starts_with('/') => return Some(Self::Http { path, port }),
            (None, Some(_), Some(_)) => "`ready`: a path begins with /",
            (None, Some(_), None) => "`ready`: `http` needs a `port`, the one inside the container",
            (Some(_), ..) => "`ready` has more than one sign",
            (None, None, _) => "`ready` names no sign",
        };
        problems.add(Problem::new(Some(span), title).help(example));
        None
    }
}

impl std::fmt::Display for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Log(pattern) => write!(f, "it logs /{pattern}/"),
            Self::Http { path, port } => write!(f, "GET {path} on port {port} answers 200"),
        }
    }
}
