//! Records of a CSV file (RFC 4180: commas, fields in double quotes, doubled quotes inside), each
//! with its line.
//!
//! A malformed record costs its first line only; the next line starts afresh.

/// One record; blank lines are none.
pub(super) struct Record {
    /// Where it starts, from 1.
    pub(super) line: u64,
    /// Its fields, or why it has none.
    pub(super) fields: Result<Vec<String>, &'static str>,
}

/// The records of a file.
pub(super) struct Records<'a> {
    rest: &'a [u8],
    line: u64,
}

impl<'a> Records<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes),
            line: 1,
        }
    }

    fn take(&mut self, length: usize) {
        let (taken, rest) = self.rest.split_at(length);
        self.line += newlines(taken);
        self.rest = rest;
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            let blank = match self.rest {
                [] => return None,
                [b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                _ => break,
            };
            self.take(blank);
        }
        let line = self.line;
        let fields = match split(self.rest) {
            Ok((fields, length)) => {
                self.take(length);
                fields
                    .into_iter()
                    .map(String::from_utf8)
                    .collect::<Result<_, _>>()
                    .map_err(|_| "text that is not UTF-8")
            }
            Err(reason) => {
                let first_line = self
                    .rest
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .map_or(self.rest.len(), |end| end + 1);
                self.take(first_line);
                Err(reason)
            }
        };
        Some(Record { line, fields })
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// The fields of the first record and its length with the line's end.
fn split(bytes: &[u8]) -> Result<(Vec<Vec<u8>>, usize), &'static str> {
    let (mut fields, mut at) = (Vec::new(), 0);
    loop {
        let (field, end) = if bytes.get(at) == Some(&b'"') {
            quoted(bytes, at + 1)?
        } else {
            plain(bytes, at)?
        };
        fields.push(field);
        match &bytes[end..] {
            [b',', ..] => at = end + 1,
            [b'\r', b'\n', ..] => return Ok((fields, end + 2)),
            [b'\n', ..] => return Ok((fields, end + 1)),
            [] | [b'\r'] => return Ok((fields, bytes.len())),
            _ => return Err("text after a closing quote"),
        }
    }
}

fn plain(bytes: &[u8], start: usize) -> Result<(Vec<u8>, usize), &'static str> {
    let length = bytes[start..]
        .iter()
        .position(|byte| matches!(byte, b',' | b'\n' | b'"'))
        .unwrap_or(bytes.len() - start);
    let mut end = start + length;
    if bytes.get(end) == Some(&b'"') {
        return Err("a quote inside a field without quotes");
    }
    if bytes.get(end) != Some(&b',') && end > start && bytes[end - 1] == b'\r' {
        end -= 1;
    }
    Ok((bytes[start..end].to_vec(), end))
}

fn quoted(bytes: &[u8], start: usize) -> Result<(Vec<u8>, usize), &'static str> {
    let (mut field, mut at) = (Vec::new(), start);
    loop {
        let length = bytes[at..]
            .iter()
            .position(|byte| *byte == b'"')
            .ok_or("a quote that is not closed")?;
        field.extend_from_slice(&bytes[at..at + length]);
        at += length + 1;
        if bytes.get(at) != Some(&b'"') {
            return Ok((field, at));
        }
        field.push(b'"');
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::Records;

    fn read(text: &[u8]) -> Vec<(u64, Result<Vec<String>, &'static str>)> {
        Records::of(text)
            .map(|record| (record.line, record.fields))
            .collect()
    }

    fn fields(texts: &[&str]) -> Result<Vec<String>, &'static str> {
        Ok(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn reads_quotes_commas_line_ends_and_a_byte_order_mark() {
        let text = b"\xef\xbb\xbfa,b\r\n\"x, \"\"y\"\"\nz\",\r\n\n,last";
        assert_eq!(
            read(text),
            [
                (1, fields(&["a", "b"])),
                (2, fields(&["x, \"y\"\nz", ""])),
                (5, fields(&["", "last"]))
            ]
        );
    }

    #[test]
    fn a_malformed_record_costs_its_line_only() {
        let text = b"ok\n\"never closed\nb\"c\n\"d\"e\n\xff\nok";
        assert_eq!(
            read(text),
            [
                (1, fields(&["ok"])),
                (2, Err("text after a closing quote")),
                (3, Err("a quote inside a field without quotes")),
                (4, Err("text after a closing quote")),
                (5, Err("text that is not UTF-8")),
                (6, fields(&["ok"])),
            ]
        );
        assert_eq!(
            read(b"\"open\nnext"),
            [
                (1, Err("a quote that is not closed")),
                (2, fields(&["next"]))
            ]
        );
    }
}
