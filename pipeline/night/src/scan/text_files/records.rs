//! A file of text as records: each is one, or what can not be read as one.

use std::ops::Range;

use bytes::Bytes;
use datafusion::error::Result;
use futures::StreamExt;
use futures::stream::BoxStream;
use tagmill_schemas::config::{FileFormat, FileNotation};

use super::chunks::Packed;
use super::csv::CsvRecords;

/// Bytes; a longer record can not be read.
pub const LONGEST: usize = 16 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What stands at the beginning of a text that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A record, and where it stands; its fields are those of the reader.
    Record(Range<usize>),
    /// A line that can not be read, and where it stands.
    Unreadable(Range<usize>),
    /// Nothing that counts, yet.
    Nothing,
}

/// How a format is cut into records.
enum Cut {
    Csv(Box<CsvRecords>),
    Lines,
}

/// The records of a file, one after the other.
pub struct Records {
    chunks: BoxStream<'static, Result<Bytes>>,
    cut: Cut,
    /// What was read and is not taken yet, from `start` on.
    text: Vec<u8>,
    start: usize,
    is_at_end: bool,
    is_at_beginning: bool,
    /// Inside a line that is too long.
    is_skipping: bool,
}

impl Records {
    /// Those of a file, from its beginning.
    ///
    /// # Errors
    /// Those of unpacking it.
    pub fn of(file: &Packed, notation: FileNotation) -> Result<Self> {
        let cut = match notation.format {
            FileFormat::Csv => Cut::Csv(Box::new(CsvRecords::new(notation.delimiter))),
            _ => Cut::Lines,
        };
        Ok(Self {
            chunks: file.chunks(),
            cut,
            text: Vec::new(),
            start: 0,
            is_at_end: false,
            is_at_beginning: true,
            is_skipping: false,
        })
    }

    /// Of CSV: how many fields a record has from here on; one with another number is none.
    pub fn expect_fields(&mut self, count: usize) {
        if let Cut::Csv(csv) = &mut self.cut {
            csv.width = Some(count);
        }
    }

    /// The field of the record that was found last, of CSV.
    pub fn field(&self, at: usize) -> &[u8] {
        match &self.cut {
            Cut::Csv(csv) => csv.field(at),
            Cut::Lines => &[],
        }
    }

    /// How many fields the record has that was found last, of CSV.
    pub fn fields(&self) -> usize {
        match &self.cut {
            Cut::Csv(csv) => csv.fields(),
            Cut::Lines => 0,
        }
    }

    /// The text in a range that [`Records::next`] gave last.
    pub fn text(&self, range: Range<usize>) -> &[u8] {
        &self.text[range]
    }

    /// The next record, or line that is none; `None` behind the last.
    ///
    /// # Errors
    /// Those of the store, and of unpacking.
    pub async fn next(&mut self) -> Result<Option<Found>> {
        loop {
            if let Some(found) = self.next_in_text() {
                return Ok(Some(found));
            }
            if self.is_at_end {
                return Ok(None);
            }
            self.read_more().await?;
        }
    }

    /// The next one in what was read; for loops that only wait where they have to.
    pub fn next_in_text(&mut self) -> Option<Found> {
        while self.start < self.text.len() {
            if self.is_skipping {
                if let Some(found) = self.skip() {
                    return Some(found);
                }
                break;
            }
            let rest = &self.text[self.start..];
            let (taken, found) = match &mut self.cut {
                Cut::Csv(csv) => csv.next(rest, self.is_at_end),
                Cut::Lines => next_line(rest, self.is_at_end),
            };
            let start = self.start;
            self.start += taken;
            let placed = |range: Range<usize>| start + range.start..start + range.end;
            match found {
                Found::Record(range) => return Some(Found::Record(placed(range))),
                Found::Unreadable(range) => return Some(Found::Unreadable(placed(range))),
                Found::Nothing if taken > 0 => {}
                Found::Nothing if self.text.len() - self.start > LONGEST => {
                    if let Some(found) = self.give_up() {
                        return Some(found);
                    }
                }
                Found::Nothing => break,
            }
        }
        None
    }

    /// A record that is too long: its first line is none, and what follows is looked at again.
    fn give_up(&mut self) -> Option<Found> {
        if let Cut::Csv(csv) = &mut self.cut {
            csv.start_again();
        }
        self.is_skipping = true;
        self.skip()
    }

    /// Passes the rest of a line over.
    fn skip(&mut self) -> Option<Found> {
        let rest = &self.text[self.start..];
        let line = self.start..self.start + rest.len().min(1 << 10);
        match rest.iter().position(|&byte| byte == b'\n') {
            Some(end) => {
                self.is_skipping = false;
                self.start += end + 1;
                Some(Found::Unreadable(line))
            }
            None => {
                self.start = self.text.len();
                self.is_at_end.then_some(Found::Unreadable(line))
            }
        }
    }

    async fn read_more(&mut self) -> Result<()> {
        self.text.drain(..self.start);
        self.start = 0;
        match self.chunks.next().await.transpose()? {
            Some(chunk) => self.text.extend_from_slice(&chunk),
            None => {
                self.is_at_end = true;
                // The last record ends like the others.
                if self.text.last().is_some_and(|&last| last != b'\n') {
                    self.text.push(b'\n');
                }
            }
        }
        if self.is_at_beginning && (self.text.len() >= BYTE_ORDER_MARK.len() || self.is_at_end) {
            self.is_at_beginning = false;
            if self.text.starts_with(BYTE_ORDER_MARK) {
                self.start = BYTE_ORDER_MARK.len();
            }
        }
        Ok(())
    }
}

/// A line of NDJSON; blank ones are none.
fn next_line(text: &[u8], is_last: bool) -> (usize, Found) {
    let end = match text.iter().position(|&byte| byte == b'\n') {
        Some(end) => end,
        None if is_last => text.len(),
        None => return (0, Found::Nothing),
    };
    let taken = text.len().min(end + 1);
    match text[..end].trim_ascii().is_empty() {
        true => (taken, Found::Nothing),
        false => (taken, Found::Record(0..end)),
    }
}
