//! A scripted engine, for tests of everything that is built on one.
//!
//! Its containers do what a [`Script`] says, by tokio's clock: a test that
//! pauses that clock takes no time. It remembers what it was asked and what is
//! still there.
//!
//! ```
//! # use std::time::Duration;
//! # use harness::engine::{Stdio, fake::{Boot, Fake, Script}};
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let fake = Fake::new();
//! let dies = Boot::new().line(Duration::from_millis(5), Stdio::Stderr, "no database").exits(Duration::from_millis(9), 1);
//! fake.script("demo:1", Script::boot(dies).then(Boot::new()));
//! # }
//! ```

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::engine::{Happened, Happening, HealthProbe, LogLine, Stdio, Thing};

mod door;
mod inspect;
mod life;
mod make;
mod network;
mod script;
mod talk;
mod tree;
mod world;

use life::Order;
pub use script::{Boot, Script};
use world::{Container, Status, World};

/// A scripted engine. Clones are the same engine.
#[derive(Clone)]
pub struct Fake(Arc<Mutex<World>>);

impl Fake {
    /// An engine that has nothing yet. Its clock starts now.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(World::new())))
    }

    /// Gives it an image whose containers do this. A reference without a tag
    /// stands for every tag that has no script of its own.
    pub fn script(&self, reference: &str, script: Script) {
        self.world().scripts.insert(reference.to_owned(), script);
    }

    /// Puts an image into the registry that it can reach.
    pub fn publish(&self, reference: &str) {
        self.world().registry.push(reference.to_owned());
    }

    /// Makes a directory on its machine, which containers can bind.
    pub fn host_directory(&self, path: &str) {
        self.world().host.entry(path.to_owned()).or_default();
    }

    /// From now on this method of the engine fails, in these words.
    pub fn fail_on(&self, method: &str, words: &str) {
        self.world().failures.insert(method.to_owned(), words.to_owned());
    }

    /// Ends the process of each living container whose name ends like this, as
    /// nobody asked: so its restart policy acts.
    pub fn crash(&self, name: &str, code: i32) {
        let world = self.world();
        let living =
            world.containers.iter().filter(|container| !container.removed && container.spec.name.ends_with(name));
        for orders in living.filter_map(|container| container.orders.as_ref()) {
            // A life that has just ended by itself takes no more orders.
            let _ = orders.send(Order::Exit(code));
        }
    }

    /// From now on it tells of what happens so long afterwards, as an engine under
    /// load does; its containers' state is told at once.
    pub fn lag(&self, lag: Duration) {
        self.world().lag = lag;
    }

    /// What it was asked so far: each call's method and what it was about, such as `start demo`.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.world().calls.clone()
    }

    /// The containers, networks and volumes that are still there.
    #[must_use]
    pub fn left(&self) -> Vec<Thing> {
        self.world().left()
    }

    /// The images that were made on it, by reference.
    #[must_use]
    pub fn images(&self) -> Vec<String> {
        self.world().images.keys().cloned().collect()
    }

    /// The lock is never held across an await, so a panic inside it is a panic of a test.
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn happened(&self, id: &str, what: Happened) {
        self.world().happened(id, what);
    }

    /// Its health has changed.
    fn is_now(&self, id: &str, health: String) {
        if let Some(container) = self.world().container(id) {
            container.health = Some(health.clone());
        }
        self.happened(id, Happened::Health(health));
    }

    fn was_probed(&self, id: &str, exit_code: i64, output: String) {
        let mut world = self.world();
        let at = world.now();
        if let Some(container) = world.container(id) {
            container.probes.push(HealthProbe { at, ended: at, exit_code, output });
        }
        world.changed.send_replace(());
    }

    /// A life that has just ended by itself takes no more orders.
    fn order(&self, id: &str, order: Order) {
        if let Some(orders) = self.world().container(id).and_then(|container| container.orders.as_ref()) {
            let _ = orders.send(order);
        }
    }

    fn said(&self, id: &str, stream: Stdio, text: String) {
        self.world().said(id, stream, text);
    }

    fn wrote(&self, id: &str, path: &str, content: Vec<u8>) {
        let mut world = self.world();
        if let Some((files, path)) = world.files(id, path) {
            files.write(&path, content);
        }
        world.changed.send_replace(());
    }

    /// Uses up the next boot of the script and, unless it is refused, announces it.
    fn begin_boot(&self, id: &str, again: bool) -> Option<Boot> {
        let mut world = self.world();
        let container = world.container(id)?;
        let (image, number) = (container.spec.image.clone(), container.boots);
        container.boots += 1;
        container.restart_count = if again { container.restart_count + 1 } else { 0 };
        let boot = world.script(&image).map(|script| script.nth(number)).unwrap_or_default();
        if boot.refusal.is_none() {
            let container = world.container(id)?;
            container.status = Status::Running;
            container.health = None;
            container.probes.clear();
            world.happened(id, Happened::Started);
        }
        Some(boot)
    }

    /// Writes down a death; says whether the restart policy acts on it.
    fn after_death(&self, id: &str, code: i32, by_operator: bool) -> bool {
        let mut world = self.world();
        let mut again = false;
        if let Some(container) = world.container(id) {
            again = !by_operator && life::restarts(container.spec.runtime.restart, code, container.restart_count);
            container.exit_code = code;
            container.status = life::status_after(again);
            if !again {
                container.orders = None;
            }
        }
        world.happened(id, Happened::Died(code));
        again
    }

    fn stays_down(&self, id: &str) {
        let mut world = self.world();
        if let Some(container) = world.container(id) {
            container.status = Status::Exited;
            container.orders = None;
        }
        world.changed.send_replace(());
    }

    /// Waits until the container has no life any more.
    async fn until_dead(&self, id: &str) {
        self.until(id, |container| container.orders.is_none()).await;
    }

    /// Waits until the container has come so far, or is gone.
    async fn until(&self, id: &str, wanted: impl Fn(&Container) -> bool) {
        let mut changed = self.world().changed.subscribe();
        loop {
            if self.world().container(id).is_none_or(|container| wanted(container)) || changed.changed().await.is_err()
            {
                return;
            }
        }
    }
}

impl Default for Fake {
    fn default() -> Self {
        Self::new()
    }
}

/// What a flow reads from a container's record next.
enum Next<T> {
    Item(T),
    Wait,
    End,
}

fn next_happening(container: Option<&Container>, read: usize) -> Next<Happening> {
    match container {
        Some(container) => match container.happenings.get(read) {
            Some(happening) => Next::Item(happening.clone()),
            None if container.removed => Next::End,
            None => Next::Wait,
        },
        None => Next::End,
    }
}

/// `deaths` is how often the container had died when the flow began.
fn next_line(container: Option<&Container>, read: usize, follow: bool, deaths: usize) -> Next<LogLine> {
    match container {
        Some(container) => match container.logs.get(read) {
            Some(line) => Next::Item(line.clone()),
            None if follow && container.status.is_alive() && deaths_of(container) == deaths => Next::Wait,
            None => Next::End,
        },
        None => Next::End,
    }
}

fn deaths_of(container: &Container) -> usize {
    container.happenings.iter().filter(|happening| matches!(happening.what, Happened::Died(_))).count()
}
