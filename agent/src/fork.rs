//! Whether a container can still start a process.

use std::process::{Command, Stdio};

use agent::Answer;
use nix::errno::Errno;

use crate::failure::Outcome;
use crate::groups::Groups;
use crate::member::Member;
use crate::subject::Subject;

/// A child joins the container's control group, where it counts as one more, and forks.
pub fn try_fork(pid: u32) -> Outcome<Answer> {
    let group = Groups::of(Subject::at(pid)?)?.group("pids", "pids")?;
    let errno = Member::join(&group.members(), &["fork"], None)?.number()?;
    Ok(Answer::Tried(match i32::try_from(errno).unwrap_or(-1) {
        0 => Ok(()),
        errno => Err(format!("{:?}", Errno::from_raw(errno))),
    }))
}

/// What the child does: forks, and says the error's number or 0.
pub fn fork() -> i64 {
    // Without an argument that it knows and with no stdin, the grandchild ends at once.
    let forked = Command::new("/proc/self/exe").stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    match forked {
        Ok(mut grandchild) => grandchild.wait().map_or(0, |_| 0),
        Err(error) => error.raw_os_error().unwrap_or(-1).into(),
    }
}
