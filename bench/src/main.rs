//! What the harness costs, as ratios against a peer in the same run: `make bench`.
//!
//! Machines are shared and noisy, so nothing here is asserted by a test. Each
//! measurement takes turns with its peer and compares medians.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for developers, which may stop at the first trouble"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many turns each side of a comparison takes.
const TURNS: usize = 11;
/// How many scenarios run side by side.
const PARALLEL: usize = 32;
/// How many of them at a time.
const JOBS: usize = 8;
/// How many times a trigger is timed.
const TRIGGERS: usize = 20;
/// After how many scenarios memory is compared, and with how many.
const MANY: (usize, usize) = (50, 500);

/// One row of the table.
struct Row {
    what: &'static str,
    goal: &'static str,
    seen: String,
    holds: bool,
}

fn main() {
    let bench = Bench::new();
    let rows = [bench.overhead(), bench.side_by_side(), bench.trigger(), bench.memory()];
    let mut table = String::from("| what | goal | measured | |\n|---|---|---|---|\n");
    for row in &rows {
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} |",
            row.what,
            row.goal,
            row.seen,
            if row.holds { "holds" } else { "missed" }
        );
    }
    println!("{table}");
}

/// The program that is measured, the image that is booted, and a folder for scenarios.
struct Bench {
    harness: PathBuf,
    image: String,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let harness = root.join("target/bin/harness");
        assert!(harness.exists(), "build it first: make harness");
        let images = output(Command::new(&harness).args(["images", "misbehave/bare"]).current_dir(root));
        let image = images.lines().find_map(|line| line.split_whitespace().nth(2)).unwrap().to_owned();
        // The agent's image is made outside of what is timed.
        output(Command::new(&harness).args(["images", "agent"]).current_dir(root));
        Self { harness, image, folder: tempfile::tempdir_in(root.join("target")).unwrap() }
    }

    fn scenario(&self, name: &str, body: &str) -> PathBuf {
        let file = self.folder.path().join(format!("{name}.toml"));
        let head = format!("version = 1\nclaim = \"{name}\"\n[subject]\nimage = \"{}\"\n", self.image);
        std::fs::write(&file, head + body).unwrap();
        file
    }

    /// A container that says a word and exits.
    fn trivial(&self, name: &str) -> PathBuf {
        self.scenario(name, "environment = { MISBEHAVE = \"exit\", CODE = 0 }\n[expect]\nexit_code = 0\n")
    }

    fn run(&self, what: &[PathBuf], jobs: usize) -> Duration {
        let mut command = Command::new(&self.harness);
        command
            .arg("run")
            .args(what)
            .args(["-j", &jobs.to_string()])
            .arg("--bundles")
            .arg(self.folder.path().join("bundles"));
        timed(&mut command)
    }

    fn docker_run(&self) -> Command {
        let mut command = Command::new("docker");
        command.args(["run", "--rm", "-e", "MISBEHAVE=exit", "-e", "CODE=0", &self.image]);
        command
    }

    fn overhead(&self) -> Row {
        let file = [self.trivial("trivial")];
        let (ours, peer) = in_turns(TURNS, || self.run(&file, 1), || timed(&mut self.docker_run()));
        let ratio = ours.as_secs_f64() / peer.as_secs_f64();
        Row {
            what: "a trivial scenario against `docker run --rm` of the same image",
            goal: "at most 1.15",
            seen: format!("{ratio:.2} ({} ms against {} ms)", ours.as_millis(), peer.as_millis()),
            holds: ratio <= 1.15,
        }
    }

    fn side_by_side(&self) -> Row {
        let files: Vec<PathBuf> = (0..PARALLEL).map(|number| self.trivial(&format!("parallel-{number}"))).collect();
        let peer = || {
            let began = Instant::now();
            let begun = AtomicUsize::new(0);
            let worker = || {
                while begun.fetch_add(1, Ordering::Relaxed) < PARALLEL {
                    timed(&mut self.docker_run());
                }
            };
            std::thread::scope(|scope| {
                for _ in 0..JOBS {
                    scope.spawn(worker);
                }
            });
            began.elapsed()
        };
        let (ours, peer) = in_turns(3, || self.run(&files, JOBS), peer);
        let ratio = ours.as_secs_f64() / peer.as_secs_f64();
        Row {
            what: "32 trivial scenarios against 32 `docker run --rm`, eight at a time",
            goal: "at most 1.1",
            seen: format!("{ratio:.2} ({} ms against {} ms)", ours.as_millis(), peer.as_millis()),
            holds: ratio <= 1.1,
        }
    }

    /// From the time of a line to the time at which its fault had been injected.
    fn trigger(&self) -> Row {
        let body = "environment = { MISBEHAVE = \"write-loop\", FILE = \"/data/x\" }\nready = { http = \"/health\", port = 8080 }\n\
                    [volumes.data]\ntarget = \"/data\"\nowner = \"0:0\"\n\
                    [[fault]]\nwhen = { log = \".\" }\ndelete = \"/data/x\"\n\
                    [expect]\nready_within = \"20s\"\n";
        let file = [self.scenario("trigger", body)];
        let mut delays: Vec<Duration> = (0..TRIGGERS)
            .map(|_| {
                self.run(&file, 1);
                self.delay_of("trigger")
            })
            .collect();
        delays.sort();
        let median = delays[delays.len() / 2];
        Row {
            what: "from a log line's timestamp to the fault that it triggers",
            goal: "20 ms, median",
            seen: format!("{:.1} ms", median.as_secs_f64() * 1000.0),
            holds: median <= Duration::from_millis(20),
        }
    }

    fn delay_of(&self, name: &str) -> Duration {
        let bundles = self.folder.path().join("bundles");
        let file = find(&bundles, &|path| path.ends_with(format!("{name}/main/timeline.jsonl"))).unwrap();
        let events: Vec<serde_json::Value> =
            std::fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let at = |kind: &str| {
            let event = events.iter().find(|event| event["event"] == kind).unwrap();
            event["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
        };
        at("fault").duration_since(at("log")).unsigned_abs()
    }

    fn memory(&self) -> Row {
        let files: Vec<PathBuf> = (0..MANY.1).map(|number| self.trivial(&format!("memory-{number}"))).collect();
        let few = self.peak(&files[..MANY.0]);
        let many = self.peak(&files);
        let ratio = many as f64 / few as f64;
        Row {
            what: "memory at its peak over 500 scenarios against 50",
            goal: "flat: at most 1.2",
            seen: format!("{ratio:.2} ({} MiB against {} MiB)", many / 1024, few / 1024),
            holds: ratio <= 1.2,
        }
    }

    /// The most memory that a run had at a time, in KiB.
    fn peak(&self, files: &[PathBuf]) -> u64 {
        let mut command = Command::new(&self.harness);
        command
            .arg("run")
            .args(files)
            .args(["-j", &JOBS.to_string()])
            .arg("--bundles")
            .arg(self.folder.path().join("bundles"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let now = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
            peak = peak.max(now);
            std::thread::sleep(Duration::from_millis(20));
        }
        peak
    }
}

/// The medians of both, measured in turns so that noise meets both alike.
fn in_turns(turns: usize, one: impl Fn() -> Duration, other: impl Fn() -> Duration) -> (Duration, Duration) {
    one();
    other();
    let mut times: Vec<(Duration, Duration)> = (0..turns).map(|_| (one(), other())).collect();
    times.sort_by_key(|(one, _)| *one);
    let ours = times[turns / 2].0;
    times.sort_by_key(|(_, other)| *other);
    (ours, times[turns / 2].1)
}

fn timed(command: &mut Command) -> Duration {
    let began = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?} ended with {status}");
    began.elapsed()
}

fn output(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn find(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Option<PathBuf> {
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if let Some(found) = find(&path, wanted) {
                return Some(found);
            }
        } else if wanted(&path) {
            return Some(path);
        }
    }
    None
}
