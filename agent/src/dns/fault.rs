//! A container's name server made useless: its configuration names an address of its own, where nobody
//! listens or somebody who does not help.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use agent::{Answer, DnsFault};
use nix::libc;

use super::{RESOLV_CONF, message, resolv_conf};
use crate::failure::{OrCannot as _, Outcome, cannot, refuse};
use crate::mounts;
use crate::subject::{Rights, Subject, rooted};

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
        let original = broken.remove(&file).map_or(now, |old| old.original);
        let server = Server::start(subject, how);
        let changed = match &server {
            Ok(_) => write(subject, &resolv_conf::with_server(&original, SERVER.into())),
            // What was broken before is mended by the same means.
            Err(_) => write(subject, &original),
        };
        let server = server?;
        changed?;
        broken.insert(file, Broken { original, _server: server });
        Ok(Answer::Done)
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
    let written = subject.enter(Rights::Own, || Ok(fs::write(RESOLV_CONF, text)))?;
    let written = match written {
        // With a read-only root it is mounted read-only, too; where it comes from it is not.
        Err(error) if error.raw_os_error() == Some(libc::EROFS) => write_source(subject, text)?,
        written => written,
    };
    written.map_err(|error| cannot(&format!("change {RESOLV_CONF} of the container"), &error))
}

fn write_source(subject: Subject, text: &str) -> Outcome<io::Result<()>> {
    let (file, _) = read(subject)?;
    let theirs = mounts::mounts(&subject.proc(""))?;
    let Some(mount) = mounts::covering(&theirs, RESOLV_CONF.as_ref()) else {
        return Ok(Err(io::Error::from_raw_os_error(libc::EROFS)));
    };
    let machine = mounts::mounts("/proc/1".as_ref())?;
    let sources: Vec<PathBuf> = machine
        .iter()
        .filter(|other| other.device == mount.device)
        .filter_map(|other| Some(other.target.join(mount.root.strip_prefix(&other.root).ok()?)))
        .collect();
    rooted("/proc/1/root".as_ref(), || {
        let is_it = |path: &&PathBuf| fs::metadata(path).is_ok_and(|seen| (seen.dev(), seen.ino()) == file);
        let source: Option<&Path> = sources.iter().find(is_it).map(PathBuf::as_path);
        Ok(source.map_or_else(|| Err(io::Error::from_raw_os_error(libc::EROFS)), |path| fs::write(path, text)))
    })
}

/// A name server that does not help. It ends when it is dropped.
struct Server {
    is_over: Arc<AtomicBool>,
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
        let server = Server { is_over: Arc::clone(&is_over) };
        let started = thread::Builder::new().spawn(move || answer(&socket, error, &is_over));
        started.or_cannot(|| "start a name server".into())?;
        Ok(Some(server))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
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
