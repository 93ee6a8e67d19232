//! What the harness asks of the agent.

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::files::Place;
use super::limits::Settings;
use super::link::Condition;
use super::processes::FileLimit;

/// A command, with the number that its reply carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the harness; no two open requests share one.
    pub id: u64,
    /// What to do.
    #[serde(flatten)]
    pub command: Command,
}

/// Everything the agent can do. A `pid` is always the host's number of a process in the container that
/// is meant; the agent refuses 0, 1 and itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Nothing: asks whether the agent is there. Answered by `Hello`.
    Hello,

    // Acts on a path, with the agent's own rights.
    /// Removes what is there, with everything below. A mount point is emptied, since it cannot go; links
    /// are not followed. Answered by `Count`.
    Delete {
        /// What to remove.
        place: Place,
    },
    /// Puts a new file in the old one's place by a rename, with the same owner and mode: the inode changes.
    /// A directory that stands there goes first, with everything below.
    Replace {
        /// The file, which may be absent.
        place: Place,
        /// What the new file holds.
        content: Content,
    },
    /// Creates a file or overwrites it in place: the inode stays.
    Write {
        /// The file.
        place: Place,
        /// What it holds then.
        content: Content,
    },
    /// Overwrites some bytes by others, never by the same value. Answered by `Count`.
    Corrupt {
        /// The file.
        place: Place,
        /// How many bytes to change; a shorter file loses them all.
        bytes: u64,
        /// Chooses the places and values.
        seed: u64,
    },
    /// Cuts a file, or lengthens it by zeros.
    Truncate {
        /// The file.
        place: Place,
        /// Its size then.
        size: u64,
    },
    /// Grows one hidden file until the file system has no more than `leave` bytes free. Answered by `Space`.
    Fill {
        /// A directory in the file system.
        place: Place,
        /// How many bytes to leave to ordinary users.
        leave: u64,
    },
    /// Removes what `Fill` made. Answered by `Space`.
    Unfill {
        /// The same directory.
        place: Place,
    },
    /// Changes modes. Answered by `Count`.
    Chmod {
        /// What to change.
        place: Place,
        /// The mode, such as `0o600`.
        mode: u32,
        /// Whether to change everything below too.
        #[serde(default)]
        recursive: bool,
    },
    /// Changes owners, of links themselves and not of what they point at. Answered by `Count`.
    Chown {
        /// What to change.
        place: Place,
        /// The new user; the old one stays if there is none.
        #[serde(default)]
        uid: Option<u32>,
        /// The new group; the old one stays if there is none.
        #[serde(default)]
        gid: Option<u32>,
        /// Whether to change everything below too.
        #[serde(default)]
        recursive: bool,
    },
    /// Renames, as a log rotation does.
    Rename {
        /// What to rename.
        place: Place,
        /// The new path, in the same container or volume.
        to: String,
    },
    /// Copies a file and empties the original in place, as logrotate's `copytruncate` does.
    CopyTruncate {
        /// The file.
        place: Place,
        /// The path of the copy, in the same container or volume.
        to: String,
    },
    /// Makes a directory, with the directories above it.
    MakeDirectory {
        /// Where.
        place: Place,
    },
    /// Makes this many empty files in a directory. Answered by `Count`.
    ManyFiles {
        /// The directory, which is made if it is missing.
        place: Place,
        /// How many.
        count: u64,
    },

    // Looks.
    /// What the subject sees at a path, with its own user, groups and capabilities. Answered by `Seen`.
    Look {
        /// Whose eyes.
        pid: u32,
        /// The path in its container.
        path: String,
        /// Whether to read what a file holds.
        #[serde(default)]
        content: bool,
    },
    /// The same with the agent's own eyes: for a container of which no process runs. What its rights would be is
    /// not known then. Answered by `Seen`.
    LookAt {
        /// Where.
        place: Place,
        /// Whether to read what a file holds.
        #[serde(default)]
        content: bool,
    },
    /// Creates, fills, syncs and removes a file as the subject would. Answered by `Tried`.
    TryWrite {
        /// Who tries.
        pid: u32,
        /// A directory, or a file in it.
        path: String,
    },
    /// What a file holds. Answered by `Content`.
    Read {
        /// The file.
        place: Place,
        /// At most this many bytes, from the start.
        limit: u64,
    },
    /// Everything at and below a path. Answered by `Tree`.
    Tree {
        /// The top.
        place: Place,
    },
    /// How full the file system is. Answered by `Space`.
    Free {
        /// Anything in it.
        place: Place,
    },

    // Processes.
    /// Sends a signal.
    Signal {
        /// To whom.
        pid: u32,
        /// The signal's number.
        signal: i32,
    },
    /// Every process of a container. Answered by `Processes`.
    Processes {
        /// One of them.
        pid: u32,
    },
    /// How many descriptors a process holds. Answered by `OpenFiles`.
    OpenFiles {
        /// Which.
        pid: u32,
    },
    /// Lowers the limit on descriptors of every process of a container to what each holds, and some more.
    /// Answered by `FileLimits`: what they were.
    LimitFiles {
        /// One of the processes.
        pid: u32,
        /// How many more each may open.
        leave: u64,
    },
    /// Undoes `LimitFiles`.
    UnlimitFiles {
        /// One of the processes. Those that were started since get its limit.
        pid: u32,
        /// What `LimitFiles` answered.
        limits: Vec<FileLimit>,
    },

    // Control groups.
    /// What a container has used. Answered by `Usage`.
    Usage {
        /// One of its processes.
        pid: u32,
    },
    /// Gives a container less of the processors. Answered by `Settings`: what they were.
    ThrottleCpu {
        /// One of its processes.
        pid: u32,
        /// How many processors, such as 0.1.
        cpus: f64,
    },
    /// Slows a container's reading from and writing to a block device. Answered by `Settings`: what they were.
    ThrottleIo {
        /// One of its processes.
        pid: u32,
        /// A path on the device, `/` if there is none.
        #[serde(default)]
        path: Option<String>,
        /// Bytes per second.
        #[serde(default)]
        read_bps: Option<u64>,
        /// Bytes per second.
        #[serde(default)]
        write_bps: Option<u64>,
    },
    /// Sets a container's memory limit to what it uses and some more. Answered by `Settings`: what they were.
    LimitMemory {
        /// One of its processes.
        pid: u32,
        /// How many bytes more it may take.
        leave: u64,
    },
    /// Sets a container's limit on processes to what it has and some more. Answered by `Settings`: what they were.
    LimitPids {
        /// One of its processes.
        pid: u32,
        /// How many more it may start.
        leave: u64,
    },
    /// Puts settings back.
    Restore {
        /// One of the container's processes.
        pid: u32,
        /// What the command answered that is to be undone.
        settings: Settings,
    },
    /// Forks under a container's limit on processes. Answered by `Tried`.
    TryFork {
        /// One of its processes.
        pid: u32,
    },
    /// Has a process run in the control group that a container is frozen by. Answered by `Tried`: `frozen` is
    /// what it is otherwise.
    TryRun {
        /// One of its processes.
        pid: u32,
    },
    /// Reads or writes under a container's limits on block devices, past every cache. Answered by `Took`: the
    /// shortest time of several, so that the device's own moods do not count.
    TimeDisk {
        /// One of its processes.
        pid: u32,
        /// A directory on the device.
        path: String,
        /// Whether to write; otherwise it reads.
        write: bool,
        /// How many bytes at once.
        bytes: u64,
    },

    // Network.
    /// Opens a connection and carries its bytes on a channel. The bytes begin after the answer, `Done`.
    Dial {
        /// From whose network; from the agent's own if there is none.
        #[serde(default)]
        pid: Option<u32>,
        /// An address or a name. A name other than `localhost` is asked of that container's own name server.
        host: String,
        /// The port.
        port: u16,
        /// How long to try.
        timeout_ms: u64,
        /// Chosen by the harness, not 0, and a new one for each connection. A second end of the harness's side
        /// breaks the connection off.
        channel: u32,
    },
    /// Asks whether a container's network has a way to an address. Nothing is sent. Answered by `Tried`.
    TryRoute {
        /// Whose.
        pid: u32,
        /// The address.
        address: String,
    },
    /// Asks a container's name server for a name. Answered by `Addresses`.
    Resolve {
        /// Whose.
        pid: u32,
        /// The name.
        name: String,
    },
    /// Makes a container's name server useless.
    BreakDns {
        /// Whose.
        pid: u32,
        /// In which way.
        how: DnsFault,
    },
    /// Undoes `BreakDns`.
    MendDns {
        /// Whose.
        pid: u32,
    },
    /// The TCP ports on which something in a container's network listens. Answered by `Listeners`.
    Listeners {
        /// One of its processes.
        pid: u32,
    },

    // Links.
    /// Opens a port in the agent's own network and passes what comes there on. Answered by `Port`.
    OpenLink {
        /// What it is called from here on.
        name: String,
        /// The port, or 0 for any.
        listen_port: u16,
        /// Where to: an address or a name, asked for at each connection.
        upstream_host: String,
        /// And there.
        upstream_port: u16,
        /// Makes the jitter.
        seed: u64,
    },
    /// Changes what a link does, at once and for open connections too.
    SetLink {
        /// Which.
        name: String,
        /// What it does from now on.
        condition: Condition,
    },
    /// What a link has done. Answered by `Counters`.
    LinkCounters {
        /// Which.
        name: String,
    },
    /// Closes a link and its connections. Answered by `Counters`.
    CloseLink {
        /// Which.
        name: String,
    },

    // Watching.
    /// Sends a notice whenever what stands at a place appears, changes or goes. Answered by `Watching`.
    Watch {
        /// Chosen by the harness; the notices carry it.
        watch: u64,
        /// Where.
        place: Place,
    },
    /// Ends a watch.
    Unwatch {
        /// Which.
        watch: u64,
    },
}

/// The ways in which a name server can be useless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DnsFault {
    /// Nothing listens there.
    Refuse,
    /// It does not answer.
    Silent,
    /// It answers that it failed.
    Servfail,
    /// It answers that no such name exists.
    Nxdomain,
}
