//! The one logger: JSON lines on stdout and, where `LOG_DEST` says so, in a file too.
//!
//! Nothing that happens to stdout or to the file ends the program or holds it up.

mod console;
mod file;
mod line;

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::phase::Phase;
use crate::redact::Redactor;
use crate::settings::{self, Settings};

use console::Console;
use file::LogFile;
pub use line::{Level, Line};

/// Prints a text that was asked for, such as the help.
pub fn print(text: &str) {
    Console::new().write(text.as_bytes());
}

/// The logger.
pub struct Log {
    level: Level,
    redactor: Redactor,
    began: Instant,
    sinks: Mutex<Sinks>,
}

struct Sinks {
    console: Console,
    file: Option<LogFile>,
    phase: Option<Phase>,
}

impl Log {
    /// Opens the log leniently: a level or a file that is no good must be told through this log.
    pub fn open(settings: &Settings) -> Log {
        let console = Console::new();
        let file = settings.get(&settings::LOG_DEST).and_then(|given| {
            let path = Path::new(&given.value);
            LogFile::open(std::path::absolute(path).unwrap_or(path.to_owned()), &console)
        });
        let level = settings.get(&settings::LOG_LEVEL);
        Log {
            level: level.and_then(|given| Level::parse(&given.text())).unwrap_or(Level::Info),
            redactor: Redactor::new(settings.environment()),
            began: Instant::now(),
            sinks: Mutex::new(Sinks { console, file, phase: None }),
        }
    }

    /// Writes a line, if its level is high enough.
    pub fn write(&self, line: Line) {
        if line.level() >= self.level {
            self.write_whatever_the_level(line);
        }
    }

    /// Writes a line that the contract promises.
    pub fn write_whatever_the_level(&self, line: Line) {
        self.with(|sinks| {
            let text = line.render(sinks.phase, &self.redactor);
            sinks.console.write(text.as_bytes());
            if let Some(complaint) = sinks.file.as_mut().and_then(|file| file.write(text.as_bytes())) {
                let text = complaint.render(sinks.phase, &self.redactor);
                sinks.console.write(text.as_bytes());
            }
        });
    }

    /// Opens a log file that could not be opened at first, now that its directory may exist.
    pub fn settle(&self) {
        self.with(|sinks| {
            if let Some(complaint) = sinks.file.as_mut().and_then(LogFile::settle) {
                let text = complaint.render(sinks.phase, &self.redactor);
                sinks.console.write(text.as_bytes());
            }
        });
    }

    /// From now on lines carry this phase.
    pub fn enter(&self, phase: Option<Phase>) {
        self.with(|sinks| sinks.phase = phase);
    }

    /// How long ago the log was opened.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    fn with(&self, work: impl FnOnce(&mut Sinks)) {
        work(&mut self.sinks.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
