//! The output of a program that the harness runs on this machine to make an image.

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::engine::Progress;

/// How many of the last lines are kept for an error.
const KEPT: usize = 60;

/// Tells each line, and gives the last ones.
pub async fn tell(source: impl AsyncRead + Unpin, progress: Progress<'_>) -> String {
    let mut lines = BufReader::new(source).split(b'\n');
    let mut kept: Vec<String> = Vec::new();
    // A stream that breaks off is at its end; how the program ended says whether it matters.
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.is_empty() {
            continue;
        }
        progress(&line);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(line);
    }
    kept.join("\n")
}
