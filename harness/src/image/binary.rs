//! Our own programs that images contain, compiled by a nested cargo.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::error::Error;
use super::output;
use super::workspace::Workspace;
use crate::engine::Progress;

/// The profile of programs that go into images, for size.
const PROFILE: &str = "image";

/// A program that was compiled.
#[derive(Debug, Clone)]
pub struct Binary {
    pub content: Vec<u8>,
    pub hash: String,
}

/// A line of cargo's messages, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Metadata {
    target_directory: PathBuf,
}

/// Compiles a package's program for a target; cargo knows whether there is anything to do.
pub async fn compile(workspace: &Workspace, name: &str, target: &str, progress: Progress<'_>) -> Result<Binary, Error> {
    let mut cargo = cargo(workspace.root());
    cargo.args(["build", "--profile", PROFILE, "--locked", "--message-format=json-render-diagnostics"]);
    cargo.args(["--package", name, "--bin", name, "--target", target]);
    let failed = |log: String| Error::Binary { name: name.to_owned(), target: target.to_owned(), log };

    let mut running = cargo.spawn().map_err(|error| failed(cannot_run(&error)))?;
    let (mut stdout, stderr) = (running.stdout.take(), running.stderr.take());
    let mut messages = String::new();
    let read = async {
        match &mut stdout {
            Some(stdout) => stdout.read_to_string(&mut messages).await,
            None => Ok(0),
        }
    };
    let tell = async {
        match stderr {
            Some(stderr) => {
                output::tell(stderr, &|line| {
                    if !is_idle(line) {
                        progress(line);
                    }
                })
                .await
            }
            None => String::new(),
        }
    };
    let (read, log) = tokio::join!(read, tell);
    let ended = running.wait().await.map_err(|error| failed(cannot_run(&error)))?;
    if !ended.success() || read.is_err() {
        return Err(failed(log));
    }
    let path = executable(&messages, name).ok_or_else(|| failed("cargo named no executable".to_owned()))?;
    let content = std::fs::read(&path).map_err(|error| Error::file("read the program", &path, &error))?;
    let hash = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Binary { content, hash })
}

/// What cargo says when there was nothing to do.
fn is_idle(line: &str) -> bool {
    line.trim_start().starts_with("Finished")
}

/// The folder that cargo compiles into.
pub async fn target_directory(workspace: &Workspace) -> Result<PathBuf, Error> {
    let act = "ask cargo for its target directory";
    let failed = |cause: String| Error::File { act: act.to_owned(), cause };
    let mut cargo = cargo(workspace.root());
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = cargo.output().await.map_err(|error| failed(cannot_run(&error)))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
    Ok(metadata.target_directory)
}

fn cannot_run(error: &std::io::Error) -> String {
    format!("cargo does not run: {error}; install Rust (https://rustup.rs)")
}

/// A cargo that does not notice the cargo it was started by.
fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(root).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_of_the_outer_cargo) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether a variable describes the package or the test that runs now, rather
/// than what the user wants of every cargo.
fn is_of_the_outer_cargo(name: &str) -> bool {
    const USERS: [&str; 8] = [
        "CARGO_HOME",
        "CARGO_BUILD_",
        "CARGO_HTTP_",
        "CARGO_INCREMENTAL",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
        "CARGO_TARGET_",
    ];
    let cargos = name == "CARGO" || name.starts_with("CARGO_") || name.starts_with("NEXTEST");
    let users = USERS.iter().any(|prefix| name.starts_with(prefix)) && name != "CARGO_TARGET_TMPDIR";
    (cargos && !users) || matches!(name, "OUT_DIR" | "RUST_RECURSION_COUNT")
}

fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let mut ours = messages.filter(|message| {
        message.reason == "compiler-artifact" && message.target.as_ref().is_some_and(|target| target.name == name)
    });
    ours.find_map(|message| message.executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outer_cargo_is_hidden_and_the_users_wishes_are_kept() {
        for hidden in ["CARGO", "CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_TARGET_TMPDIR", "NEXTEST_RUN_ID"] {
            assert!(is_of_the_outer_cargo(hidden), "{hidden}");
        }
        for kept in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_NET_OFFLINE", "CARGO_HTTP_CAINFO", "RUSTFLAGS", "PATH"] {
            assert!(!is_of_the_outer_cargo(kept), "{kept}");
        }
    }

    #[test]
    fn cargo_says_where_the_program_is() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"libc"},"executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"demo"},"executable":"/t/demo"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages, "demo"), Some(PathBuf::from("/t/demo")));
        assert_eq!(executable(messages, "libc"), None);
    }
}
