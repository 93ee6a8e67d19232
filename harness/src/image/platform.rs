//! Whether the engine can run programs of another processor than its own.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;

use super::error::Error;
use super::stub;
use crate::engine::{ContainerSpec, Engine, Happened, Labels, Start, Thing};
use crate::sandbox::{DEADLINE, RUN};
use crate::scenario::runtime::Runtime;

/// The smallest program's name in its image.
const PROGRAM: &str = "exit";

/// An emulator that takes longer for nothing is none.
const PATIENCE: Duration = Duration::from_secs(20);

/// The processor in a platform such as `linux/arm/v7`.
pub fn processor(platform: &str) -> &str {
    let mut parts = platform.split('/');
    let first = parts.next().unwrap_or_default();
    parts.next().unwrap_or(first)
}

/// Runs the smallest program of a processor on the engine. One whose programs are
/// not known here is believed.
pub async fn runs(engine: &dyn Engine, processor: &str) -> Result<bool, Error> {
    let Some(program) = stub::program(processor) else { return Ok(true) };
    let now = engine.about().await?.clock;
    let run = format!("bootproof-{processor}-{:x}-{:x}", now.as_millisecond(), std::process::id());
    let image = format!("bootproof/processor:{run}");
    let deadline = now.checked_add(SignedDuration::from_mins(2)).unwrap_or(now).as_second().to_string();
    let labels = Labels::from([(RUN.to_owned(), run.clone()), (DEADLINE.to_owned(), deadline)]);
    let tar = archive(&program)
        .map_err(|error| Error::File { act: format!("pack a program for {processor}"), cause: error.to_string() })?;
    engine.import(&image, &labels, stream::iter([Ok(tar.into())]).boxed()).await?;
    let spec = ContainerSpec {
        name: run,
        image: image.clone(),
        labels,
        runtime: Runtime { entrypoint: Some(vec![format!("/{PROGRAM}")]), ..Runtime::default() },
        no_network: true,
        ..ContainerSpec::default()
    };
    let ended = exits_with_0(engine, &spec).await;
    for thing in [Thing::Container(spec.name), Thing::Image(image)] {
        engine.remove(&thing).await?;
    }
    ended
}

async fn exits_with_0(engine: &dyn Engine, spec: &ContainerSpec) -> Result<bool, Error> {
    let began = engine.about().await?.clock;
    let id = engine.create(spec).await?.made(&spec.name)?.id;
    if engine.start(&id).await? != Start::Started {
        return Ok(false);
    }
    let mut happenings = engine.happenings(&id, began);
    let death = async {
        while let Some(happening) = happenings.next().await {
            if let Happened::Died(code) = happening?.what {
                return Ok(code == 0);
            }
        }
        Ok(false)
    };
    tokio::time::timeout(PATIENCE, death).await.unwrap_or(Ok(false))
}

fn archive(program: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(program.len() as u64);
    archive.append_data(&mut header, PROGRAM, program)?;
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fake::{Boot, Fake, Script};

    #[test]
    fn a_platform_names_a_processor() {
        assert_eq!(processor("linux/arm64"), "arm64");
        assert_eq!(processor("linux/arm/v7"), "arm");
        assert_eq!(processor("arm64"), "arm64");
    }

    async fn check(script: Script, processor: &str, expected: bool) {
        let fake = Fake::new();
        fake.script("bootproof/processor", script);
        assert_eq!(runs(&fake, processor).await.unwrap(), expected, "{processor}");
        assert_eq!((fake.left(), fake.images()), (Vec::new(), Vec::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_engine_runs_what_it_runs() {
        let exits = |code| Script::boot(Boot::new().exits(Duration::from_millis(1), code));
        check(exits(0), "arm64", true).await;
        check(exits(1), "arm64", false).await;
        check(Script::boot(Boot::refused("exec format error")), "arm64", false).await;
        check(Script::boot(Boot::new()), "arm64", false).await;
        check(exits(1), "mips64le", true).await;
    }
}
