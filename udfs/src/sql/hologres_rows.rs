//! How the rows of Hologres's functions of a bit-sliced index are computed.

use super::builders::write_values;
use super::function::Answer;
use super::index_value::Numbers;
use super::row::Row;
use datafusion::error::{DataFusionError, Result};
use std::fmt::Write;
use tagmill_bitmap::{BitmapRef, Bsi, Comparison, Defect, or_many};

/// A defect of the index in the first argument.
#[cold]
pub(super) fn refused(row: &Row<'_>, defect: Defect) -> DataFusionError {
    row.error(format_args!("argument 1: {defect}"))
}

/// Writes a bitmap that an index gave.
pub(super) fn write(
    row: &Row<'_>,
    bytes: Result<Vec<u8>, Defect>,
    out: &mut Vec<u8>,
) -> Result<Answer> {
    let bytes = bytes.map_err(|defect| refused(row, defect))?;
    if bytes.is_empty() {
        return Ok(write_values(&[], out));
    }
    let bitmap = BitmapRef::parse_layout(&bytes).map_err(|defect| refused(row, defect))?;
    or_many(&[bitmap], out);
    Ok(Answer::Bitmap)
}

/// Keeps the members of a filter.
pub(super) fn keep(row: &Row<'_>, index: &mut Bsi, filter: &BitmapRef<'_>) -> Result<()> {
    index.keep(filter).map_err(|defect| refused(row, defect))
}

/// The index in the first argument, of the members that the argument at a place lets through.
pub(super) fn filtered(row: &Row<'_>, at: usize) -> Result<Bsi> {
    let mut index = row.index(0)?;
    if row.len() > at {
        keep(row, &mut index, &row.bitmap(at)?)?;
    }
    Ok(index)
}

/// The numbers of the index in the first argument, of the members that the second lets through.
pub(super) fn kept(row: &Row<'_>) -> Result<Numbers> {
    let mut numbers = row.numbers(0)?;
    if row.len() > 1 {
        let filter = row.bitmap(1)?;
        numbers.retain(|member, _| filter.contains(*member));
    }
    Ok(numbers)
}

/// The members whose number compares so with the second argument.
pub(super) fn compared(row: &Row<'_>, comparison: Comparison, out: &mut Vec<u8>) -> Result<Answer> {
    let number = row.integer(1)?.into();
    write(row, filtered(row, 2)?.compare(comparison, number), out)
}

/// `bsi_compare`.
pub(super) fn by_name(row: &Row<'_>, out: &mut Vec<u8>) -> Result<Answer> {
    let mut index = row.index(1)?;
    let first = if row.is_bitmap(2) {
        keep(row, &mut index, &row.bitmap(2)?)?;
        3
    } else {
        2
    };
    let numbers = (first..row.len()).map(|at| row.integer(at));
    let numbers = numbers.collect::<Result<Vec<i64>>>()?;
    let name = row.text(0)?.to_ascii_uppercase();
    let comparison = match name.as_str() {
        "LT" => Some(Comparison::Less),
        "LE" => Some(Comparison::LessOrEqual),
        "GT" => Some(Comparison::Greater),
        "GE" => Some(Comparison::GreaterOrEqual),
        "EQ" => Some(Comparison::Equal),
        "NEQ" => Some(Comparison::NotEqual),
        _ => None,
    };
    match (comparison, name.as_str(), numbers.as_slice()) {
        (Some(comparison), _, [number]) => {
            write(row, index.compare(comparison, (*number).into()), out)
        }
        (None, "RANGE", [low, high]) => {
            write(row, index.between((*low).into(), (*high).into()), out)
        }
        _ => Err(row.error(format_args!(
            "argument 1 is '{name}' with {} numbers, expected 'LT', 'LE', 'GT', 'GE', 'EQ' or \
             'NEQ' with 1, or 'RANGE' with 2",
            numbers.len()
        ))),
    }
}

/// `bsi_build`.
pub(super) fn built(row: &Row<'_>) -> Result<Numbers> {
    let (members, values) = (row.elements(0)?, row.number_list(1)?);
    if members.len() != values.len() {
        return Err(row.error(format_args!(
            "arguments 1 and 2 have {} and {} values, expected the same number",
            members.len(),
            values.len()
        )));
    }
    let mut numbers = Numbers::new();
    for (member, number) in members.into_iter().zip(values) {
        if numbers.insert(member, number).is_some() {
            return Err(row.error(format_args!(
                "argument 1 has {member} twice, expected each member once"
            )));
        }
    }
    Ok(numbers)
}

/// Adds the numbers of other members.
///
/// # Errors
/// A sum of more than 64 bits.
pub(super) fn add(sums: &mut Numbers, others: Numbers) -> Result<(), String> {
    for (member, number) in others {
        let sum = sums.entry(member).or_default();
        *sum = sum
            .checked_add(number)
            .ok_or_else(|| format!("the numbers of member {member} add up to more than 64 bits"))?;
    }
    Ok(())
}

/// Adds other members.
///
/// # Errors
/// A member that is there already.
pub(super) fn merge(all: &mut Numbers, others: Numbers) -> Result<(), String> {
    for (member, number) in others {
        if all.insert(member, number).is_some() {
            return Err(format!(
                "member {member} is in two indices, expected indices without a member in common; \
                 bsi_add adds their numbers"
            ));
        }
    }
    Ok(())
}

/// `bsi_show`.
pub(super) fn show(row: &Row<'_>) -> Result<String> {
    let (numbers, count) = (row.numbers(0)?, row.integer(1)?);
    let count = usize::try_from(count).unwrap_or(0);
    let shown = numbers
        .iter()
        .take(count)
        .map(|(member, number)| format!("{member}={number}"));
    let mut text = shown.collect::<Vec<String>>().join(",");
    if numbers.len() > count {
        write!(text, "...left {}", numbers.len() - count).map_err(|error| row.error(error))?;
    }
    Ok(text)
}

/// `bsi_stat`.
pub(super) fn stat(row: &Row<'_>) -> Result<String> {
    let (mut bounds, mut numbers) = (row.number_list(0)?, row.numbers(1)?);
    if row.len() > 2 {
        let filter = row.bitmap(2)?;
        numbers.retain(|member, _| filter.contains(*member));
    }
    if !bounds.is_sorted_by(|a, b| a < b) || bounds.first().is_some_and(|first| *first <= 0) {
        return Err(row.error("argument 1: expected bounds above 0 that ascend"));
    }
    let most = numbers.values().max().copied().unwrap_or(0);
    if bounds.last().is_none_or(|last| *last < most) {
        bounds.push(most);
    }
    let mut below = 0;
    let intervals = bounds.into_iter().map(|bound| {
        let is_in = |number: &&i64| **number > below && **number <= bound;
        let text = format!(
            "({below},{bound}]={}",
            numbers.values().filter(is_in).count()
        );
        below = bound;
        text
    });
    Ok(intervals.collect::<Vec<String>>().join(";"))
}
