//! Watches: what stands at a place is looked at again and again.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use agent::{Answer, Change, Message, Place};
use nix::fcntl::readlinkat;

use crate::failure::{OrCannot as _, Outcome, refuse};
use crate::place;
use crate::subject::Subject;
use crate::wire::Wire;

/// How often. A file system tells of changes too, but not of those below a directory that is not there
/// yet, and an overlay not of all.
const PACE: Duration = Duration::from_millis(2);

/// The watches by their numbers. Each ends when its sender is dropped.
#[derive(Default)]
pub struct Watches {
    open: Mutex<HashMap<u64, Sender<()>>>,
}

/// What tells two states of a place apart: device, inode, size and time of change; none if it is empty.
type State = Option<(u64, u64, u64, i64, i64)>;

impl Watches {
    /// Begins one.
    pub fn begin(&self, watch: u64, place: &Place, volumes: &Path, wire: &Arc<Wire>) -> Outcome<Answer> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.contains_key(&watch) {
            return Err(refuse(format!("watch {watch} is in use")));
        }
        let process = match place {
            Place::Container { pid, .. } => {
                let folder = Subject::at(*pid)?.proc("");
                Some(File::open(&folder).or_cannot(|| format!("watch process {pid}"))?)
            }
            Place::Volume { .. } => None,
        };
        let (stop, stopped) = mpsc::channel();
        let (first, begun) = mpsc::channel();
        let (place, volumes, wire) = (place.clone(), volumes.to_owned(), Arc::clone(wire));
        let started = thread::Builder::new().spawn(move || {
            let failed = first.clone();
            let outcome = place::at(&place, &volumes, move |path| {
                let eye = Eye { path: path.to_owned(), process };
                let state = eye.state();
                let _ = first.send(Ok(state.is_some()));
                eye.watch(watch, state, &stopped, &wire);
                Ok(())
            });
            // It waits for the first word only.
            let _ = failed.send(outcome.map(|()| false));
        });
        started.or_cannot(|| "start a watch".into())?;
        open.insert(watch, stop);
        // The place may take its time: others need not wait for it.
        drop(open);
        let begun = begun.recv().unwrap_or_else(|_| Err(refuse("the watch has ended")));
        if begun.is_err() {
            self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&watch);
        }
        begun.map(|exists| Answer::Watching { exists })
    }

    /// Ends one.
    pub fn end(&self, watch: u64) -> Outcome<Answer> {
        let ended = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&watch);
        ended.map(|_| Answer::Done).ok_or_else(|| refuse(format!("there is no watch {watch}")))
    }
}

/// Looks at one place, from inside.
struct Eye {
    path: PathBuf,
    /// The folder in `/proc` of the container's process, which is told from others of the same number.
    process: Option<File>,
}

impl Eye {
    fn state(&self) -> State {
        let seen = fs::metadata(&self.path).ok()?;
        Some((seen.dev(), seen.ino(), seen.size(), seen.mtime(), seen.mtime_nsec()))
    }

    /// Whether the container is still there. Being inside keeps its files, but not its processes.
    fn is_alive(&self) -> bool {
        self.process.as_ref().is_none_or(|process| readlinkat(process, "root").is_ok())
    }

    fn watch(&self, watch: u64, mut state: State, stopped: &Receiver<()>, wire: &Wire) {
        while stopped.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
            let now = self.state();
            let change = match (state, now) {
                (None, Some(_)) => Some(Change::Appeared),
                (Some(_), None) => Some(Change::Gone),
                (old, new) => (old != new).then_some(Change::Changed),
            };
            state = now;
            let notice = |change| wire.send(&Message::Notice { watch, change });
            change.into_iter().for_each(notice);
            if !self.is_alive() {
                notice(Change::Lost);
                return;
            }
        }
    }
}
