//! The one place that writes a result to standard output.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use tagmill_schemas::{Error, Result};

use crate::global::Output;

/// Whether a result was printed: of JSON there is exactly one line.
static IS_PRINTED: AtomicBool = AtomicBool::new(false);

/// Whether something stands on standard output.
pub fn is_printed() -> bool {
    IS_PRINTED.load(Ordering::Relaxed)
}

/// Prints a result: its text, or its JSON as exactly one line.
///
/// # Errors
/// Retry when standard output can not be written; a reader that went away (`| head`) is no error.
pub fn print<T: Serialize + Display + ?Sized>(output: Output, result: &T) -> Result<()> {
    let text = match output {
        Output::Text => result.to_string(),
        Output::Json => return print_json(result),
    };
    print_line(text.trim_end_matches('\n'))
}

/// Prints a result's JSON as exactly one line.
///
/// # Errors
/// As [`print`].
pub fn print_json<T: Serialize + ?Sized>(result: &T) -> Result<()> {
    let text = serde_json::to_string(result)
        .map_err(|e| Error::setup("output", "the result has no json form").because(e))?;
    print_line(&text)
}

/// Prints a result that is text already.
///
/// # Errors
/// As [`print`].
pub fn print_line(text: &str) -> Result<()> {
    IS_PRINTED.store(true, Ordering::Relaxed);
    let mut out = io::stdout().lock();
    let written = if text.is_empty() {
        Ok(())
    } else {
        writeln!(out, "{text}")
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::retry("output", "standard output can not be written").because(error))
        }
        _ => Ok(()),
    }
}

/// A number with a thin grouping of thousands for people: 1 234 567.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = digits[..first].to_owned();
    for start in (first..digits.len()).step_by(3) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&digits[start..start + 3]);
    }
    text
}

/// Bytes for people: 1.5 MB.
pub fn sized(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 1000.0 && unit + 1 < units.len() {
        amount /= 1000.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{amount:.1} {}", units[unit])
    }
}

/// Rows as columns that line up; the first row is the heading, numbers (given so) are
/// right-aligned.
pub fn columns(rows: &[Vec<String>], right: &[usize]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .enumerate()
            .map(|(i, cell)| match right.contains(&i) {
                true => format!("{cell:>0$}", widths[i]),
                false => format!("{cell:<0$}", widths[i]),
            });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_thousands_and_scales_bytes() {
        assert_eq!(
            [grouped(0), grouped(999), grouped(1_234_567)],
            ["0", "999", "1 234 567"]
        );
        assert_eq!(
            [sized(999), sized(1_500), sized(2_000_000_000)],
            ["999 B", "1.5 kB", "2.0 GB"]
        );
    }

    #[test]
    fn columns_line_up() {
        let rows =
            [["name", "n"], ["a", "10"], ["long", "7"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(&rows, &[1]), "name   n\na     10\nlong   7");
    }
}
