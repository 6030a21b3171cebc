//! Files of text as a DataFusion table. Each is read as one, by one partition: which rows there are
//! does not depend on the number of threads.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::{StreamExt, TryStreamExt, stream};
use tagmill_schemas::config::{FileFormat, FileNotation};
use tagmill_warehouse::store::{Partition, Promise};

use super::batch::Batch;
use super::chunks::Packed;
use super::records::{Found, Records};
use crate::plan::columns::{BROKEN_COLUMN, FOLDER_COLUMN, UNREADABLE_ROW};
use crate::scan::files::{RawFile, RawFiles};

/// A file and what is known of it.
#[derive(Debug, Clone)]
pub struct TextFile {
    packed: Packed,
    notation: FileNotation,
    /// Of CSV: the names in its first line.
    pub names: Vec<String>,
    /// Values of the folders that are columns.
    pub partitions: Vec<Partition>,
    /// The day of its folder.
    pub folder: i32,
}

/// Files of text as a table.
#[derive(Debug)]
pub struct TextTable {
    files: Vec<TextFile>,
    schema: SchemaRef,
}

impl TextTable {
    /// The table of these files, all of text.
    pub fn new(files: &RawFiles) -> Self {
        let mut fields: Vec<Arc<Field>> = files.schema.fields().iter().cloned().collect();
        let partitions = files.partition_columns.iter();
        fields.extend(partitions.map(|name| Arc::new(Field::new(name, DataType::Utf8, true))));
        if files.has_folders {
            fields.push(Arc::new(Field::new(FOLDER_COLUMN, DataType::Int32, false)));
        }
        let broken = Field::new(BROKEN_COLUMN, DataType::Utf8View, true);
        fields.push(Arc::new(broken));
        Self {
            files: files
                .files
                .iter()
                .map(|file| text_file(files, file))
                .collect(),
            schema: Arc::new(Schema::new(fields)),
        }
    }
}

fn text_file(files: &RawFiles, file: &RawFile) -> TextFile {
    let is_column = |(key, _): &&Partition| files.partition_columns.contains(key);
    TextFile {
        packed: file.packed(&files.store),
        notation: file.notation,
        names: file
            .schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect(),
        partitions: file.partitions.iter().filter(is_column).cloned().collect(),
        folder: file.folder.to_epoch_days(),
    }
}

#[async_trait]
impl TableProvider for TextTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let partitions = state
            .config()
            .target_partitions()
            .min(self.files.len())
            .max(1);
        let part = |number: usize| -> Arc<dyn PartitionStream> {
            let files = self.files.iter().skip(number).step_by(partitions);
            Arc::new(Part {
                files: files.cloned().collect(),
                schema: Arc::clone(&schema),
            })
        };
        let parts = (0..partitions).map(part).collect();
        let scan = StreamingTableExec::try_new(schema.clone(), parts, None, [], false, limit)?;
        Ok(Arc::new(scan))
    }
}

/// The files of one partition.
#[derive(Debug)]
struct Part {
    files: Vec<TextFile>,
    schema: SchemaRef,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let batches = stream::iter(self.files.clone())
            .map(move |file| {
                let reading = Reading::of(&file, &schema)?;
                Ok::<_, DataFusionError>(stream::try_unfold(reading, |mut reading| async {
                    let batch = reading.next().await?;
                    Ok(batch.map(|batch| (batch, reading)))
                }))
            })
            .try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            batches,
        ))
    }
}

/// A file while it is read.
struct Reading {
    records: Records,
    batch: Batch,
    format: FileFormat,
    /// The line of names is not passed yet.
    has_names: bool,
}

impl Reading {
    fn of(file: &TextFile, schema: &SchemaRef) -> Result<Self> {
        Ok(Self {
            records: Records::of(&file.packed, file.notation)?,
            batch: Batch::new(schema, file),
            format: file.notation.format,
            has_names: file.notation.format == FileFormat::Csv,
        })
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if self.has_names {
            self.records.next().await?;
            self.records.expect_fields(self.records.fields());
            self.has_names = false;
        }
        while !self.batch.is_full() {
            let Some(found) = self.records.next().await? else {
                break;
            };
            match (found, self.format) {
                (Found::Record(line), FileFormat::Csv) => {
                    let line = self.records.text(line);
                    self.batch.push_fields(&self.records, line);
                }
                (Found::Record(line), _) => self.batch.push_line(self.records.text(line)),
                (Found::Unreadable(line), _) => {
                    self.batch
                        .push_broken(UNREADABLE_ROW, self.records.text(line));
                }
                (Found::Nothing, _) => {}
            }
        }
        match self.batch.is_empty() {
            true => Ok(None),
            false => self.batch.take().map(Some),
        }
    }
}

impl RawFile {
    /// The file in its store, as it is packed.
    pub(in crate::scan) fn packed(&self, store: &tagmill_warehouse::store::Store) -> Packed {
        Packed {
            objects: store.explained(Promise::Listed),
            location: self.meta.location.clone(),
            size: self.meta.size,
            packing: self.notation.packing,
            name: store.name_of(&self.found.path),
        }
    }
}
