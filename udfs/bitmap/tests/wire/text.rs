//! Bytes as text: how published samples stand in documentation and other projects' tests.

/// The bytes of hexadecimal digits; spaces are skipped.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// The bytes of Base64 with padding.
pub fn base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("{c}"),
    };
    let digits: Vec<u8> = text.bytes().filter(|c| *c != b'=').map(value).collect();
    let bits = |part: &[u8]| {
        part.iter().enumerate().fold(0u32, |bits, (at, digit)| {
            bits | u32::from(*digit) << (18 - 6 * at)
        })
    };
    digits
        .chunks(4)
        .flat_map(|part| bits(part).to_be_bytes()[1..part.len()].to_vec())
        .collect()
}
