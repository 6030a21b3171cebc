//! The manual of the functions, made from their documentation and from the table of names.

use super::differences::write_differences;
use super::explode::NAME as EXPLODE;
use super::names::System;
use super::registration::{aggregate_functions, scalar_functions};
use super::shared_names::SHARED;
use datafusion::logical_expr::Documentation;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

const INTRODUCTION: &str = "# Bitmap functions

Made from the functions' documentation by `UPDATE_MANUAL=1 cargo test --release --workspace --test slt manual`; a test fails while
this page is stale, and another runs every example.

- A bitmap is a binary value (`Binary`, `LargeBinary`, `BinaryView`): portable 64-bit Roaring, a set of integers from 0 to 2^64 - 1.
  What is written is canonical: equal sets are equal bytes. Bytes with a defect are an error that names function, argument, row and defect.
- Scalar functions give NULL if an argument is NULL, and aggregates skip NULLs, unless it says otherwise. Ranges are from start up to,
  but without, end.
- Names of other systems are aliases, or functions with that system's rules where they differ. Unquoted names may be written in any case
  (`groupBitmap`, `GROUPBITMAP`).
- Names that Doris, StarRocks, Spark and tagmill share follow tagmill's rules until `SET tagmill.dialect = 'doris'`, `'starrocks'` or
  `'spark'`; `'tagmill'` is the default. The plan then has the dialect's function, so `EXPLAIN` shows it.
- Where an integer is expected, a decimal without a fraction is one: SQL makes decimals of UInt64 (`uid % 10`, `coalesce(uid, 0)`).
- Bitmaps in the bytes of other systems are read and written by `bitmap_from_<system>` and `bitmap_to_<system>`.
- With `tagmill.dialect = 'doris'` or `'starrocks'`, `count(DISTINCT bitmap)` counts the users in the bitmaps, as there; without, it counts
  different byte strings. What differs on purpose is listed [at the end](#differences-that-are-kept).
";

/// The documentation of one function.
struct Page<'d> {
    name: &'d str,
    documentation: &'d Documentation,
}

/// The manual as Markdown: every function with syntax, arguments, rules, example and names
/// elsewhere; then each system's names, and what share of them is covered.
///
/// # Errors
/// None; writing to memory does not fail.
pub fn manual() -> Result<String, fmt::Error> {
    let (scalars, aggregates) = (scalar_functions(), aggregate_functions());
    let pages = scalars
        .iter()
        .map(|function| (false, function.name(), function.documentation()));
    let pages = pages.chain(
        aggregates
            .iter()
            .map(|function| (true, function.name(), function.documentation())),
    );
    let mut sections: BTreeMap<&str, Vec<Page<'_>>> = BTreeMap::new();
    for (is_aggregate, name, documentation) in pages {
        if let Some(documentation) = documentation {
            sections
                .entry(section(is_aggregate, name))
                .or_default()
                .push(Page {
                    name,
                    documentation,
                });
        }
    }
    let mut out = INTRODUCTION.to_owned();
    for title in SECTIONS {
        writeln!(out, "\n## {title}")?;
        if *title == TABLE {
            writeln!(out, "\n### {EXPLODE}\n\n{EXPLODE_TEXT}")?;
        }
        let mut pages = sections.remove(title).unwrap_or_default();
        pages.sort_by_key(|page| page.name.to_ascii_lowercase());
        for page in pages {
            write_page(&mut out, &page)?;
        }
    }
    write_names(&mut out)?;
    write_differences(&mut out)?;
    Ok(out)
}

const SCALAR: &str = "Scalar functions";
const AGGREGATE: &str = "Aggregate functions";
const BSI: &str = "Bit-sliced numbers";
const TABLE: &str = "Table function";
const FORMATS: &str = "Bytes of other systems";
const OWN: &str = "Functions with the rules of other systems";
const SECTIONS: &[&str] = &[SCALAR, AGGREGATE, BSI, TABLE, FORMATS, OWN];

const EXPLODE_TEXT: &str = "The values of a constant bitmap as the rows of a table with the \
                            column `value`, ascending; none for NULL. Of a column, \
`SELECT unnest(bitmap_to_array(b)) FROM t` gives the rows, also above a GROUP BY in a session of `register_all`.

```sql
> SELECT value FROM bitmap_explode(bitmap_from_array([5, 1]));
1
5
```";

/// Where a function stands in the manual.
fn section(is_aggregate: bool, name: &str) -> &'static str {
    let formats = [
        "clickhouse",
        "doris",
        "starrocks",
        "portable32",
        "portable64",
        "java_legacy",
    ];
    let is_format = ["bitmap_to_", "bitmap_from_"]
        .into_iter()
        .filter_map(|start| name.strip_prefix(start))
        .any(|rest| formats.contains(&rest));
    let is_theirs = SHARED.iter().any(|shared| shared.function == name)
        || System::ALL.iter().any(|system| owns(*system, name));
    match name {
        _ if is_format => FORMATS,
        name if name.starts_with("bsi_") => BSI,
        _ if is_theirs => OWN,
        _ if is_aggregate => AGGREGATE,
        _ => SCALAR,
    }
}

/// Whether a function is under a name that only this system has.
fn owns(system: System, name: &str) -> bool {
    let is_known = |system: &System| {
        system
            .names()
            .iter()
            .any(|(theirs, ours)| *theirs == name && ours.is_empty())
    };
    let is_ours = name.starts_with("bitmap_") || matches!(name, "to_bitmap" | "sub_bitmap");
    is_known(&system) && !is_ours
}

fn write_page(out: &mut String, page: &Page<'_>) -> fmt::Result {
    let documentation = page.documentation;
    writeln!(
        out,
        "\n### {}\n\n{}\n\n`{}`",
        page.name, documentation.description, documentation.syntax_example
    )?;
    let arguments = documentation.arguments.iter().flatten();
    let listed: Vec<String> = arguments
        .map(|(name, about)| format!("- `{name}`: {about}"))
        .collect();
    if !listed.is_empty() {
        writeln!(out, "\n{}", listed.join("\n"))?;
    }
    if let Some(example) = &documentation.sql_example {
        writeln!(out, "\n{}", example.trim())?;
    }
    let names = names_elsewhere(page.name);
    if names.is_empty() {
        Ok(())
    } else {
        writeln!(out, "\nElsewhere: {names}")
    }
}

/// What other systems call a function.
fn names_elsewhere(name: &str) -> String {
    let systems = System::ALL
        .into_iter()
        .chain([System::Others])
        .filter_map(|system| {
            let theirs = system
                .names()
                .iter()
                .filter(|(theirs, ours)| *ours == name || ours.is_empty() && *theirs == name);
            let theirs: Vec<String> = theirs.map(|(theirs, _)| format!("`{theirs}`")).collect();
            (!theirs.is_empty()).then(|| format!("{} {}", system.title(), theirs.join(", ")))
        });
    systems.collect::<Vec<String>>().join("; ")
}

fn write_names(out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "\n## Names of other systems\n\n| system | bitmap functions | covered |\n|---|---|---|"
    )?;
    for system in System::ALL {
        let (covered, all) = coverage(system);
        writeln!(
            out,
            "| {} | {all} | {covered} ({} %) |",
            system.title(),
            covered * 100 / all.max(1)
        )?;
    }
    writeln!(
        out,
        "\nNot in the tables: operators of pg_roaringbitmap and its casts of text; combinators of \
         ClickHouse such as -If (FILTER does it), groupNumericIndexedVector without -State (sum \
         does it), numericIndexedVectorShortDebugString."
    )?;
    writeln!(out, "What is covered in part is not counted.")?;
    for system in System::ALL {
        writeln!(
            out,
            "\n### {}\n\n| name | here | with the dialect set |\n|---|---|---|",
            system.title()
        )?;
        for (theirs, ours) in system.names() {
            let here = match *ours {
                "" if *theirs == "subdivide_bitmap" => {
                    "the same name, an array; `unnest` gives the rows".to_owned()
                }
                "" => "the same name".to_owned(),
                EXPLODE => format!(
                    "in part: `{EXPLODE}`, a table function of a constant; of a column, \
                     `unnest(bitmap_to_array(b))`"
                ),
                ours => format!("`{ours}`"),
            };
            let name = if ours.is_empty() { theirs } else { ours };
            let rule = SHARED
                .iter()
                .find(|shared| shared.system == system && shared.name == *name);
            writeln!(
                out,
                "| `{theirs}` | {here} | {} |",
                rule.map_or(String::new(), |rule| format!("`{}`", rule.function))
            )?;
        }
    }
    Ok(())
}

/// How many names of a system are functions here with all they do there, and how many there are.
fn coverage(system: System) -> (usize, usize) {
    let (scalars, aggregates) = (scalar_functions(), aggregate_functions());
    let is_known = |name: &str| {
        let is_scalar = scalars.iter().any(|function| {
            function.name() == name || function.aliases().iter().any(|alias| alias == name)
        });
        is_scalar
            || aggregates.iter().any(|function| {
                function.name() == name || function.aliases().iter().any(|alias| alias == name)
            })
    };
    let names = system.names();
    let covered = names.iter().filter(|(theirs, _)| is_known(theirs)).count();
    (covered, names.len())
}

/// A name that another system has for a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialectName {
    /// The system.
    pub system: &'static str,
    /// Its name for the function.
    pub name: &'static str,
    /// Our function under that name, which may be of the same name.
    pub function: &'static str,
}

/// Every name of the systems in the manual.
pub fn dialect_names() -> Vec<DialectName> {
    let names = System::ALL.into_iter().flat_map(|system| {
        let names = system.names().iter();
        names.map(move |(name, function)| DialectName {
            system: system.title(),
            name,
            function: if function.is_empty() { name } else { function },
        })
    });
    names.collect()
}
