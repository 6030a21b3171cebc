//! Which bytes of a 32-bit bitmap are refused, beyond those that are missing.

use super::bucket::key_of;
use super::container::Container;
use super::defect::Defect;
use super::words;

/// How much of the bytes is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Sizes, keys, offsets and runs: enough that reading can not go astray.
    Layout,
    /// Also the order of arrays and the number of bits in bitsets.
    Everything,
}

fn check_runs(key: u16, runs: &[[u8; 4]], declared: u32) -> Result<(), Defect> {
    if runs.is_empty() {
        return Err(Defect::NoRuns { key });
    }
    let mut next = 0u32;
    let mut found = 0u32;
    for (run, bytes) in runs.iter().enumerate() {
        let start = u32::from(u16::from_le_bytes([bytes[0], bytes[1]]));
        let more = u32::from(u16::from_le_bytes([bytes[2], bytes[3]]));
        if start < next {
            return Err(Defect::UnorderedRuns { key, run: run as u16 });
        }
        if start + more > 0xFFFF {
            return Err(Defect::RunTooLong { key, run: run as u16 });
        }
        next = start + more + 2;
        found += more + 1;
    }
    if found == declared { Ok(()) } else { Err(Defect::WrongCardinality { key, declared, found }) }
}

/// Checks one container of which the size is known to be right.
pub(super) fn check_container(key: u16, container: &Container<'_>, check: Check) -> Result<(), Defect> {
    match container {
        Container::Run(runs, declared) => check_runs(key, runs, *declared),
        Container::Array(values) if check == Check::Everything => {
            if words::ascends(values) {
                Ok(())
            } else {
                Err(Defect::UnorderedArray { key })
            }
        }
        Container::Bitset(block, declared) if check == Check::Everything => {
            let found = words::count(block);
            if found == *declared { Ok(()) } else { Err(Defect::WrongCardinality { key, declared: *declared, found }) }
        }
        _ => Ok(()),
    }
}

/// Checks that the keys ascend; the first descriptor is at byte `at`.
pub(super) fn check_keys(descriptors: &[[u8; 4]], at: usize) -> Result<(), Defect> {
    for (index, pair) in descriptors.windows(2).enumerate() {
        let (previous, found) = (key_of(&pair[0]), key_of(&pair[1]));
        if found <= previous {
            return Err(Defect::UnorderedKeys { at: at + (index + 1) * 4, found, previous });
        }
    }
    Ok(())
}
