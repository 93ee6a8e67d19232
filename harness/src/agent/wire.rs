//! Frames to the agent and from it, each way one task.

use std::pin::Pin;
use std::sync::{Arc, Weak};

use agent::{CONTROL, Decoder, Frame, Message};
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

use super::Shared;
use crate::engine::{Flow, Output, Stdio};

/// How much of a connection is sent in one frame.
const CHUNK: usize = 16 * 1024;

/// Writes what is to be sent until nobody sends any more.
pub async fn write(mut input: Pin<Box<dyn AsyncWrite + Send>>, mut frames: mpsc::UnboundedReceiver<Frame>) {
    while let Some(frame) = frames.recv().await {
        let Ok(bytes) = frame.encode() else { continue };
        if input.write_all(&bytes).await.is_err() || input.flush().await.is_err() {
            return;
        }
    }
}

/// Reads what the agent sends and gives it to whoever waits for it.
pub async fn read(mut output: Flow<Output>, shared: Weak<Shared>) {
    let mut decoder = Decoder::default();
    let mut words = String::new();
    let ended = loop {
        let piece = match output.next().await {
            Some(Ok(piece)) => piece,
            Some(Err(error)) => break error.to_string(),
            None => break "it has ended".to_owned(),
        };
        let Some(shared) = shared.upgrade() else { return };
        match piece.stream {
            Stdio::Stderr => words.push_str(&String::from_utf8_lossy(&piece.bytes)),
            Stdio::Stdout => decoder.push(&piece.bytes),
        }
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => take(&shared, frame),
                Ok(None) => break,
                Err(oversized) => return end(&shared, oversized.to_string()),
            }
        }
    };
    if let Some(shared) = shared.upgrade() {
        end(&shared, if words.trim().is_empty() { ended } else { words.trim().to_owned() });
    }
}

fn take(shared: &Shared, frame: Frame) {
    if frame.channel != CONTROL {
        if let Some(connection) = shared.open().connections.get(&frame.channel) {
            // A connection that nobody reads any more is closed by its own task.
            let _ = connection.send(frame.payload);
        }
        return;
    }
    match serde_json::from_slice(&frame.payload) {
        Ok(Message::Reply { id, result }) => {
            if let Some(asked) = shared.open().replies.remove(&id) {
                // Whoever asked may have given up.
                let _ = asked.send(result);
            }
        }
        Ok(Message::Notice { watch, change }) => {
            let mut open = shared.open();
            if open.watches.get(&watch).is_some_and(|watcher| watcher.send(change).is_err()) {
                open.watches.remove(&watch);
            }
        }
        Err(error) => end(shared, format!("it said something that cannot be read: {error}")),
    }
}

/// Nothing more will be answered: everybody who waits is told.
fn end(shared: &Shared, words: String) {
    let mut open = shared.open();
    open.ended.get_or_insert(words);
    open.replies.clear();
    open.connections.clear();
    open.watches.clear();
    shared.gone.send_replace(true);
}

/// Carries the bytes of one connection both ways until both sides are closed.
pub async fn carry(
    ours: DuplexStream,
    channel: u32,
    mut incoming: mpsc::UnboundedReceiver<Vec<u8>>,
    shared: Weak<Shared>,
) {
    let (mut from_user, mut to_user) = tokio::io::split(ours);
    let up = async {
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = from_user.read(&mut chunk).await.unwrap_or(0);
            let Some(shared) = shared.upgrade() else { return };
            // An empty frame says that this side is closed.
            shared.send(Frame { channel, payload: chunk[..length].to_vec() });
            if length == 0 {
                return;
            }
        }
    };
    let down = async {
        while let Some(bytes) = incoming.recv().await {
            if bytes.is_empty() || to_user.write_all(&bytes).await.is_err() {
                break;
            }
        }
        // The user may have closed it already.
        let _ = to_user.shutdown().await;
    };
    tokio::join!(up, down);
    if let Some(shared) = Weak::upgrade(&shared) {
        forget(&shared, channel);
    }
}

fn forget(shared: &Arc<Shared>, channel: u32) {
    shared.open().connections.remove(&channel);
}
