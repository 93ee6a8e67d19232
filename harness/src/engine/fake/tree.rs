//! The files of a scripted container or volume.

use std::collections::BTreeMap;
use std::io::{self, Read};

use crate::engine::{FileStat, Ids};

/// Files and directories by their path below the root, `""` for the root itself.
#[derive(Debug, Clone)]
pub struct Tree(BTreeMap<String, Node>);

#[derive(Debug, Clone)]
struct Node {
    uid: u64,
    gid: u64,
    mode: u32,
    /// `None` is a directory.
    content: Option<Vec<u8>>,
}

impl Tree {
    /// A tree that has only its root.
    pub fn new() -> Self {
        Self(BTreeMap::from([(String::new(), Node::directory())]))
    }

    /// How many bytes its files hold.
    pub fn bytes(&self) -> u64 {
        self.0.values().filter_map(|node| node.content.as_ref()).map(|content| content.len() as u64).sum()
    }

    /// Writes a file as root, with the directories it needs.
    pub fn write(&mut self, path: &str, content: Vec<u8>) {
        self.make_parents(path);
        self.0.insert(key(path), Node { uid: 0, gid: 0, mode: 0o644, content: Some(content) });
    }

    /// Unpacks an archive below a directory, which has to be there.
    pub fn unpack(&mut self, below: &str, tar: &[u8]) -> io::Result<()> {
        if !self.stat(below).is_some_and(|stat| stat.directory) {
            return Err(io::Error::other(format!("Could not find the file {below} in container")));
        }
        for entry in tar::Archive::new(tar).entries()? {
            let mut entry = entry?;
            let name = entry.path()?.to_string_lossy().into_owned();
            let path = format!("{}/{}", key(below), key(name.trim_start_matches("./")));
            let header = entry.header();
            let (uid, gid, mode) = (header.uid()?, header.gid()?, header.mode()?);
            let content = if header.entry_type().is_dir() {
                None
            } else {
                let mut content = Vec::new();
                entry.read_to_end(&mut content)?;
                Some(content)
            };
            self.make_parents(&path);
            self.0.insert(key(&path), Node { uid, gid, mode, content });
        }
        Ok(())
    }

    /// What stands at a path.
    pub fn stat(&self, path: &str) -> Option<FileStat> {
        let node = self.0.get(&key(path))?;
        let size = node.content.as_ref().map_or(0, |content| content.len() as u64);
        let (mode, modified) = (node.mode, String::new());
        Some(FileStat { size, directory: node.content.is_none(), mode, modified, leads_to: None })
    }

    /// Whose it is that stands at a path.
    pub fn owner(&self, path: &str) -> Option<Ids> {
        self.0.get(&key(path)).map(|node| Ids { uid: node.uid, gid: node.gid })
    }

    /// What stands at a path and below, as an archive whose root has this name.
    pub fn pack(&self, path: &str, name: &str) -> io::Result<Vec<u8>> {
        let top = key(path);
        let mut archive = tar::Builder::new(Vec::new());
        for (at, node) in &self.0 {
            let below = match at.strip_prefix(&top) {
                Some(rest) if rest.is_empty() || rest.starts_with('/') || top.is_empty() => rest.trim_matches('/'),
                _ => continue,
            };
            let shown = if below.is_empty() { name.to_owned() } else { format!("{name}/{below}") };
            let content = node.content.as_deref().unwrap_or_default();
            let mut header = tar::Header::new_gnu();
            header.set_uid(node.uid);
            header.set_gid(node.gid);
            header.set_mode(node.mode);
            header.set_size(content.len() as u64);
            let kind = if node.content.is_none() { tar::EntryType::Directory } else { tar::EntryType::Regular };
            header.set_entry_type(kind);
            archive.append_data(&mut header, shown, content)?;
        }
        archive.into_inner()
    }

    fn make_parents(&mut self, path: &str) {
        let path = key(path);
        for (slash, _) in path.match_indices('/') {
            self.0.entry(path[..slash].to_owned()).or_insert_with(Node::directory);
        }
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl Node {
    fn directory() -> Self {
        Self { uid: 0, gid: 0, mode: 0o755, content: None }
    }
}

fn key(path: &str) -> String {
    path.trim_matches('/').to_owned()
}
