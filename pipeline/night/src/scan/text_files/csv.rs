//! CSV cut into records by the parser that Arrow's own reader is made of.
//!
//! Arrow's reader ends at the first record with too many or too few fields. Here such a record is
//! passed over. If it goes over several lines, a quote was opened that nobody meant: then its first
//! line is passed over alone, and the lines behind it are records again.

use std::ops::Range;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::records::Found;

/// Fields of a record, and how far it is read.
pub struct CsvRecords {
    delimiter: u8,
    reader: Reader,
    /// The unquoted text of the fields.
    output: Vec<u8>,
    ends: Vec<usize>,
    /// How far the record is read that is not at its end yet: of input, output and ends.
    read: (usize, usize, usize),
    /// Fields of the record that was found last.
    found: usize,
    /// The number of fields of every record; `None`: any.
    pub width: Option<usize>,
}

impl CsvRecords {
    /// A reader for this delimiter.
    pub fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            output: vec![0; 1 << 12],
            ends: vec![0; 1 << 6],
            read: (0, 0, 0),
            found: 0,
            width: None,
        }
    }

    /// How many fields the record has that was found last.
    pub fn fields(&self) -> usize {
        self.found
    }

    /// A field of it.
    pub fn field(&self, at: usize) -> &[u8] {
        let start = match at {
            0 => 0,
            _ => self.ends[at - 1],
        };
        &self.output[start..self.ends[at]]
    }

    /// Forgets a record that is not at its end.
    pub fn start_again(&mut self) {
        self.reader.reset();
        self.read = (0, 0, 0);
    }

    /// The next record of a text that begins where the last one ended, and how much of the text it
    /// takes; with `is_last` the text ends with a line feed and nothing follows.
    pub fn next(&mut self, text: &[u8], is_last: bool) -> (usize, Found) {
        let blank = text.iter().take_while(|byte| is_line_end(byte)).count();
        if self.read == (0, 0, 0) && blank > 0 {
            return (blank, Found::Nothing);
        }
        if self.read_record(text) {
            let (taken, _, fields) = std::mem::take(&mut self.read);
            self.found = fields;
            let record = trimmed(&text[..taken]);
            let is_record = self.width.is_none_or(|width| width == fields)
                && is_well_quoted(&text[record.clone()], self.delimiter);
            return match is_record {
                true => (taken, Found::Record(record)),
                false => self.first_line(text, record, taken),
            };
        }
        if !is_last {
            return (0, Found::Nothing);
        }
        let rest = trimmed(text);
        match rest.is_empty() {
            true => (text.len(), Found::Nothing),
            // A quote that is never closed.
            false => self.first_line(text, rest, text.len()),
        }
    }

    /// The first line of what is no record.
    fn first_line(&mut self, text: &[u8], record: Range<usize>, taken: usize) -> (usize, Found) {
        let line_end = text[record.clone()].iter().position(|&byte| byte == b'\n');
        match line_end {
            None => {
                if taken == text.len() {
                    self.start_again();
                }
                (taken, Found::Unreadable(record))
            }
            Some(length) => {
                self.start_again();
                let end = record.start + length;
                (end + 1, Found::Unreadable(record.start..end))
            }
        }
    }

    /// Reads on; whether a record is at its end.
    fn read_record(&mut self, text: &[u8]) -> bool {
        let (mut at, mut written, mut fields) = self.read;
        let mut is_whole = false;
        // To the parser a text of nothing means the end.
        while at < text.len() && !is_whole {
            let (result, input, output, ends) = self.reader.read_record(
                &text[at..],
                &mut self.output[written..],
                &mut self.ends[fields..],
            );
            at += input;
            written += output;
            fields += ends;
            match result {
                ReadRecordResult::OutputFull => self.output.resize(2 * self.output.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => is_whole = true,
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            }
        }
        self.read = (at, written, fields);
        is_whole
    }
}

/// Whether each quote that ends a field stands at its end. Only asked of records of several lines: a
/// quote that was opened by mistake ends where the next one is opened.
fn is_well_quoted(record: &[u8], delimiter: u8) -> bool {
    if !record.contains(&b'\n') {
        return true;
    }
    let mut rest = record;
    loop {
        if rest.first() == Some(&b'"') {
            rest = &rest[1..];
            loop {
                let Some(quote) = rest.iter().position(|&byte| byte == b'"') else {
                    return false;
                };
                rest = &rest[quote + 1..];
                match rest.first() {
                    Some(b'"') => rest = &rest[1..],
                    None => return true,
                    Some(&next) if next == delimiter => break,
                    Some(_) => return false,
                }
            }
        }
        match rest.iter().position(|&byte| byte == delimiter) {
            Some(end) => rest = &rest[end + 1..],
            None => return true,
        }
    }
}

fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Where a text stands without the line ends around it.
fn trimmed(text: &[u8]) -> Range<usize> {
    let is_text = |byte: &u8| !is_line_end(byte);
    match text.iter().position(is_text) {
        None => 0..0,
        Some(start) => {
            start
                ..text
                    .iter()
                    .rposition(is_text)
                    .map_or(start, |last| last + 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a text that comes in pieces of this size, with what is no record in brackets.
    fn records(text: &str, piece: usize) -> Vec<String> {
        let mut text = text.as_bytes().to_vec();
        text.push(b'\n');
        let mut csv = CsvRecords::new(b',');
        csv.width = Some(2);
        let (mut start, mut end, mut all) = (0, 0, Vec::new());
        while start < text.len() {
            let (taken, found) = csv.next(&text[start..end], end == text.len());
            let shown =
                |range: Range<usize>| String::from_utf8_lossy(&text[start..][range]).into_owned();
            match found {
                Found::Record(_) => {
                    let fields = (0..csv.fields()).map(|at| String::from_utf8_lossy(csv.field(at)));
                    all.push(fields.collect::<Vec<_>>().join("|"));
                }
                Found::Unreadable(range) => all.push(format!("[{}]", shown(range))),
                Found::Nothing if taken == 0 => end = text.len().min(end + piece),
                Found::Nothing => {}
            }
            start += taken;
        }
        all
    }

    /// They took the square of their number, and more of them than fit were a line that can not be
    /// read.
    #[test]
    fn blank_lines_are_passed_over_whatever_their_number() {
        let text = "\n".repeat(20 << 20) + "a,b";
        assert_eq!(records(&text, 1 << 12), ["a|b"]);
    }

    #[test]
    fn what_is_no_record_costs_its_line_alone() {
        for (text, expected) in [
            ("a,b\nc,d", &["a|b", "c|d"][..]),
            ("a,b\r\n\r\n\r\nc,d\r\n", &["a|b", "c|d"]),
            ("\"a\"\"\",\"b\nc\"\nd,", &["a\"|b\nc", "d|"]),
            ("a\na,b,c\nc,d", &["[a]", "[a,b,c]", "c|d"]),
            ("a,\"b\nc,d\ne,f", &["[a,\"b]", "c|d", "e|f"]),
            (
                "a,\"b\nc,d\n\"e\",f\ng,h",
                &["[a,\"b]", "c|d", "e|f", "g|h"],
            ),
            (
                "a,\"b\nc,d\ne,\"f\"\ng,h",
                &["[a,\"b]", "c|d", "e|f", "g|h"],
            ),
            ("a,5\" pipe\nc,d", &["a|5\" pipe", "c|d"]),
            ("a,\"b", &["[a,\"b]"]),
            ("\n\r\n\n a,b\n\n\r\n\nc,d\n\n", &[" a|b", "c|d"]),
            ("\n\r\n", &[]),
        ] {
            for piece in [1, 3, 1_000] {
                assert_eq!(records(text, piece), expected, "{text:?} by {piece}");
            }
        }
    }
}
