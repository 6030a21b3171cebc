//! Quantities with a unit, as configuration and command line write them: `90m`, `16GB`, `2%`.

use std::time::Duration;

/// A duration: digits and `s`, `m`, `h` or `d`.
///
/// # Errors
/// What was found and what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
    scaled(text, &units)
        .map(Duration::from_secs)
        .ok_or_else(|| format!("found {text:?}, expected a duration like \"90m\": s, m, h or d"))
}

/// A number of bytes: digits and a unit, decimal (`GB` is 10^9) or binary (`GiB` is 2^30).
///
/// # Errors
/// What was found and what was expected.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let units = [
        ("B", 1),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ];
    scaled(text, &units)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| format!("found {text:?}, expected a size like \"16GB\" or \"512MiB\""))
}

/// A fraction from 0 to 1, written as a percentage.
///
/// # Errors
/// What was found and what was expected.
pub fn parse_percent(text: &str) -> Result<f64, String> {
    let digits = text.strip_suffix('%').filter(|digits| {
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    let percent: Option<f64> = digits.and_then(|digits| digits.parse().ok());
    percent
        .filter(|percent| (0.0..=100.0).contains(percent))
        .map(|percent| percent / 100.0)
        .ok_or_else(|| format!("found {text:?}, expected a percentage from \"0%\" to \"100%\""))
}

/// Digits times the unit after them; one space may stand between.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        assert_eq!(parse_duration("90m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse_duration("26h"), Ok(Duration::from_secs(93_600)));
        for wrong in [
            "",
            "90",
            "m",
            "1.5h",
            "-1m",
            "1w",
            "90 min",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn reads_decimal_and_binary_sizes() {
        assert_eq!(parse_size("16GB"), Ok(16_000_000_000));
        assert_eq!(parse_size("512 MiB"), Ok(512 << 20));
        for wrong in ["0GB", "16", "16G", "16gb", "1.5GB", "99999999TiB"] {
            assert!(parse_size(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn reads_percentages_as_fractions() {
        assert_eq!(parse_percent("2%"), Ok(0.02));
        assert_eq!(parse_percent("0.5%"), Ok(0.005));
        assert_eq!(parse_percent("100%"), Ok(1.0));
        for wrong in ["2", "101%", "-1%", "%", "1e1%", "nan%", "inf%"] {
            assert!(parse_percent(wrong).is_err(), "{wrong:?}");
        }
    }
}
