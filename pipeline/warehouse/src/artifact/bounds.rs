//! The least and the greatest value of a page and of a chunk: what readers leave out pages by.

use std::cmp::Ordering;

use parquet::basic::{BoundaryOrder, Type};
use parquet::data_type::ByteArray;
use parquet::errors::Result;
use parquet::file::metadata::ColumnIndexBuilder;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::{Statistics, ValueStatistics};

use super::distinct::{Distinct, Kind};

/// Longer texts are cut, the greatest to something greater.
const TEXT_BYTES: usize = 64;

/// The bounds of some rows, by the numbers of their values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bounds {
    /// `None`: all null, or not a number.
    ends: Option<(u32, u32)>,
    rows: u64,
    nulls: u64,
}

impl Bounds {
    pub(super) fn add_nulls(&mut self, rows: u64) {
        self.rows += rows;
        self.nulls += rows;
    }

    pub(super) fn add(&mut self, values: &Distinct, number: u32, rows: u64) {
        self.rows += rows;
        if !is_nan(values, number) {
            self.widen(values, (number, number));
        }
    }

    fn add_all(&mut self, values: &Distinct, other: &Self) {
        self.rows += other.rows;
        self.nulls += other.nulls;
        if let Some(ends) = other.ends {
            self.widen(values, ends);
        }
    }

    fn widen(&mut self, values: &Distinct, (least, most): (u32, u32)) {
        let pick = |old: u32, new: u32, wanted| {
            if old != new && values.compare(new, old) == wanted {
                new
            } else {
                old
            }
        };
        self.ends = Some(match self.ends {
            None => (least, most),
            Some(ends) => (
                pick(ends.0, least, Ordering::Less),
                pick(ends.1, most, Ordering::Greater),
            ),
        });
    }
}

/// What the footer says of a chunk with these pages.
pub(super) fn statistics(values: &Distinct, pages: &[Bounds]) -> Statistics {
    let mut all = Bounds::default();
    pages.iter().for_each(|page| all.add_all(values, page));
    let nulls = Some(all.nulls);
    let (least, most) = (
        all.ends.map(|(least, _)| bound(values, least, End::Least)),
        all.ends.map(|(_, most)| bound(values, most, End::Most)),
    );
    match values {
        Distinct::Texts(texts) => {
            let is_exact = |number: Option<u32>| {
                number.is_some_and(|number| texts.get(number).len() <= TEXT_BYTES)
            };
            let statistics = ValueStatistics::new(
                least.map(ByteArray::from),
                most.map(ByteArray::from),
                None,
                nulls,
                false,
            )
            .with_min_is_exact(is_exact(all.ends.map(|ends| ends.0)))
            .with_max_is_exact(is_exact(all.ends.map(|ends| ends.1)));
            Statistics::ByteArray(statistics)
        }
        Distinct::Numbers(Kind::Bool, _) => Statistics::boolean(
            least.map(|b| b == [1]),
            most.map(|b| b == [1]),
            None,
            nulls,
            false,
        ),
        Distinct::Numbers(Kind::Signed32 | Kind::Unsigned32, _) => {
            let read = |bytes: Vec<u8>| bytes.try_into().map_or(0, i32::from_le_bytes);
            Statistics::int32(least.map(read), most.map(read), None, nulls, false)
        }
        Distinct::Numbers(Kind::Signed64 | Kind::Unsigned64, _) => {
            let read = |bytes: Vec<u8>| bytes.try_into().map_or(0, i64::from_le_bytes);
            Statistics::int64(least.map(read), most.map(read), None, nulls, false)
        }
        Distinct::Numbers(Kind::Double, _) => {
            let read = |bytes: Vec<u8>| bytes.try_into().map_or(0.0, f64::from_le_bytes);
            Statistics::double(least.map(read), most.map(read), None, nulls, false)
        }
    }
}

/// The page index; `None` where a page has values but no bounds.
///
/// # Errors
/// None in practice: the builder is fallible.
pub(super) fn column_index(
    values: &Distinct,
    physical: Type,
    pages: &[Bounds],
) -> Result<Option<ColumnIndexMetaData>> {
    let mut builder = ColumnIndexBuilder::new(physical);
    for page in pages {
        match page.ends {
            Some((least, most)) => builder.append(
                false,
                bound(values, least, End::Least),
                bound(values, most, End::Most),
                page.nulls as i64,
            ),
            None if page.nulls == page.rows => {
                builder.append(true, Vec::new(), Vec::new(), page.nulls as i64)
            }
            None => return Ok(None),
        }
    }
    builder.set_boundary_order(boundary_order(values, pages));
    builder.build().map(Some)
}

fn boundary_order(values: &Distinct, pages: &[Bounds]) -> BoundaryOrder {
    let ends: Vec<(u32, u32)> = pages.iter().filter_map(|page| page.ends).collect();
    let never = |unwanted: Ordering| {
        ends.windows(2).all(|pair| {
            values.compare(pair[0].0, pair[1].0) != unwanted
                && values.compare(pair[0].1, pair[1].1) != unwanted
        })
    };
    if never(Ordering::Greater) {
        BoundaryOrder::ASCENDING
    } else if never(Ordering::Less) {
        BoundaryOrder::DESCENDING
    } else {
        BoundaryOrder::UNORDERED
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Least,
    Most,
}

fn bound(values: &Distinct, number: u32, end: End) -> Vec<u8> {
    let bytes = values.bound(number);
    match values {
        Distinct::Texts(_) => text_bound(bytes, end),
        // Zeros compare equal elsewhere: a bound stands for both.
        Distinct::Numbers(Kind::Double, numbers) if f64::from_bits(numbers.get(number)) == 0.0 => {
            (if end == End::Least { -0.0f64 } else { 0.0 })
                .to_le_bytes()
                .to_vec()
        }
        Distinct::Numbers(..) => bytes,
    }
}

fn text_bound(text: Vec<u8>, end: End) -> Vec<u8> {
    let Some(cut) = std::str::from_utf8(&text)
        .ok()
        .filter(|text| text.len() > TEXT_BYTES)
        .map(|text| text.split_at(text.floor_char_boundary(TEXT_BYTES)).0)
    else {
        return text;
    };
    if end == End::Least {
        return cut.as_bytes().to_vec();
    }
    // The last character that has a next one of as many bytes.
    let next = cut.char_indices().rev().find_map(|(at, last)| {
        let next =
            char::from_u32(last as u32 + 1).filter(|next| next.len_utf8() == last.len_utf8())?;
        Some(format!("{}{next}", cut.split_at(at).0).into_bytes())
    });
    next.unwrap_or(text)
}

fn is_nan(values: &Distinct, number: u32) -> bool {
    matches!(values, Distinct::Numbers(Kind::Double, numbers) if f64::from_bits(numbers.get(number)).is_nan())
}
