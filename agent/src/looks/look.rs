//! One path, as the subject sees it.

use std::ffi::OsString;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use agent::{Entry, Kind, Seen, Tried, UNTRIED};
use nix::libc;

use super::{digest, probe};
use crate::failure::name;
use crate::raw;

/// How much of a file is told.
const TEXT: usize = 64 * 1024;

/// How many entries of a directory are told.
const ENTRIES: usize = 100;

/// What a directory's writing is tried by.
const PROBE: usize = 4096;

/// Looks, and tries to read and to write. Every error is something that was seen.
pub fn look(path: &Path, content: bool) -> Seen {
    match fs::symlink_metadata(path) {
        Err(error) => absent(&name(&error)),
        Ok(seen) => present(path, &seen, content),
    }
}

/// Looks on behalf of nobody, whose rights are not known.
pub fn without_rights(path: &Path, content: bool) -> Seen {
    let untried = || Err(UNTRIED.to_owned());
    Seen { read: untried(), write: untried(), ..look(path, content) }
}

/// The kind of something.
pub fn kind(kind: FileType) -> Kind {
    if kind.is_file() {
        Kind::File
    } else if kind.is_dir() {
        Kind::Directory
    } else if kind.is_symlink() {
        Kind::Symlink
    } else {
        Kind::Other
    }
}

fn absent(why: &str) -> Seen {
    Seen {
        exists: false,
        kind: Kind::default(),
        dev: 0,
        inode: 0,
        born: None,
        links: 0,
        size: 0,
        mode: 0,
        uid: 0,
        gid: 0,
        sha256: None,
        text: None,
        entries: None,
        read: Err(why.to_owned()),
        write: Err(why.to_owned()),
    }
}

fn present(path: &Path, seen: &Metadata, content: bool) -> Seen {
    let (read, sha256, text) = match read(path, content) {
        Ok(Some((digest, text))) => (Ok(()), Some(digest), Some(text)),
        Ok(None) => (Ok(()), None, None),
        Err(error) => (Err(name(&error)), None, None),
    };
    Seen {
        exists: true,
        kind: kind(seen.file_type()),
        dev: seen.dev(),
        inode: seen.ino(),
        born: raw::born(path),
        links: seen.nlink(),
        size: seen.size(),
        mode: seen.mode() & 0o7777,
        uid: seen.uid(),
        gid: seen.gid(),
        sha256,
        text,
        entries: entries(path),
        read,
        write: write(path),
    }
}

/// What is in a directory; a hidden file of another look's is not.
fn entries(path: &Path) -> Option<Vec<Entry>> {
    let listed = fs::read_dir(path).ok()?.flatten();
    let mut names: Vec<_> = listed.map(|entry| entry.file_name()).filter(|name| !probe::is_one(name)).collect();
    names.sort();
    names.truncate(ENTRIES);
    let entry = |name: OsString| {
        let path = path.join(&name);
        let inode = fs::symlink_metadata(&path).ok()?.ino();
        Some(Entry { name: name.to_string_lossy().into_owned(), inode, born: raw::born(&path) })
    };
    Some(names.into_iter().filter_map(entry).collect())
}

fn read(path: &Path, content: bool) -> io::Result<Option<(String, String)>> {
    let seen = fs::metadata(path)?;
    if seen.is_dir() {
        return fs::read_dir(path)?.next().transpose().map(|_| None);
    }
    let mut file = open(path, OpenOptions::new().read(true))?;
    if !seen.is_file() {
        // Reading from a pipe would take what was meant for somebody else.
        return Ok(None);
    }
    if content {
        let (digest, start) = digest::digest(file, TEXT)?;
        return Ok(Some((digest, String::from_utf8_lossy(&start).into_owned())));
    }
    file.read(&mut [0]).map(|_| None)
}

fn write(path: &Path) -> Tried {
    match fs::metadata(path) {
        Ok(seen) if seen.is_dir() => probe::probe(path, PROBE),
        Ok(_) => open(path, OpenOptions::new().append(true)).map(drop).map_err(|error| name(&error)),
        Err(error) => Err(name(&error)),
    }
}

/// Opens without waiting for the other end of a pipe, and without taking a terminal.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}
