//! Whether a container can still start a process.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, ExitCode, Stdio};

use agent::{Answer, Tried};
use nix::errno::Errno;

use crate::failure::{OrCannot as _, Outcome, refuse};
use crate::groups::Groups;
use crate::subject::Subject;

/// The argument by which the agent asks a child of its own to try.
pub const ARGUMENT: &str = "fork-once";

/// A child joins the container's control group, where it counts as one more, and forks.
pub fn try_fork(pid: u32) -> Outcome<Answer> {
    let groups = Groups::of(Subject::at(pid)?)?;
    let child = Command::new("/proc/self/exe").arg(ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.or_cannot(|| "start a child that forks".into())?;
    let tried = join_and_fork(&groups, &mut child);
    // Waited for in any case, or it would stay as a zombie.
    let _ = child.kill();
    let _ = child.wait();
    tried.map(Answer::Tried)
}

fn join_and_fork(groups: &Groups, child: &mut Child) -> Outcome<Tried> {
    let members = groups.group("pids", "pids")?.members();
    let joining = || format!("join the control group {}", members.display());
    fs::write(&members, child.id().to_string()).or_cannot(joining)?;
    let mut said = String::new();
    let (Some(mut go), Some(mut answer)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(refuse("the child that forks has no pipes"));
    };
    go.write_all(b"!").and_then(|()| answer.read_to_string(&mut said)).or_cannot(|| "let a child fork".into())?;
    match said.trim().parse() {
        Ok(0) => Ok(Ok(())),
        Ok(errno) => Ok(Err(format!("{:?}", Errno::from_raw(errno)))),
        Err(_) => Err(refuse(format!("the child that forks said {said:?}"))),
    }
}

/// What the child does: waits until it has been moved, forks, and says the error's number or 0.
pub fn try_one() -> ExitCode {
    let mut go = [0];
    if io::stdin().read_exact(&mut go).is_err() {
        return ExitCode::FAILURE;
    }
    // Without an argument that it knows and with no stdin, the grandchild ends at once.
    let forked = Command::new("/proc/self/exe").stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let number = match forked {
        Ok(mut grandchild) => grandchild.wait().map_or(0, |_| 0),
        Err(error) => error.raw_os_error().unwrap_or(-1),
    };
    let said = io::stdout().write_all(number.to_string().as_bytes());
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
