//! Changes of a file that a trigger waits for.

use agent::Place;

use super::Source;
use crate::timeline::{Change, What};

/// Tells of each change of what stands at a path; without a place of its own it
/// is looked for in the file system of the boot that runs.
pub async fn watch(source: Source, path: String, place: Option<Place>) {
    let Some(agent) = source.agent.clone() else { return };
    let place = match place {
        Some(place) => place,
        None => loop {
            match source.engine.inspect(&source.id).await.map(|seen| seen.pid) {
                Ok(Some(pid)) => break Place::Container { pid, path: path.clone() },
                // Docker tells of a start and of the process a little apart.
                Ok(None) => source.clock.pace().await,
                Err(error) => return source.fail(error),
            }
        },
    };
    let mut changes = match agent.watch(place).await {
        Ok(Ok(changes)) => changes,
        // The process is gone already: nothing changes any more.
        Ok(Err(_)) => return,
        Err(error) => return source.fail(error),
    };
    while let Some(change) = changes.recv().await {
        let change = match change {
            agent::Change::Appeared => Change::Appeared,
            agent::Change::Changed => Change::Changed,
            agent::Change::Gone => Change::Gone,
            agent::Change::Lost => return,
        };
        source.send(source.clock.now(), What::Watched { path: path.clone(), change });
    }
}
