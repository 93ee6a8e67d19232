//! What a file holds.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use agent::{Answer, Content, LARGEST};

use crate::failure::{OrCannot as _, Outcome};

/// More would not fit into a frame.
const MOST: u64 = LARGEST as u64 / 2;

/// The first bytes of a file.
pub fn read(path: &Path, limit: u64) -> Outcome<Answer> {
    let reading = || format!("read {}", path.display());
    let file = File::open(path).or_cannot(reading)?;
    let size = file.metadata().or_cannot(reading)?.len();
    let mut bytes = Vec::new();
    file.take(limit.min(MOST)).read_to_end(&mut bytes).or_cannot(reading)?;
    Ok(Answer::Content { content: Content(bytes), size })
}
