//! An agent for the scripted engine, which speaks the real one's language.

use std::sync::Arc;

use agent::{Answer, CONTROL, Command, Counters, Decoder, Failure, Frame, Message, Request};
use harness::engine::fake::Script;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// What it answers to a command; `None` leaves that to the agent itself.
type Says = Arc<dyn Fn(&Command) -> Option<Result<Answer, Failure>> + Send + Sync>;

/// An agent that does whatever it is asked, as far as that can be seen.
pub fn agent(says: impl Fn(&Command) -> Option<Result<Answer, Failure>> + Send + Sync + 'static) -> Script {
    let says: Says = Arc::new(says);
    Script::default().answers(move |pipe| serve(pipe, Arc::clone(&says)))
}

/// Its image, as the harness names it outside a checkout.
pub const AGENT: &str = concat!("bootproof/agent:", env!("CARGO_PKG_VERSION"));

async fn serve(pipe: DuplexStream, says: Says) {
    let (mut input, mut output) = tokio::io::split(pipe);
    let mut decoder = Decoder::default();
    let mut piece = vec![0; 4096];
    while let Ok(length @ 1..) = input.read(&mut piece).await {
        decoder.push(&piece[..length]);
        while let Ok(Some(frame)) = decoder.next_frame() {
            let Request { id, command } = serde_json::from_slice(&frame.payload).expect("a request");
            let result = says(&command).unwrap_or_else(|| Ok(plain_answer(&command)));
            if result.as_ref().is_err_and(|failure| failure.cause == DIES) {
                return;
            }
            let payload = serde_json::to_vec(&Message::Reply { id, result }).expect("words");
            let frame = Frame { channel: CONTROL, payload }.encode().expect("a frame");
            output.write_all(&frame).await.expect("somebody listens");
        }
    }
}

/// A failure with this cause ends the agent instead.
pub const DIES: &str = "dies";

fn plain_answer(command: &Command) -> Answer {
    match command {
        Command::Hello => Answer::Hello { version: String::new() },
        Command::OpenLink { listen_port, .. } => Answer::Port(*listen_port),
        Command::LinkCounters { .. } => Answer::Counters(Counters::default()),
        Command::Watch { .. } => Answer::Watching { exists: false },
        _ => Answer::Done,
    }
}
