//! Binary cells of a table for people: a bitmap as how many it has, other bytes in hex, cut where they
//! are long. Formats for programs keep every byte.
//!
//! Bytes that are a whole portable Roaring bitmap are one: framing, containers and order of values
//! are checked, which other bytes do not pass by chance. Eight zero bytes are the empty bitmap.

use std::fmt::Write;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use arrow::util::display::{
    ArrayFormatter, ArrayFormatterFactory, DisplayIndex, FormatOptions, FormatResult,
};
use tagmill_bitmap::BitmapRef;

/// Bytes that are shown whole.
const WHOLE: usize = 32;
/// Bytes that are shown of longer ones.
const SHOWN: usize = 16;

/// Formats binary columns, also inside lists and structs.
#[derive(Debug)]
pub(super) struct BitmapCells {
    /// What bitmaps are of: `users` where a release is open, else `values`.
    pub(super) members: &'static str,
}

impl ArrayFormatterFactory for BitmapCells {
    fn create_array_formatter<'formatter>(
        &self,
        array: &'formatter dyn Array,
        options: &FormatOptions<'formatter>,
        _: Option<&'formatter Field>,
    ) -> Result<Option<ArrayFormatter<'formatter>>, ArrowError> {
        let is_binary = matches!(
            array.data_type(),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView
        );
        let cells = Cells {
            array,
            null: options.null(),
            members: self.members,
        };
        Ok(is_binary.then(|| ArrayFormatter::new(Box::new(cells), options.safe())))
    }
}

struct Cells<'a> {
    array: &'a dyn Array,
    null: &'a str,
    members: &'static str,
}

impl DisplayIndex for Cells<'_> {
    fn write(&self, row: usize, f: &mut dyn Write) -> FormatResult {
        if self.array.is_null(row) {
            return Ok(f.write_str(self.null)?);
        }
        let bytes = match self.array.data_type() {
            DataType::Binary => self.array.as_binary::<i32>().value(row),
            DataType::LargeBinary => self.array.as_binary::<i64>().value(row),
            _ => self.array.as_binary_view().value(row),
        };
        match BitmapRef::parse(bytes) {
            Ok(bitmap) => write!(f, "<{} {}>", bitmap.cardinality(), self.members)?,
            Err(_) => write_hex(bytes, f)?,
        }
        Ok(())
    }
}

fn write_hex(bytes: &[u8], f: &mut dyn Write) -> std::fmt::Result {
    let is_long = bytes.len() > WHOLE;
    let shown = if is_long { &bytes[..SHOWN] } else { bytes };
    for byte in shown {
        write!(f, "{byte:02x}")?;
    }
    if is_long {
        write!(f, "... ({} bytes)", bytes.len())?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BinaryArray, BinaryViewArray, FixedSizeBinaryArray};

    use super::*;

    fn shown(array: &ArrayRef) -> Vec<String> {
        let factory = BitmapCells { members: "users" };
        let options = FormatOptions::new().with_formatter_factory(Some(&factory));
        let formatter = factory
            .create_array_formatter(array.as_ref(), &options, None)
            .unwrap();
        let formatter =
            formatter.unwrap_or_else(|| ArrayFormatter::try_new(array.as_ref(), &options).unwrap());
        let cell = |row| formatter.value(row).to_string();
        (0..array.len()).map(cell).collect()
    }

    #[test]
    fn bitmaps_are_counted_and_other_bytes_are_hex() {
        let mut bitmap = Vec::new();
        tagmill_bitmap::write_sorted_u64(&[1, 2, 1 << 40], &mut bitmap);
        let damaged = &bitmap[..bitmap.len() - 1];
        let cells = [
            Some(bitmap.as_slice()),
            Some(&[0; 8]),
            None,
            Some(&[0xca, 0xfe]),
            Some(&[0; 4_096]),
            Some(damaged),
        ];
        let expected = ["<3 users>", "<0 users>", "", "cafe"];
        let arrays: [ArrayRef; 2] = [
            Arc::new(cells.iter().collect::<BinaryArray>()),
            Arc::new(cells.iter().collect::<BinaryViewArray>()),
        ];
        for array in arrays {
            let found = shown(&array);
            assert_eq!(found[..4], expected);
            assert_eq!(found[4], format!("{}... (4096 bytes)", "00".repeat(16)));
            assert!(found[5].ends_with("bytes)"), "{}", found[5]);
        }
        let fixed = FixedSizeBinaryArray::try_from_iter([[0_u8; 8]].iter()).unwrap();
        let fixed: ArrayRef = Arc::new(fixed);
        assert_eq!(shown(&fixed), ["0000000000000000"]);
    }
}
