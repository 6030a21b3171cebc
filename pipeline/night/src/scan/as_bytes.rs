//! A Parquet file whose text is read as bytes, because some of it is no UTF-8: the decoder would
//! refuse the file for one such value.
//!
//! The footer is given on without its notes on text. What the bytes are is looked at row by row, see
//! [`super::functions::TextOfBytes`].

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::DefaultParquetFileReaderFactory;
use datafusion::error::Result as DataFusionResult;
use datafusion::object_store::ObjectStore;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{FileMetaData, ParquetMetaData};
use parquet::schema::types::{SchemaDescriptor, Type, TypePtr};

/// The key under which Arrow's writers keep the types of columns.
const ARROW_TYPES: &str = "ARROW:schema";

/// Readers that know of no text.
#[derive(Debug)]
pub struct BytesReaders {
    inner: DefaultParquetFileReaderFactory,
}

impl BytesReaders {
    /// Of files in this store.
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner: DefaultParquetFileReaderFactory::new(objects),
        }
    }
}

impl ParquetFileReaderFactory for BytesReaders {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> DataFusionResult<Box<dyn AsyncFileReader + Send>> {
        let inner = self.inner.create_reader(partition, file, hint, metrics)?;
        Ok(Box::new(BytesReader { inner }))
    }
}

struct BytesReader {
    inner: Box<dyn AsyncFileReader + Send>,
}

impl AsyncFileReader for BytesReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        self.inner.get_bytes(range)
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        self.inner.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async move {
            let metadata = self.inner.get_metadata(options).await?;
            without_text(&metadata).map(Arc::new)
        }
        .boxed()
    }
}

/// Decodes every column of a file, its text as bytes, and forgets it.
///
/// # Errors
/// Those of the store and of the decoder.
pub async fn decode_bytes(objects: Arc<dyn ObjectStore>, file: &super::RawFile) -> Result<()> {
    let readers = DefaultParquetFileReaderFactory::new(objects);
    let found = PartitionedFile::new_from_meta(file.meta.clone());
    let inner = readers
        .create_reader(0, found, None, &ExecutionPlanMetricsSet::new())
        .map_err(|e| ParquetError::External(Box::new(e)))?;
    let mut batches = ParquetRecordBatchStreamBuilder::new(BytesReader { inner })
        .await?
        .build()?;
    while batches.try_next().await?.is_some() {}
    Ok(())
}

/// The footer without what says that bytes are text.
fn without_text(metadata: &ParquetMetaData) -> Result<ParquetMetaData> {
    let file = metadata.file_metadata();
    let root = bytes_type(file.schema())?;
    let notes = file.key_value_metadata().map(|notes| {
        let others = notes.iter().filter(|note| note.key != ARROW_TYPES);
        others.cloned().collect()
    });
    let file = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(str::to_owned),
        notes,
        Arc::new(SchemaDescriptor::new(root)),
        None,
    );
    Ok(ParquetMetaData::new(file, metadata.row_groups().to_vec()))
}

fn bytes_type(of: &Type) -> Result<TypePtr> {
    let info = of.get_basic_info();
    let id = info.has_id().then(|| info.id());
    if of.is_group() {
        let fields = of.get_fields().iter().map(|field| bytes_type(field));
        let mut group = Type::group_type_builder(of.name())
            .with_converted_type(info.converted_type())
            .with_logical_type(info.logical_type_ref().cloned())
            .with_fields(fields.collect::<Result<_>>()?)
            .with_id(id);
        if info.has_repetition() {
            group = group.with_repetition(info.repetition());
        }
        return group.build().map(Arc::new);
    }
    let is_text = info.converted_type() == ConvertedType::UTF8
        || matches!(info.logical_type_ref(), Some(LogicalType::String));
    if of.get_physical_type() != Physical::BYTE_ARRAY || !is_text {
        return Ok(Arc::new(of.clone()));
    }
    Type::primitive_type_builder(of.name(), Physical::BYTE_ARRAY)
        .with_repetition(info.repetition())
        .with_id(id)
        .build()
        .map(Arc::new)
}

/// The columns of a file with bytes in place of text, and the names of those that have some.
pub fn as_bytes(schema: &SchemaRef) -> (SchemaRef, BTreeSet<String>) {
    let mut changed = BTreeSet::new();
    let fields = schema.fields().iter().map(|field| {
        let bytes = bytes_of(field.data_type());
        if bytes != *field.data_type() {
            changed.insert(field.name().clone());
        }
        Arc::new(field.as_ref().clone().with_data_type(bytes))
    });
    let fields: Vec<Arc<Field>> = fields.collect();
    (Arc::new(Schema::new(fields)), changed)
}

/// The type with bytes in place of text.
fn bytes_of(data_type: &DataType) -> DataType {
    swapped(data_type, &|leaf| match leaf {
        text if text.is_string() => DataType::Binary,
        DataType::Dictionary(_, value) if value.is_string() => DataType::Binary,
        other => other.clone(),
    })
}

/// The type with text in place of bytes.
pub fn text_of(data_type: &DataType) -> DataType {
    swapped(data_type, &|leaf| match leaf {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => DataType::Utf8,
        other => other.clone(),
    })
}

fn swapped(data_type: &DataType, leaf: &impl Fn(&DataType) -> DataType) -> DataType {
    let field = |field: &FieldRef| {
        let inner = swapped(field.data_type(), leaf);
        Arc::new(field.as_ref().clone().with_data_type(inner))
    };
    match data_type {
        DataType::List(item) => DataType::List(field(item)),
        DataType::LargeList(item) => DataType::LargeList(field(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(field(item), *length),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(field(entries), *sorted),
        other => leaf(other),
    }
}
