//! `/proc/PID/status`, which tells most about a process.

use std::fs;
use std::io;
use std::path::Path;

use crate::failure::{OrCannot as _, Outcome};

/// The lines of one status.
pub struct Status(String);

impl Status {
    /// Reads the status in a folder of `/proc`.
    pub fn read(process: &Path) -> io::Result<Status> {
        // A process may give itself a name that is not UTF-8.
        fs::read(process.join("status")).map(|bytes| Status(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// That of the agent's own thread.
    pub fn own() -> Outcome<Status> {
        Status::read("/proc/thread-self".as_ref()).or_cannot(|| "read the agent's own status".into())
    }

    /// What stands behind a name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }

    /// The numbers behind a name.
    pub fn numbers(&self, name: &str) -> Vec<u32> {
        let field = self.field(name).unwrap_or_default();
        field.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    }

    /// The set of bits behind a name: signals or capabilities.
    pub fn bits(&self, name: &str) -> u64 {
        self.field(name).and_then(|field| u64::from_str_radix(field, 16).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
impl From<&str> for Status {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let status = Status::from("Name:\tcat\nPPid:\t7\nPid:\t9\nUid:\t1\t2\t3\t4\nSigBlk:\t0000000000004002\n");
        assert_eq!(status.field("Name"), Some("cat"));
        assert_eq!(status.numbers("Pid"), [9]);
        assert_eq!(status.numbers("Uid"), [1, 2, 3, 4]);
        assert_eq!(status.bits("SigBlk"), 0x4002);
        assert_eq!(status.field("Uidx"), None);
    }
}
