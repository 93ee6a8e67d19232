//! How the harness and its agent speak with each other: what can be asked, what is answered, and how
//! both travel as frames over the agent's stdin and stdout.
//!
//! Nothing here reads or writes: a [`Decoder`] is fed bytes and a [`Frame`] gives bytes, so that an
//! asynchronous client and a blocking server use the same code. What the commands do is the business of
//! the program beside this library.

mod protocol;

pub use protocol::answer::{Answer, Change, Failure, Message};
pub use protocol::command::{Command, DnsFault, Request};
pub use protocol::content::Content;
pub use protocol::files::{Entry, Kind, Place, Seen, Space, TreeEntry, Tried, UNTRIED};
pub use protocol::frame::{CONTROL, Decoder, Frame, LARGEST, Oversized};
pub use protocol::limits::{Setting, Settings, Usage};
pub use protocol::link::{Condition, Counters};
pub use protocol::processes::{FileLimit, Listener, OpenFiles, Process};
