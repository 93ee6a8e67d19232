//! Control groups: limits bite, as the kernel counts it, and are taken back.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use agent::{Answer, Command, Settings, Usage};

use crate::client::{Client, until};
use crate::subject::{self, Subject};

const TREE: &str = "/sys/fs/cgroup";
const CONTROLLERS: [&str; 6] = ["cpu", "cpuacct", "memory", "pids", "blkio", "freezer"];

/// Control groups of a subject's own. They go when it has gone.
struct Own {
    folders: Vec<PathBuf>,
    subject: Subject,
}

/// None where no group can be made.
fn own(subject: Subject) -> Option<Own> {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let name = format!("bootproof-{}-{}", std::process::id(), LAST.fetch_add(1, Ordering::Relaxed));
    let one = CONTROLLERS.map(|controller| Path::new(TREE).join(controller));
    let parents: Vec<PathBuf> = one.into_iter().filter(|parent| parent.join("cgroup.procs").exists()).collect();
    let parents = if parents.is_empty() { vec![TREE.into()] } else { parents };
    let mut own = Own { folders: Vec::new(), subject };
    for parent in parents {
        let folder = parent.join(&name);
        if fs::create_dir(&folder).is_err() {
            eprintln!("skipped: no control group can be made in {}", parent.display());
            return None;
        }
        let procs = folder.join("cgroup.procs");
        own.folders.push(folder);
        fs::write(procs, own.subject.pid.to_string()).unwrap();
    }
    Some(own)
}

impl Drop for Own {
    fn drop(&mut self) {
        self.subject.end();
        for folder in &self.folders {
            until("the control group is empty", || fs::remove_dir(folder).is_ok());
        }
    }
}

fn usage(client: &mut Client, pid: u32) -> Usage {
    let Answer::Usage(usage) = client.get(Command::Usage { pid }) else { panic!() };
    *usage
}

#[track_caller]
fn settings(client: &mut Client, command: Command) -> Settings {
    let Answer::Settings(settings) = client.get(command) else { panic!() };
    settings
}

/// A process that is in the groups and does as it is told by a pipe.
fn obedient() -> Option<(Client, Own)> {
    let script = "mount -t tmpfs tmpfs /mnt; mkfifo /mnt/pipe; echo 'exec 0<>/mnt/pipe; while read -r line; do eval \"$line\"; done' > /mnt/obey";
    let (client, subject) = subject::with_last(script, "sh /mnt/obey")?;
    Some((client, own(subject)?))
}

impl Own {
    fn tell(&self, line: &str) {
        let pipe = OpenOptions::new().write(true).open(self.subject.path("/mnt/pipe"));
        writeln!(pipe.unwrap(), "{line}").unwrap();
    }
}

#[test]
fn a_throttled_process_waits_for_its_share() {
    let Some((mut client, own)) = obedient() else { return };
    let pid = own.subject.pid;
    let before = usage(&mut client, pid);
    assert_eq!(before.throttled_periods, Some(0));
    let settings = settings(&mut client, Command::ThrottleCpu { pid, cpus: 0.02 });
    own.tell("while [ ! -e /mnt/stop ]; do :; done; echo > /mnt/stopped");
    until("it was throttled", || usage(&mut client, pid).throttled_periods > Some(2));
    let during = usage(&mut client, pid);
    assert!(during.throttled_ns > Some(0) && during.cpu_ns > before.cpu_ns, "{during:?}");
    client.get(Command::Restore { pid, settings });
    fs::write(own.subject.path("/mnt/stop"), "").unwrap();
    until("it goes on", || own.subject.path("/mnt/stopped").exists());
    client.fails(Command::ThrottleCpu { pid, cpus: 0.0 }, "cannot be given");
}

#[test]
fn without_room_for_processes_nobody_forks() {
    let Some((mut client, own)) = obedient() else { return };
    let pid = own.subject.pid;
    assert_eq!(client.get(Command::TryFork { pid }), Answer::Tried(Ok(())));
    let settings = settings(&mut client, Command::LimitPids { pid, leave: 0 });
    assert_eq!(client.get(Command::TryFork { pid }), Answer::Tried(Err("EAGAIN".into())));
    let during = usage(&mut client, pid);
    assert_eq!((during.pids, during.pids_limit), (Some(1), Some(1)));
    assert!(during.pids_fails > Some(0), "{during:?}");
    client.get(Command::Restore { pid, settings });
    assert_eq!(client.get(Command::TryFork { pid }), Answer::Tried(Ok(())));
    assert_eq!(usage(&mut client, pid).pids_limit, None);
}

#[test]
fn memory_is_limited_to_what_is_used_and_some_more() {
    let Some((mut client, own)) = obedient() else { return };
    let pid = own.subject.pid;
    let before = usage(&mut client, pid);
    assert_eq!(before.memory_limit, None);
    let settings = settings(&mut client, Command::LimitMemory { pid, leave: 4 << 20 });
    let during = usage(&mut client, pid);
    let (limit, used) = (during.memory_limit.unwrap(), during.memory.unwrap());
    assert!(limit >= used && limit <= used + (8 << 20), "{during:?}");
    // What is written to a disk counts until it is there, and can be given back: nobody dies of it.
    let folder = tempfile::tempdir().unwrap();
    own.tell(&format!("head -c 33554432 /dev/zero > {}/big", folder.path().display()));
    until("it met the limit", || usage(&mut client, pid).memory_fails > Some(0));
    client.get(Command::Restore { pid, settings });
    assert_eq!(usage(&mut client, pid).memory_limit, None);
}

#[test]
fn a_disk_is_slowed_and_what_is_no_disk_is_refused() {
    let Some((mut client, own)) = obedient() else { return };
    let pid = own.subject.pid;
    let slow = |path: &str| Command::ThrottleIo {
        pid,
        path: Some(path.into()),
        read_bps: Some(1 << 20),
        write_bps: Some(1 << 20),
    };
    client.fails(slow("/mnt"), "tmpfs, which has no block device");
    client.fails(slow("/absent"), "ENOENT");
    match client.ask(slow("/")) {
        Ok(Answer::Settings(settings)) => {
            assert_eq!(settings.0.len(), 2);
            let file = own.folders.iter().find_map(|folder| {
                let path = folder.join(&settings.0[1].file);
                path.exists().then_some(path)
            });
            let file = file.unwrap();
            assert!(fs::read_to_string(&file).unwrap().contains("1048576"));
            client.get(Command::Restore { pid, settings });
            assert!(!fs::read_to_string(&file).unwrap().contains("1048576"));
        }
        Ok(other) => panic!("{other:?}"),
        Err(failure) => eprintln!("skipped: {failure}"),
    }
}

#[test]
fn a_group_that_goes_leaves_settings_that_cannot_be_put_back() {
    let Some((mut client, mut own)) = obedient() else { return };
    let pid = own.subject.pid;
    let settings = settings(&mut client, Command::LimitPids { pid, leave: 5 });
    own.subject.end();
    client.fails(Command::Restore { pid, settings }, "has ended");
}

#[test]
fn in_a_frozen_container_nothing_runs() {
    let Some((mut client, own)) = obedient() else { return };
    let pid = own.subject.pid;
    assert_eq!(client.get(Command::TryRun { pid }), Answer::Tried(Ok(())));
    let switch = [("freezer.state", "FROZEN", "THAWED"), ("cgroup.freeze", "1", "0")].into_iter().find_map(
        |(file, frozen, thawed)| {
            let path = own.folders.iter().map(|folder| folder.join(file)).find(|path| path.exists())?;
            Some((path, frozen, thawed))
        },
    );
    let (path, frozen, thawed) = switch.unwrap();
    fs::write(&path, frozen).unwrap();
    let tried = client.ask(Command::TryRun { pid });
    fs::write(&path, thawed).unwrap();
    assert_eq!(tried, Ok(Answer::Tried(Err("frozen".into()))));
    assert_eq!(client.get(Command::TryRun { pid }), Answer::Tried(Ok(())));
}

#[test]
fn a_disk_is_timed_under_the_limits_of_the_container() {
    let Some((mut client, own)) = obedient() else { return };
    let pid = own.subject.pid;
    let time = |path: &str, write| Command::TimeDisk { pid, path: path.into(), write, bytes: 4096 };
    client.fails(time("/absent", true), "ENOENT");
    for write in [false, true] {
        match client.ask(time("/var/tmp", write)) {
            Ok(Answer::Took(micros)) => assert!(micros > 0),
            Ok(other) => panic!("{other:?}"),
            Err(failure) => eprintln!("skipped: {failure}"),
        }
    }
}
