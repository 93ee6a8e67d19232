//! What the engine's event stream says of the subject.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::watch as channel;

use super::{Source, named};
use crate::engine::{Error, Happened};
use crate::timeline::What;

/// How much later than a death the last lines before it may come.
pub const LAG: Duration = Duration::from_secs(2);

/// Sends what happens. After each death it asks whether another boot follows:
/// only the engine knows what its restart policy will do. That is told once
/// everything that the boot wrote has been: nothing more comes of it then.
pub async fn watch(source: Source, written: channel::Receiver<u32>) {
    if let Err(error) = send_all(&source, written).await {
        source.fail(error);
    }
}

async fn send_all(source: &Source, mut written: channel::Receiver<u32>) -> Result<(), Error> {
    let mut flow = source.engine.happenings(&source.id, source.clock.now());
    let mut boots = 0;
    let mut died = false;
    loop {
        tokio::select! {
            happening = flow.next() => {
                let Some(happening) = happening.transpose()? else { return ended(source).await };
                boots += u32::from(happening.what == Happened::Started);
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
                // Without its last lines the death is told all the same.
                let _ = tokio::time::timeout(LAG, written.wait_for(|written| *written >= boots)).await;
                source.send(
                    source.clock.now(),
                    What::State { status: seen.status, restarts: seen.restart_count, again: false },
                );
            }
        }
    }
}

/// The flow ends with the container. An engine that ends it for another reason is
/// in trouble, and nothing that happens is told any more.
pub async fn ended(source: &Source) -> Result<(), Error> {
    source.engine.about().await?;
    match source.engine.inspect(&source.id).await {
        Err(_) => Ok(()),
        Ok(_) => Err(Error::Failed {
            act: format!("follow what happens to the container {}", source.id),
            cause: "the engine tells nothing more".to_owned(),
        }),
    }
}
