//! Whether a container is frozen.

use std::fs;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::{Duration, Instant};

use agent::Answer;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::failure::{OrCannot as _, Outcome, refuse};
use crate::groups::Groups;
use crate::member::Member;
use crate::subject::Subject;

/// Where the kernel says that a frozen process waits, by the version of its control groups.
const FROZEN: [&str; 2] = ["refrigerator", "do_freezer_trap"];

/// How long a child may take to run or to be frozen, on a machine that has much to do.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks, in milliseconds.
const PACE: u16 = 2;

/// A child joins the control group that the container is frozen by, and runs or does not.
pub fn try_run(pid: u32) -> Outcome<Answer> {
    let group = Groups::of(Subject::at(pid)?)?.freezer()?;
    let own = Groups::own()?.freezer()?;
    let mut member = Member::join(&group, &["run"], None)?;
    let seen = runs(&mut member);
    // The old version lets no frozen process die.
    let leaving = || format!("leave the control group {}", group.display());
    fs::write(own, member.id().to_string()).or_cannot(leaving)?;
    seen.map(Answer::Tried)
}

fn runs(member: &mut Member) -> Outcome<Result<(), String>> {
    let answer = member.begin()?;
    let waits = Path::new("/proc").join(member.id().to_string()).join("wchan");
    let give_up = Instant::now() + PATIENCE;
    while Instant::now() < give_up {
        let mut ready = [PollFd::new(answer.as_fd(), PollFlags::POLLIN)];
        if poll(&mut ready, PollTimeout::from(PACE)).or_cannot(|| "wait for a child".into())? > 0 {
            return Ok(Ok(()));
        }
        let place = fs::read_to_string(&waits).unwrap_or_default();
        if FROZEN.iter().any(|frozen| place.contains(frozen)) {
            return Ok(Err("frozen".into()));
        }
    }
    Err(refuse("a process in the container's control group neither runs nor is frozen"))
}
