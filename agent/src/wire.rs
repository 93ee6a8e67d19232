//! The way to the harness: frames over stdout.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::process;
use std::sync::{Mutex, PoisonError};

use agent::{CONTROL, Failure, Frame, Message};

use crate::failure::refuse;

/// Written to by every thread, a frame at a time.
pub struct Wire {
    out: Mutex<File>,
}

impl Wire {
    /// Stdout, without the standard library's buffer.
    pub fn stdout() -> io::Result<Wire> {
        let out = io::stdout().as_fd().try_clone_to_owned()?;
        Ok(Wire { out: Mutex::new(out.into()) })
    }

    /// Sends a message. One that is too long for a frame becomes a failure that says so.
    pub fn send(&self, message: &Message) {
        let frame = Frame { channel: CONTROL, payload: written(message) };
        match (frame.encode(), message) {
            (Ok(bytes), _) => self.write(&bytes),
            (Err(oversized), Message::Reply { id, .. }) => {
                self.send(&Message::Reply { id: *id, result: Err::<_, Failure>(refuse(oversized.to_string())) });
            }
            (Err(_), Message::Notice { .. }) => {}
        }
    }

    /// Sends bytes of a connection, which are fewer than a frame holds; none close it.
    pub fn carry(&self, channel: u32, bytes: &[u8]) {
        if let Ok(bytes) = (Frame { channel, payload: bytes.into() }).encode() {
            self.write(&bytes);
        }
    }

    fn write(&self, bytes: &[u8]) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.write_all(bytes).is_err() {
            // Nobody is left who could be told.
            process::exit(1);
        }
    }
}

fn written(message: &Message) -> Vec<u8> {
    // The types of the protocol have names for keys and no number that JSON lacks.
    serde_json::to_vec(message).unwrap_or_default()
}
