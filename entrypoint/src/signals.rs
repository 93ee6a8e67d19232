//! Signals as PID 1 meets them: all blocked, and taken one at a time, in one place.

use std::mem::MaybeUninit;
use std::ptr;
use std::time::{Duration, Instant};

/// A signal by its number, real-time signals included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

impl Signal {
    /// A child's state changed.
    pub const CHLD: Signal = Signal(libc::SIGCHLD);
    /// Go on, after a stop.
    pub const CONT: Signal = Signal(libc::SIGCONT);
    /// End now.
    pub const KILL: Signal = Signal(libc::SIGKILL);
    /// Please end.
    pub const TERM: Signal = Signal(libc::SIGTERM);

    /// The signal of this number.
    pub fn of(number: i32) -> Signal {
        Signal(number)
    }

    /// The number.
    pub fn number(self) -> i32 {
        self.0
    }

    /// Whether it asks the app to end: TERM, INT or QUIT.
    pub fn asks_to_stop(self) -> bool {
        matches!(self.0, libc::SIGTERM | libc::SIGINT | libc::SIGQUIT)
    }

    /// Whether it is meant for a process itself rather than for the app that it runs: the terminal
    /// sends TTIN and TTOU to whoever reads or writes in the background.
    pub fn is_our_own(self) -> bool {
        matches!(self.0, libc::SIGCHLD | libc::SIGTTIN | libc::SIGTTOU)
    }

    /// The name, such as `SIGTERM` or `SIGRTMIN+3`.
    pub fn name(self) -> String {
        let name = match self.0 {
            libc::SIGHUP => "SIGHUP",
            libc::SIGINT => "SIGINT",
            libc::SIGQUIT => "SIGQUIT",
            libc::SIGILL => "SIGILL",
            libc::SIGTRAP => "SIGTRAP",
            libc::SIGABRT => "SIGABRT",
            libc::SIGBUS => "SIGBUS",
            libc::SIGFPE => "SIGFPE",
            libc::SIGKILL => "SIGKILL",
            libc::SIGUSR1 => "SIGUSR1",
            libc::SIGSEGV => "SIGSEGV",
            libc::SIGUSR2 => "SIGUSR2",
            libc::SIGPIPE => "SIGPIPE",
            libc::SIGALRM => "SIGALRM",
            libc::SIGTERM => "SIGTERM",
            libc::SIGCHLD => "SIGCHLD",
            libc::SIGCONT => "SIGCONT",
            libc::SIGSTOP => "SIGSTOP",
            libc::SIGTSTP => "SIGTSTP",
            libc::SIGTTIN => "SIGTTIN",
            libc::SIGTTOU => "SIGTTOU",
            libc::SIGURG => "SIGURG",
            libc::SIGXCPU => "SIGXCPU",
            libc::SIGXFSZ => "SIGXFSZ",
            libc::SIGVTALRM => "SIGVTALRM",
            libc::SIGPROF => "SIGPROF",
            libc::SIGWINCH => "SIGWINCH",
            libc::SIGIO => "SIGIO",
            libc::SIGPWR => "SIGPWR",
            libc::SIGSYS => "SIGSYS",
            number => return format!("SIGRTMIN+{}", number - libc::SIGRTMIN()),
        };
        name.to_owned()
    }
}

/// Signals that stay unblocked: those that a fault of our own raises, which the kernel would not
/// hold back anyway, and PIPE, which the Rust runtime ignores so that a write returns an error.
const UNBLOCKED: [i32; 8] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGSYS,
    libc::SIGPIPE,
];

/// The blocked signals, waiting to be taken.
pub struct Signals {
    set: libc::sigset_t,
}

#[allow(unsafe_code, reason = "signal sets have no safe interface that knows real-time signals")]
impl Signals {
    /// Blocks every signal that can be blocked. Called once, while there is one thread only.
    pub fn block() -> Signals {
        let mut set = MaybeUninit::uninit();
        // SAFETY: sigfillset initialises the set that it is given, and the others get an
        // initialised one. The calls cannot fail: every number is a valid signal.
        unsafe {
            libc::sigfillset(set.as_mut_ptr());
            let mut set = set.assume_init();
            for signal in UNBLOCKED {
                libc::sigdelset(&mut set, signal);
            }
            libc::sigprocmask(libc::SIG_SETMASK, &set, ptr::null_mut());
            // A parent may have left CHLD ignored: then children vanish, and their codes with them.
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            Signals { set }
        }
    }

    /// Takes the next signal; `None` when the deadline passes first. Without one, waits for ever.
    pub fn wait(&self, deadline: Option<Instant>) -> Option<Signal> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let taken = match left.map(timespec) {
                // SAFETY: the set is initialised; a null siginfo is allowed.
                None => unsafe { libc::sigwaitinfo(&self.set, ptr::null_mut()) },
                // SAFETY: as above, and the timespec lives until the call returns.
                Some(left) => unsafe { libc::sigtimedwait(&self.set, ptr::null_mut(), &left) },
            };
            if taken > 0 {
                return Some(Signal(taken));
            }
            // Anything but a passed deadline is an interruption, by a debugger for example.
            let passed = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if passed {
                return None;
            }
        }
    }

    /// Takes a signal that has arrived already.
    pub fn pending(&self) -> Option<Signal> {
        self.wait(Some(Instant::now()))
    }
}

fn timespec(duration: Duration) -> libc::timespec {
    libc::timespec {
        // No deadline is more than a year away, see `duration`.
        tv_sec: duration.as_secs() as _,
        tv_nsec: duration.subsec_nanos().into(),
    }
}

/// Makes every disposition the default and blocks nothing: the state in which an app expects to
/// start. For the child, between fork and exec; async-signal-safe.
///
/// The plain system call, because the libraries refuse to touch the signals that they use
/// themselves, and a parent that was started with glibc's `posix_spawn` hands one of those on as ignored.
#[allow(unsafe_code, reason = "no safe interface reaches every signal and the mask")]
pub fn restore_defaults() {
    /// Bytes of the kernel's signal set, of which it wants to be told.
    const SET: usize = 8;
    // The kernel's structure is handler, flags, restorer and mask; all zero means the default.
    let default = [0_u64; 4];
    let mut none = MaybeUninit::uninit();
    // SAFETY: the kernel reads at most the given array, which installs no code of ours; KILL and
    // STOP return an error without effect. sigemptyset initialises the set before its use.
    unsafe {
        for signal in 1..=libc::SIGRTMAX() {
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), ptr::null_mut::<u64>(), SET);
        }
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_has_a_name() {
        assert_eq!(Signal::TERM.name(), "SIGTERM");
        assert_eq!(Signal::of(libc::SIGRTMIN() + 3).name(), "SIGRTMIN+3");
        for number in 1..32 {
            // 16 is SIGSTKFLT, which nothing sends.
            assert_eq!(Signal::of(number).name().contains('+'), number == 16, "{number}");
        }
    }

    #[test]
    fn term_int_and_quit_ask_to_stop_and_no_other_does() {
        let asking: Vec<i32> = (1..65).filter(|number| Signal::of(*number).asks_to_stop()).collect();
        assert_eq!(asking, [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM]);
    }
}
