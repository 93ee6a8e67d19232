//! What the engine is like, and what on this machine matters for running scenarios.

use std::path::Path;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;

use crate::engine::{About, Engine};
use crate::image;

pub mod grants;

use grants::Grant;

/// The image whose presence in a registry shows that the registry answers.
const PUBLIC_IMAGE: &str = "debian:trixie";

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnosis {
    /// What the engine says of itself. Its limits are claims, not proofs.
    pub about: About,
    /// What it lets a container have, found out by asking for it.
    pub grants: Vec<Grant>,
    /// The processors whose programs it was tried with, and whether it runs them.
    pub processors: Vec<(&'static str, bool)>,
    /// Whether it can reach the public image registry.
    pub registry_answers: bool,
    /// Free bytes where it keeps its data, if that is on this machine.
    pub free_disk: Option<u64>,
    /// Whether this machine can make a Debian image without a registry.
    pub mmdebstrap: bool,
    /// How far its clock is ahead of this machine's, in milliseconds. It is 0 when
    /// the engine's answer lies between the question and its arrival.
    pub clock_skew_ms: i64,
}

/// Looks at an engine and at this machine.
pub async fn examine(engine: &dyn Engine) -> Result<Diagnosis, image::Error> {
    let asked = Timestamp::now();
    let about = engine.about().await?;
    let answered = Timestamp::now();
    let registry_answers = engine.in_registry(PUBLIC_IMAGE).await;
    let local = about.endpoint.starts_with("unix://");
    Ok(Diagnosis {
        processors: processors(engine).await?,
        grants: grants::ask(engine, about.clock).await?,
        registry_answers,
        free_disk: local.then(|| free_bytes(Path::new(&about.root_dir))).flatten(),
        mmdebstrap: on_path("mmdebstrap"),
        clock_skew_ms: skew(asked, about.clock, answered),
        about,
    })
}

/// Its own, and those that its machine emulates.
async fn processors(engine: &dyn Engine) -> Result<Vec<(&'static str, bool)>, image::Error> {
    const AT_ONCE: usize = 4;
    let tried = image::processors().map(async |name| image::runs(engine, name).await.map(|runs| (name, runs)));
    stream::iter(tried).buffered(AT_ONCE).try_collect().await
}

/// How far a clock is off that was read at some moment between two of ours.
fn skew(asked: Timestamp, clock: Timestamp, answered: Timestamp) -> i64 {
    let nearest = clock.clamp(asked, answered);
    i64::try_from(clock.duration_since(nearest).as_millis()).unwrap_or_default()
}

/// `None` where the folder cannot be seen: the engine may run in a virtual machine.
fn free_bytes(folder: &Path) -> Option<u64> {
    let seen = nix::sys::statvfs::statvfs(folder).ok()?;
    Some(seen.blocks_available() * seen.fragment_size())
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fake::Fake;

    #[test]
    fn a_clock_is_off_only_if_the_question_does_not_explain_it() {
        let at = |millis: i64| Timestamp::from_millisecond(millis).unwrap();
        assert_eq!(skew(at(100), at(105), at(110)), 0);
        assert_eq!(skew(at(100), at(90), at(110)), -10);
        assert_eq!(skew(at(100), at(5110), at(110)), 5000);
    }

    #[test]
    fn a_folder_that_is_not_here_has_no_free_space() {
        assert_eq!(free_bytes(Path::new("/nowhere/at/all")), None);
        assert!(free_bytes(Path::new("/")).is_some());
    }

    #[test]
    fn programs_are_looked_for_on_the_path() {
        assert!(on_path("sh"));
        assert!(!on_path("no-such-program"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_engine_without_a_registry_is_no_error() {
        let fake = Fake::new();
        assert!(!examine(&fake).await.unwrap().registry_answers);
        fake.publish(PUBLIC_IMAGE);
        let seen = examine(&fake).await.unwrap();
        assert!(seen.registry_answers);
        assert_eq!(seen.about.limits.get("mem_limit"), Some(&true));
        fake.fail_on("about", "gone");
        assert_eq!(examine(&fake).await.unwrap_err().to_string(), "cannot about: gone");
    }
}
