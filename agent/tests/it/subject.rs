//! A container in miniature: a process with mounts, processes and a network of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::thread;

use agent::Place;
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

use crate::client::{Client, until};

const FLAGS: [&str; 6] = ["--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc"];

/// Whether namespaces can be made here: as root, with the capability for it.
static POSSIBLE: LazyLock<bool> = LazyLock::new(|| {
    let tried = Command::new("unshare").args(FLAGS).args(["--", "ip", "link", "set", "lo", "up"]).output();
    let is_possible = tried.is_ok_and(|output| output.status.success());
    if !is_possible {
        eprintln!("skipped: making namespaces needs root, CAP_SYS_ADMIN, and unshare and ip");
    }
    is_possible
});

pub struct Subject {
    outer: Child,
    pub pid: u32,
}

/// A client and a subject, whose script has run and which does nothing more. None where that cannot be.
pub fn with(script: &str) -> Option<(Client, Subject)> {
    Some((Client::start(), Subject::start(script, "sleep inf")?))
}

/// The same, where the last word is another than sleeping as root.
pub fn with_last(script: &str, last: &str) -> Option<(Client, Subject)> {
    Some((Client::start(), Subject::start(script, last)?))
}

/// A client, and where on the host its volume `state` is. None where no directory can be made the root.
pub fn with_volume() -> Option<(Client, PathBuf)> {
    if !Uid::effective().is_root() {
        eprintln!("skipped: making a volume the root needs root");
        return None;
    }
    let client = Client::start();
    let state = client.volume("state");
    Some((client, state))
}

impl Subject {
    pub fn start(script: &str, last: &str) -> Option<Subject> {
        if !*POSSIBLE {
            return None;
        }
        let whole = format!("set -e; ip link set lo up\n{script}\necho ready; exec {last}");
        let outer = Command::new("unshare").args(FLAGS).args(["--", "sh", "-c", &whole]).stdout(Stdio::piped()).spawn();
        let mut outer = outer.unwrap();
        let output = BufReader::new(outer.stdout.take().unwrap());
        let said: Vec<String> = output.lines().map_while(Result::ok).take_while(|line| line != "ready").collect();
        assert!(outer.try_wait().unwrap().is_none(), "the script failed: {said:?}");
        let children = format!("/proc/{0}/task/{0}/children", outer.id());
        let pid = fs::read_to_string(children).unwrap().trim().parse().unwrap();
        // Between `ready` and the last word the process is the shell still.
        let name = last.split_whitespace().next().unwrap();
        until("the last word runs", || {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name || name != "sleep")
        });
        Some(Subject { outer, pid })
    }

    pub fn place(&self, path: &str) -> Place {
        Place::Container { pid: self.pid, path: path.into() }
    }

    /// A path of the subject's, seen from the host.
    pub fn path(&self, path: &str) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.pid)).join(path.trim_start_matches('/'))
    }

    /// Does something in the subject's network.
    pub fn in_network<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        let network = fs::File::open(format!("/proc/{}/ns/net", self.pid)).unwrap();
        thread::scope(|scope| {
            scope
                .spawn(|| {
                    setns(network.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
                    act()
                })
                .join()
                .unwrap()
        })
    }

    fn kill(&mut self) {
        // By its parent's death it does not end if it changed its user.
        let _ = kill(Pid::from_raw(self.pid.cast_signed()), Signal::SIGKILL);
        let _ = self.outer.kill();
        let _ = self.outer.wait();
    }

    /// Ends it, and waits until nothing is left.
    pub fn end(&mut self) {
        self.kill();
        until("it is gone", || !Path::new(&format!("/proc/{}", self.pid)).exists());
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.kill();
    }
}
