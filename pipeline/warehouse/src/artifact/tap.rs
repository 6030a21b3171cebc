//! Where encoded bytes pass: hashed, counted, cut into parts for the upload, never read back.

use std::io::{self, Write};

use bytes::Bytes;
use tagmill_schemas::checksum::Checksum;
use xxhash_rust::xxh3::Xxh3;

/// The size of an upload's part; S3 wants at least 5 MiB.
pub(super) const PART_BYTES: usize = 8 << 20;

#[derive(Default)]
pub(super) struct Tap {
    hash: Xxh3,
    bytes: u64,
    full: Vec<Bytes>,
    open: Vec<u8>,
}

impl Tap {
    /// The parts that are full.
    pub(super) fn drain(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.full)
    }

    /// The last parts, checksum and size of everything that passed.
    pub(super) fn finish(mut self) -> (Vec<Bytes>, Checksum, u64) {
        if !self.open.is_empty() {
            self.full.push(Bytes::from(self.open));
        }
        (self.full, Checksum(self.hash.digest128()), self.bytes)
    }
}

impl Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PART_BYTES - self.open.len());
        let (now, _) = bytes.split_at(taken);
        self.hash.update(now);
        self.bytes += taken as u64;
        self.open.extend_from_slice(now);
        if self.open.len() == PART_BYTES {
            // A second part is as long as the first; a small file never asks for a whole part.
            let next = Vec::with_capacity(PART_BYTES);
            self.full
                .push(Bytes::from(std::mem::replace(&mut self.open, next)));
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_bytes_and_the_checksum_is_theirs() {
        let bytes: Vec<u8> = (0..PART_BYTES * 2 + 12_345)
            .map(|i| (i % 251) as u8)
            .collect();
        let mut tap = Tap::default();
        bytes
            .chunks(1_000_003)
            .for_each(|chunk| tap.write_all(chunk).unwrap());
        let early = tap.drain();
        let (late, checksum, size) = tap.finish();
        assert_eq!([early, late].concat().concat(), bytes);
        assert_eq!((checksum, size), (Checksum::of(&bytes), bytes.len() as u64));
    }
}
