//! The parts of docs/ that are made from this crate: keys of the configuration, tables of a release,
//! conversions of values.
//!
//! `UPDATE_DOCS=1 cargo test --release --workspace --test schemas pages` writes them again.

use std::fmt::Write;

use arrow::datatypes::DataType;
use tagmill_schemas::config::{Key, TABLES, Table};
use tagmill_schemas::conversion::{How, Origin, Use, conversion};
use tagmill_schemas::{Artifact, Config};

use crate::configuration::LEAST;

/// Checks what stands between the two markers of a page, or writes it.
fn check_page(page: &str, made: &str) {
    let path = format!("{}/../docs/{page}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let (begin, end) = (
        "<!-- made by a test: begin -->\n",
        "<!-- made by a test: end -->",
    );
    let (before, rest) = text.split_once(begin).expect("a marker where it begins");
    let (found, after) = rest.split_once(end).expect("a marker where it ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{made}{end}{after}")).unwrap();
        return;
    }
    assert!(
        found == made,
        "docs/{page} is stale: UPDATE_DOCS=1 cargo test --release --workspace --test schemas pages"
    );
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn write_keys(out: &mut String, Table { title, what, keys }: &Table) {
    writeln!(out, "\n### {title}\n\n{what}\n").unwrap();
    writeln!(
        out,
        "| key | value | without it | meaning |\n|---|---|---|---|"
    )
    .unwrap();
    for Key {
        name,
        form,
        default,
        what,
    } in *keys
    {
        let default = match default {
            None => "**required**".to_owned(),
            Some(words) if words.starts_with('(') => words.trim_matches(['(', ')']).to_owned(),
            Some(value) => format!("`{value}`"),
        };
        let what = cell(what);
        writeln!(out, "| `{name}` | {} | {default} | {what} |", cell(form)).unwrap();
    }
}

#[test]
fn the_configuration_lists_every_key() {
    let mut made = String::new();
    TABLES.iter().for_each(|table| write_keys(&mut made, table));
    made.push('\n');
    check_page("configuration.md", &made);
}

#[test]
fn the_page_of_values_has_every_conversion() {
    let mut made = String::new();
    writeln!(made, "\n| column | Parquet types |\n|---|---|").unwrap();
    for origin in Origin::ALL {
        writeln!(made, "| {origin} | {} |", origin.parquet()).unwrap();
    }
    for used in Use::ALL {
        let name = used.to_string();
        let title = name[..1].to_uppercase() + &name[1..];
        writeln!(
            made,
            "\n### {title}\n\n| column | becomes | what has none |\n|---|---|---|"
        )
        .unwrap();
        for origin in Origin::ALL {
            let conversion = conversion(origin, used);
            let otherwise = match conversion.how {
                How::Always => "",
                How::Checked => "rejects its row",
                How::Refused => "the night is refused before it reads",
            };
            let what = cell(conversion.what);
            writeln!(made, "| {origin} | {what} | {otherwise} |").unwrap();
        }
    }
    made.push('\n');
    check_page("values.md", &made);
}

/// A type as SQL names it.
fn sql_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "text".to_owned(),
        DataType::Binary => "binary".to_owned(),
        DataType::FixedSizeBinary(bytes) => format!("binary, {bytes} bytes"),
        DataType::Date32 => "date".to_owned(),
        other => other.to_string().to_ascii_lowercase(),
    }
}

#[test]
fn the_page_of_releases_lists_every_column() {
    let mut made = String::new();
    for artifact in Artifact::ALL {
        let (what, note) = (artifact.what(), artifact.note());
        writeln!(
            made,
            "\n### {artifact}\n\n{}{}",
            what[..1].to_uppercase(),
            &what[1..]
        )
        .unwrap();
        if !note.is_empty() {
            let bullet = if note.contains("; `") { "- " } else { "" };
            let note = note.replace("; `", "\n- `");
            writeln!(made, "\n{bullet}{note}").unwrap();
        }
        writeln!(made, "\nSorted by {}.\n", artifact.sort_key().join(", ")).unwrap();
        writeln!(
            made,
            "| column | type | null | meaning |\n|---|---|---|---|"
        )
        .unwrap();
        for column in artifact.columns() {
            let (name, null) = (column.name, column.null.unwrap_or("never"));
            let (kind, what) = (sql_type(&column.data_type), cell(column.what));
            writeln!(made, "| `{name}` | {kind} | {null} | {what} |").unwrap();
        }
    }
    made.push('\n');
    check_page("releases.md", &made);
}

/// A default that is given as a value is what the parser takes.
#[test]
fn defaults_of_the_reference_are_those_of_the_parser() {
    let parse = |text: &str| Config::parse(text, "w.toml").unwrap_or_else(|e| panic!("{e}"));
    let least = parse(LEAST);
    let given = |table: &Table| {
        let keys = table
            .keys
            .iter()
            .filter_map(|key| Some((key.name, key.default?)));
        let lines = keys.filter(|(_, default)| !default.starts_with('('));
        lines.fold(String::new(), |text, (name, default)| {
            format!("{text}{name} = {default}\n")
        })
    };
    let mut written = LEAST.to_owned();
    for table in TABLES {
        match table.title {
            "[warehouse]" => written.push_str(&given(table)),
            "[run]" | "[retention]" | "[limits]" => {
                write!(written, "{}\n{}", table.title, given(table)).unwrap();
            }
            _ => {}
        }
    }
    assert!(written.contains("values_per_tag = 100_000"), "{written}");
    assert_eq!(parse(&written), least);
    let groups = TABLES
        .iter()
        .find(|table| table.title == "[groups]")
        .unwrap();
    let short = format!("{LEAST}[groups]\nrules = \"r\"\n");
    assert_eq!(parse(&format!("{short}{}", given(groups))), parse(&short));
}

/// Whoever adds a table to the parser adds it to the reference.
#[test]
fn every_key_with_a_table_leads_to_one() {
    for key in TABLES.iter().flat_map(|table| table.keys) {
        if matches!(key.form, "table" | "list of tables")
            && !key.what.contains("not in this version")
        {
            let is_its = |table: &&Table| table.title.contains(key.name);
            assert!(TABLES.iter().any(|table| is_its(&table)), "{}", key.name);
        }
    }
}
