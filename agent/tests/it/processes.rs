//! Processes of a container, and their descriptors.

use std::fs;
use std::path::Path;

use agent::{Answer, Command, FileLimit, OpenFiles, Process};
use nix::libc;

use crate::client::{Client, until};
use crate::subject;

fn processes(client: &mut Client, pid: u32) -> Vec<Process> {
    let Answer::Processes(processes) = client.get(Command::Processes { pid }) else { panic!() };
    processes
}

fn open_files(client: &mut Client, pid: u32) -> OpenFiles {
    let Answer::OpenFiles(files) = client.get(Command::OpenFiles { pid }) else { panic!() };
    files
}

#[test]
fn every_process_of_the_container_is_told_and_none_of_the_host() {
    // A shell whose second child has ended and is never waited for, because the shell became `sleep`.
    let script = "mount -t tmpfs tmpfs /mnt; mkfifo /mnt/end; trap '' HUP; sleep inf & sh -c 'read x < /mnt/end' &";
    let Some((mut client, subject)) = subject::with(script) else { return };
    fs::write(subject.path("/mnt/end"), "now\n").unwrap();
    until("the second child has ended", || processes(&mut client, subject.pid).iter().any(|one| one.state == 'Z'));
    let all = processes(&mut client, subject.pid);
    let shown: Vec<_> = all.iter().map(|one| (one.ns_pid, one.ppid, one.state)).collect();
    assert_eq!((shown.len(), shown[0]), (3, (1, 0, 'S')), "{all:?}");
    assert!(shown[1..].iter().all(|(_, parent, _)| *parent == 1), "{all:?}");
    assert_eq!((all[0].pid, all[0].command.as_str(), all[0].threads), (subject.pid, "sleep inf", 1));
    assert_ne!(all[0].ignored & 1, 0, "SIGHUP is signal 1");
    assert!(all[0].descriptors >= 3);
    let zombie = all.iter().find(|one| one.state == 'Z').unwrap();
    assert_eq!((zombie.descriptors, zombie.command.as_str()), (0, "sh"));
}

#[test]
fn a_signal_arrives() {
    let Some((mut client, subject)) = subject::with("") else { return };
    let state = format!("/proc/{}/stat", subject.pid);
    let is = |letter: &str| fs::read_to_string(&state).is_ok_and(|stat| stat.contains(&format!(") {letter} ")));
    client.get(Command::Signal { pid: subject.pid, signal: libc::SIGSTOP });
    until("it is stopped", || is("T"));
    client.get(Command::Signal { pid: subject.pid, signal: libc::SIGCONT });
    until("it goes on", || is("S"));
    client.fails(Command::Signal { pid: subject.pid, signal: 999 }, "EINVAL");
    client.get(Command::Signal { pid: subject.pid, signal: libc::SIGKILL });
    until("it is gone", || !is("S"));
}

#[test]
fn a_limit_leaves_so_many_descriptors_and_is_undone() {
    // dash as PID 1, and as its child a process of another user.
    let script = "sleep inf & setpriv --reuid=1000 --regid=1000 --clear-groups sleep inf &";
    let Some((mut client, subject)) = subject::with(script) else { return };
    let pid = subject.pid;
    until("the user's process runs", || processes(&mut client, pid).iter().all(|one| one.command == "sleep inf"));
    let before = open_files(&mut client, pid);
    assert!(before.limit > before.count + 2, "{before:?}");
    let Answer::FileLimits(limits) = client.get(Command::LimitFiles { pid, leave: 2 }) else { panic!() };
    assert_eq!(limits.len(), 3);
    assert!(limits.iter().all(|limit| limit.soft == before.limit && limit.hard >= limit.soft), "{limits:?}");
    for process in processes(&mut client, pid) {
        let files = open_files(&mut client, process.pid);
        let is_free = |number: &u64| !Path::new(&format!("/proc/{}/fd/{number}", process.pid)).exists();
        assert_eq!(files.count, process.descriptors);
        assert_eq!((0..files.limit).filter(is_free).count(), 2, "{process:?}");
        assert_eq!(process.descriptors_left, Some(2));
    }
    client.get(Command::UnlimitFiles { pid, limits });
    for process in processes(&mut client, pid) {
        assert_eq!(open_files(&mut client, process.pid).limit, before.limit, "{process:?}");
    }
}

#[test]
fn a_process_that_was_started_since_gets_the_limit_of_the_first() {
    let Some((mut client, subject)) = subject::with("sleep inf &") else { return };
    let pid = subject.pid;
    let Answer::FileLimits(limits) = client.get(Command::LimitFiles { pid, leave: 0 }) else { panic!() };
    let known: Vec<FileLimit> = limits.into_iter().filter(|limit| limit.pid == pid).collect();
    client.get(Command::UnlimitFiles { pid, limits: known.clone() });
    for process in processes(&mut client, pid) {
        assert_eq!(open_files(&mut client, process.pid).limit, known[0].soft);
    }
}

/// A shell that, for each line that it gets, says whether it can open a file; for that alone it needs a
/// descriptor.
const OPENER: &str = "
mount -t tmpfs tmpfs /mnt; mkfifo /mnt/pipe; cat > /mnt/opener <<'END'
exec 0<>/mnt/pipe 1>>/mnt/said 2>/dev/null
while read -r line; do if { :; } 5< /dev/null; then echo yes; else echo no; fi; done
END";

#[test]
fn a_process_without_descriptors_cannot_open_a_file() {
    let Some((mut client, subject)) = subject::with_last(OPENER, "sh /mnt/opener") else { return };
    let pid = subject.pid;
    let said = || fs::read_to_string(subject.path("/mnt/said")).unwrap_or_default();
    let opens = |expected: &str| {
        fs::write(subject.path("/mnt/pipe"), "go\n").unwrap();
        until("the shell answers", || said() == expected);
    };
    until("the shell listens", || subject.path("/mnt/said").exists());
    opens("yes\n");
    let Answer::FileLimits(limits) = client.get(Command::LimitFiles { pid, leave: 0 }) else { panic!() };
    opens("yes\nno\n");
    client.get(Command::UnlimitFiles { pid, limits });
    opens("yes\nno\nyes\n");
}
