//! Descriptors run out: the limit of every process of a container is lowered to what it holds.
//!
//! Only the limit that the kernel applies is lowered, and not the one up to which it may be raised
//! again: nobody but a holder of `CAP_SYS_RESOURCE` could undo that, and engines do not always have it to give.

use std::collections::BTreeSet;
use std::path::Path;

use agent::{Answer, Failure, FileLimit};
use nix::libc;

use crate::credentials::Credentials;
use crate::failure::{Outcome, cannot};
use crate::processes::{descriptors, namesakes};
use crate::raw::{self, Limit};
use crate::status::Status;
use crate::subject::{Subject, apart};

/// Lowers the limits and answers what they were.
pub fn limit(pid: u32, leave: u64) -> Outcome<Answer> {
    let mut before = Vec::new();
    for subject in everybody(pid)? {
        let Ok(held) = descriptors(&subject.proc("")) else { continue };
        let soft = limit_that_leaves(leave, &held.into_iter().collect());
        match change(subject, |old| Limit { soft: soft.min(old.hard), hard: old.hard }) {
            Ok(Some(old)) => before.push(FileLimit { pid: subject.pid(), soft: old.soft, hard: old.hard }),
            Ok(None) => {}
            Err(failure) => {
                // All or nobody, so that a failure leaves nothing to undo.
                let _ = unlimit(pid, &before);
                return Err(failure);
            }
        }
    }
    Ok(Answer::FileLimits(before))
}

/// Gives each process its old limit back; one that was started since gets that of the process named.
pub fn unlimit(pid: u32, before: &[FileLimit]) -> Outcome<Answer> {
    let of = |pid: u32| before.iter().find(|limit| limit.pid == pid);
    for subject in everybody(pid)? {
        let Some(old) = of(subject.pid()).or_else(|| of(pid)).or(before.first()) else { continue };
        change(subject, |now| Limit { soft: old.soft.min(now.hard), hard: now.hard })?;
    }
    Ok(Answer::Done)
}

fn everybody(pid: u32) -> Outcome<Vec<Subject>> {
    let number = |folder: &Path| folder.file_name()?.to_str()?.parse().ok();
    let folders = namesakes(Subject::at(pid)?)?;
    // Who has ended meanwhile needs no limit.
    Ok(folders.iter().filter_map(|folder| number(folder)).filter_map(|pid| Subject::at(pid).ok()).collect())
}

/// The descriptors that are taken are the lowest free ones, so the limit is the number of the first one
/// that is not to be had.
fn limit_that_leaves(leave: u64, held: &BTreeSet<u64>) -> u64 {
    let mut free = (0..).filter(|number| !held.contains(number));
    let nth = usize::try_from(leave).unwrap_or(usize::MAX);
    free.nth(nth).unwrap_or(u64::MAX)
}

/// Changes a limit, as the process's own user: that needs no capability. None if it has ended.
fn change(subject: Subject, new: impl FnOnce(Limit) -> Limit + Send) -> Outcome<Option<Limit>> {
    let pid = subject.pid();
    let Ok(status) = subject.status() else { return Ok(None) };
    let credentials = Credentials::of(&status, &Status::own()?)?;
    let changed = apart(|| {
        credentials.take()?;
        let old = raw::file_limit(pid, None);
        Ok(old.and_then(|old| raw::file_limit(pid, Some(new(old)))))
    })?;
    match changed {
        Ok(old) => Ok(Some(old)),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        Err(error) => Err::<_, Failure>(cannot(&format!("limit the descriptors of process {pid}"), &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(held: &[u64], leave: u64, expected: u64) {
        assert_eq!(limit_that_leaves(leave, &held.iter().copied().collect()), expected);
    }

    #[test]
    fn so_many_more_descriptors_fit_below_the_limit_wherever_the_gaps_are() {
        check(&[0, 1, 2], 0, 3);
        check(&[0, 1, 2], 4, 7);
        check(&[0, 1, 2, 5], 0, 3);
        check(&[0, 1, 2, 5], 2, 6);
        check(&[0, 1, 2, 5], 1, 4);
        check(&[], 0, 0);
    }
}
