//! Quantities as people type them: `16GB`, `512MiB`, `90m`, `26h`.

use std::time::Duration;

/// Bytes: a number and B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024).
///
/// # Errors
/// What was found and expected.
pub fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err(refuse(text, "a size like 16GB or 512MiB")),
    };
    let number: u64 = number.parse().map_err(|_| refuse(text, "a size like 16GB or 512MiB"))?;
    number.checked_mul(factor).filter(|bytes| *bytes > 0).ok_or_else(|| refuse(text, "a size from 1B to 16EiB"))
}

/// A duration: a whole number and s, m, h or d.
///
/// # Errors
/// What was found and expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(refuse(text, "a duration like 90m or 26h")),
    };
    let number: u64 = number.parse().map_err(|_| refuse(text, "a duration like 90m or 26h"))?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| refuse(text, "a shorter duration"))
}

fn split(text: &str) -> (&str, &str) {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (&text[..digits], text[digits..].trim_start())
}

fn refuse(found: &str, expected: &str) -> String {
    format!("found {found:?}, expected {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes_in_both_families() {
        assert_eq!(bytes("16GB"), Ok(16_000_000_000));
        assert_eq!(bytes("512 MiB"), Ok(512 << 20));
        assert_eq!(bytes("7"), Ok(7));
        for text in ["", "GB", "1.5GB", "-1", "0GB", "1XB", "99999999TB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_durations_with_a_unit_only() {
        assert_eq!(duration("90m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(duration("26h"), Ok(Duration::from_secs(93_600)));
        for text in ["", "90", "m", "1.5h", "1y"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
