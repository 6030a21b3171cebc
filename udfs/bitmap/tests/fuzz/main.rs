//! A bounded run of the fuzz targets: the same bytes every time, from valid samples and from
//! nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bodies;

use bodies::FORMATS;
use tagmill_bitmap::{BitmapRef, write_sorted_u64};

/// Pseudo-random numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 8
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound.max(1)
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.next() as u8).collect()
    }

    /// Changes, removes, doubles or inserts a few bytes, more often near the front, where the
    /// headers are.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.below(3) {
            let near = if self.below(2) == 0 {
                bytes.len().min(40)
            } else {
                bytes.len()
            };
            let at = self.below(near);
            match self.below(6) {
                _ if bytes.is_empty() => bytes.extend(self.bytes(20)),
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = self.next() as u8,
                2 => bytes[at] = bytes[at].wrapping_add(1),
                3 => bytes.truncate(at),
                4 => bytes.insert(at, self.next() as u8),
                _ => bytes.extend_from_within(at..),
            }
        }
    }
}

/// Bitmaps with every kind of container.
fn bitmaps() -> Vec<Vec<u8>> {
    let sets: [Vec<u64>; 6] = [
        vec![],
        vec![3, 5, 9, 70_000],
        (0..6_000).map(|value| value * 3).collect(),
        (100..9_000).chain(80_000..80_010).collect(),
        (0..5)
            .flat_map(|chunk| (chunk << 16)..(chunk << 16) + 30 + chunk)
            .collect(),
        vec![1, 1 << 32, (1 << 32) + 1, u64::MAX],
    ];
    let bytes = |values: &Vec<u64>| {
        let mut out = Vec::new();
        write_sorted_u64(values, &mut out);
        out
    };
    sets.iter().map(bytes).collect()
}

/// Runs a body on random bytes and on changed samples.
fn run(body: fn(&[u8]), samples: &[Vec<u8>], rounds: usize) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    samples.iter().for_each(|sample| body(sample));
    for round in 0..rounds {
        let mut bytes = match round % 5 {
            0 => random.bytes(200),
            _ => samples[random.below(samples.len())].clone(),
        };
        random.mutate(&mut bytes);
        body(&bytes);
    }
}

#[test]
fn decode() {
    run(bodies::decode, &bitmaps(), 100_000);
}

#[test]
fn wire() {
    let mut samples = Vec::new();
    for bitmap in bitmaps() {
        for (choice, format) in FORMATS.iter().enumerate() {
            let mut sample = vec![choice as u8];
            if format
                .encode(&BitmapRef::parse(&bitmap).unwrap(), &mut sample)
                .is_ok()
            {
                samples.push(sample);
            }
        }
    }
    for choice in [2, 3] {
        samples.push([&[choice, 10, 1, 0, 0, 0][..], &77u64.to_le_bytes()].concat());
        samples.push(vec![choice, 12, 1, 2, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0]);
        samples.push(vec![choice, 13, 1, 5, 0, 0, 0, 1, 1, 0, 0, 0, 9, 0, 0, 0]);
        samples.push([&[choice, 5, 1][..], &77u64.to_le_bytes()].concat());
    }
    run(bodies::wire, &samples, 300_000);
}

#[test]
fn operations() {
    let mut random = Random(77);
    let samples: Vec<Vec<u8>> = (0..50).map(|_| random.bytes(60)).collect();
    run(bodies::operations, &samples, 200);
}

#[test]
fn operations_on_bytes() {
    let bitmaps = bitmaps();
    let pair = |first: &Vec<u8>, second: &Vec<u8>| {
        [&(first.len() as u16).to_le_bytes()[..], first, second].concat()
    };
    let samples: Vec<Vec<u8>> = bitmaps
        .iter()
        .flat_map(|first| bitmaps.iter().map(move |second| pair(first, second)))
        .collect();
    run(bodies::operations_on_bytes, &samples, 50_000);
}
