//! One boot of the entrypoint under test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use serde_json::Value;
use tempfile::TempDir;

/// Far more than any boot here takes; reaching it is a failure, not a wait.
const LIMIT: Duration = Duration::from_secs(20);

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_entrypoint");

/// A boot that is being made ready.
pub struct Boot {
    command: Command,
}

impl Boot {
    /// `entrypoint run -- sh -c SCRIPT`, in an environment that holds PATH only.
    pub fn script(script: &str) -> Boot {
        Boot::arguments(&["run", "--", "sh", "-c", script])
    }

    /// The entrypoint with these arguments.
    pub fn arguments(arguments: &[&str]) -> Boot {
        Boot::command(BINARY, arguments)
    }

    /// Another program that ends up as the entrypoint, such as `unshare`.
    pub fn command(program: &str, arguments: &[&str]) -> Boot {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        Boot { command }
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Boot {
        self.command.env(name, value);
        self
    }

    /// Runs as this user and group, when we are root; who is not root is an ordinary user already.
    pub fn user(mut self, id: u32) -> Boot {
        if is_root() {
            self.command.uid(id).gid(id);
        }
        self
    }

    /// Whatever else the process needs.
    pub fn change(mut self, change: impl FnOnce(&mut Command)) -> Boot {
        change(&mut self.command);
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        let mut child = self.command.spawn().expect("the entrypoint can be started");
        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            // Ends when the last process that holds the pipe has ended.
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Running { child, lines, seen: Vec::new() }
    }

    /// Runs it to its end.
    pub fn run(self) -> Ended {
        self.start().end()
    }
}

/// A boot that runs.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    /// Waits for a line of the app that contains a text.
    pub fn wait_for(&mut self, text: &str) -> String {
        self.wait_until(text, |line| !is_ours(line) && line.contains(text))
    }

    /// Waits for a log line of the entrypoint that contains a text.
    pub fn wait_for_log(&mut self, text: &str) -> String {
        self.wait_until(text, |line| is_ours(line) && line.contains(text))
    }

    fn wait_until(&mut self, text: &str, is_it: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + LIMIT;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if is_it(&line) {
                        return line;
                    }
                }
                Err(_) => panic!("no line with `{text}` came; seen:\n{}", self.seen.join("\n")),
            }
        }
    }

    /// Sends the entrypoint a signal.
    pub fn signal(&self, signal: i32) {
        // It has not been waited for, so its pid is nobody else's.
        send(self.child.id(), signal);
    }

    /// Sends the only child of what was started a signal, where that is `unshare`.
    pub fn signal_child(&self, signal: i32) {
        send(self.children().trim().parse().expect("there is one child"), signal);
    }

    fn children(&self) -> String {
        let pid = self.child.id();
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default()
    }

    /// Waits for the end of the output and of the process.
    pub fn end(mut self) -> Ended {
        let deadline = Instant::now() + LIMIT;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("stdout was not closed in time; seen:\n{}", self.seen.join("\n"))
                }
            }
        }
        let status = self.wait_until_gone(deadline);
        Ended { code: status.code(), lines: std::mem::take(&mut self.seen) }
    }
}

impl Running {
    /// A test may hold stdout itself, so that its end says nothing of the process'.
    fn wait_until_gone(&mut self, deadline: Instant) -> ExitStatus {
        let pid = self.child.id();
        let (sender, gone) = mpsc::channel();
        thread::spawn(move || {
            let left = deadline.saturating_duration_since(Instant::now());
            if gone.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                send(pid, libc::SIGKILL);
            }
        });
        let status = self.child.wait().expect("the entrypoint can be waited for");
        assert!(Instant::now() < deadline, "it did not end in time and was killed");
        let _ = sender.send(());
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // A test has failed. The app leads a group of its own and would outlive us both.
        let app = self.children();
        let _ = self.child.kill();
        let _ = self.child.wait();
        for leader in app.split_whitespace() {
            let _ = Command::new("kill").args(["-KILL", "--", &format!("-{leader}")]).stderr(Stdio::null()).status();
        }
    }
}

/// What a boot left.
pub struct Ended {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Every line of stdout, the app's included.
    pub lines: Vec<String>,
}

impl Ended {
    /// The entrypoint's own lines.
    pub fn logged(&self) -> Vec<Value> {
        let parsed = self.lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        parsed.filter(|line| line["source"] == "entrypoint").collect()
    }

    /// The first line of ours whose message contains a text.
    #[track_caller]
    pub fn line(&self, text: &str) -> Value {
        let found = self.logged().into_iter().find(|line| line["message"].to_string().contains(text));
        found.unwrap_or_else(|| panic!("no line says `{text}`:\n{}", self.lines.join("\n")))
    }

    /// Whether a line of the app contains a text. Our own lines do not count: one quotes the command.
    pub fn says(&self, text: &str) -> bool {
        self.lines.iter().any(|line| !is_ours(line) && line.contains(text))
    }

    /// Asserts the exit code, and that the last line tells it and whose it is.
    #[track_caller]
    pub fn assert_ended(&self, code: i32, source: &str) {
        let all = self.lines.join("\n");
        assert_eq!(self.code, Some(code), "{all}");
        let last = self.logged().pop().unwrap_or_else(|| panic!("nothing was logged:\n{all}"));
        assert_eq!(last["exit_code"], code, "{all}");
        assert_eq!(last["exit_source"], source, "{all}");
    }
}

/// A script that makes an orphan, which ends with 9, and only after its parent has. `$PIPE` is a named pipe.
pub const ORPHAN: &str = "sh -c 'setsid sh -c \"read line < $PIPE; exit 9\" &'; echo go > $PIPE";

/// A named pipe in a directory of its own.
pub struct NamedPipe {
    path: String,
    _directory: TempDir,
}

impl NamedPipe {
    /// Makes it.
    pub fn new() -> NamedPipe {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let path = directory.path().join("pipe").to_string_lossy().into_owned();
        nix::unistd::mkfifo(path.as_str(), Mode::S_IRWXU).expect("a named pipe can be made");
        NamedPipe { path, _directory: directory }
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        &self.path
    }
}

fn is_ours(line: &str) -> bool {
    line.contains("\"source\":\"entrypoint\"")
}

fn send(pid: u32, signal: i32) {
    // Not a function of a library: those know no real-time signals.
    let sent = Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "cannot send signal {signal} to {pid}");
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Whether new namespaces can be made here. Says so where not, since what needs them is not proven then.
pub fn can_unshare(flags: &[&str]) -> bool {
    let can = Command::new("unshare").args(flags).args(["--", "true"]).stderr(Stdio::null()).status();
    let can = can.is_ok_and(|status| status.success());
    if !can {
        eprintln!("skipped: `unshare {}` is not possible here (needs root and util-linux)", flags.join(" "));
    }
    can
}
