//! A child of the agent in a control group of a container: what the group withholds from the container, it
//! withholds from the child too.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};

use crate::failure::{OrCannot as _, Outcome, refuse};
use crate::{disk, fork};

/// The first argument of such a child; the next one says what it does.
pub const ARGUMENT: &str = "member";

/// A child that has joined and waits.
pub struct Member(Child);

impl Member {
    /// Starts a child for a task and makes it a member, by the group's file of members. A file for the
    /// task becomes the child's stderr: it has no other descriptor to spare.
    pub fn join(members: &Path, task: &[&str], file: Option<File>) -> Outcome<Self> {
        let child = Command::new("/proc/self/exe")
            .arg(ARGUMENT)
            .args(task)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file.map_or_else(Stdio::null, Stdio::from))
            .spawn();
        let member = Self(child.or_cannot(|| "start a child for a control group".into())?);
        let joined = fs::write(members, member.id().to_string());
        joined.or_cannot(|| format!("join the control group {}", members.display()))?;
        Ok(member)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Lets it begin; it answers on this.
    pub fn begin(&mut self) -> Outcome<ChildStdout> {
        let (Some(mut go), Some(answer)) = (self.0.stdin.take(), self.0.stdout.take()) else {
            return Err(refuse("a child for a control group has no pipes"));
        };
        go.write_all(b"!").or_cannot(|| "let a child begin".into())?;
        Ok(answer)
    }

    /// Lets it begin and waits for the number that it answers.
    pub fn number(&mut self) -> Outcome<i64> {
        let mut said = String::new();
        self.begin()?.read_to_string(&mut said).or_cannot(|| "hear what a child says".into())?;
        said.trim().parse().map_err(|_| refuse(format!("a child in a control group said {said:?}")))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // It may have ended. Waited for in any case, or it would stay as a zombie.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the child does: waits until it has joined, does its task, says the number that came of it.
pub fn obey(task: &[String]) -> ExitCode {
    let mut go = [0];
    if io::stdin().read_exact(&mut go).is_err() {
        return ExitCode::FAILURE;
    }
    let number = match task.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["run"] => 0,
        ["fork"] => fork::fork(),
        [way, bytes] => disk::measure(way, bytes),
        _ => return ExitCode::FAILURE,
    };
    let said = io::stdout().write_all(number.to_string().as_bytes());
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
