//! What the engine's event stream says of the subject.

use futures_util::StreamExt;

use super::{Source, named};
use crate::engine::{Error, Happened};
use crate::timeline::What;

/// Sends what happens. After each death it asks whether another boot follows:
/// only the engine knows what its restart policy will do.
pub async fn watch(source: Source) {
    if let Err(error) = send_all(&source).await {
        source.fail(error);
    }
}

async fn send_all(source: &Source) -> Result<(), Error> {
    let mut flow = source.engine.happenings(&source.id, source.clock.now());
    let mut died = false;
    loop {
        tokio::select! {
            happening = flow.next() => {
                let Some(happening) = happening.transpose()? else { return Ok(()) };
                died = matches!(happening.what, Happened::Died(_)) || (died && happening.what != Happened::Started);
                source.send(happening.at, named(happening.what));
            }
            () = source.clock.pace(), if died => {}
        }
        // Docker may tell of a death a little before its own state does: as long
        // as that says `running`, it is asked again.
        if died {
            let seen = source.engine.inspect(&source.id).await?;
            died = seen.status == "running";
            if !died {
                source.send(
                    source.clock.now(),
                    What::State { status: seen.status, restarts: seen.restart_count, again: false },
                );
            }
        }
    }
}
