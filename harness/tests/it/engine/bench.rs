//! Where the claims are held: an engine, and images whose containers do what a
//! claim needs.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use harness::engine::docker::Docker;
use harness::engine::fake::{Boot, Fake, Script};
use harness::engine::{ContainerSpec, Create, Engine, Labels, Mount, Start, Stdio};
use harness::image::{Images, Workspace};
use harness::sandbox;
use jiff::Timestamp;
use serde_json::Value;

/// The length of the long line: more than two of the engine's frames.
pub const LONG: usize = 40_000;

/// A shell does every deed on the real engine.
const IMAGE: &str = "debian:trixie";

/// What the process of a container does.
#[derive(Debug, Clone, Copy)]
pub enum Deed {
    /// Says `up`, and exits with 0 when asked to stop.
    Runs,
    /// Says `up`, and ignores the stop signal.
    IgnoresStop,
    /// Says `up`, and exits with this code at once.
    Exits(i32),
    /// Counts to nine on both streams, and exits.
    CountsOnBothStreams,
    /// Writes one line of [`LONG`] characters without a newline, and exits.
    LongLine,
    /// Its program does not exist.
    CannotStart,
    /// Is to start in a directory that is none.
    CannotBeMade,
    /// Says back what it is told, and exits with 0 when there is nothing more.
    Echoes,
    /// Counts up for ever, ten times a second.
    Ticks,
}

/// An engine on which one claim is held.
#[derive(Clone)]
pub struct Bench {
    pub engine: Arc<dyn Engine>,
    /// A moment before anything of this bench happened, by the engine's clock.
    pub began: Timestamp,
    mark: String,
    /// The scripted engine has one image for each deed.
    fake: Option<Fake>,
}

impl Bench {
    pub fn fake() -> Self {
        let fake = Fake::new();
        Self { engine: Arc::new(fake.clone()), began: Timestamp::UNIX_EPOCH, mark: mark(), fake: Some(fake) }
    }

    /// `None` when only the scripted engine is wanted. Without an engine the test fails.
    pub async fn real() -> Option<Self> {
        if std::env::var("BOOTPROOF_ENGINE").is_ok_and(|engine| engine == "fake") {
            return None;
        }
        let engine = Docker::connect().await.unwrap_or_else(|error| {
            panic!("{error}\nget one with `make engine`, or set BOOTPROOF_ENGINE=fake to leave these tests out")
        });
        Some(Self::on(engine).await)
    }

    /// An engine that was reached.
    pub async fn on(engine: Docker) -> Self {
        let began = engine.about().await.unwrap().clock;
        let engine: Arc<dyn Engine> = Arc::new(engine);
        let images = Images::new(Arc::clone(&engine), Workspace::find(Path::new(".")));
        images.ensure(&IMAGE.parse().unwrap(), &|line| eprintln!("{line}")).await.unwrap();
        Self { engine, began, mark: mark(), fake: None }
    }

    /// Holds one claim, then removes what it left, whether it held or not.
    pub async fn hold<F: Future<Output = ()> + Send + 'static>(self, claim: impl FnOnce(Self) -> F) {
        let held = tokio::spawn(claim(self.clone())).await;
        let mut left = self.engine.labelled(&self.label()).await.unwrap();
        // Containers sort before the volumes they use.
        left.sort_by(|a, b| a.thing.cmp(&b.thing));
        for owned in left {
            self.engine.remove(&owned.thing).await.unwrap();
        }
        if let Err(error) = held {
            std::panic::resume_unwind(error.into_panic());
        }
        if let Some(fake) = &self.fake {
            assert_eq!(fake.left(), []);
        }
    }

    pub async fn now(&self) -> Timestamp {
        self.engine.about().await.unwrap().clock
    }

    pub fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.mark)
    }

    pub fn label(&self) -> String {
        format!("{}={}", sandbox::RUN, self.mark)
    }

    /// Those of a run, so that what a killed test leaves is swept like any other.
    pub fn labels(&self) -> Labels {
        let deadline = self.began.as_second() + 600;
        let labels = [(sandbox::RUN, self.mark.clone()), (sandbox::DEADLINE, deadline.to_string())];
        labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    pub async fn create(&self, name: &str, deed: Deed, runtime: Value) -> String {
        self.create_with(name, deed, runtime, Vec::new()).await
    }

    pub async fn create_of(&self, image: &str, name: &str, runtime: Value) -> String {
        self.make(&self.spec_with(image, name, runtime)).await
    }

    pub async fn create_with(&self, name: &str, deed: Deed, runtime: Value, mounts: Vec<Mount>) -> String {
        self.make(&ContainerSpec { mounts, ..self.spec_of(name, deed, runtime) }).await
    }

    pub async fn make(&self, spec: &ContainerSpec) -> String {
        match self.engine.create(spec).await.unwrap() {
            Create::Made(created) => created.id,
            Create::Refused(words) => panic!("{} was refused: {words}", spec.name),
        }
    }

    /// A container whose process does this.
    pub fn spec_of(&self, name: &str, deed: Deed, runtime: Value) -> ContainerSpec {
        let mut spec = self.spec_with(IMAGE, name, runtime);
        match &self.fake {
            Some(fake) => {
                spec.image = format!("{deed:?}").to_lowercase();
                fake.script(&spec.image, script(deed));
            }
            None => {
                spec.runtime.entrypoint = Some(command(deed));
                if let Deed::CannotBeMade = deed {
                    spec.runtime.working_dir = Some("here".to_owned());
                }
            }
        }
        spec
    }

    pub fn spec_with(&self, image: &str, name: &str, runtime: Value) -> ContainerSpec {
        ContainerSpec {
            name: self.name(name),
            image: image.to_owned(),
            labels: self.labels(),
            runtime: serde_json::from_value(runtime).unwrap(),
            ..ContainerSpec::default()
        }
    }

    pub async fn start(&self, name: &str, deed: Deed, runtime: Value) -> String {
        let id = self.create(name, deed, runtime).await;
        assert_eq!(self.engine.start(&id).await.unwrap(), Start::Started);
        id
    }
}

/// A name that no other test has, in this process or another.
fn mark() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("bootproof-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// What is run inside, and what it comes to there.
pub const INSIDE: [&str; 3] = ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"];

/// What the engine says of a directory that is none.
pub const NO_DIRECTORY: &str = "the working directory 'here' is invalid, it needs to be an absolute path";

fn script(deed: Deed) -> Script {
    match deed {
        Deed::CannotBeMade => Script::refused(NO_DIRECTORY),
        Deed::Echoes => Script::boot(Boot::new()).answers(async |pipe| {
            let (mut from, mut to) = tokio::io::split(pipe);
            tokio::io::copy(&mut from, &mut to).await.unwrap();
        }),
        _ => Script::boot(boot(deed)).command(&INSIDE, 3, "out\nerr\n"),
    }
}

fn boot(deed: Deed) -> Boot {
    let soon = Duration::from_millis(1);
    let up = Boot::new().line(soon, Stdio::Stdout, "up");
    match deed {
        Deed::Runs => up,
        Deed::IgnoresStop => up.ignores_stop(),
        Deed::Exits(code) => up.exits(soon, code),
        Deed::CountsOnBothStreams => {
            let count = (1..10).fold(Boot::new(), |boot, number| {
                let (at, text) = (soon * number, number.to_string());
                boot.line(at, Stdio::Stdout, &text).line(at, Stdio::Stderr, &text)
            });
            count.exits(soon * 10, 0)
        }
        Deed::LongLine => Boot::new().line(soon, Stdio::Stdout, &"x".repeat(LONG)).exits(soon, 0),
        Deed::CannotStart => Boot::refused("exec: \"/missing\": stat /missing: no such file or directory"),
        Deed::Ticks => (1..1000).fold(Boot::new(), |boot, number| {
            boot.line(Duration::from_millis(100) * number, Stdio::Stdout, &number.to_string())
        }),
        Deed::CannotBeMade | Deed::Echoes => Boot::new(),
    }
}

fn command(deed: Deed) -> Vec<String> {
    let script = match deed {
        Deed::Runs => "trap 'exit 0' TERM; echo up; while :; do sleep 0.02; done".to_owned(),
        Deed::IgnoresStop => "trap '' TERM; echo up; while :; do sleep 0.02; done".to_owned(),
        Deed::Exits(code) => format!("echo up; exit {code}"),
        Deed::CountsOnBothStreams => "for i in 1 2 3 4 5 6 7 8 9; do echo $i; echo $i >&2; done".to_owned(),
        Deed::LongLine => format!("head -c {LONG} /dev/zero | tr '\\0' x"),
        Deed::CannotStart => return vec!["/missing".to_owned()],
        Deed::CannotBeMade => "true".to_owned(),
        Deed::Echoes => "exec cat".to_owned(),
        Deed::Ticks => "trap 'exit 0' TERM; i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done".to_owned(),
    };
    ["/bin/sh", "-c", &script].map(str::to_owned).to_vec()
}
