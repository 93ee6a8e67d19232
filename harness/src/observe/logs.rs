//! The subject's output.

use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::{mpsc, watch};

use super::{Sighting, Source};
use crate::engine::{Error, LogLine};
use crate::scenario::ready::Ready;
use crate::timeline::What;

/// Sends the output of the subject, line by line; and of how many boots all of it
/// has been sent.
pub async fn follow(source: Source, starts: watch::Receiver<u32>, written: watch::Sender<u32>) {
    let tell = |line| {
        let Sighting { at, what } = sighting(line);
        source.send(at, what);
    };
    let told = each_line(&source, starts, tell, |boot| {
        written.send_replace(boot);
    });
    if let Err(error) = told.await {
        source.fail(error);
    }
}

/// Who is told what of a service's output.
pub struct Heard {
    /// Its name in the file.
    pub name: String,
    /// What "ready" means for it.
    pub ready: Option<Ready>,
    /// Gets a sign for each line that says that it is ready.
    pub signs: mpsc::UnboundedSender<()>,
    /// Gets the number of boots of which everything has been sent.
    pub written: watch::Sender<u32>,
}

/// Sends the output of a service, line by line.
pub async fn of_service(source: Source, heard: Heard, starts: watch::Receiver<u32>) {
    let Heard { name, ready, signs, written } = heard;
    let tell = |line: LogLine| {
        let is_sign = matches!(&ready, Some(Ready::Log(pattern)) if pattern.matches(&line.text));
        source.send(line.at, What::ServiceLine { name: name.clone(), text: line.text });
        if is_sign {
            // Whoever waits for it may have ended with the run.
            let _ = signs.send(());
        }
    };
    let ended = |boot| {
        written.send_replace(boot);
    };
    if let Err(error) = each_line(&source, starts, tell, ended).await {
        source.fail(error);
    }
}

/// Follows the output over all boots. An engine ends the flow at each death,
/// so it is asked again at each start, from where it was left. The number of the
/// start is told at the end of its flow.
async fn each_line(
    source: &Source,
    mut starts: watch::Receiver<u32>,
    mut tell: impl FnMut(LogLine),
    ended: impl Fn(u32),
) -> Result<(), Error> {
    let mut last: Option<LogLine> = None;
    while starts.changed().await.is_ok() {
        let boot = *starts.borrow_and_update();
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
        ended(boot);
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
