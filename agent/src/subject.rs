//! Entering a container by one of its processes: its files, its network, its rights.
//!
//! Namespaces, root and credentials belong to a thread. Each visit is made by a thread of its own, which
//! ends with it, so that nothing has to be put back.

use std::fs::{self, File};
use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use agent::Failure;
use nix::libc;
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{chroot, fchdir};

use crate::credentials::Credentials;
use crate::failure::{OrCannot, Outcome, cannot, refuse};
use crate::status::Status;

/// With whose rights a container is entered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// The agent's: to act.
    Own,
    /// The process's: to see what it sees.
    Subject,
}

/// A process that may be reached into.
#[derive(Clone, Copy)]
pub struct Subject {
    pid: u32,
}

impl Subject {
    /// The process of this number, unless it is one of the host's or of the agent's: 0 would mean the
    /// agent's own process group, and 1 the machine.
    pub fn at(pid: u32) -> Outcome<Subject> {
        if pid <= 1 {
            return Err(refuse(format!("process {pid} is never reached into: it is not a container's")));
        }
        let subject = Subject { pid };
        let namespace = |process: &Path| fs::read_link(process.join("ns/mnt"));
        let own = namespace("/proc/self".as_ref()).or_cannot(|| "read the agent's own namespaces".into())?;
        let theirs = namespace(&subject.proc("")).map_err(|error| subject.unreachable("look at", &error))?;
        if theirs == own {
            return Err(refuse(format!("process {pid} is never reached into: it shares the agent's files")));
        }
        if hosts().iter().any(|host| namespace(host).is_ok_and(|host| host == theirs)) {
            return Err(refuse(format!("process {pid} is never reached into: it is the host's, not a container's")));
        }
        Ok(subject)
    }

    /// Its number.
    pub fn pid(self) -> u32 {
        self.pid
    }

    /// A path in its folder of `/proc`.
    pub fn proc(self, name: &str) -> PathBuf {
        let folder = PathBuf::from(format!("/proc/{}", self.pid));
        if name.is_empty() { folder } else { folder.join(name) }
    }

    /// Its status.
    pub fn status(self) -> Outcome<Status> {
        Status::read(&self.proc("")).map_err(|error| self.unreachable("look at", &error))
    }

    /// Does something where the container's root is `/`.
    pub fn enter<T: Send>(self, rights: Rights, act: impl FnOnce() -> Outcome<T> + Send) -> Outcome<T> {
        // Everything that is read from `/proc` is read before: inside, it is another one.
        let root = self.open("root")?;
        let mounts = self.open("ns/mnt")?;
        let credentials = match rights {
            Rights::Own => None,
            Rights::Subject => Some(Credentials::of(&self.status()?, &Status::own()?)?),
        };
        apart(|| {
            let entering = || format!("enter the mount namespace of process {}", self.pid);
            unshare(CloneFlags::CLONE_FS).or_cannot(entering)?;
            setns(&mounts, CloneFlags::CLONE_NEWNS).or_cannot(entering)?;
            // The namespace's root need not be the process's.
            fchdir(&root).and_then(|()| chroot(".")).or_cannot(entering)?;
            if let Some(credentials) = credentials {
                credentials.take()?;
            }
            act()
        })
    }

    /// Does something in the container's network. Sockets made there stay there.
    pub fn in_network<T: Send>(self, act: impl FnOnce() -> Outcome<T> + Send) -> Outcome<T> {
        let network = self.open("ns/net")?;
        apart(|| {
            setns(&network, CloneFlags::CLONE_NEWNET)
                .or_cannot(|| format!("enter the network of process {}", self.pid))?;
            act()
        })
    }

    fn open(self, name: &str) -> Outcome<File> {
        File::open(self.proc(name)).map_err(|error| self.unreachable("enter", &error))
    }

    fn unreachable(self, attempt: &str, error: &io::Error) -> Failure {
        let pid = self.pid;
        match error.raw_os_error() {
            // A zombie has neither root nor namespaces any more.
            Some(libc::ENOENT | libc::ESRCH) => {
                Failure { cause: format!("process {pid} has ended"), errno: Some(libc::ESRCH) }
            }
            _ => cannot(&format!("{attempt} process {pid}"), error),
        }
    }
}

/// Processes that see the host's files: its first, which may be closed to the agent, and the kernel's own,
/// which has no parent.
fn hosts() -> Vec<&'static Path> {
    let kernels = Path::new("/proc/2");
    let has_no_parent = Status::read(kernels).is_ok_and(|status| status.numbers("PPid") == [0]);
    [Path::new("/proc/1")].into_iter().chain(has_no_parent.then_some(kernels)).collect()
}

/// Does something with another directory as `/`.
pub fn rooted<T: Send>(root: &Path, act: impl FnOnce() -> Outcome<T> + Send) -> Outcome<T> {
    apart(|| {
        let entering = || format!("make {} the root", root.display());
        unshare(CloneFlags::CLONE_FS).or_cannot(entering)?;
        chroot(root).and_then(|()| nix::unistd::chdir("/")).or_cannot(entering)?;
        act()
    })
}

/// Does something on a thread of its own, which may give itself away.
pub fn apart<T: Send>(act: impl FnOnce() -> Outcome<T> + Send) -> Outcome<T> {
    thread::scope(|scope| {
        let visit = thread::Builder::new().spawn_scoped(scope, act).or_cannot(|| "start a thread".into())?;
        visit.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}
