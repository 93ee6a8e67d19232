//! The life of a scripted container: its boots, and what its restart policy makes of each end.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};

use super::Fake;
use super::script::{Act, Boot, OnStop};
use super::world::Status;
use crate::engine::Happened;
use crate::scenario::value::Restart;

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// Docker waits this long before the first restart, then twice as long each time.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// The longest it waits.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// After a life of this length it begins anew with the shortest wait.
const LONG_LIFE: Duration = Duration::from_secs(10);

/// What an operator asks of a container that lives.
pub enum Order {
    /// The stop signal, then SIGKILL after the grace.
    Stop { signal: i32, grace: Duration },
    /// Just this signal.
    Signal(i32),
    /// Its process has come to its end.
    Exit(i32),
    /// Time stands still for it.
    Pause,
    /// Time goes on.
    Unpause,
}

/// How a boot ended.
struct End {
    code: i32,
    /// An operator sent a signal, after which the restart policy no longer acts.
    by_operator: bool,
}

/// Lives until nothing starts it again. Its first boot has been announced already.
pub async fn live(fake: Fake, id: String, mut boot: Boot, mut orders: UnboundedReceiver<Order>) {
    let mut backoff = FIRST_BACKOFF;
    loop {
        let began = Instant::now();
        let Some(end) = one_boot(&fake, &id, &boot, &mut orders).await else {
            return; // removed
        };
        let again = fake.after_death(&id, end.code, end.by_operator);
        if !again {
            return;
        }
        if began.elapsed() >= LONG_LIFE {
            backoff = FIRST_BACKOFF;
        }
        tokio::select! {
            biased;
            // Whatever an operator asks for now, there is no process to signal: it stays down.
            _ = orders.recv() => return fake.stays_down(&id),
            () = tokio::time::sleep(backoff) => {}
        }
        backoff = LONGEST_BACKOFF.min(backoff * 2);
        match fake.begin_boot(&id, true) {
            Some(next) if next.refusal.is_none() => boot = next,
            _ => return fake.stays_down(&id),
        }
    }
}

/// `None` when the container was removed meanwhile.
async fn one_boot(fake: &Fake, id: &str, boot: &Boot, orders: &mut UnboundedReceiver<Order>) -> Option<End> {
    let mut began = Instant::now();
    let mut acts = boot.in_order();
    let mut by_operator = false;
    let mut paused: Option<Instant> = None;
    // When and how the signal that it got will have ended it, and whether by SIGKILL.
    let mut doom: Option<(Instant, i32, bool)> = None;
    loop {
        let next_act = acts.front().map(|(after, _)| began + *after).filter(|_| paused.is_none());
        tokio::select! {
            biased;
            order = orders.recv() => {
                let (signal, grace) = match order? {
                    Order::Stop { signal, grace } => (signal, Some(grace)),
                    Order::Signal(signal) => (signal, None),
                    Order::Exit(code) => return Some(End { code, by_operator }),
                    Order::Pause => {
                        paused = Some(Instant::now());
                        continue;
                    }
                    Order::Unpause => {
                        began += paused.take().map_or(Duration::ZERO, |at| at.elapsed());
                        continue;
                    }
                };
                // As by Docker, which lets a paused process hear what it is told.
                began += paused.take().map_or(Duration::ZERO, |at| at.elapsed());
                by_operator = true;
                fake.happened(id, Happened::Signalled(signal));
                if signal == SIGKILL {
                    return Some(End { code: 128 + SIGKILL, by_operator });
                }
                let asked_to_stop = grace.is_some() || signal == SIGTERM;
                let now = Instant::now();
                doom = match (&boot.on_stop, grace) {
                    (OnStop::Exits(after, code), grace) if asked_to_stop && grace.is_none_or(|grace| *after <= grace) => {
                        Some((now + *after, *code, false))
                    }
                    (_, Some(grace)) => Some((now + grace, 128 + SIGKILL, true)),
                    (_, None) => doom,
                };
            }
            Some((_, code, killed)) = moment(doom, |doom| doom.0) => {
                if killed {
                    fake.happened(id, Happened::Signalled(SIGKILL));
                }
                return Some(End { code, by_operator });
            }
            Some(_) = moment(next_act, |at| *at) => {
                let Some((_, act)) = acts.pop_front() else { continue };
                if let Some(code) = perform(fake, id, act) {
                    return Some(End { code, by_operator });
                }
            }
        }
    }
}

/// Waits for a moment if there is one; for ever if there is none.
async fn moment<T>(thing: Option<T>, at: impl Fn(&T) -> Instant) -> Option<T> {
    match thing {
        Some(thing) => {
            sleep_until(at(&thing)).await;
            Some(thing)
        }
        None => std::future::pending().await,
    }
}

/// Does one act, and gives the exit code when it was the last.
fn perform(fake: &Fake, id: &str, act: Act) -> Option<i32> {
    match act {
        Act::Say(stream, text) => fake.said(id, stream, text),
        Act::Write(path, content) => fake.wrote(id, &path, content),
        Act::Health(state) => fake.is_now(id, state),
        Act::Probe { exit_code, output } => fake.was_probed(id, exit_code, output),
        Act::Exit(code) => return Some(code),
        Act::ExhaustMemory => {
            fake.happened(id, Happened::OutOfMemory);
            return Some(128 + SIGKILL);
        }
    }
    None
}

/// Whether Docker would start a container again.
pub fn restarts(policy: Restart, code: i32, restarted: i64) -> bool {
    match policy {
        Restart::No => false,
        Restart::Always | Restart::UnlessStopped => true,
        Restart::OnFailure(limit) => code != 0 && limit.is_none_or(|limit| restarted < i64::from(limit)),
    }
}

/// The number of a signal by its name.
pub fn number(signal: &str) -> Option<i32> {
    let name = signal.strip_prefix("SIG").unwrap_or(signal);
    let known = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("KILL", SIGKILL),
        ("USR1", 10),
        ("USR2", 12),
        ("TERM", SIGTERM),
        ("CONT", 18),
        ("STOP", 19),
        ("WINCH", 28),
    ];
    known.iter().find(|(known, _)| *known == name).map(|(_, number)| *number).or_else(|| name.parse().ok())
}

/// The state word after a death.
pub fn status_after(again: bool) -> Status {
    if again { Status::Restarting } else { Status::Exited }
}
