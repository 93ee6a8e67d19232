//! What volumes begin with, as one archive.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tar::{EntryType, Header};

use crate::scenario::value::{Mode, Owner};
use crate::scenario::volume::Volume;

/// Where volumes are mounted while they are filled, and in the agent.
const MOUNT_POINT: &str = "volumes";

/// The state directories that scenarios can begin with.
#[derive(Debug, Clone)]
pub struct Contents {
    /// The folder that holds one folder per name; `None` outside a checkout.
    pub root: Option<PathBuf>,
}

/// The path at which a volume is mounted while it is filled, and in the agent.
#[must_use]
pub fn path_of(name: &str) -> String {
    format!("/{MOUNT_POINT}/{name}")
}

/// Whether a volume gets anything put into it.
#[must_use]
pub fn is_filled(volume: &Volume) -> bool {
    !volume.is_plain() && volume.bind.is_none()
}

/// An archive, relative to `/`, that gives every volume its root and content.
pub fn archive(volumes: &BTreeMap<String, Volume>, contents: &Contents) -> io::Result<Bytes> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, volume) in volumes.iter().filter(|(_, volume)| is_filled(volume)) {
        let owner = volume.owner.unwrap_or(Owner { uid: 0, gid: 0 });
        let root = format!("{MOUNT_POINT}/{name}");
        add_directory(&mut archive, &root, owner, volume.mode.unwrap_or(Mode(0o755)))?;
        if let Some(content) = volume.state() {
            add_tree(&mut archive, &contents.find(content)?, &root, owner)?;
        }
        for path in &volume.directories {
            add_parents(&mut archive, &root, path, owner)?;
            add_directory(&mut archive, &format!("{root}/{path}"), owner, Mode(0o755))?;
        }
        for (path, text) in &volume.files {
            add_parents(&mut archive, &root, path, owner)?;
            add_file(&mut archive, &format!("{root}/{path}"), owner, text.as_bytes())?;
        }
    }
    archive.into_inner().map(Bytes::from)
}

/// An archive of files by their absolute paths, all of root's and readable by everybody.
pub fn files(files: &BTreeMap<String, String>) -> io::Result<Bytes> {
    let mut archive = tar::Builder::new(Vec::new());
    let root = Owner { uid: 0, gid: 0 };
    for (path, text) in files {
        add_file(&mut archive, path.trim_start_matches('/'), root, text.as_bytes())?;
    }
    archive.into_inner().map(Bytes::from)
}

impl Contents {
    fn find(&self, name: &str) -> io::Result<PathBuf> {
        let missing = |cause: String| io::Error::new(io::ErrorKind::NotFound, cause);
        let root = self.root.as_ref().ok_or_else(|| {
            missing(format!("`fixture:{name}` needs a checkout of Bootproof, and there is none here"))
        })?;
        let folder = root.join(name);
        match folder.is_dir() {
            true => Ok(folder),
            false => Err(missing(format!("there is no state directory {}", folder.display()))),
        }
    }
}

/// The directories above a path, from the topmost down.
fn add_parents<W: Write>(archive: &mut tar::Builder<W>, root: &str, path: &str, owner: Owner) -> io::Result<()> {
    let parents = Path::new(path).ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty());
    for parent in parents.collect::<Vec<_>>().iter().rev() {
        add_directory(archive, &format!("{root}/{}", parent.display()), owner, Mode(0o755))?;
    }
    Ok(())
}

fn add_tree<W: Write>(archive: &mut tar::Builder<W>, folder: &Path, root: &str, owner: Owner) -> io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = format!("{root}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            add_directory(archive, &path, owner, Mode(0o755))?;
            add_tree(archive, &entry.path(), &path, owner)?;
        } else {
            add_file(archive, &path, owner, &std::fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

fn add_directory<W: Write>(archive: &mut tar::Builder<W>, path: &str, owner: Owner, mode: Mode) -> io::Result<()> {
    archive.append_data(&mut header(EntryType::Directory, owner, mode, 0), format!("{path}/"), io::empty())
}

fn add_file<W: Write>(archive: &mut tar::Builder<W>, path: &str, owner: Owner, bytes: &[u8]) -> io::Result<()> {
    archive.append_data(&mut header(EntryType::Regular, owner, Mode(0o644), bytes.len() as u64), path, bytes)
}

fn header(kind: EntryType, owner: Owner, mode: Mode, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_uid(owner.uid.into());
    header.set_gid(owner.gid.into());
    header.set_mode(mode.0);
    header.set_size(size);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_begins_with_its_root_its_content_and_its_files() {
        let state = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(state.path().join("tome/backups")).unwrap();
        std::fs::write(state.path().join("tome/tome.db"), "db").unwrap();
        let volume = Volume {
            target: "/data".to_owned(),
            owner: Some(Owner { uid: 1000, gid: 100 }),
            mode: Some(Mode(0o700)),
            content: Some("fixture:tome".to_owned()),
            files: BTreeMap::from([("deep/er/note".to_owned(), "hello".to_owned())]),
            ..Volume::default()
        };
        let contents = Contents { root: Some(state.path().to_owned()) };
        let bytes = archive(&BTreeMap::from([("state".to_owned(), volume)]), &contents).unwrap();
        let mut archive = tar::Archive::new(&bytes[..]);
        let seen: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                let (uid, gid, mode) = (header.uid().unwrap(), header.gid().unwrap(), header.mode().unwrap());
                format!("{} {uid}:{gid} {mode:o}", entry.path().unwrap().display())
            })
            .collect();
        assert_eq!(
            seen,
            [
                "volumes/state/ 1000:100 700",
                "volumes/state/backups/ 1000:100 755",
                "volumes/state/tome.db 1000:100 644",
                "volumes/state/deep/ 1000:100 755",
                "volumes/state/deep/er/ 1000:100 755",
                "volumes/state/deep/er/note 1000:100 644",
            ]
        );
    }

    #[test]
    fn a_state_directory_that_is_not_there_is_named() {
        let contents = Contents { root: Some(PathBuf::from("/nowhere")) };
        let error = contents.find("tome").unwrap_err();
        assert_eq!(error.to_string(), "there is no state directory /nowhere/tome");
    }
}
