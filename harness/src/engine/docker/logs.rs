//! The output of a container, line by line.

use std::collections::VecDeque;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::{Stream, StreamExt, future, stream};
use jiff::Timestamp;

use super::Docker;
use super::lines::Lines;
use crate::engine::{Error, Flow, LogLine, Stdio};

/// The first byte of a frame by which the engine says that reading failed.
const SYSTEM_ERROR: u8 = 3;

impl Docker {
    pub(super) fn lines_of(&self, id: &str, since: Option<Timestamp>, follow: bool) -> Flow<LogLine> {
        // The library asks in whole seconds; the rest is cut off below.
        let second = since.map_or(0, |at| i32::try_from(at.as_second()).unwrap_or(i32::MAX));
        let options = LogsOptionsBuilder::default()
            .follow(follow)
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .since(second)
            .tail("all")
            .build();
        let this = self.clone();
        let act = format!("read the logs of the container {id}");
        let frames = self
            .client
            .logs(id, Some(options))
            .map(move |frame| frame.map_err(|error| this.failed(act.clone(), &error)));
        let early = move |line: &LogLine| since.is_some_and(|since| line.at < since);
        joined(frames).filter(move |line| future::ready(!line.as_ref().is_ok_and(early))).boxed()
    }
}

/// Whole lines out of frames; what is left at the end is a line too.
fn joined<S>(frames: S) -> impl Stream<Item = Result<LogLine, Error>> + Send
where
    S: Stream<Item = Result<LogOutput, Error>> + Send + 'static,
{
    struct State<S> {
        frames: std::pin::Pin<Box<S>>,
        lines: Lines,
        ready: VecDeque<LogLine>,
        ended: bool,
    }
    let state = State { frames: Box::pin(frames), lines: Lines::default(), ready: VecDeque::new(), ended: false };
    stream::unfold(state, |mut state| async move {
        loop {
            if let Some(line) = state.ready.pop_front() {
                return Some((Ok(line), state));
            }
            if state.ended {
                return None;
            }
            let pushed = match state.frames.next().await {
                Some(frame) => frame.and_then(|frame| take(&mut state.lines, frame)),
                None => {
                    state.ended = true;
                    state.ready.extend(state.lines.finish());
                    continue;
                }
            };
            match pushed {
                Ok(line) => state.ready.extend(line),
                Err(error) => {
                    // What was begun before the error is still worth having.
                    state.ended = true;
                    state.ready.extend(state.lines.finish());
                    return Some((Err(error), state));
                }
            }
        }
    })
}

fn take(lines: &mut Lines, frame: LogOutput) -> Result<Option<LogLine>, Error> {
    match frame {
        LogOutput::StdOut { message } | LogOutput::StdIn { message } => lines.push(Stdio::Stdout, &message),
        LogOutput::StdErr { message } => lines.push(Stdio::Stderr, &message),
        LogOutput::Console { message } if message.first() == Some(&SYSTEM_ERROR) => Err(Error::Failed {
            act: "read the logs".to_owned(),
            cause: String::from_utf8_lossy(message.get(8..).unwrap_or_default()).trim().to_owned(),
        }),
        LogOutput::Console { message } => {
            let line = lines.push(Stdio::Stdout, &message)?;
            // A terminal ends its lines with a carriage return too.
            Ok(line.map(|mut line| {
                line.text.truncate(line.text.trim_end_matches('\r').len());
                line
            }))
        }
    }
}
