//! Connections whose bytes the harness sends and gets on channels.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::failure::{Outcome, refuse};
use crate::wire::Wire;

/// The open channels, and the way into each.
#[derive(Default)]
pub struct Tunnels {
    open: Mutex<HashMap<u32, Sender<Piece>>>,
}

/// The agent's end of a channel. What comes before the connection stands waits in it.
pub struct End {
    channel: u32,
    pieces: Receiver<Piece>,
    over: Sender<Piece>,
}

enum Piece {
    /// From the harness; an empty one closes its side, a second empty one breaks the connection off.
    Bytes(Vec<u8>),
    /// The other side has closed or broken off.
    Over,
}

impl Tunnels {
    /// Opens a channel.
    pub fn open(&self, channel: u32) -> Outcome<End> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if channel == agent::CONTROL || open.contains_key(&channel) {
            return Err(refuse(format!("channel {channel} is in use")));
        }
        let (over, pieces) = mpsc::channel();
        open.insert(channel, over.clone());
        Ok(End { channel, pieces, over })
    }

    /// Passes on what came for a channel; it may have closed meanwhile.
    pub fn pass(&self, channel: u32, bytes: Vec<u8>) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = open.get(&channel).map(|way| way.send(Piece::Bytes(bytes)));
    }

    /// Forgets a channel.
    pub fn close(&self, end: &End) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&end.channel);
    }
}

impl End {
    /// Carries bytes both ways until both sides have closed or one has broken off.
    pub fn carry(&self, connection: &TcpStream, wire: &Wire) {
        let (over, channel) = (self.over.clone(), self.channel);
        thread::scope(|scope| {
            let back = thread::Builder::new().spawn_scoped(scope, move || {
                carry_back(connection, channel, wire);
                let _ = over.send(Piece::Over);
            });
            if back.is_ok() {
                self.carry_there(connection);
            }
            // Ends the other direction, if it has not ended.
            let _ = connection.shutdown(Shutdown::Both);
        });
    }

    fn carry_there(&self, mut connection: &TcpStream) {
        let (mut is_closed, mut is_over) = (false, false);
        while !(is_closed && is_over) {
            let passed = match self.pieces.recv() {
                Ok(Piece::Over) => {
                    is_over = true;
                    Ok(())
                }
                Ok(Piece::Bytes(bytes)) if bytes.is_empty() && !is_closed => {
                    is_closed = true;
                    connection.shutdown(Shutdown::Write)
                }
                Ok(Piece::Bytes(bytes)) if !bytes.is_empty() => connection.write_all(&bytes),
                Ok(Piece::Bytes(_)) | Err(_) => return,
            };
            if passed.is_err() {
                return;
            }
        }
    }
}

fn carry_back(mut connection: &TcpStream, channel: u32, wire: &Wire) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = connection.read(&mut piece) {
        wire.carry(channel, &piece[..read]);
    }
    wire.carry(channel, &[]);
}
