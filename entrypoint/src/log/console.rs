//! Standard output, written so that a reader who is slow, stuck or gone cannot hold up PID 1.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// A pipe that is ready takes at least this much without blocking (`PIPE_BUF`).
const CHUNK: usize = 4096;

/// How long a reader may take once. After that, lines are dropped until it reads again.
const PATIENCE_MS: u16 = 1000;

/// Standard output. Unbuffered; errors are not told, since there is nobody left to tell.
pub struct Console {
    /// A copy of the descriptor: `io::stdout` buffers, and keeps what it could not write.
    stdout: Option<File>,
    patience_ms: u16,
    torn: bool,
}

impl Console {
    /// Takes a copy of this process' stdout.
    pub fn new() -> Console {
        let stdout = io::stdout().as_fd().try_clone_to_owned().ok().map(File::from);
        Console { stdout, patience_ms: PATIENCE_MS, torn: false }
    }

    /// The descriptor, to compare files with.
    pub fn file(&self) -> Option<&File> {
        self.stdout.as_ref()
    }

    /// Writes a whole line, or as much of it as the reader takes.
    pub fn write(&mut self, line: &[u8]) {
        let Some(stdout) = &mut self.stdout else { return };
        let newline: &[u8] = if self.torn { b"\n" } else { b"" };
        for chunk in [newline, line].concat().chunks(CHUNK) {
            // Waiting here without a limit would be a container that cannot be stopped: signals
            // are blocked and nobody would take them.
            if !is_ready(stdout, self.patience_ms) {
                self.patience_ms = 0;
                return;
            }
            self.patience_ms = PATIENCE_MS;
            if stdout.write_all(chunk).is_err() {
                return;
            }
            self.torn = chunk.last() != Some(&b'\n');
        }
    }
}

fn is_ready(stdout: &File, patience_ms: u16) -> bool {
    let mut wanted = [PollFd::new(stdout.as_fd(), PollFlags::POLLOUT)];
    poll(&mut wanted, PollTimeout::from(patience_ms)).is_ok_and(|ready| ready > 0)
}
