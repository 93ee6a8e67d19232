//! The life of a service: its starts and ends, when it is ready, what it writes.

use futures_util::StreamExt;
use tokio::sync::watch as channel;
use tokio::task::JoinSet;

use super::{Source, probe};
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
    tasks.spawn(super::logs::of_service(source.clone(), name.to_owned(), ready.clone(), signs.clone(), seen_starts));
    let mut boot = 0;
    let mut probing: Option<tokio::task::AbortHandle> = None;
    let mut is_ready = false;
    loop {
        tokio::select! {
            happening = flow.next() => {
                let Some(happening) = happening.transpose()? else { return Ok(()) };
                match happening.what {
                    Happened::Started => {
                        boot += 1;
                        starts.send_replace(boot);
                        is_ready = false;
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
                        is_ready = false;
                        source.send(happening.at, told(ServiceState::Exited));
                    }
                    Happened::Health(status) if status == "healthy" && ready == Some(Ready::Health) => {
                        let _ = signs.send(());
                    }
                    _ => {}
                }
            }
            Some(()) = seen_signs.recv() => {
                if boot > 0 && !is_ready {
                    is_ready = true;
                    source.send(source.clock.now(), told(ServiceState::Ready));
                }
            }
        }
    }
}
