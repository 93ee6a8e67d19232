//! The subject's output.

use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::{mpsc, watch};

use super::{Sighting, Source};
use crate::engine::{Error, LogLine};
use crate::scenario::ready::Ready;
use crate::timeline::What;

/// Sends the output of the subject, line by line.
pub async fn follow(source: Source, starts: watch::Receiver<u32>) {
    let told = each_line(&source, starts, |line| {
        let Sighting { at, what } = sighting(line);
        source.send(at, what);
    });
    if let Err(error) = told.await {
        source.fail(error);
    }
}

/// Sends the output of a service, and a sign for each line that says that it is ready.
pub async fn of_service(
    source: Source,
    name: String,
    ready: Option<Ready>,
    signs: mpsc::UnboundedSender<()>,
    starts: watch::Receiver<u32>,
) {
    let told = each_line(&source, starts, |line| {
        let is_sign = matches!(&ready, Some(Ready::Log(pattern)) if pattern.matches(&line.text));
        source.send(line.at, What::ServiceLine { name: name.clone(), text: line.text });
        if is_sign {
            // Whoever waits for it may have ended with the run.
            let _ = signs.send(());
        }
    });
    if let Err(error) = told.await {
        source.fail(error);
    }
}

/// Follows the output over all boots. An engine ends the flow at each death,
/// so it is asked again at each start, from where it was left.
async fn each_line(
    source: &Source,
    mut starts: watch::Receiver<u32>,
    mut tell: impl FnMut(LogLine),
) -> Result<(), Error> {
    let mut last: Option<LogLine> = None;
    while starts.changed().await.is_ok() {
        let since = last.as_ref().map(|line| line.at);
        let mut flow = source.engine.logs(&source.id, since, true);
        // The first lines of this flow may be the last ones of the one before.
        let mut repeated = last.clone();
        while let Some(line) = flow.next().await {
            let line = line?;
            if let Some(known) = &repeated {
                if line.at <= known.at {
                    continue;
                }
                repeated = None;
            }
            last = Some(line.clone());
            tell(line);
        }
    }
    Ok(())
}

/// Everything written so far.
pub async fn all(source: &Source) -> Result<Vec<Sighting>, Error> {
    source.engine.logs(&source.id, None, false).map_ok(sighting).try_collect().await
}

fn sighting(line: LogLine) -> Sighting {
    Sighting {
        at: line.at,
        what: What::Log { stream: line.stream, text: line.text, unfinished: line.unfinished, leaked: false },
    }
}
