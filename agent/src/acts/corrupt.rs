//! Damages a file in seeded places.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use agent::Answer;

use crate::failure::{OrCannot as _, Outcome, refuse};
use crate::random::Random;

/// Overwrites bytes by others and answers how many.
pub fn corrupt(path: &Path, bytes: u64, seed: u64) -> Outcome<Answer> {
    let opened = OpenOptions::new().read(true).write(true).open(path);
    let file = opened.or_cannot(|| format!("corrupt {}", path.display()))?;
    let size = file.metadata().or_cannot(|| format!("look at {}", path.display()))?.len();
    if size == 0 {
        return Err(refuse(format!("{} is empty: there is nothing to corrupt", path.display())));
    }
    let count = bytes.min(size);
    damage(&file, size, count, seed).or_cannot(|| format!("corrupt {}", path.display()))?;
    Ok(Answer::Count(count))
}

fn damage(file: &File, size: u64, count: u64, seed: u64) -> io::Result<()> {
    let mut random = Random::new(seed);
    for number in 0..count {
        let (at, change) = place(size, count, number, &mut random);
        let mut byte = [0];
        file.read_exact_at(&mut byte, at)?;
        file.write_all_at(&[byte[0] ^ change], at)?;
    }
    file.sync_all()
}

/// Where the n-th change is made, and which bits are turned over. Each has a stretch of the file to
/// itself, so that no two meet and the damage is spread.
fn place(size: u64, count: u64, number: u64, random: &mut Random) -> (u64, u8) {
    let border = |number: u64| {
        let position = u128::from(size) * u128::from(number) / u128::from(count);
        u64::try_from(position).unwrap_or(size)
    };
    let (start, end) = (border(number), border(number + 1));
    let at = start + random.below((end - start).max(1));
    let change = u8::try_from(1 + random.below(255)).unwrap_or(1);
    (at, change)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_place_is_hit_once_and_no_byte_keeps_its_value() {
        for (size, count) in [(1, 1), (10, 10), (10, 3), (1_000_003, 777)] {
            let mut random = Random::new(size);
            let places: Vec<_> = (0..count).map(|number| place(size, count, number, &mut random)).collect();
            let distinct: BTreeSet<u64> = places.iter().map(|(at, _)| *at).collect();
            assert_eq!(distinct.len() as u64, count, "of {size}");
            assert!(distinct.iter().all(|at| *at < size), "of {size}");
            assert!(places.iter().all(|(_, change)| *change != 0), "of {size}");
        }
    }
}
