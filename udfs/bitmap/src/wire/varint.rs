//! Numbers of variable length: LEB128, seven bits a byte, low group first.

use super::defect::WireDefect;
use crate::format::cursor::Cursor;

/// Reads a number in its shortest form.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<u64, WireDefect> {
    let at = cursor.at;
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = cursor.take_u8()?;
        let group = u64::from(byte & 0x7F);
        number |= group << shift;
        if byte & 0x80 == 0 {
            let is_shortest = shift == 0 || group != 0;
            let has_room = group << shift >> shift == group;
            return if is_shortest && has_room {
                Ok(number)
            } else {
                Err(WireDefect::BadNumber { at })
            };
        }
    }
    Err(WireDefect::BadNumber { at })
}

/// Appends a number.
pub(super) fn write(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
