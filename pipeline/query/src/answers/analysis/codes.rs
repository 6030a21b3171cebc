//! Of every user of a shard the values of a column that answers are told apart by, as codes.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use datafusion::logical_expr::{cast, ident, lit};
use hashbrown::HashMap;
use tagmill_schemas::artifact::value_column;
use tagmill_schemas::{Result, ValueType};

use super::super::released::Released;
use super::shard_rows::Cell;
use crate::catalog::failed;

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Label {
    /// The value, as text.
    Value(Arc<str>),
    /// None at all.
    Null,
    /// One of those that are not kept.
    Other,
}

/// The code of users without a value.
const NULL: u32 = 0;
/// Marks the code of a user who has more of them.
const MORE: u32 = 1 << 31;

/// The labels of a column in one shard, by code.
#[derive(Debug)]
pub(super) struct Labels {
    labels: Vec<Label>,
    codes: HashMap<Label, u32>,
}

impl Default for Labels {
    fn default() -> Self {
        let labels = vec![Label::Null];
        let codes = HashMap::from([(Label::Null, NULL)]);
        Self { labels, codes }
    }
}

impl Labels {
    /// The code of a label.
    pub(super) fn code(&mut self, label: Label) -> u32 {
        let labels = &mut self.labels;
        *self.codes.entry(label).or_insert_with_key(|label| {
            labels.push(label.clone());
            (labels.len() - 1) as u32
        })
    }

    /// The label of a code.
    pub(super) fn label(&self, code: u32) -> Label {
        self.labels
            .get(code as usize)
            .cloned()
            .unwrap_or(Label::Null)
    }
}

/// Codes by ordinal.
#[derive(Debug, Default)]
pub(super) struct Codes {
    first: Vec<u32>,
    more: HashMap<u32, Vec<u32>>,
}

impl Codes {
    /// Everybody of `count` ordinals is without a value.
    pub(super) fn clear(&mut self, count: usize) {
        self.first.clear();
        self.first.resize(count, NULL);
        self.more.clear();
    }

    /// Gives a code to the users of a cell, of whom those of `among` count.
    ///
    /// # Errors
    /// Refused for damaged bitmaps.
    pub(super) fn add(&mut self, code: u32, users: &Cell, among: Option<&[u64]>) -> Result<()> {
        let Self { first, more } = self;
        let visit = |ordinal: u32| match first.get_mut(ordinal as usize) {
            Some(first) if *first == NULL => *first = code,
            Some(first) => {
                *first |= MORE;
                more.entry(ordinal).or_default().push(code);
            }
            None => {}
        };
        match among {
            Some(among) => users.for_each_among(among, visit),
            None => users.for_each(visit),
        }
    }

    /// The codes of a user, of whom there is one at least.
    pub(super) fn of(&self, ordinal: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.first.get(ordinal as usize).copied().unwrap_or(NULL);
        let more = (first & MORE != 0)
            .then(|| self.more.get(&ordinal))
            .flatten();
        std::iter::once(first & !MORE).chain(more.into_iter().flatten().copied())
    }
}

/// The values of a tag in one shard: each with its users.
///
/// # Errors
/// Refused for damaged bitmaps; retry when the store fails.
pub(super) async fn tag_rows(
    release: &Released,
    (app, tag, value_type): (&str, &str, ValueType),
    shard: u32,
) -> Result<Vec<(Arc<str>, Cell)>> {
    let of_tag = ident("app").eq(lit(app)).and(ident("tag").eq(lit(tag)));
    let of_type = ident("type").eq(lit(value_type.name()));
    let rows = of_tag.and(of_type).and(ident("shard").eq(lit(shard)));
    let batches = async {
        let rows = release.ctx.table("tags").await?.filter(rows)?;
        let value = cast(ident(value_column(value_type)), DataType::Utf8View);
        rows.select([value, ident("bitmap")])?.collect().await
    };
    let mut found = Vec::new();
    for batch in batches.await.map_err(failed)? {
        let values = batch.column(0).as_string_view();
        let cells = Arc::new(batch.column(1).as_binary_view().clone());
        for row in (0..batch.num_rows()).filter(|row| values.is_valid(*row)) {
            let users = Cell::of(&cells, row, shard)?;
            found.push((Arc::from(values.value(row)), users));
        }
    }
    Ok(found)
}
