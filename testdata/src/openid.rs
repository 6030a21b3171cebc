//! User ids as mini-programs see them: 28 characters, `o`, five of the app's own, 22 of the user's.
//! Reads a draw, writes text.

use crate::draw::{Draw, mix};

/// Length of every id in bytes.
pub const LENGTH: usize = 28;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes the id of the user `user` draws, in the app `app` draws. Two users never share one: a
/// draw's bits are a bijection of the user's index, and eleven digits hold 64 bits.
pub fn write(app: Draw, user: Draw, out: &mut [u8; LENGTH]) {
    out[0] = b'o';
    fill(app.bits(), &mut out[1..6]);
    fill(user.bits(), &mut out[6..17]);
    fill(
        mix(user.bits() ^ 0x6f70_656e_6964_5f32).wrapping_add(app.bits()),
        &mut out[17..28],
    );
}

fn fill(bits: u64, out: &mut [u8]) {
    let mut rest = bits;
    for byte in out {
        let wide = u128::from(rest) * 62;
        *byte = DIGITS[(wide >> 64) as usize];
        rest = wide as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Stream;
    use std::collections::BTreeSet;

    #[test]
    fn ids_differ_and_share_the_apps_prefix() {
        let root = Draw::root(7, Stream::Id);
        let mut seen = BTreeSet::new();
        for user in 0..20_000 {
            let mut id = [0; LENGTH];
            write(root.at(u64::MAX), root.at(user), &mut id);
            assert!(id.is_ascii());
            seen.insert(id);
        }
        assert_eq!(seen.len(), 20_000);
        assert_eq!(
            seen.iter()
                .map(|id| &id[..6])
                .collect::<BTreeSet<_>>()
                .len(),
            1
        );
    }
}
