//! The subject's output.

use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::watch;

use super::{Sighting, Source};
use crate::engine::{Error, LogLine};
use crate::timeline::What;

/// Follows the output over all boots. An engine ends the flow at each death,
/// so it is asked again at each start, from where it was left.
pub async fn follow(source: Source, mut starts: watch::Receiver<u32>) {
    let mut last: Option<LogLine> = None;
    while starts.changed().await.is_ok() {
        let since = last.as_ref().map(|line| line.at);
        let mut flow = source.engine.logs(&source.id, since, true);
        // The first lines of this flow may be the last ones of the one before.
        let mut repeated = last.clone();
        while let Some(line) = flow.next().await {
            let line = match line {
                Ok(line) => line,
                Err(error) => return source.fail(error),
            };
            if let Some(known) = &repeated {
                if line.at <= known.at {
                    continue;
                }
                repeated = None;
            }
            last = Some(line.clone());
            let Sighting { at, what } = sighting(line);
            source.send(at, what);
        }
    }
}

/// Everything written so far.
pub async fn all(source: &Source) -> Result<Vec<Sighting>, Error> {
    source.engine.logs(&source.id, None, false).map_ok(sighting).try_collect().await
}

fn sighting(line: LogLine) -> Sighting {
    Sighting { at: line.at, what: What::Log { stream: line.stream, text: line.text } }
}
