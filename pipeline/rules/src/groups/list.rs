//! An uploaded list: a CSV file with one user id a line and, if it likes, the header `user_id`.

use std::str;

use super::csv::Records;

/// How reading a list went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListRead {
    /// Ids handed on, repetitions included.
    pub ids: u64,
    /// Lines that are no id: several fields, a broken quote, not UTF-8.
    pub bad: u64,
    /// The first bad line, from 1, and what is wrong with it.
    pub first_bad: Option<(u64, String)>,
}

/// Hands every id of a list to `each`, in file order, as it is written: not trimmed, not
/// deduplicated.
pub fn read_list(bytes: &[u8], each: &mut dyn FnMut(&str)) -> ListRead {
    let mut read = ListRead::default();
    // Lists have millions of lines; most files have no quote and no second column anywhere.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().any(|byte| matches!(byte, b'"' | b',')) {
        for record in Records::of(bytes) {
            match record.fields {
                Ok(fields) => match fields.as_slice() {
                    [id] => read.take(id, each),
                    fields => read.refuse(
                        record.line,
                        &format!("found {} fields, expected one", fields.len()),
                    ),
                },
                Err(reason) => read.refuse(record.line, &format!("found {reason}")),
            }
        }
        return read;
    }
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        match str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)) {
            Ok(id) => read.take(id, each),
            Err(_) => read.refuse(index as u64 + 1, "found text that is not UTF-8"),
        }
    }
    read
}

impl ListRead {
    fn take(&mut self, id: &str, each: &mut dyn FnMut(&str)) {
        let is_header = id == "user_id" && self.ids == 0 && self.bad == 0;
        if !is_header && !id.is_empty() {
            self.ids += 1;
            each(id);
        }
    }

    fn refuse(&mut self, line: u64, reason: &str) {
        self.bad += 1;
        self.first_bad
            .get_or_insert_with(|| (line, reason.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::{ListRead, read_list};

    fn read(bytes: &[u8]) -> (Vec<String>, ListRead) {
        let mut ids = Vec::new();
        let read = read_list(bytes, &mut |id| ids.push(id.to_owned()));
        (ids, read)
    }

    #[test]
    fn reads_ids_with_and_without_header_and_line_end() {
        assert_eq!(read(b"user_id\r\nu1\r\n\r\n u2\nu1").0, ["u1", " u2", "u1"]);
        assert_eq!(read(b"u1\nuser_id\n").0, ["u1", "user_id"]);
        assert_eq!(read(b""), (Vec::new(), ListRead::default()));
    }

    #[test]
    fn counts_bad_lines_and_keeps_the_others() {
        let (ids, list) = read(b"user_id\nu1\nu2,x\n\"u,3\"\n\xff\n");
        assert_eq!(ids, ["u1", "u,3"]);
        assert_eq!(
            list,
            ListRead {
                ids: 2,
                bad: 2,
                first_bad: Some((3, "found 2 fields, expected one".to_owned()))
            }
        );
        let (ids, list) = read(b"u1\n\xff\nu2");
        assert_eq!(
            (ids.len(), list.bad, list.first_bad),
            (2, 1, Some((2, "found text that is not UTF-8".to_owned())))
        );
    }
}
