//! MurmurHash3 (Austin Appleby, public domain): the 32-bit hash, and the 64-bit variant that Doris
//! made of its 128-bit one.

/// The seed that Doris and StarRocks use for 32 bits.
const SEED: u32 = 104_729;

fn mix32(hash: u32) -> u32 {
    let hash = (hash ^ hash >> 16).wrapping_mul(0x85EB_CA6B);
    let hash = (hash ^ hash >> 13).wrapping_mul(0xC2B2_AE35);
    hash ^ hash >> 16
}

fn mix64(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    let hash = (hash ^ hash >> 33).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    hash ^ hash >> 33
}

/// `MurmurHash3_x86_32`, with the seed 104729.
pub(super) fn hash32(bytes: &[u8]) -> u32 {
    let scramble = |block: u32| {
        block
            .wrapping_mul(0xCC9E_2D51)
            .rotate_left(15)
            .wrapping_mul(0x1B87_3593)
    };
    let (blocks, tail) = bytes.as_chunks::<4>();
    let hash = blocks.iter().fold(SEED, |hash, block| {
        (hash ^ scramble(u32::from_le_bytes(*block)))
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xE654_6B64)
    });
    let rest = tail
        .iter()
        .rev()
        .fold(0, |rest, byte| rest << 8 | u32::from(*byte));
    mix32(hash ^ scramble(rest) ^ bytes.len() as u32)
}

/// `murmur_hash3_x64_64`: the first half of `MurmurHash3_x64_128` over blocks of eight bytes, with
/// the seed 0.
pub(super) fn hash64(bytes: &[u8]) -> u64 {
    let scramble = |block: u64| {
        block
            .wrapping_mul(0x87C3_7B91_1142_53D5)
            .rotate_left(31)
            .wrapping_mul(0x4CF5_AD43_2745_937F)
    };
    let (blocks, tail) = bytes.as_chunks::<8>();
    let hash = blocks.iter().fold(0, |hash, block| {
        (hash ^ scramble(u64::from_le_bytes(*block)))
            .rotate_left(27)
            .wrapping_mul(5)
            .wrapping_add(0x52DC_E729)
    });
    let rest = tail
        .iter()
        .rev()
        .fold(0, |rest, byte| rest << 8 | u64::from(*byte));
    mix64(hash ^ scramble(rest) ^ bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the manuals of StarRocks (32 bits) and of Doris.
    #[test]
    fn hashes_as_the_manuals_of_doris_and_starrocks_say() {
        assert_eq!(hash32(b"hello"), 1_321_743_225);
        assert_eq!(hash32(b"abc"), 3_409_700_625);
        assert_eq!(hash64(b"hello"), 15_231_136_565_543_391_023);
    }
}
