//! What of a source's files is allowed and rarely meant.

use tagmill_schemas::config::{FileFormat, Source};

use super::files::{RawFile, RawFiles};

impl RawFiles {
    /// A sentence for each oddity: text files without anything in them, keys that say nothing of
    /// these files.
    pub fn oddities(&self, source: &Source) -> Vec<String> {
        let name = &source.name;
        let mut told = Vec::new();
        let is_empty = |file: &&RawFile| file.is_text() && file.schema.fields().is_empty();
        let empty: Vec<&RawFile> = self.files.iter().filter(is_empty).collect();
        if let Some(first) = empty.first() {
            let first = self.store.name_of(&first.found.path);
            told.push(match empty.len() {
                1 => format!("source {name}: {first} is empty: it has no rows"),
                count => {
                    format!("source {name}: {count} files are empty and have no rows, as {first}")
                }
            });
        }
        let is_csv = |file: &RawFile| file.notation.format == FileFormat::Csv;
        if source.delimiter.is_some() && !self.files.is_empty() && !self.files.iter().any(is_csv) {
            told.push(format!(
                "source {name}: delimiter says nothing of its files, none is read as CSV"
            ));
        }
        told
    }
}

/// The delimiter that a file may have been written with: it stands in a name of a column.
pub(super) fn likely_delimiter(names: &[&str]) -> Option<&'static str> {
    let written = [(';', ";"), ('\t', "\\t"), ('|', "|"), (',', ",")];
    let is_in_a_name = |delimiter: char| names.iter().any(|name| name.contains(delimiter));
    let found = written
        .iter()
        .find(|(delimiter, _)| is_in_a_name(*delimiter));
    found.map(|(_, written)| *written)
}
