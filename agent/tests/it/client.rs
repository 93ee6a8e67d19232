//! A harness in miniature: one agent, its requests and what it says.

use std::collections::{HashMap, VecDeque};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use agent::{Answer, CONTROL, Change, Command as Do, Decoder, Failure, Frame, Message, Place, Request};
use tempfile::TempDir;

/// Longer than anything takes; whoever waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub const BINARY: &str = env!("CARGO_BIN_EXE_agent");

pub struct Client {
    pub child: Child,
    pub input: Option<ChildStdin>,
    frames: Receiver<Frame>,
    replies: HashMap<u64, Result<Answer, Failure>>,
    notices: VecDeque<(u64, Change)>,
    carried: HashMap<u32, Vec<u8>>,
    closed: Vec<u32>,
    last: u64,
    volumes: TempDir,
}

impl Client {
    pub fn start() -> Client {
        Client::start_by(&[BINARY])
    }

    /// By a command that becomes the agent.
    pub fn start_by(words: &[&str]) -> Client {
        let volumes = tempfile::tempdir().unwrap();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(volumes.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, frames) = channel();
        let mut output = child.stdout.take().unwrap();
        thread::spawn(move || {
            let mut decoder = Decoder::default();
            let mut piece = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = output.read(&mut piece) {
                decoder.push(&piece[..read]);
                while let Some(frame) = decoder.next_frame().unwrap() {
                    let _ = sender.send(frame);
                }
            }
        });
        let input = child.stdin.take();
        Client {
            child,
            input,
            frames,
            replies: HashMap::new(),
            notices: VecDeque::new(),
            carried: HashMap::new(),
            closed: Vec::new(),
            last: 0,
            volumes,
        }
    }

    /// Makes a volume, and tells where it is on the host.
    pub fn volume(&self, name: &str) -> PathBuf {
        let path = self.volumes.path().join(name);
        std::fs::create_dir(&path).unwrap();
        path
    }

    /// Sends a request and waits for what comes of it.
    pub fn ask(&mut self, command: Do) -> Result<Answer, Failure> {
        let id = self.send(command);
        self.reply(id)
    }

    /// The same, of a command that must succeed.
    #[track_caller]
    pub fn get(&mut self, command: Do) -> Answer {
        let shown = format!("{command:?}");
        self.ask(command).unwrap_or_else(|failure| panic!("{shown}: {failure}"))
    }

    /// Sends a command that must fail for a reason that holds these words.
    #[track_caller]
    pub fn fails(&mut self, command: Do, words: &str) {
        let shown = format!("{command:?}");
        match self.ask(command) {
            Ok(answer) => panic!("{shown}: {answer:?}"),
            Err(failure) => assert!(failure.cause.contains(words), "{shown}: {failure}"),
        }
    }

    pub fn send(&mut self, command: Do) -> u64 {
        self.last += 1;
        let payload = serde_json::to_vec(&Request { id: self.last, command }).unwrap();
        self.carry(CONTROL, &payload);
        self.last
    }

    pub fn carry(&mut self, channel: u32, payload: &[u8]) {
        let bytes = Frame { channel, payload: payload.into() }.encode().unwrap();
        self.input.as_mut().unwrap().write_all(&bytes).unwrap();
    }

    #[track_caller]
    pub fn reply(&mut self, id: u64) -> Result<Answer, Failure> {
        loop {
            if let Some(result) = self.replies.remove(&id) {
                return result;
            }
            self.next(PATIENCE);
        }
    }

    #[track_caller]
    pub fn notice(&mut self) -> (u64, Change) {
        loop {
            if let Some(notice) = self.notices.pop_front() {
                return notice;
            }
            self.next(PATIENCE);
        }
    }

    /// Waits for the end of a channel and tells everything that it carried.
    #[track_caller]
    pub fn carried(&mut self, channel: u32) -> Vec<u8> {
        while !self.closed.contains(&channel) {
            self.next(PATIENCE);
        }
        self.closed.retain(|closed| *closed != channel);
        self.carried.remove(&channel).unwrap_or_default()
    }

    #[track_caller]
    fn next(&mut self, patience: Duration) {
        let frame = match self.frames.recv_timeout(patience) {
            Ok(frame) => frame,
            Err(RecvTimeoutError::Timeout) => panic!("the agent says nothing"),
            Err(RecvTimeoutError::Disconnected) => panic!("the agent has ended"),
        };
        if frame.channel != CONTROL {
            if frame.payload.is_empty() {
                self.closed.push(frame.channel);
            }
            self.carried.entry(frame.channel).or_default().extend(frame.payload);
            return;
        }
        match serde_json::from_slice(&frame.payload).unwrap() {
            Message::Reply { id, result } => _ = self.replies.insert(id, result),
            Message::Notice { watch, change } => self.notices.push_back((watch, change)),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never was so: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

pub fn volume(name: &str, path: &str) -> Place {
    Place::Volume { volume: name.into(), path: path.into() }
}

pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
