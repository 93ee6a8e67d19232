//! The streams of a scripted container, for whoever is attached to it.

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, DuplexStream, ReadHalf};

use super::life::Order;
use super::script::Talk;
use super::world::{Container, Status};
use super::{Fake, Next, deaths_of};
use crate::engine::{Attached, Flow, Output, Stdio};

/// How much is written ahead of what is read.
const PIPE: usize = 64 * 1024;

/// Takes hold of a container that is there.
pub fn attach(fake: &Fake, id: &str, talk: Option<Talk>) -> Attached {
    let (ours, theirs) = tokio::io::duplex(PIPE);
    let (lines, deaths) = fake.world().record(id).map_or((0, 0), |it| (it.logs.len(), deaths_of(it)));
    tokio::spawn(hold(fake.clone(), id.to_owned(), talk, theirs, deaths));
    let (spoken, input) = tokio::io::split(ours);
    let scripted = fake.follow(id, move |container, read| next_output(container, lines + read, deaths));
    Attached { output: stream::select(scripted, pieces(spoken)).boxed(), input: Box::pin(input) }
}

/// Speaks for as long as the boot lasts that is running now or comes next.
async fn hold(fake: Fake, id: String, talk: Option<Talk>, pipe: DuplexStream, deaths: usize) {
    fake.until(&id, |container| container.status != Status::Created).await;
    let over = fake.until(&id, |container| deaths_of(container) > deaths);
    let ended = async {
        match talk {
            Some(talk) => {
                talk(pipe).await;
                fake.order(&id, Order::Exit(0));
            }
            None => {
                let (mut from, mut to) = tokio::io::split(pipe);
                // Whoever is attached may have left: then there is nobody to answer.
                let _ = tokio::io::copy(&mut from, &mut to).await;
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = over => {}
        () = ended => {}
    }
}

/// What is read from a pipe, up to its end.
fn pieces(pipe: ReadHalf<DuplexStream>) -> Flow<Output> {
    let read = |mut pipe: ReadHalf<DuplexStream>| async move {
        let mut bytes = BytesMut::new();
        let length = pipe.read_buf(&mut bytes).await.ok()?;
        (length > 0).then(|| (Ok(Output { stream: Stdio::Stdout, bytes: bytes.freeze() }), pipe))
    };
    stream::unfold(pipe, read).boxed()
}

/// The lines of its script are output too.
fn next_output(container: Option<&Container>, read: usize, deaths: usize) -> Next<Output> {
    match container {
        Some(container) => match container.logs.get(read) {
            Some(line) => Next::Item(Output { stream: line.stream, bytes: Bytes::from(format!("{}\n", line.text)) }),
            None if !container.removed && deaths_of(container) == deaths => Next::Wait,
            None => Next::End,
        },
        None => Next::End,
    }
}
