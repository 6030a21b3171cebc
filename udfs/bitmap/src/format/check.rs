//! Which bytes of a 32-bit bitmap are refused, beyond those that are missing.

use super::container::Container;
use super::defect::Defect;
use super::keys::key_of;
use crate::kernels::cpu::per_cpu;
use crate::kernels::words;

/// How much of the bytes is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Sizes, keys, offsets and runs: enough that reading can not go astray.
    Layout,
    /// Also the order of arrays and the number of bits in bitsets.
    Everything,
}

per_cpu! {
    /// Number of values in runs; `None` if any is not in order or too long. Without a branch on the
    /// data.
    fn count_in_order(runs: &[[u8; 4]]) -> Option<u32> {
        let run = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes);
        let (start, more) = (|bytes| run(bytes) & 0xFFFF, |bytes| run(bytes) >> 16);
        let mut found = runs.len() as u32;
        let mut is_bad = false;
        for bytes in runs {
            is_bad |= start(bytes) + more(bytes) > 0xFFFF;
            found = found.wrapping_add(more(bytes));
        }
        for (before, next) in runs.iter().zip(runs.get(1..).unwrap_or_default()) {
            is_bad |= start(next) < start(before) + more(before) + 2;
        }
        (!is_bad).then_some(found)
    }
}

fn check_runs(key: u16, runs: &[[u8; 4]], declared: u32) -> Result<(), Defect> {
    match count_in_order(runs) {
        Some(found) if found == declared && found > 0 => Ok(()),
        Some(found) if found > 0 => Err(Defect::WrongCardinality {
            key,
            declared,
            found,
        }),
        _ => Err(defect_of_runs(key, runs)),
    }
}

/// The first defect of runs that are none, not in order, or too long.
#[cold]
fn defect_of_runs(key: u16, runs: &[[u8; 4]]) -> Defect {
    let mut next = 0;
    for (run, bytes) in runs.iter().enumerate() {
        let run = run as u16;
        let (start, more) = (
            u32::from(u16::from_le_bytes([bytes[0], bytes[1]])),
            u32::from(u16::from_le_bytes([bytes[2], bytes[3]])),
        );
        if start < next {
            return Defect::UnorderedRuns { key, run };
        }
        if start + more > 0xFFFF {
            return Defect::RunTooLong { key, run };
        }
        next = start + more + 2;
    }
    Defect::NoRuns { key }
}

/// Checks one container of which the size is known to be right.
pub(crate) fn check_container(
    key: u16,
    container: &Container<'_>,
    check: Check,
) -> Result<(), Defect> {
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
            if found == *declared {
                Ok(())
            } else {
                Err(Defect::WrongCardinality {
                    key,
                    declared: *declared,
                    found,
                })
            }
        }
        _ => Ok(()),
    }
}

/// Checks that the keys ascend; the first descriptor is at byte `at`.
pub(crate) fn check_keys(descriptors: &[[u8; 4]], at: usize) -> Result<(), Defect> {
    for (index, pair) in descriptors.windows(2).enumerate() {
        let (previous, found) = (key_of(&pair[0]), key_of(&pair[1]));
        if found <= previous {
            return Err(Defect::UnorderedKeys {
                at: at + (index + 1) * 4,
                found,
                previous,
            });
        }
    }
    Ok(())
}
