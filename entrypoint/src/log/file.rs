//! The log file that `LOG_DEST` names.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::cause::Cause;
use crate::log::Line;
use crate::log::console::Console;

/// A log file, whatever state its disk is in.
pub struct LogFile {
    path: PathBuf,
    state: State,
    warned: bool,
}

enum State {
    /// Not openable so far. Preflight may still make the directory; until then lines are kept.
    Waiting(Vec<u8>),
    /// Open. `torn`: what was written last did not end its line.
    Open { file: File, torn: bool },
    /// Given up; stdout has everything.
    Off,
}

impl LogFile {
    /// Opens the file; `None` if it is the same file as stdout, which has every line already.
    pub fn open(path: PathBuf, console: &Console) -> Option<LogFile> {
        let state = match open(&path) {
            Ok(State::Open { file, .. }) if is_same(&file, console.file()) => return None,
            Ok(state) => state,
            Err(_) => State::Waiting(Vec::new()),
        };
        Some(LogFile { path, state, warned: false })
    }

    /// Appends a whole line. What comes back, once, is a warning for stdout.
    pub fn write(&mut self, line: &[u8]) -> Option<Line> {
        match &mut self.state {
            State::Waiting(kept) => {
                kept.extend_from_slice(line);
                None
            }
            State::Open { file, torn } => {
                let error = append(file, torn, line).err()?;
                self.warn("cannot write to the log file", &error)
            }
            State::Off => None,
        }
    }

    /// Opens a file that was not openable before, and writes what was kept for it.
    pub fn settle(&mut self) -> Option<Line> {
        let State::Waiting(kept) = &mut self.state else { return None };
        let kept = std::mem::take(kept);
        match open(&self.path) {
            Ok(state) => {
                self.state = state;
                self.write(&kept)
            }
            Err(error) => {
                self.state = State::Off;
                self.warn("cannot open the log file", &error)
            }
        }
    }

    fn warn(&mut self, what: &str, error: &io::Error) -> Option<Line> {
        if std::mem::replace(&mut self.warned, true) {
            return None;
        }
        let path = self.path.display();
        let cause = Cause::of(error);
        let line = Line::warn(format!("{what} {path}: {error}; log lines go to stdout only"))
            .word("event", "log_degraded")
            .path("path", &self.path)
            .word("cause", cause.word());
        Some(line.with("suggestion", way_out(cause, &self.path)))
    }
}

fn open(path: &Path) -> io::Result<State> {
    // Non-blocking, since opening a named pipe that nobody reads would wait for ever. Regular files
    // do not care. The standard library adds O_CLOEXEC.
    let file =
        OpenOptions::new().append(true).create(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let torn = file.metadata().is_ok_and(|seen| seen.is_file()) && ends_torn(path);
    Ok(State::Open { file, torn })
}

/// Whether the last writer died in the middle of a line. A file that may be written but not read
/// counts as whole.
fn ends_torn(path: &Path) -> bool {
    let last_byte = || -> io::Result<u8> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        Ok(byte[0])
    };
    last_byte().is_ok_and(|byte| byte != b'\n')
}

fn append(file: &mut File, torn: &mut bool, line: &[u8]) -> io::Result<()> {
    let mut whole = Vec::with_capacity(line.len() + 1);
    if *torn {
        whole.push(b'\n');
    }
    whole.extend_from_slice(line);
    let mut rest = whole.as_slice();
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                *torn = rest[written - 1] != b'\n';
                rest = &rest[written..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_same(file: &File, stdout: Option<&File>) -> bool {
    let identity = |file: &File| file.metadata().map(|seen| (seen.dev(), seen.ino())).ok();
    stdout.is_some_and(|stdout| identity(file).is_some() && identity(file) == identity(stdout))
}

fn way_out(cause: Cause, path: &Path) -> String {
    let directory = path.parent().unwrap_or(path).display();
    match cause {
        Cause::ReadOnly => format!("mount a writable volume at {directory}, or unset LOG_DEST"),
        Cause::Permission | Cause::MissingCapability => {
            format!("let this user write in {directory}, or set LOG_DEST to a file in a data directory")
        }
        Cause::NoSpace => format!("free space on the volume of {directory}"),
        Cause::Missing => format!("create {directory}, or make it a data directory with DATA_DIR"),
        Cause::NotADirectory | Cause::IsADirectory => "set LOG_DEST to the path of a file".to_owned(),
        Cause::Other => "set LOG_DEST to another file, or unset it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn log_file(path: &Path) -> LogFile {
        LogFile::open(path.to_owned(), &Console::new()).unwrap()
    }

    #[test]
    fn a_torn_last_line_is_ended_before_the_first_of_ours() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        fs::write(&path, "half a li").unwrap();
        assert!(log_file(&path).write(b"whole\n").is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), "half a li\nwhole\n");
        assert!(log_file(&path).write(b"again\n").is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), "half a li\nwhole\nagain\n");
    }

    #[test]
    fn lines_wait_for_the_directory_and_are_then_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data/app.log");
        let mut file = log_file(&path);
        assert!(file.write(b"early\n").is_none());
        fs::create_dir(path.parent().unwrap()).unwrap();
        assert!(file.settle().is_none());
        assert!(file.write(b"late\n").is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), "early\nlate\n");
    }

    #[test]
    fn a_full_disk_is_told_once() {
        let mut file = log_file(Path::new("/dev/full"));
        let warning = file.write(b"line\n").unwrap();
        assert_eq!(warning.field("cause").unwrap(), "no_space");
        assert!(file.write(b"line\n").is_none());
    }

    #[test]
    fn a_directory_that_never_comes_is_told_once() {
        let mut file = log_file(Path::new("/nowhere/app.log"));
        assert!(file.write(b"line\n").is_none());
        assert_eq!(file.settle().unwrap().field("cause").unwrap(), "missing");
        assert!(file.settle().is_none() && file.write(b"line\n").is_none());
    }
}
