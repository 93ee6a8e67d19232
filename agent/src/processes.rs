//! The processes of a container.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use agent::{Answer, OpenFiles, Process};

use crate::failure::{OrCannot as _, Outcome, refuse};
use crate::raw;
use crate::status::Status;
use crate::subject::Subject;

/// Sends a signal.
pub fn signal(pid: u32, signal: i32) -> Outcome<Answer> {
    let subject = Subject::at(pid)?;
    raw::signal(subject.pid(), signal).or_cannot(|| format!("send signal {signal} to process {pid}"))?;
    Ok(Answer::Done)
}

/// Every process in the namespace of one of them.
pub fn processes(pid: u32) -> Outcome<Answer> {
    let folders = namesakes(Subject::at(pid)?)?;
    // What ends while it is looked at is not among them.
    let statuses: Vec<_> = folders.iter().filter_map(|folder| Some((folder, Status::read(folder).ok()?))).collect();
    let names: HashMap<u32, u32> = statuses.iter().filter_map(|(_, status)| numbers(status)).collect();
    let mut found: Vec<_> = statuses.iter().filter_map(|(folder, status)| process(folder, status, &names)).collect();
    found.sort_by_key(|process| process.ns_pid);
    Ok(Answer::Processes(found))
}

/// How many descriptors a process holds, and may hold.
pub fn open_files(pid: u32) -> Outcome<Answer> {
    let subject = Subject::at(pid)?;
    let limit = limit(&subject.proc("")).ok_or_else(|| refuse(format!("process {pid} tells no limit")))?;
    let count = descriptors(&subject.proc("")).or_cannot(|| format!("list the descriptors of process {pid}"))?;
    Ok(Answer::OpenFiles(OpenFiles { limit, count: count.len() as u64 }))
}

/// The folders in `/proc` of the processes that share a namespace with one, itself included.
pub fn namesakes(subject: Subject) -> Outcome<Vec<PathBuf>> {
    let pid = subject.pid();
    let namespace = |process: &Path| fs::read_link(process.join("ns/pid"));
    let own = namespace(&subject.proc("")).or_cannot(|| format!("look at process {pid}"))?;
    let entries = fs::read_dir("/proc").or_cannot(|| "list the processes".into())?;
    let is_process = |folder: &PathBuf| {
        folder.file_name().is_some_and(|name| name.to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
    };
    let folders = entries.flatten().map(|entry| entry.path()).filter(is_process);
    Ok(folders.filter(|folder| namespace(folder).is_ok_and(|theirs| theirs == own)).collect())
}

/// The limit on descriptors that the kernel applies to a process. Everybody may read it here; by the system
/// call for it, only the process's own user may.
fn limit(process: &Path) -> Option<u64> {
    let limits = fs::read_to_string(process.join("limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let word = line.split_whitespace().next()?;
    if word == "unlimited" { Some(u64::MAX) } else { word.parse().ok() }
}

/// The numbers of the descriptors that a process holds.
pub fn descriptors(process: &Path) -> std::io::Result<Vec<u64>> {
    let entries = fs::read_dir(process.join("fd"))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// A process's number on the host and in its namespace.
fn numbers(status: &Status) -> Option<(u32, u32)> {
    Some((*status.numbers("Pid").first()?, *status.numbers("NSpid").last()?))
}

fn process(folder: &Path, status: &Status, names: &HashMap<u32, u32>) -> Option<Process> {
    let (pid, ns_pid) = numbers(status)?;
    let parent = *status.numbers("PPid").first()?;
    Some(Process {
        pid,
        ns_pid,
        ppid: names.get(&parent).copied().unwrap_or(0),
        state: status.field("State")?.chars().next()?,
        command: command(folder, status),
        threads: status.numbers("Threads").first().copied().unwrap_or(1).into(),
        blocked: status.bits("SigBlk"),
        ignored: status.bits("SigIgn"),
        descriptors: descriptors(folder).map_or(0, |held| held.len() as u64),
        descriptors_left: left(folder),
    })
}

/// How many numbers below its limit a process has not used.
fn left(folder: &Path) -> Option<u64> {
    let limit = limit(folder)?;
    let held = descriptors(folder).ok().filter(|held| !held.is_empty())?;
    Some(limit - held.iter().filter(|number| **number < limit).count() as u64)
}

fn command(folder: &Path, status: &Status) -> String {
    let line = fs::read(folder.join("cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).trim_end_matches('\0').replace('\0', " ");
    // A zombie and a thread of the kernel have no arguments.
    if line.is_empty() { status.field("Name").unwrap_or_default().to_owned() } else { line }
}
