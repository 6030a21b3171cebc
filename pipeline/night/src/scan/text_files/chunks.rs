//! The bytes of a file, unpacked, in pieces.

use std::error::Error as StdError;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::error::{DataFusionError, Result};
use datafusion::object_store::{self, ObjectStore, ObjectStoreExt};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use tagmill_engine::external;
use tagmill_schemas::config::Packing;
use tagmill_schemas::{Error, Reason};

/// Bytes that are asked for at a time.
const PIECE: u64 = 4 << 20;

/// A file of text in a store.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Where it is.
    pub objects: Arc<dyn ObjectStore>,
    /// Its place there.
    pub location: Path,
    /// Its bytes, as they are packed.
    pub size: u64,
    /// How.
    pub packing: Packing,
    /// As a person names it.
    pub name: String,
}

impl Packed {
    /// The bytes that were packed.
    ///
    /// # Errors
    /// In the stream: those of the store; refused, naming the file, for one that can not be unpacked.
    pub fn chunks(&self) -> Result<BoxStream<'static, Result<Bytes>>> {
        let (objects, location, size) =
            (Arc::clone(&self.objects), self.location.clone(), self.size);
        let starts = (0..size).step_by(PIECE as usize);
        let pieces = stream::iter(starts).then(move |start| {
            let (objects, location) = (Arc::clone(&objects), location.clone());
            let range = start..size.min(start + PIECE);
            async move {
                let piece = objects.get_range(&location, range).await;
                piece.map_err(DataFusionError::from)
            }
        });
        let (packing, word) = match self.packing {
            Packing::Plain => return Ok(pieces.boxed()),
            Packing::Gzip => (FileCompressionType::GZIP, "gzip"),
            Packing::Zstd => (FileCompressionType::ZSTD, "zstd"),
        };
        let name = self.name.clone();
        let unpacked = packing.convert_stream(pieces.boxed())?;
        let explained = unpacked.map(move |chunk| {
            chunk.map_err(|error| match is_of_store(&error) {
                true => error,
                false => external(not_whole(word, &name, error)),
            })
        });
        Ok(explained.boxed())
    }
}

fn is_of_store(error: &DataFusionError) -> bool {
    let mut causes = std::iter::successors(Some(error as &(dyn StdError + 'static)), |&cause| {
        let wrapped = cause.downcast_ref::<std::io::Error>();
        match wrapped.and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => cause.source(),
        }
    });
    causes.any(|cause| cause.is::<object_store::Error>() || cause.is::<Error>())
}

fn not_whole(packing: &str, name: &str, error: DataFusionError) -> Error {
    Error::refused("scan", format!("found a file that is not whole {packing}"))
        .for_reason(Reason::Damaged)
        .at(name)
        .because(error)
        .fix("write the file again")
}
