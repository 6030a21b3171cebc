//! What Tab offers at the prompt: commands, tables, columns, functions, words of SQL; inside quotes
//! the apps, tags, groups and events of the release.
//!
//! Apps and tags are in the manifest. Groups and events are read in the background when the prompt
//! opens, from columns of names alone; until they are there, or if they can not be read, none are
//! offered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};
use tagmill_schemas::Manifest;

use super::functions;
use super::session::Session;

const COMMANDS: [&str; 7] = ["\\?", "\\d", "\\h", "\\q", "exit", "help", "quit"];
const WORDS: [&str; 32] = [
    "AND", "AS", "BETWEEN", "BY", "CASE", "COUNT", "CREATE", "DATE", "DESC", "DESCRIBE",
    "DISTINCT", "ELSE", "END", "EXPLAIN", "FROM", "GROUP", "HAVING", "IN", "IS", "JOIN", "LIKE",
    "LIMIT", "NOT", "NULL", "ON", "OR", "ORDER", "SELECT", "THEN", "USING", "WHEN", "WHERE",
];
/// Columns whose values are offered.
const VALUED: [&str; 4] = ["app", "event", "group", "tag"];
/// More values of a column than anybody looks through.
const MOST_VALUES: usize = 100_000;

type ByColumn = BTreeMap<&'static str, BTreeSet<(String, String)>>;

/// Values by column and app; those of apps themselves are of the app `""`.
#[derive(Debug, Clone, Default)]
pub(super) struct Values(Arc<Mutex<ByColumn>>);

impl Values {
    /// Those of the release that is open, none without one.
    pub(super) fn read(session: &Session) -> Self {
        let values = Self::default();
        if let Some(manifest) = &session.manifest {
            values.add_tags(manifest);
            let (ctx, found) = (session.ctx.clone(), values.clone());
            let date = manifest.date;
            tokio::spawn(async move {
                let groups = "SELECT DISTINCT app, \"group\" FROM group_status".to_owned();
                let events =
                    format!("SELECT DISTINCT app, event FROM behaviour WHERE date = '{date}'");
                for (column, query) in [("group", groups), ("event", events)] {
                    // Without them the prompt works as well.
                    let _ = found.add_rows(&ctx, column, &query).await;
                }
            });
        }
        values
    }

    fn add(&self, column: &'static str, rows: impl Iterator<Item = (String, String)>) {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.entry(column).or_default().extend(rows);
    }

    fn add_tags(&self, manifest: &Manifest) {
        let tags = manifest.tags.iter();
        self.add(
            "tag",
            tags.clone().map(|tag| (tag.app.clone(), tag.tag.clone())),
        );
        self.add("app", tags.map(|tag| (String::new(), tag.app.clone())));
        let counted = manifest.counts.iter().filter_map(|count| count.app.clone());
        self.add("app", counted.map(|app| (String::new(), app)));
    }

    async fn add_rows(
        &self,
        ctx: &SessionContext,
        column: &'static str,
        query: &str,
    ) -> Result<()> {
        let rows = ctx.sql(query).await?.limit(0, Some(MOST_VALUES))?;
        for batch in rows.collect().await? {
            let apps = cast(batch.column(0), &DataType::Utf8)?;
            let names = cast(batch.column(1), &DataType::Utf8)?;
            let (apps, names) = (apps.as_string::<i32>(), names.as_string::<i32>());
            let row = |row: usize| (apps.value(row).to_owned(), names.value(row).to_owned());
            self.add(column, (0..apps.len()).map(row));
        }
        Ok(())
    }

    /// Values of a column that begin so, of one app if that is known.
    fn of(&self, column: &str, app: Option<&str>, begin: &str) -> Vec<String> {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = |(of, name): &&(String, String)| {
            (column == "app" || app.is_none_or(|app| app == of)) && name.starts_with(begin)
        };
        let found = values.get(column).into_iter().flatten().filter(is_wanted);
        let names: BTreeSet<&str> = found.map(|(_, name)| name.as_str()).collect();
        names
            .into_iter()
            .map(|name| name.replace('\'', "''"))
            .collect()
    }
}

/// The names that are known when a line is typed.
#[derive(Debug)]
pub(super) struct Completion {
    tables: Vec<String>,
    columns: BTreeSet<String>,
    functions: Vec<String>,
    values: Values,
}

impl Completion {
    /// The names of a session now.
    pub(super) async fn new(session: &Session, values: &Values) -> Self {
        let state = session.ctx.state();
        let tables = session.table_names();
        let mut columns = BTreeSet::new();
        // Columns of raw tables are in their files, which nobody has asked for yet.
        for table in tables.iter().filter(|table| !table.contains('.')) {
            if let Ok(table) = session.ctx.table_provider(table.as_str()).await {
                columns.extend(
                    table
                        .schema()
                        .fields()
                        .iter()
                        .map(|field| field.name().clone()),
                );
            }
        }
        Self {
            tables,
            columns,
            functions: functions::names(&state)
                .into_iter()
                .map(str::to_owned)
                .collect(),
            values: values.clone(),
        }
    }

    /// Where what is completed begins, and what it may become.
    fn offers(&self, typed: &str) -> (usize, Vec<String>) {
        if typed.matches('\'').count() % 2 == 1 {
            let start = typed.rfind('\'').map_or(0, |quote| quote + 1);
            return (start, self.values_for(&typed[..start - 1], &typed[start..]));
        }
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '\\');
        let start = typed.rfind(|c| !is_name(c)).map_or(0, |at| {
            at + typed[at..].chars().next().map_or(1, char::len_utf8)
        });
        let (before, begin) = (typed[..start].trim(), &typed[start..]);
        let names: Vec<&str> = match before.rsplit(char::is_whitespace).next() {
            Some("\\d") => self.tables().collect(),
            Some("\\h") => self.functions().collect(),
            Some(word) if is_before_table(word) => self.tables().chain(self.functions()).collect(),
            _ if begin.is_empty() => Vec::new(),
            _ => {
                let words = WORDS
                    .into_iter()
                    .chain(self.columns.iter().map(String::as_str));
                let names = words.chain(self.tables()).chain(self.functions());
                let commands = COMMANDS.iter().copied().filter(|_| before.is_empty());
                names.chain(commands).collect()
            }
        };
        let is_wanted = |name: &&str| {
            name.get(..begin.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(begin))
        };
        let wanted: BTreeSet<&str> = names.into_iter().filter(is_wanted).collect();
        (start, wanted.into_iter().map(str::to_owned).collect())
    }

    fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(String::as_str)
    }

    fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().map(String::as_str)
    }

    /// Values of the column that was named last before an open quote.
    fn values_for(&self, before: &str, begin: &str) -> Vec<String> {
        let words = before.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let Some(column) = words.rev().find_map(|word| {
            VALUED
                .into_iter()
                .find(|column| column.eq_ignore_ascii_case(word))
        }) else {
            return Vec::new();
        };
        self.values.of(column, app_in(before), begin)
    }
}

/// The app that a line names: `app = 'tea_shop'`.
fn app_in(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("app")?;
    rest.trim_start()
        .strip_prefix('=')?
        .trim_start()
        .strip_prefix('\'')?
        .split_once('\'')
        .map(|(app, _)| app)
}

fn is_before_table(word: &str) -> bool {
    ["from", "join", "describe", "into", "table"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word))
}

impl Completer for Completion {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.offers(&line[..position]))
    }
}

impl Hinter for Completion {
    type Hint = String;
}

impl Highlighter for Completion {}
impl Validator for Completion {}
impl Helper for Completion {}

#[cfg(test)]
mod tests {
    use super::*;

    fn completion() -> Completion {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let values = Values::default();
        let pair = |app: &str, name: &str| (app.to_owned(), name.to_owned());
        values.add("app", [pair("", "tea"), pair("", "books")].into_iter());
        values.add(
            "tag",
            [pair("tea", "city"), pair("books", "cover")].into_iter(),
        );
        values.add(
            "group",
            [pair("tea", "it's"), pair("tea", "cooks")].into_iter(),
        );
        Completion {
            tables: texts(&["groups", "raw.profiles", "tags"]),
            columns: ["group", "bitmap"].map(str::to_owned).into(),
            functions: texts(&["bitmap_and", "bitmap_or"]),
            values,
        }
    }

    #[test]
    fn names_are_completed_where_they_stand() {
        for (typed, start, offered) in [
            ("\\", 0, &["\\?", "\\d", "\\h", "\\q"][..]),
            ("\\d gr", 3, &["groups"]),
            ("\\h bitmap_a", 3, &["bitmap_and"]),
            ("SELECT bit", 7, &["bitmap", "bitmap_and", "bitmap_or"]),
            ("sel", 0, &["SELECT"]),
            ("SELECT * FROM r", 14, &["raw.profiles"]),
            (
                "SELECT count(bitm",
                13,
                &["bitmap", "bitmap_and", "bitmap_or"],
            ),
            ("SELECT ", 7, &[]),
            ("SELECT é", 7, &[]),
        ] {
            let (at, found) = completion().offers(typed);
            assert_eq!(at, start, "{typed}");
            assert_eq!(found, offered, "{typed}");
        }
    }

    #[test]
    fn values_are_those_of_the_column_and_app_before_the_quote() {
        for (typed, offered) in [
            ("WHERE app = '", &["books", "tea"][..]),
            ("WHERE app = 'tea' AND tag = 'c", &["city"]),
            ("WHERE tag IN ('city', 'c", &["city", "cover"]),
            ("WHERE app = 'tea' AND \"group\" = '", &["cooks", "it''s"]),
            ("WHERE value = '", &[]),
        ] {
            let (_, found) = completion().offers(typed);
            assert_eq!(found, offered, "{typed}");
        }
    }
}
