//! A rejected row as text: for a person's eyes, so its cells are cut, and the texts of a batch fit
//! into one column.

use std::fmt;

use arrow::array::{Array, ArrayRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// What is kept of a cell, and of a row.
const MOST_CELL_BYTES: usize = 200;
const MOST_ROW_BYTES: usize = 4_000;

/// The row as a JSON object; long cells are cut, and cells beyond the size of a row left out. What is
/// left out follows from the row alone.
pub fn sample<'c>(cells: impl Iterator<Item = (&'c str, &'c ArrayRef)>, row: usize) -> String {
    let mut object = serde_json::Map::new();
    let mut size = 0;
    for (name, array) in cells {
        let cell = cell(array, row);
        size += name.len() + cell.as_ref().map_or(0, String::len);
        if size > MOST_ROW_BYTES {
            break;
        }
        object.insert(
            name.to_owned(),
            cell.map_or(serde_json::Value::Null, Into::into),
        );
    }
    serde_json::Value::Object(object).to_string()
}

/// The text of a cell, `None` for null.
fn cell(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array, &options).ok()?;
    let mut text = Beginning::default();
    // Text that is full ends the formatting.
    match (formatter.value(row).write(&mut text), text.is_cut) {
        (Err(_), false) => None,
        _ => Some(text.into_text()),
    }
}

/// The beginning of a text, of which nobody has to hold the whole.
#[derive(Default)]
struct Beginning {
    text: String,
    is_cut: bool,
}

impl Beginning {
    fn into_text(self) -> String {
        if self.is_cut {
            self.text + "..."
        } else {
            self.text
        }
    }
}

impl fmt::Write for Beginning {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = MOST_CELL_BYTES.saturating_sub(self.text.len());
        if more.len() <= room {
            self.text.push_str(more);
            return Ok(());
        }
        let end = (0..=room).rev().find(|&end| more.is_char_boundary(end));
        self.text.push_str(&more[..end.unwrap_or(0)]);
        self.is_cut = true;
        Err(fmt::Error)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    #[test]
    fn long_cells_are_cut_and_long_rows_end() {
        let names: Vec<String> = (0..100).map(|at| format!("column_{at:03}")).collect();
        let long: ArrayRef = Arc::new(StringArray::from(vec![Some("é".repeat(150_000)), None]));
        let number: ArrayRef = Arc::new(Int64Array::from(vec![7, -7]));
        let mut arrays = vec![number];
        arrays.resize(100, long);
        let told = sample(names.iter().map(String::as_str).zip(&arrays), 0);
        assert!(told.len() < 2 * MOST_ROW_BYTES, "{}", told.len());
        let object: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(object["column_000"], "7");
        assert_eq!(object["column_001"], format!("{}...", "é".repeat(100)));
        assert_eq!(object.get("column_099"), None);
        let told = sample(names.iter().map(String::as_str).zip(&arrays), 1);
        assert!(told.ends_with("\"column_099\":null}"), "{told}");
    }
}
