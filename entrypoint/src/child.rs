//! The app as a process, and the processes it leaves: start, tell, reap.

use std::collections::HashMap;
use std::ffi::{CString, OsString, c_char};
use std::fs;
use std::io::{self, IsTerminal};
use std::os::unix::process::CommandExt;
use std::process::{self, Command};
use std::ptr;

use crate::error::Failure;
use crate::executable;
use crate::signals::{self, Signal};

/// A process that ended.
#[derive(Clone, Copy, Debug)]
pub struct Death {
    /// Which.
    pub pid: i32,
    /// How.
    pub end: End,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited with this code.
    Code(u8),
    /// This signal ended it.
    Signal(Signal),
}

impl End {
    /// The exit code as shells and Docker count it.
    pub fn code(self) -> u8 {
        match self {
            End::Code(code) => code,
            End::Signal(signal) => u8::try_from(128 + signal.number()).unwrap_or(255),
        }
    }
}

/// The app's processes.
pub struct App {
    leader: i32,
    /// As PID 1 everything in the namespace is ours to end. Otherwise only the app's process group:
    /// `kill(-1)` from an ordinary process would reach the whole machine.
    is_init: bool,
}

impl App {
    /// Starts the app in a process group of its own, with the signal state, descriptors and
    /// environment that it would have had without us.
    pub fn start(words: &[OsString]) -> Result<App, Failure> {
        let is_init = process::id() == 1;
        if !is_init {
            // Orphans come to us rather than to a process that does not expect them. If the kernel
            // refuses, they go there as they always did.
            let _ = nix::sys::prctl::set_child_subreaper(true);
        }
        let program = words[0].clone();
        let candidates = executable::candidates(&program, std::env::var_os("PATH").as_deref());
        let image = Image::new(&candidates, words);
        let terminal = io::stdin().is_terminal();
        let mut command = Command::new(&program);
        #[allow(unsafe_code, reason = "the state of a child can only be set between fork and exec")]
        // SAFETY: the closure makes async-signal-safe calls only and does not allocate; what it
        // uses was prepared before the fork.
        unsafe {
            command.pre_exec(move || Err(become_app(&image, terminal)));
        }
        match command.spawn() {
            // The handle is dropped, which neither kills nor waits: `reap` waits for everybody.
            Ok(child) => Ok(App { leader: child.id().cast_signed(), is_init }),
            Err(error) => Err(executable::explain(&program, &candidates, &error)),
        }
    }

    /// The pid of the leader.
    pub fn leader(&self) -> i32 {
        self.leader
    }

    /// Sends the leader a signal. It can fail: an app that changed its user is out of reach for an
    /// entrypoint that is not root.
    pub fn tell_leader(&self, signal: Signal) -> io::Result<()> {
        send(self.leader, signal.number())
    }

    /// Sends every process in our care a signal. Whoever does not get it shows by being left.
    pub fn tell_all(&self, signal: Signal) {
        let _ = send(if self.is_init { -1 } else { -self.leader }, signal.number());
    }

    /// Whether processes in our care are left, when `reap` has seen whether there are children.
    pub fn is_left(&self, has_children: bool) -> bool {
        if self.is_init {
            return has_children;
        }
        // Out of reach is left too; only "no such process" is nobody.
        send(-self.leader, 0).err().is_none_or(|error| error.raw_os_error() != Some(libc::ESRCH))
    }

    /// The pids in our care, for the log.
    pub fn pids(&self) -> Vec<i32> {
        let mut pids: Vec<i32> = group_by_pid()
            .into_iter()
            .filter(|(pid, group)| if self.is_init { *pid != 1 } else { *group == self.leader })
            .map(|(pid, _)| pid)
            .collect();
        pids.sort_unstable();
        pids
    }
}

#[allow(unsafe_code, reason = "safe interfaces do not know real-time signals")]
fn send(target: i32, signal: i32) -> io::Result<()> {
    // SAFETY: kill takes two numbers and touches no memory of ours.
    match unsafe { libc::kill(target, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Reaps every process that has ended, and tells whether children are left.
#[allow(unsafe_code, reason = "safe interfaces lose a child that a real-time signal ended")]
pub fn reap() -> (Vec<Death>, bool) {
    let mut deaths = Vec::new();
    loop {
        let mut status = 0;
        // SAFETY: waitpid writes the status to a place that lives during the call.
        let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
        if pid <= 0 {
            return (deaths, pid == 0);
        }
        let end = if libc::WIFSIGNALED(status) {
            End::Signal(Signal::of(libc::WTERMSIG(status)))
        } else {
            End::Code((libc::WEXITSTATUS(status) & 0xff) as u8)
        };
        deaths.push(Death { pid, end });
    }
}

/// What exec needs, made before the fork because nothing may be allocated after it.
struct Image {
    paths: Vec<CString>,
    arguments: Vec<*const c_char>,
    /// What `arguments` points into.
    _words: Vec<CString>,
}

#[allow(unsafe_code, reason = "the pointers point into strings that travel with them")]
// SAFETY: the strings are never changed, and live as long as the pointers into their heap memory.
unsafe impl Send for Image {}
#[allow(unsafe_code, reason = "the pointers point into strings that travel with them")]
// SAFETY: as above; shared access only reads.
unsafe impl Sync for Image {}

impl Image {
    fn new(candidates: &[std::path::PathBuf], words: &[OsString]) -> Image {
        let words: Vec<CString> = words.iter().cloned().map(executable::c_string).collect();
        let mut arguments: Vec<*const c_char> = words.iter().map(|word| word.as_ptr()).collect();
        arguments.push(ptr::null());
        let paths = candidates.iter().map(|path| executable::c_string(path.clone().into())).collect();
        Image { paths, arguments, _words: words }
    }
}

/// In the child, between fork and exec: returns only if nothing could be executed.
///
/// exec is called here rather than by the standard library, whose `execvp` runs a file without a
/// `#!` line through a shell with one C library and not with the other.
#[allow(unsafe_code, reason = "the state of a child can only be set between fork and exec")]
fn become_app(image: &Image, terminal: bool) -> io::Error {
    // SAFETY: async-signal-safe calls on numbers, and execv on pointers that `Image` keeps alive,
    // the list of arguments ending in null. Whatever fails here is no reason not to run the app.
    unsafe {
        libc::setpgid(0, 0);
        if terminal {
            // Before TTOU is unblocked: it would stop a process that does this in the background.
            libc::tcsetpgrp(libc::STDIN_FILENO, libc::getpid());
        }
        close_the_rest_on_exec();
        signals::restore_defaults();
        let mut told = libc::ENOENT;
        for path in &image.paths {
            libc::execv(path.as_ptr(), image.arguments.as_ptr());
            match io::Error::last_os_error().raw_os_error().unwrap_or(libc::ENOENT) {
                libc::ENOENT | libc::ENOTDIR => {}
                // As shells do: remembered, in case that a later directory has a better one.
                libc::EACCES => told = libc::EACCES,
                other => return io::Error::from_raw_os_error(other),
            }
        }
        io::Error::from_raw_os_error(told)
    }
}

/// Marks every descriptor from 3 up, so that the app inherits none of ours or of our parent's.
#[allow(unsafe_code, reason = "the state of a child can only be set between fork and exec")]
fn close_the_rest_on_exec() {
    const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;
    // SAFETY: numbers only. The libraries' wrapper is missing on musl, hence the plain call.
    unsafe {
        let (first, last) = (3 as libc::c_uint, libc::c_uint::MAX);
        if libc::syscall(libc::SYS_close_range, first, last, CLOSE_RANGE_CLOEXEC) == 0 {
            return;
        }
        // Linux before 5.11, as many a NAS has.
        let limit = libc::sysconf(libc::_SC_OPEN_MAX).clamp(256, 65_536) as i32;
        for descriptor in 3..limit {
            libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
}

/// Every process that `/proc` shows, with its process group.
fn group_by_pid() -> HashMap<i32, i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return HashMap::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name, in parentheses, may hold anything; after it come state, parent and group.
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
            let state = fields.next()?;
            let group = fields.nth(1)?.parse().ok()?;
            (state != "Z").then_some((pid, group))
        })
        .collect()
}
