//! A lock that processes share, so that each image is built once.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use tokio::sync::oneshot;

use super::error::Error;
use crate::engine::Progress;

/// The lock, held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not read")] Flock<File>);

impl Lock {
    /// Takes the lock at a path; says so when another process has it.
    pub async fn take(path: &Path, progress: Progress<'_>) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::file("take the lock", path, &error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
        let file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(Self(lock)),
            Err((file, Errno::EWOULDBLOCK)) => file,
            Err((_, errno)) => return Err(failed(errno.into())),
        };
        progress("waiting for another process that builds images");
        // A thread of its own: when the wait is given up, the program can still end.
        let (done, taken) = oneshot::channel();
        std::thread::spawn(move || {
            let lock = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno);
            // If nobody waits any more, the lock is dropped here, and so given back.
            drop(done.send(lock));
        });
        match taken.await {
            Ok(Ok(lock)) => Ok(Self(lock)),
            Ok(Err(errno)) => Err(failed(errno.into())),
            Err(_) => Err(failed(std::io::Error::other("the thread that waited for it ended"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[tokio::test]
    async fn who_comes_second_is_told_and_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/images.lock");
        let told = Mutex::new(Vec::new());
        let progress = |line: &str| told.lock().unwrap().push(line.to_owned());
        let first = Lock::take(&path, &progress).await.unwrap();
        assert!(told.lock().unwrap().is_empty());

        let mut second = Box::pin(Lock::take(&path, &progress));
        let waited = futures_util::future::poll_immediate(&mut second).await;
        assert!(waited.is_none(), "it got the lock while another had it");
        assert_eq!(*told.lock().unwrap(), ["waiting for another process that builds images"]);
        drop(first);
        second.await.unwrap();
    }
}
