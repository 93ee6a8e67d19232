//! Failures as sentences: what could not be done, and the kernel's word for why.

use std::io;

use agent::Failure;
use nix::errno::Errno;

/// What comes of a command or of a part of one.
pub type Outcome<T> = Result<T, Failure>;

/// Says what an error prevented.
pub trait OrCannot<T> {
    /// The failure "cannot …".
    fn or_cannot(self, attempt: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: Into<io::Error>> OrCannot<T> for Result<T, E> {
    fn or_cannot(self, attempt: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| cannot(&attempt(), &error.into()))
    }
}

/// "cannot delete /data: EROFS (Read-only file system)".
pub fn cannot(attempt: &str, error: &io::Error) -> Failure {
    let cause = match errno(error) {
        Some(errno) => format!("cannot {attempt}: {errno:?} ({})", errno.desc()),
        None => format!("cannot {attempt}: {error}"),
    };
    Failure { cause, errno: errno(error).map(|errno| errno as i32) }
}

/// A failure that is not the kernel's.
pub fn refuse(cause: impl Into<String>) -> Failure {
    Failure { cause: cause.into(), errno: None }
}

/// The error's name, such as `EROFS`.
pub fn name(error: &io::Error) -> String {
    errno(error).map_or_else(|| error.to_string(), |errno| format!("{errno:?}"))
}

fn errno(error: &io::Error) -> Option<Errno> {
    match (error.raw_os_error(), error.kind()) {
        (Some(number), _) => Some(Errno::from_raw(number)),
        // The standard library makes these itself, without a number.
        (None, io::ErrorKind::TimedOut) => Some(Errno::ETIMEDOUT),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_attempt_and_the_error() {
        let failure = cannot("delete /data", &Errno::EROFS.into());
        assert_eq!(failure.cause, "cannot delete /data: EROFS (Read-only file system)");
        assert_eq!(failure.errno, Some(30));
        assert_eq!(name(&io::ErrorKind::TimedOut.into()), "ETIMEDOUT");
    }

    #[test]
    fn an_error_that_is_not_the_kernels_speaks_for_itself() {
        let failure = cannot("read it", &io::Error::other("half a line"));
        assert_eq!(failure, refuse("cannot read it: half a line"));
    }
}
