//! A data directory: made when missing, and proven writable by writing.
//!
//! Asking (`access`) is not enough: it answers for another user id, knows nothing of dropped
//! capabilities, and an empty file can be created on a full disk.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::cause::Cause;
use crate::error::{Exit, Failure};
use crate::log::{Line, Log};

/// Whose a directory is.
pub struct Facts {
    owner: (u32, u32),
    mode: u32,
}

impl Facts {
    fn of(metadata: &Metadata) -> Facts {
        Facts { owner: (metadata.uid(), metadata.gid()), mode: metadata.mode() & 0o7777 }
    }

    /// Adds owner, mode and our own user to a line.
    pub fn describe(&self, line: Line) -> Line {
        line.with("owner", format!("{}:{}", self.owner.0, self.owner.1))
            .with("mode", format!("{:04o}", self.mode))
            .with("user", user())
    }
}

/// Makes the directory if it is missing and proves that this user can write to it.
pub fn prepare(path: &Path, log: &Log) -> Result<Facts, Failure> {
    match fs::metadata(path) {
        Ok(seen) if seen.is_dir() => {}
        Ok(seen) => return Err(not_a_directory(path, path, kind(&seen))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path, log)?,
        Err(error) => return Err(refused(Attempt::Look, path, &error)),
    }
    prove_writable(path).map_err(|error| refused(Attempt::Write, path, &error))?;
    let seen = fs::metadata(path).map_err(|error| refused(Attempt::Look, path, &error))?;
    Ok(Facts::of(&seen))
}

fn create(path: &Path, log: &Log) -> Result<(), Failure> {
    if let Ok(target) = fs::read_link(path) {
        let kind = format!("a symbolic link to {}, which is missing", target.display());
        return Err(not_a_directory(path, path, &kind));
    }
    fs::create_dir_all(path).map_err(|error| refused(Attempt::Create, path, &error))?;
    log.write(Line::info("data directory created").path("path", path));
    Ok(())
}

/// A file that is removed again whatever happens.
struct Probe(PathBuf);

impl Drop for Probe {
    fn drop(&mut self) {
        // It may never have been made, or be gone by success.
        let _ = fs::remove_file(&self.0);
    }
}

/// Everything that a database does to a file: create, write, sync, rename, remove.
fn prove_writable(directory: &Path) -> io::Result<()> {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    // Replicas that share a volume all have pid 1; the time tells their probes apart.
    let first = directory.join(format!(".entrypoint-probe-{}-{now}", std::process::id()));
    let second = first.with_extension("renamed");
    let probes = [Probe(first), Probe(second)];
    let [Probe(first), Probe(second)] = &probes;
    let mut file = File::create_new(first)?;
    file.write_all(&[b'.'; 4096])?;
    match file.sync_all() {
        // Some network and FUSE file systems know no fsync; the data is as safe as it gets there.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
        other => other?,
    }
    fs::rename(first, second)?;
    fs::remove_file(second)
}

/// What was tried.
#[derive(Clone, Copy, PartialEq)]
enum Attempt {
    Look,
    Create,
    Write,
}

fn refused(attempt: Attempt, path: &Path, error: &io::Error) -> Failure {
    // Where the kernel stopped: the directory itself, or the deepest one above it that exists.
    let (at, seen) = path
        .ancestors()
        .filter(|at| attempt == Attempt::Write || *at != path)
        .find_map(|at| fs::metadata(at).ok().map(|seen| (at, seen)))
        .unzip();
    let at = at.unwrap_or(Path::new("/"));
    let facts = seen.as_ref().map_or(Facts { owner: (0, 0), mode: 0 }, Facts::of);
    if let Some(seen) = seen.filter(|seen| !seen.is_dir()) {
        return not_a_directory(path, at, kind(&seen));
    }
    let cause = match Cause::of(error) {
        Cause::Permission if is_powerless_root() => Cause::MissingCapability,
        cause => cause,
    };
    let (why, way_out) = reason(cause, path, at, &facts, error);
    let (exit, what) = match attempt {
        Attempt::Look => (Exit::NotWritable, "cannot look at"),
        Attempt::Create => (Exit::NoDirectory, "cannot create"),
        Attempt::Write => (Exit::NotWritable, "cannot write to"),
    };
    let line = Line::error(format!("{what} the data directory {}: {why}", path.display()))
        .path("path", path)
        .word("cause", cause.word());
    let line = if at == path { line } else { line.path("ancestor", at) };
    let line = facts.describe(line).with("error", error.to_string());
    Failure::new(exit, line.with("suggestion", way_out))
}

/// Why, and what to do about it, in words.
fn reason(cause: Cause, path: &Path, at: &Path, facts: &Facts, error: &io::Error) -> (String, String) {
    let (shown, us, mode) = (at.display(), user(), facts.mode);
    let owner = format!("{}:{}", facts.owner.0, facts.owner.1);
    let owned = format!("{shown} is owned by {owner} with mode {mode:04o}, and this process runs as {us}");
    match cause {
        Cause::ReadOnly => (
            format!("{shown} is on a read-only file system"),
            format!(
                "mount a writable volume at {}, without `:ro`; with `read_only: true` every directory that is \
                 written to needs one",
                path.display()
            ),
        ),
        Cause::Permission if us.starts_with("0:") => (
            owned + ", which has every right here; the file system refuses all the same",
            "an NFS export with root_squash, an immutable directory (`lsattr -d`) or a security \
             module does this; run as the directory's owner"
                .to_owned(),
        ),
        Cause::Permission if us.split(':').next() == owner.split(':').next() => {
            (owned, format!("run `chmod u+rwx` on the directory that is {shown} in the container"))
        }
        Cause::Permission => (
            owned,
            format!("run `chown {us}` on the directory that is {shown} in the container, or set `user: \"{owner}\"`"),
        ),
        Cause::MissingCapability => (
            owned + ", as root without CAP_DAC_OVERRIDE",
            format!(
                "run `chown {us}` on the directory that is {shown} in the container, set \
                     `user: \"{owner}\"`, or add `cap_add: [DAC_OVERRIDE]`"
            ),
        ),
        Cause::NoSpace => (
            format!("no space is left on the file system of {shown}"),
            "free blocks or inodes (`df`, `df -i`) or raise the quota of the volume".to_owned(),
        ),
        Cause::NotADirectory | Cause::IsADirectory | Cause::Missing | Cause::Other => (
            format!("{error} (at {shown})"),
            "mount a volume at this path, or correct DATA_DIR or DATABASE_PATH".to_owned(),
        ),
    }
}

fn not_a_directory(path: &Path, at: &Path, kind: &str) -> Failure {
    let shown = path.display();
    let line = Line::error(format!("cannot use the data directory {shown}: {} is {kind}", at.display()))
        .path("path", path)
        .word("cause", Cause::NotADirectory.word());
    let line = if at == path { line } else { line.path("ancestor", at) };
    let line = match fs::symlink_metadata(at) {
        Ok(seen) => Facts::of(&seen).describe(line),
        Err(_) => line,
    };
    let way_out = format!("remove {}, or mount a directory and not a file at {shown}", at.display());
    Failure::new(Exit::NoDirectory, line.with("suggestion", way_out))
}

fn kind(seen: &Metadata) -> &'static str {
    let kind = seen.file_type();
    if kind.is_file() {
        "a file"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "not a directory"
    }
}

/// Root to whom owner and mode apply as to everybody.
fn is_powerless_root() -> bool {
    const CAP_DAC_OVERRIDE: u64 = 1 << 1;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    nix::unistd::geteuid().is_root() && effective.is_some_and(|caps| caps & CAP_DAC_OVERRIDE == 0)
}

fn user() -> String {
    format!("{}:{}", nix::unistd::geteuid(), nix::unistd::getegid())
}
