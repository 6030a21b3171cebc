//! The bytes of a file, unpacked, in pieces.

use std::error::Error as StdError;
use std::sync::Arc;

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use bytes::Bytes;
use datafusion::error::{DataFusionError, Result};
use datafusion::object_store::{self, ObjectStore, ObjectStoreExt};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use tagmill_engine::external;
use tagmill_schemas::config::Packing;
use tagmill_schemas::{Error, Reason};
use tokio_util::io::{ReaderStream, StreamReader};

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
    /// The bytes that were packed: of every member of a gzip file, of every frame of a zstd file,
    /// which DataFusion's own reader ends after the first of.
    ///
    /// # Errors
    /// In the stream: those of the store; refused, naming the file, for one that can not be unpacked.
    pub fn chunks(&self) -> BoxStream<'static, Result<Bytes>> {
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
        let packed = StreamReader::new(pieces.boxed());
        let (unpacked, word) = match self.packing {
            Packing::Plain => return packed.into_inner(),
            Packing::Gzip => {
                let mut decoder = GzipDecoder::new(packed);
                decoder.multiple_members(true);
                (ReaderStream::new(decoder).boxed(), "gzip")
            }
            Packing::Zstd => {
                let mut decoder = ZstdDecoder::new(packed);
                decoder.multiple_members(true);
                (ReaderStream::new(decoder).boxed(), "zstd")
            }
        };
        let name = self.name.clone();
        let explained = unpacked.map(move |chunk| {
            chunk.map_err(|error| match DataFusionError::from(error) {
                error if is_of_store(&error) => error,
                error => external(not_whole(word, &name, error)),
            })
        });
        explained.boxed()
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
