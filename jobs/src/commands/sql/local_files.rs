//! Local files, read into buffers that are used again.
//!
//! The object store for local files makes and clears a new buffer for every read. Memory that is
//! touched for the first time is dear, on virtual machines above all: that takes longer than the
//! copy from the system's cache. Here large reads go to buffers that other reads have left, as they
//! are.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::mem::take;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion_cli::object_storage::instrumented::InstrumentedObjectStoreRegistry;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use url::Url;

/// Reads of fewer bytes are left to the store.
const LARGE: u64 = 256 << 10;
/// Ranges with no more than this between them are read at once.
const GAP: u64 = 64 << 10;
/// Buffers are multiples of this, so that one serves reads of about the same size.
const STEP: usize = 256 << 10;
/// Larger buffers are not kept: few reads need them.
const LARGEST_KEPT: usize = 16 << 20;
/// No more bytes than this are kept.
const KEPT: usize = 256 << 20;

/// Buffers that no reader needs at the moment.
#[derive(Debug, Default)]
struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// The smallest buffer that is large enough, and not twice as large: what is read may be kept
    /// for long. Or a new one.
    fn lend(&self, len: usize) -> Vec<u8> {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sizes = free.iter().map(Vec::capacity).enumerate();
        let fitting = sizes
            .filter(|(_, size)| (len..=len * 2).contains(size))
            .min_by_key(|(_, size)| *size);
        match fitting.map(|(at, _)| at) {
            Some(at) => free.swap_remove(at),
            None => Vec::with_capacity(len.next_multiple_of(STEP)),
        }
    }

    fn take_back(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= LARGEST_KEPT {
            buffer.clear();
            let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if free.iter().map(Vec::capacity).sum::<usize>() + buffer.capacity() <= KEPT {
                free.push(buffer);
            }
        }
    }
}

/// What was read, in a buffer that goes back when the last reader has dropped it.
struct Lent {
    bytes: Vec<u8>,
    owner: Arc<Buffers>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.owner.take_back(take(&mut self.bytes));
    }
}

/// Reads a part of a file.
fn read(mut file: &File, range: Range<u64>, buffers: &Arc<Buffers>) -> io::Result<Bytes> {
    let wanted = range.end - range.start;
    let mut lent = Lent {
        bytes: buffers.lend(usize::try_from(wanted).map_err(io::Error::other)?),
        owner: Arc::clone(buffers),
    };
    file.seek(SeekFrom::Start(range.start))?;
    let found = file.take(wanted).read_to_end(&mut lent.bytes)? as u64;
    if found < wanted {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!(
                "the file ends at byte {}, expected {}",
                range.start + found,
                range.end
            ),
        ));
    }
    Ok(Bytes::from_owner(lent))
}

/// Reads ascending ranges of a file, neighbours together.
fn read_ranges(
    file: &File,
    ranges: &[Range<u64>],
    buffers: &Arc<Buffers>,
) -> io::Result<Vec<Bytes>> {
    let mut parts = Vec::with_capacity(ranges.len());
    for ranges in ranges.chunk_by(|a, b| b.start >= a.end && b.start - a.end <= GAP) {
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
            continue;
        };
        let all = read(file, first.start..last.end, buffers)?;
        let place = |offset: u64| usize::try_from(offset - first.start).map_err(io::Error::other);
        for range in ranges {
            parts.push(all.slice(place(range.start)?..place(range.end)?));
        }
    }
    Ok(parts)
}

/// A store of local files.
#[derive(Debug)]
struct LocalFiles {
    files: Arc<dyn ObjectStore>,
    buffers: Arc<Buffers>,
}

impl fmt::Display for LocalFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for LocalFiles {
    async fn get_opts(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[Range<u64>],
    ) -> object_store::Result<Vec<Bytes>> {
        let is_large = ranges
            .iter()
            .map(|range| range.end.saturating_sub(range.start))
            .sum::<u64>()
            >= LARGE;
        let payload = if is_large {
            Some(
                self.files
                    .get_opts(location, GetOptions::default())
                    .await?
                    .payload,
            )
        } else {
            None
        };
        let Some(GetResultPayload::File(file, path)) = payload else {
            return self.files.get_ranges(location, ranges).await;
        };
        let (ranges, buffers) = (ranges.to_vec(), Arc::clone(&self.buffers));
        let read =
            tokio::task::spawn_blocking(move || read_ranges(&file, &ranges, &buffers)).await?;
        let at = |error: io::Error| format!("{}: {error}", path.display());
        read.map_err(|error| object_store::Error::Generic {
            store: "local files",
            source: at(error).into(),
        })
    }

    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.files.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.files.put_multipart_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        self.files.copy_opts(from, to, options).await
    }
}

/// The registry of the CLI, which counts requests, with all local files read as above.
#[derive(Debug)]
pub(super) struct Stores {
    counted: Arc<InstrumentedObjectStoreRegistry>,
    buffers: Arc<Buffers>,
}

impl From<Arc<InstrumentedObjectStoreRegistry>> for Stores {
    fn from(counted: Arc<InstrumentedObjectStoreRegistry>) -> Self {
        Self {
            counted,
            buffers: Arc::default(),
        }
    }
}

impl ObjectStoreRegistry for Stores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.counted.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.counted.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let files = self.counted.get_store(url)?;
        Ok(if url.scheme() == "file" {
            Arc::new(LocalFiles {
                files,
                buffers: Arc::clone(&self.buffers),
            })
        } else {
            files
        })
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::single_range_in_vec_init,
    reason = "a test fails by panicking; lists of one range are meant"
)]
mod tests {
    use super::*;

    #[test]
    fn reads_ranges_of_files_into_buffers_of_earlier_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let written: Vec<u8> = (0..3_000_000u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        std::fs::write(&path, &written).unwrap();
        let file = File::open(&path).unwrap();
        let buffers = Arc::<Buffers>::default();
        let mut first = read_ranges(&file, &[5..10, 20..1_500_005], &buffers).unwrap();
        let place = first[0].as_ptr();
        assert_eq!(
            (first[0].as_ref(), first[1].as_ref()),
            (&written[5..10], &written[20..1_500_005])
        );
        first.truncate(1);
        assert_eq!(
            (first[0].as_ref(), buffers.0.lock().unwrap().len()),
            (&written[5..10], 0),
            "a part is still needed"
        );
        assert_ne!(
            read_ranges(&file, &[5..10], &buffers).unwrap()[0].as_ptr(),
            place
        );
        drop(first);
        let second = read_ranges(
            &file,
            &[900_000..1_900_000, 2_000_000..2_000_001, 7..8],
            &buffers,
        )
        .unwrap();
        assert_eq!(
            (second[0].as_ref(), second[0].as_ptr()),
            (&written[900_000..1_900_000], place)
        );
        assert_eq!(
            (second[1].as_ref(), second[2].as_ref()),
            (&written[2_000_000..2_000_001], &written[7..8])
        );
        let beyond = read_ranges(&file, &[2_000_000..3_000_001], &buffers).unwrap_err();
        assert!(
            beyond
                .to_string()
                .contains("ends at byte 3000000, expected 3000001"),
            "{beyond}"
        );
    }
}
