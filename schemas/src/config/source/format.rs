//! How the files of a source are written: each as its name ends, unless the source says it.

use serde::Serialize;

use super::Source;

/// A format of raw files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FileFormat {
    /// Columns with types.
    Parquet,
    /// Text in fields, with a line of names.
    Csv,
    /// A JSON object a line.
    Ndjson,
}

/// How the bytes of a text file are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// By gzip.
    Gzip,
    /// By zstd.
    Zstd,
}

/// How one file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileNotation {
    /// Its format.
    pub format: FileFormat,
    /// How it is packed; Parquet packs its own pages.
    pub packing: Packing,
    /// What stands between fields of CSV.
    pub delimiter: u8,
}

const ENDINGS: [(&str, FileFormat); 5] = [
    (".csv", FileFormat::Csv),
    (".tsv", FileFormat::Csv),
    (".ndjson", FileFormat::Ndjson),
    (".jsonl", FileFormat::Ndjson),
    (".json", FileFormat::Ndjson),
];

impl FileFormat {
    /// Every format with its name in the configuration.
    pub const NAMED: [(&str, Self); 3] = [
        ("parquet", Self::Parquet),
        ("csv", Self::Csv),
        ("ndjson", Self::Ndjson),
    ];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

impl Source {
    /// How the file of this name is written.
    pub fn notation_of(&self, file: &str) -> FileNotation {
        let name = file.to_ascii_lowercase();
        let (inner, packing) = match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
            (Some(inner), _) => (inner, Packing::Gzip),
            (_, Some(inner)) => (inner, Packing::Zstd),
            _ => (name.as_str(), Packing::Plain),
        };
        let by_name = ENDINGS.iter().find(|(ending, _)| inner.ends_with(ending));
        let by_name = by_name.map_or(FileFormat::Parquet, |(_, format)| *format);
        let default = if inner.ends_with(".tsv") { b'\t' } else { b',' };
        FileNotation {
            format: self.format.unwrap_or(by_name),
            packing,
            delimiter: self.delimiter.unwrap_or(default),
        }
    }
}
