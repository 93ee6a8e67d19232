//! The loop: frames come, requests start threads, answers go when they are there.

use std::io::{self, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use agent::{Answer, CONTROL, Command, Decoder, Failure, Frame, Message, Request};
use serde_json::Value;

use crate::commands::Agent;
use crate::dial::{self, Dial};
use crate::failure::{Outcome, cannot, refuse};

/// Serves until the harness closes stdin.
pub fn serve(volumes: PathBuf) -> ExitCode {
    match Agent::new(volumes).and_then(|agent| listen(&Arc::new(agent))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            last_words(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "stdout carries frames, and nobody reads them any more")]
fn last_words(error: &io::Error) {
    eprintln!("agent: {error}");
}

fn listen(agent: &Arc<Agent>) -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut decoder = Decoder::default();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match input.read(&mut piece)? {
            0 if decoder.is_midway() => return Err(io::Error::other("stdin ended in the middle of a frame")),
            0 => return Ok(()),
            read => decoder.push(&piece[..read]),
        }
        while let Some(frame) = decoder.next_frame().map_err(io::Error::other)? {
            take(agent, frame)?;
        }
    }
}

fn take(agent: &Arc<Agent>, frame: Frame) -> io::Result<()> {
    if frame.channel != CONTROL {
        agent.tunnels.pass(frame.channel, frame.payload);
        return Ok(());
    }
    let request = match serde_json::from_slice::<Request>(&frame.payload) {
        Ok(request) => request,
        Err(error) => {
            let id = id_of(&frame.payload).ok_or_else(|| io::Error::other(format!("not a request: {error}")))?;
            reply(agent, id, Err(refuse(format!("the agent does not understand this request: {error}"))));
            return Ok(());
        }
    };
    let Request { id, command } = request;
    let worker = Arc::clone(agent);
    let started = match command {
        Command::Dial { pid, host, port, timeout_ms, channel } => {
            // Opened before the next frame is read, which may be for this channel already.
            let end = match agent.tunnels.open(channel) {
                Ok(end) => end,
                Err(failure) => {
                    reply(agent, id, Err(failure));
                    return Ok(());
                }
            };
            let dial = Dial { pid, host, port, timeout: Duration::from_millis(timeout_ms) };
            thread::Builder::new().spawn(move || dial::run(&worker, id, &dial, &end))
        }
        command => thread::Builder::new().spawn(move || {
            let result = guarded(|| worker.execute(command));
            reply(&worker, id, result);
        }),
    };
    if let Err(error) = started {
        reply(agent, id, Err(cannot("start a thread", &error)));
    }
    Ok(())
}

/// A defect of ours is an answer like any other: the harness must not wait for ever.
pub fn guarded<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(refuse("the agent has a defect: it panicked")))
}

/// Answers a request.
pub fn reply(agent: &Agent, id: u64, result: Result<Answer, Failure>) {
    agent.wire.send(&Message::Reply { id, result });
}

fn id_of(payload: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Value>(payload).ok()?.get("id")?.as_u64()
}
