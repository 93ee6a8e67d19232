//! The life of a service: its starts and ends, when it is ready, what it writes.

use futures_util::StreamExt;
use tokio::sync::watch as channel;
use tokio::task::JoinSet;

use super::happenings::{LAG, ended};
use super::{Source, logs, probe};
use crate::engine::{Error, Happened};
use crate::scenario::ready::Ready;
use crate::timeline::{ServiceState, What};

/// Sends what happens to the service under its name.
pub async fn watch(source: Source, name: String, ready: Option<Ready>) {
    if let Err(error) = send_all(&source, &name, ready).await {
        source.fail(error);
    }
}

async fn send_all(source: &Source, name: &str, ready: Option<Ready>) -> Result<(), Error> {
    let told = |is| What::Service { name: name.to_owned(), is };
    let mut flow = source.engine.happenings(&source.id, source.clock.now());
    let (starts, seen_starts) = channel::channel(0);
    let mut tasks = JoinSet::new();
    let (signs, mut seen_signs) = tokio::sync::mpsc::unbounded_channel();
    let (written, mut seen_written) = channel::channel(0);
    let heard = logs::Heard { name: name.to_owned(), ready: ready.clone(), signs: signs.clone(), written };
    tasks.spawn(logs::of_service(source.clone(), heard, seen_starts));
    let mut boot = 0;
    let mut probing: Option<tokio::task::AbortHandle> = None;
    let (mut lives, mut is_ready) = (false, false);
    loop {
        tokio::select! {
            happening = flow.next() => {
                let Some(happening) = happening.transpose()? else { return ended(source).await };
                match happening.what {
                    Happened::Started => {
                        boot += 1;
                        starts.send_replace(boot);
                        (lives, is_ready) = (true, false);
                        source.send(happening.at, told(ServiceState::Started));
                        match &ready {
                            Some(ready) if ready.is_probed() => {
                                let (source, ready, signs) = (source.clone(), ready.clone(), signs.clone());
                                probing = Some(tasks.spawn(async move {
                                    probe::quietly(&source, &ready).await;
                                    let _ = signs.send(());
                                }));
                            }
                            // Nothing says more than that it runs.
                            None => { let _ = signs.send(()); }
                            Some(_) => {}
                        }
                    }
                    Happened::Died(_) => {
                        if let Some(probing) = probing.take() {
                            probing.abort();
                        }
                        // Whoever hears of its end wants its last words.
                        let _ = tokio::time::timeout(LAG, seen_written.wait_for(|written| *written >= boot)).await;
                        lives = false;
                        source.send(happening.at, told(ServiceState::Exited));
                    }
                    Happened::Health(status) if status == "healthy" && ready == Some(Ready::Health) => {
                        let _ = signs.send(());
                    }
                    _ => {}
                }
            }
            Some(()) = seen_signs.recv() => {
                if lives && !is_ready {
                    is_ready = true;
                    source.send(source.clock.now(), told(ServiceState::Ready));
                }
            }
        }
    }
}
