//! A container's name server made useless: its configuration names an address of its own, where nobody
//! listens or somebody who does not help.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use agent::{Answer, DnsFault};
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sys::statvfs::{FsFlags, statvfs};

use super::{RESOLV_CONF, message, resolv_conf};
use crate::failure::{OrCannot as _, Outcome, refuse};
use crate::subject::{Rights, Subject};

/// Every address of 127/8 is the container's own; this one is hardly in use.
const SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);

/// How soon a server notices that it is no longer wanted.
const PACE: Duration = Duration::from_millis(20);

/// What was broken and is to be mended. By the file rather than by the process: a container that is
/// started again keeps the file.
#[derive(Default)]
pub struct Faults {
    broken: Mutex<HashMap<File, Broken>>,
}

/// Device and inode.
type File = (u64, u64);

struct Broken {
    original: String,
    _server: Option<Server>,
}

impl Faults {
    /// Breaks it, or breaks it in another way.
    pub fn inject(&self, pid: u32, how: DnsFault) -> Outcome<Answer> {
        let subject = Subject::at(pid)?;
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, now) = read(subject)?;
        // The server that there may be ends by this, and gives its port to the next.
        let original = broken.remove(&file).map_or(now, |old| old.original);
        let started = Server::start(subject, how).and_then(|server| {
            write(subject, &resolv_conf::with_server(&original, SERVER.into()))?;
            Ok(server)
        });
        match started {
            Ok(server) => {
                broken.insert(file, Broken { original, _server: server });
                Ok(Answer::Done)
            }
            Err(failure) => {
                // What was broken before is mended at least; the failure is the news, whatever comes of this.
                let _ = write(subject, &original);
                Err(failure)
            }
        }
    }

    /// Puts the configuration back.
    pub fn mend(&self, pid: u32) -> Outcome<Answer> {
        let subject = Subject::at(pid)?;
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, _) = read(subject)?;
        let Some(old) = broken.get(&file) else {
            return Err(refuse(format!("the name server of process {pid} was not broken")));
        };
        write(subject, &old.original)?;
        broken.remove(&file);
        Ok(Answer::Done)
    }
}

fn read(subject: Subject) -> Outcome<(File, String)> {
    subject.enter(Rights::Own, || {
        let seen = fs::metadata(RESOLV_CONF).and_then(|seen| Ok((seen, fs::read_to_string(RESOLV_CONF)?)));
        let (seen, text) = seen.or_cannot(|| format!("read {RESOLV_CONF} of the container"))?;
        Ok(((seen.dev(), seen.ino()), text))
    })
}

/// Writes in place: the file is mounted, and cannot be replaced.
fn write(subject: Subject, text: &str) -> Outcome<()> {
    subject.enter(Rights::Own, || {
        let written = match fs::write(RESOLV_CONF, text) {
            // With a read-only root, the file is mounted read-only too.
            Err(error) if error.raw_os_error() == Some(libc::EROFS) => write_despite(text),
            written => written,
        };
        written.or_cannot(|| format!("change {RESOLV_CONF} of the container"))
    })
}

/// Makes the mount writable for a moment.
fn write_despite(text: &str) -> io::Result<()> {
    let flags = statvfs(RESOLV_CONF)?.flags();
    let remount = |is_read_only| {
        let mut new = MsFlags::MS_REMOUNT | MsFlags::MS_BIND;
        new.set(MsFlags::MS_RDONLY, is_read_only);
        new.set(MsFlags::MS_NOSUID, flags.contains(FsFlags::ST_NOSUID));
        new.set(MsFlags::MS_NODEV, flags.contains(FsFlags::ST_NODEV));
        new.set(MsFlags::MS_NOEXEC, flags.contains(FsFlags::ST_NOEXEC));
        mount(None::<&str>, RESOLV_CONF, None::<&str>, new, None::<&str>)
    };
    remount(false)?;
    let written = fs::write(RESOLV_CONF, text);
    remount(true)?;
    written
}

/// A name server that does not help. It ends when it is dropped.
struct Server {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(subject: Subject, how: DnsFault) -> Outcome<Option<Server>> {
        let error = match how {
            DnsFault::Refuse => return Ok(None),
            DnsFault::Silent => None,
            DnsFault::Servfail => Some(2),
            DnsFault::Nxdomain => Some(3),
        };
        let socket = subject.in_network(|| {
            let bound = UdpSocket::bind((SERVER, 53)).and_then(|socket| {
                socket.set_read_timeout(Some(PACE))?;
                Ok(socket)
            });
            bound.or_cannot(|| format!("answer at {SERVER}:53 in the container"))
        })?;
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let started = thread::Builder::new().spawn(move || answer(&socket, error, &over));
        let thread = started.or_cannot(|| "start a name server".into())?;
        Ok(Some(Server { is_over, thread: Some(thread) }))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Its port is free only then.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn answer(socket: &UdpSocket, error: Option<u8>, is_over: &AtomicBool) {
    let mut question = [0; 4096];
    while !is_over.load(Ordering::Relaxed) {
        if let Ok((length, client)) = socket.recv_from(&mut question)
            && let Some(error) = error
            && let Some(reply) = message::error(&question[..length], error)
        {
            // A client that has gone needs no answer.
            let _ = socket.send_to(&reply, client);
        }
    }
}
