//! Names come, change, and become many.

use std::fs::{self, File};
use std::path::Path;

use agent::Answer;

use crate::failure::{OrCannot as _, Outcome};

/// Renames.
pub fn rename(path: &Path, to: &Path) -> Outcome<Answer> {
    fs::rename(path, to).or_cannot(|| format!("rename {} to {}", path.display(), to.display()))?;
    Ok(Answer::Done)
}

/// Makes a directory, with those above it.
pub fn make_directory(path: &Path) -> Outcome<Answer> {
    fs::create_dir_all(path).or_cannot(|| format!("make the directory {}", path.display()))?;
    Ok(Answer::Done)
}

/// Makes empty files, and answers how many.
pub fn many_files(directory: &Path, count: u64) -> Outcome<Answer> {
    make_directory(directory)?;
    for number in 1..=count {
        let path = directory.join(format!("file-{number:07}"));
        File::create(&path).or_cannot(|| format!("create {}", path.display()))?;
    }
    Ok(Answer::Count(count))
}
