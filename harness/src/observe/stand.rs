//! What stands at a path in the subject, and copies of what it holds.

use std::io::Read;

use agent::{Answer, Command, Content, Kind, Place};
use bytes::Bytes;

use super::look::{Looker, unexpected};
use super::missed::Missed;
use super::sql::BESIDE;
use crate::engine::FileStat;
use crate::scenario::runtime::is_below;
use crate::timeline::{FileSeen, Seen};

/// How much of a file's text is of interest.
const LARGEST: u64 = 1024 * 1024;

/// How much of a database can be copied that only the subject sees.
const LARGEST_DATABASE: u64 = 32 * 1024 * 1024;

/// How often a database is copied that is written to meanwhile, before it is
/// made to stand still for that.
const ATTEMPTS: usize = 3;

impl Looker {
    /// What stands at a path; closely with its owner and its text.
    pub(super) async fn file(&self, path: &str, closely: bool) -> Result<Seen, Missed> {
        if self.is_inner(path) {
            return self.inner_file(path, closely).await;
        }
        let Some((path, stat)) = self.stat(path).await? else { return Ok(Seen::Absent) };
        let mut seen =
            FileSeen { size: stat.size, directory: stat.directory, mode: Some(stat.mode), ..FileSeen::default() };
        if closely {
            let owner = self.engine.owner(&self.id, &path).await?;
            seen.owner = owner.map(|ids| format!("{}:{}", ids.uid, ids.gid));
            if !stat.directory && stat.size <= LARGEST {
                let content = self.content(&path).await?.unwrap_or_default();
                seen.text = Some(String::from_utf8_lossy(&content).into_owned());
            }
        }
        Ok(Seen::File(seen))
    }

    /// What stands at a path, or at that which a link there leads to.
    async fn stat(&self, path: &str) -> Result<Option<(String, FileStat)>, Missed> {
        let Some(stat) = self.engine.stat(&self.id, path).await? else { return Ok(None) };
        match stat.leads_to.clone() {
            None => Ok(Some((path.to_owned(), stat))),
            Some(target) => Ok(self.engine.stat(&self.id, &target).await?.map(|stat| (target, stat))),
        }
    }

    /// Whether only the subject's own processes see it.
    fn is_inner(&self, path: &str) -> bool {
        self.inner.iter().any(|mount| is_below(path, mount))
    }

    async fn inner_file(&self, path: &str, closely: bool) -> Result<Seen, Missed> {
        let pid = self.pid().await?;
        let seen = match self.ask(Command::Look { pid, path: path.to_owned(), content: false }).await? {
            Answer::Seen(seen) if !seen.exists => return Ok(Seen::Absent),
            Answer::Seen(seen) => seen,
            other => return Err(unexpected(&other)),
        };
        let is_small_file = seen.kind == Kind::File && seen.size <= LARGEST;
        let content = if closely && is_small_file { self.inner_content(path, LARGEST).await? } else { None };
        Ok(Seen::File(FileSeen {
            size: seen.size,
            directory: seen.kind == Kind::Directory,
            mode: Some(seen.mode),
            owner: Some(format!("{}:{}", seen.uid, seen.gid)),
            text: content.map(|content| String::from_utf8_lossy(&content).into_owned()),
        }))
    }

    async fn inner_content(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Missed> {
        let place = Place::Container { pid: self.pid().await?, path: path.to_owned() };
        match self.try_to_ask(Command::Read { place, limit }).await? {
            Ok(Answer::Content { content: Content(bytes), .. }) => Ok(Some(bytes)),
            Ok(other) => Err(unexpected(&other)),
            Err(failure) if failure.errno == Some(nix::errno::Errno::ENOENT as i32) => Ok(None),
            Err(failure) => Err(Missed::Unanswered(failure.cause)),
        }
    }

    async fn content(&self, path: &str) -> Result<Option<Vec<u8>>, Missed> {
        if self.engine.stat(&self.id, path).await?.is_none() {
            return Ok(None);
        }
        let archive = self.engine.get(&self.id, path).await?;
        first_file(&archive).map(Some).map_err(|error| Missed::unable(&format!("read {path}"), error))
    }

    /// The files of a SQLite database, all of one moment: the subject's own must
    /// not be touched, and what is copied while it is written to is none.
    pub(super) async fn database(&self, path: &str) -> Result<[Option<Vec<u8>>; BESIDE.len()], Missed> {
        let path = match self.is_inner(path) {
            true => path.to_owned(),
            false => self.stat(path).await?.map(|(path, _)| path).ok_or_else(missing)?,
        };
        for _ in 0..ATTEMPTS {
            let before = self.stamps(&path).await?;
            let files = self.parts(&path).await?;
            if before.is_some() && self.stamps(&path).await? == before {
                return Ok(files);
            }
        }
        self.engine.pause(&self.id).await?;
        let files = self.parts(&path).await;
        self.engine.unpause(&self.id).await?;
        files
    }

    /// Sizes and times of the files of a database; of what only the subject sees nobody knows them.
    async fn stamps(&self, path: &str) -> Result<Option<[Option<FileStat>; BESIDE.len()]>, Missed> {
        if self.is_inner(path) {
            return Ok(None);
        }
        let mut stamps = [const { None }; BESIDE.len()];
        for (stamp, ending) in stamps.iter_mut().zip(BESIDE) {
            *stamp = self.engine.stat(&self.id, &format!("{path}{ending}")).await?;
        }
        Ok(Some(stamps))
    }

    async fn parts(&self, path: &str) -> Result<[Option<Vec<u8>>; BESIDE.len()], Missed> {
        let mut parts = [const { None }; BESIDE.len()];
        for (part, ending) in parts.iter_mut().zip(BESIDE) {
            let path = format!("{path}{ending}");
            *part = match self.is_inner(&path) {
                true => self.inner_content(&path, LARGEST_DATABASE).await?,
                false => self.content(&path).await?,
            };
        }
        // An empty database would answer, and it would be none of the subject's.
        if parts[0].is_none() { Err(missing()) } else { Ok(parts) }
    }
}

fn missing() -> Missed {
    Missed::Unanswered("there is no such file".to_owned())
}

/// What the first file of an archive holds.
fn first_file(archive: &Bytes) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Archive::new(&archive[..]);
    let mut content = Vec::new();
    if let Some(entry) = archive.entries()?.next() {
        entry?.read_to_end(&mut content)?;
    }
    Ok(content)
}
