//! How rows are printed.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::csv::WriterBuilder;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::{ArrayWriter, LineDelimitedWriter};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow::util::pretty::pretty_format_batches_with_options;
use clap::ValueEnum;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use futures::{StreamExt, TryStreamExt};

use super::bitmap_cells::BitmapCells;

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PrintFormat {
    /// A box of columns.
    Table,
    /// Comma-separated values with a header.
    Csv,
    /// Tab-separated values with a header.
    Tsv,
    /// One array of objects a statement.
    Json,
    /// One object a row.
    #[value(name = "ndjson", alias = "nd-json")]
    NdJson,
}

/// How the rows of statements are printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printing {
    pub(super) format: PrintFormat,
    /// Rows of a table that are shown.
    pub(super) most: usize,
    /// What bitmaps are of.
    pub(super) members: &'static str,
}

/// Prints the rows of a statement. A table is printed when all rows are there, bitmaps as their
/// sizes; the other formats are printed batch by batch and keep every byte.
pub(super) async fn print_rows(
    rows: SendableRecordBatchStream,
    printing: Printing,
    options: &FormatOptions<'_>,
) -> Result<()> {
    match printing.format {
        PrintFormat::Table => {
            let cells = BitmapCells {
                members: printing.members,
            };
            let options = options.clone().with_formatter_factory(Some(&cells));
            print_table(rows, printing.most, &options).await
        }
        PrintFormat::Csv => print_separated(rows, b',', options).await,
        PrintFormat::Tsv => print_separated(rows, b'\t', options).await,
        PrintFormat::Json => print_json(rows).await,
        PrintFormat::NdJson => print_ndjson(rows).await,
    }
}

async fn print_table(
    rows: SendableRecordBatchStream,
    most: usize,
    options: &FormatOptions<'_>,
) -> Result<()> {
    let schema = rows.schema();
    let batches: Vec<RecordBatch> = rows.try_collect().await?;
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if schema.fields().is_empty() && total == 0 {
        return Ok(());
    }
    let mut shown = Vec::with_capacity(batches.len() + 1);
    let mut left = most;
    for batch in batches {
        let taken = batch.num_rows().min(left);
        left -= taken;
        shown.push(batch.slice(0, taken));
    }
    shown.push(RecordBatch::new_empty(schema));
    let table = pretty_format_batches_with_options(&shown, options)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{table}")?;
    if total > most {
        writeln!(out, "{most} of {total} rows; --maxrows N shows others")?;
    }
    out.flush().map_err(DataFusionError::from)
}

async fn print_separated(
    mut rows: SendableRecordBatchStream,
    delimiter: u8,
    options: &FormatOptions<'_>,
) -> Result<()> {
    let mut has_header = true;
    while let Some(batch) = rows.next().await {
        let batch = flat(&batch?, options)?;
        if batch.num_rows() == 0 {
            continue;
        }
        let builder = WriterBuilder::new()
            .with_header(has_header)
            .with_delimiter(delimiter);
        let mut text = Vec::new();
        builder.build(&mut text).write(&batch)?;
        print_text(&mut text)?;
        has_header = false;
    }
    io::stdout().flush().map_err(DataFusionError::from)
}

/// Columns that a cell of CSV can not hold, lists above all, as the text that a table shows.
fn flat(batch: &RecordBatch, options: &FormatOptions<'_>) -> Result<RecordBatch, ArrowError> {
    if !batch.columns().iter().any(|c| c.data_type().is_nested()) {
        return Ok(batch.clone());
    }
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        if column.data_type().is_nested() {
            fields.push(Arc::new(Field::new(field.name(), DataType::Utf8, true)));
            columns.push(texts_of(column, options)?);
        } else {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    RecordBatch::try_new(schema, columns)
}

fn texts_of(column: &ArrayRef, options: &FormatOptions<'_>) -> Result<ArrayRef, ArrowError> {
    let formatter = ArrayFormatter::try_new(column, options)?;
    let text = |row| {
        column
            .is_valid(row)
            .then(|| formatter.value(row).to_string())
    };
    Ok(Arc::new(
        (0..column.len()).map(text).collect::<StringArray>(),
    ))
}

async fn print_json(mut rows: SendableRecordBatchStream) -> Result<()> {
    let mut writer = ArrayWriter::new(Vec::new());
    let mut is_empty = true;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        is_empty &= batch.num_rows() == 0;
        writer.write(&batch)?;
        print_text(writer.get_mut())?;
    }
    if is_empty {
        return Ok(());
    }
    writer.finish()?;
    print_text(writer.get_mut())?;
    writeln!(io::stdout()).map_err(DataFusionError::from)
}

async fn print_ndjson(mut rows: SendableRecordBatchStream) -> Result<()> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    while let Some(batch) = rows.next().await {
        writer.write(&batch?)?;
        print_text(writer.get_mut())?;
    }
    writer.finish()?;
    print_text(writer.get_mut())?;
    io::stdout().flush().map_err(DataFusionError::from)
}

/// Arrow's writers keep only the text of an error of standard output, so they write into memory,
/// batch by batch. The text is empty afterwards.
fn print_text(text: &mut Vec<u8>) -> io::Result<()> {
    io::stdout().write_all(text)?;
    text.clear();
    Ok(())
}
