//! What the engine is sent to build an image, and the hash that names the result.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::ignored::Ignored;

/// One entry of the context.
struct Entry {
    path: String,
    kind: Kind,
}

enum Kind {
    Folder { mode: u32 },
    File { mode: u32, content: Vec<u8> },
    Link(PathBuf),
}

/// The modes that a repository knows.
const FOLDER: u32 = 0o755;
const FILE: u32 = 0o644;
const EXECUTABLE: u32 = 0o755;

/// How a folder is taken in.
struct Rules<'a> {
    /// Modes as they are, rather than as a repository knows them.
    exact: bool,
    ignored: &'a Ignored,
    /// What is never left out.
    keep: &'a [&'a str],
}

/// A folder's content, and what is put beside it.
pub struct Context {
    entries: Vec<Entry>,
}

impl Context {
    /// Everything in a folder of a repository, in the order of paths. Two checkouts
    /// of the same commit give the same, whatever their umask and dates.
    pub fn of(folder: &Path) -> io::Result<Self> {
        Self::by(folder, &Rules { exact: false, ignored: &Ignored::default(), keep: &[] })
    }

    /// What a user's folder holds, but for what it leaves out, as Docker takes it in.
    pub fn as_it_is(folder: &Path, ignored: &Ignored, keep: &[&str]) -> io::Result<Self> {
        Self::by(folder, &Rules { exact: true, ignored, keep })
    }

    fn by(folder: &Path, rules: &Rules<'_>) -> io::Result<Self> {
        let mut entries = Vec::new();
        walk(folder, "", rules, &mut entries)?;
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { entries })
    }

    /// Puts a file beside the rest.
    pub fn add(&mut self, path: &str, content: &[u8]) {
        self.entries
            .push(Entry { path: path.to_owned(), kind: Kind::File { mode: FILE, content: content.to_owned() } });
    }

    /// The hash of the content and of everything else that makes the image what
    /// it is, as the end of a tag.
    pub fn hash(&self, also: &[&str]) -> String {
        let mut hash = Sha256::new();
        // Each part is led by its length, so that no two lists of parts look alike.
        let mut add = |part: &[u8]| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        for entry in &self.entries {
            add(entry.path.as_bytes());
            match &entry.kind {
                Kind::Folder { mode } => add(format!("folder {mode:o}").as_bytes()),
                Kind::File { mode, content } => {
                    add(format!("file {mode:o}").as_bytes());
                    add(content);
                }
                Kind::Link(target) => {
                    add(b"link");
                    add(target.as_os_str().as_encoded_bytes());
                }
            }
        }
        add(b"beside");
        for part in also {
            add(part.as_bytes());
        }
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// All of it in tar format, with files that are put beside it in the folder
    /// `bootproof`. Without dates and owners, so that the engine's cache knows it again.
    pub fn tar(&self, beside: &[(&str, bool, Vec<u8>)]) -> io::Result<Bytes> {
        let mut archive = tar::Builder::new(Vec::new());
        for entry in &self.entries {
            let mut header = header(FILE);
            match &entry.kind {
                Kind::Folder { mode } => {
                    header.set_entry_type(tar::EntryType::Directory);
                    header.set_mode(*mode);
                    archive.append_data(&mut header, format!("{}/", entry.path), io::empty())?;
                }
                Kind::File { mode, content } => append(&mut archive, &entry.path, *mode, content)?,
                Kind::Link(target) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    archive.append_link(&mut header, &entry.path, target)?;
                }
            }
        }
        for (name, executable, content) in beside {
            let mode = if *executable { EXECUTABLE } else { FILE };
            append(&mut archive, &format!("bootproof/{name}"), mode, content)?;
        }
        archive.into_inner().map(Bytes::from)
    }
}

fn append(archive: &mut tar::Builder<Vec<u8>>, path: &str, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut header = header(mode);
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, path, content)
}

/// A header that says nothing of the machine it was made on.
fn header(mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    header.set_mode(mode);
    header
}

fn walk(folder: &Path, below: &str, rules: &Rules<'_>, entries: &mut Vec<Entry>) -> io::Result<()> {
    for found in fs::read_dir(folder)? {
        let found = found?;
        let name = found
            .file_name()
            .into_string()
            .map_err(|name| io::Error::other(format!("the name {} is not UTF-8", name.display())))?;
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let left_out = rules.ignored.leaves_out(&path) && !rules.keep.contains(&path.as_str());
        let kind = found.file_type()?;
        let mode = |usual: u32| -> io::Result<u32> {
            Ok(if rules.exact { found.metadata()?.permissions().mode() & 0o7777 } else { usual })
        };
        if kind.is_dir() {
            let may_hold_some = rules.ignored.keeps_any() || rules.keep.iter().any(|keep| keep.starts_with(&path));
            if !left_out || may_hold_some {
                walk(&found.path(), &path, rules, entries)?;
            }
            if !left_out {
                entries.push(Entry { path, kind: Kind::Folder { mode: mode(FOLDER)? } });
            }
        } else if left_out {
            continue;
        } else if kind.is_symlink() {
            entries.push(Entry { path, kind: Kind::Link(fs::read_link(found.path())?) });
        } else if kind.is_file() {
            let executable = found.metadata()?.permissions().mode() & 0o100 != 0;
            let mode = mode(if executable { EXECUTABLE } else { FILE })?;
            entries.push(Entry { path, kind: Kind::File { mode, content: fs::read(found.path())? } });
        }
    }
    Ok(())
}

/// The certificates that this machine trusts: a build that fetches something
/// over TLS needs them where a network signs with its own.
pub fn certificates() -> Vec<u8> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let usual = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];
    // A machine without any is no obstacle to an image that fetches nothing.
    named.into_iter().chain(usual.map(PathBuf::from)).find_map(|path| fs::read(path).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("lib")).unwrap();
        fs::write(folder.path().join("Dockerfile"), "FROM scratch\n").unwrap();
        fs::write(folder.path().join("lib/a.sh"), "a").unwrap();
        folder
    }

    fn hash(folder: &Path) -> String {
        Context::of(folder).unwrap().hash(&["base", "binary"])
    }

    #[test]
    fn the_hash_covers_what_makes_the_image_and_nothing_else() {
        let folder = demo();
        let before = hash(folder.path());
        assert_eq!(before.len(), 12);
        assert_eq!(hash(demo().path()), before, "another checkout");
        let script = folder.path().join("lib/a.sh");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(hash(folder.path()), before, "another umask");

        let context = Context::of(folder.path()).unwrap();
        assert_ne!(context.hash(&["other", "binary"]), before, "another base");
        assert_ne!(context.hash(&["basebinary"]), before, "parts run together");

        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        assert_ne!(hash(folder.path()), before, "made executable");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(&script, "b").unwrap();
        assert_ne!(hash(folder.path()), before, "another content");
        fs::write(&script, "a").unwrap();
        assert_eq!(hash(folder.path()), before, "all put back");
        fs::rename(&script, folder.path().join("lib/b.sh")).unwrap();
        assert_ne!(hash(folder.path()), before, "another name");
    }

    #[test]
    fn a_users_folder_keeps_its_modes_and_leaves_out_what_it_says() {
        let folder = demo();
        fs::write(folder.path().join(".dockerignore"), "lib\n!lib/kept\nDockerfile\n").unwrap();
        fs::write(folder.path().join("lib/kept"), "k").unwrap();
        fs::set_permissions(folder.path().join("lib/kept"), fs::Permissions::from_mode(0o600)).unwrap();
        let ignored = Ignored::of(folder.path()).unwrap();
        let mut context = Context::as_it_is(folder.path(), &ignored, &["Dockerfile", ".dockerignore"]).unwrap();
        context.add("extra", b"e");
        let tar = context.tar(&[]).unwrap();
        let mut seen = Vec::new();
        for entry in tar::Archive::new(tar.as_ref()).entries().unwrap() {
            let entry = entry.unwrap();
            seen.push((entry.path().unwrap().display().to_string(), entry.header().mode().unwrap()));
        }
        let names: Vec<&str> = seen.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [".dockerignore", "Dockerfile", "lib/kept", "extra"]);
        assert_eq!(seen[2].1, 0o600);
    }

    #[test]
    fn the_context_is_the_same_for_ever() {
        let folder = demo();
        std::os::unix::fs::symlink("a.sh", folder.path().join("lib/link")).unwrap();
        let context = Context::of(folder.path()).unwrap();
        let beside = [("entrypoint", true, b"elf".to_vec())];
        let tar = context.tar(&beside).unwrap();
        assert_eq!(tar, context.tar(&beside).unwrap());
        let mut seen = Vec::new();
        for entry in tar::Archive::new(tar.as_ref()).entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0, 0, 0));
            seen.push(format!("{} {:o}", entry.path().unwrap().display(), header.mode().unwrap()));
        }
        assert_eq!(seen, ["Dockerfile 644", "lib/ 755", "lib/a.sh 644", "lib/link 644", "bootproof/entrypoint 755"]);
    }
}
