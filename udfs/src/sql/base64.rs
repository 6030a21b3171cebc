//! Base64 as other systems write and read it: the alphabet of RFC 4648, section 4.

use ::base64::alphabet::STANDARD;
use ::base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};

/// Writes padding; reads text with it or without, and ignores bits behind the last byte.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Bytes as text, with padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    ENGINE.encode(bytes)
}

/// Text as bytes; `None` if it is not Base64. Padding is whole or missing.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let is_whole = !text.ends_with('=') || text.len().is_multiple_of(4);
    is_whole.then(|| ENGINE.decode(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_written_and_read_whole_or_not_at_all() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"\xFB\xFF", "+/8="),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).as_deref(), Some(bytes), "{text}");
            let bare = text.trim_end_matches('=');
            assert_eq!(decode(bare).as_deref(), Some(bytes), "{bare}");
        }
        // The last digit holds bits of no byte.
        assert_eq!(decode("Zh==").as_deref(), Some(&b"f"[..]));
        for text in [
            "Z", "Zg=", "Zm8==", "Zg===", "Z===", "====", "Zg-_", "Z g=", "=", "Zg==Zg==",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
