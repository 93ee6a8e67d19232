//! The digest of what a file holds.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

/// Reads to the end, keeps the first bytes up to a limit, and says the SHA-256 of all in hexadecimal.
pub fn digest(mut from: impl Read, keep: usize) -> io::Result<(String, Vec<u8>)> {
    let mut digest = Sha256::new();
    let mut kept = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            let hexadecimal = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            return Ok((hexadecimal, kept));
        }
        digest.update(&piece[..read]);
        kept.extend_from_slice(&piece[..read.min(keep - kept.len())]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_digested_and_the_start_is_kept() {
        let (digest, kept) = digest(&b"abc"[..], 2).unwrap();
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(kept, b"ab");
    }
}
