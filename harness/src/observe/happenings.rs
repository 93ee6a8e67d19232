//! What the engine's event stream says of the subject.

use futures_util::StreamExt;

use super::{Source, named};
use crate::engine::Happened;
use crate::timeline::What;

/// Sends what happens. After each death it asks whether another boot follows:
/// only the engine knows what its restart policy will do.
pub async fn watch(source: Source) {
    let mut flow = source.engine.happenings(&source.id, source.clock.now());
    while let Some(happening) = flow.next().await {
        let happening = match happening {
            Ok(happening) => happening,
            Err(error) => return source.fail(error),
        };
        let died = matches!(happening.what, Happened::Died(_));
        source.send(happening.at, named(happening.what));
        if died {
            match source.engine.inspect(&source.id).await {
                Ok(seen) => {
                    source.send(source.clock.now(), What::State { status: seen.status, restarts: seen.restart_count });
                }
                Err(error) => return source.fail(error),
            }
        }
    }
}
