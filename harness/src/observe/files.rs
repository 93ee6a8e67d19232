//! Changes of a file that a trigger waits for.

use agent::Place;
use tokio::sync::watch as channel;

use super::Source;
use crate::engine::Error;
use crate::timeline::{Change, What};

/// Tells of each change of what stands at a place that needs no boot.
pub async fn watch(source: Source, path: String, place: Place) {
    if let Err(error) = tell(&source, &path, place, None).await {
        source.fail(error);
    }
}

/// Tells of each change of what stands at a path in the subject's own file
/// system, boot by boot, and of what had changed by the time it could be looked
/// at. `stands` is whether something stood there before the first.
pub async fn watch_boots(source: Source, path: String, mut stands: bool, mut starts: channel::Receiver<u32>) {
    while starts.changed().await.is_ok() {
        let told = async {
            let Some(pid) = pid(&source).await? else { return Ok(stands) };
            tell(&source, &path, Place::Container { pid, path: path.clone() }, Some(stands)).await
        };
        match told.await {
            Ok(now) => stands = now,
            Err(error) => return source.fail(error),
        }
    }
}

/// The process of the boot that has begun, or none when it is over already.
async fn pid(source: &Source) -> Result<Option<u32>, Error> {
    loop {
        let seen = source.engine.inspect(&source.id).await?;
        // Docker tells of a start and of the process a little apart.
        if seen.pid.is_some() || seen.status != "running" {
            return Ok(seen.pid);
        }
        source.clock.pace().await;
    }
}

/// Tells until the place cannot be looked at any more; then whether something stood there.
async fn tell(source: &Source, path: &str, place: Place, stood: Option<bool>) -> Result<bool, Error> {
    let saw = |change| source.send(source.clock.now(), What::Watched { path: path.to_owned(), change });
    let Some(agent) = &source.agent else { return Ok(false) };
    // The process may be gone already: then nothing changes any more.
    let Ok((mut stands, mut changes)) = agent.watch(place).await? else { return Ok(stood.unwrap_or(false)) };
    match stood {
        Some(false) if stands => saw(Change::Appeared),
        Some(true) if !stands => saw(Change::Gone),
        _ => {}
    }
    while let Some(change) = changes.recv().await {
        let change = match change {
            agent::Change::Appeared => Change::Appeared,
            agent::Change::Changed => Change::Changed,
            agent::Change::Gone => Change::Gone,
            agent::Change::Lost => break,
        };
        stands = change != Change::Gone;
        saw(change);
    }
    Ok(stands)
}
