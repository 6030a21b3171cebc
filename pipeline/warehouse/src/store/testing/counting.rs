//! An object store that counts the bytes fetched from each path and the bytes written.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

/// What was fetched from one path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Requests for content (a look at the metadata is none).
    pub requests: u64,
    /// Bytes asked for.
    pub bytes: u64,
    /// The ranges asked for, in order.
    pub ranges: Vec<Range<u64>>,
}

/// Counts what is read from each path and what is written: the measure of "each raw byte read
/// once".
#[derive(Debug)]
pub struct CountingStore {
    inner: Arc<dyn ObjectStore>,
    fetched: Mutex<BTreeMap<String, Fetched>>,
    written: Arc<AtomicU64>,
}

impl CountingStore {
    /// Counts in front of `inner`.
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner,
            fetched: Mutex::default(),
            written: Arc::default(),
        }
    }

    /// What was fetched, by full path in the object store.
    pub fn fetched(&self) -> BTreeMap<String, Fetched> {
        locked(&self.fetched).clone()
    }

    /// Bytes fetched from paths that contain `part`.
    pub fn bytes_fetched(&self, part: &str) -> u64 {
        locked(&self.fetched)
            .iter()
            .filter(|(path, _)| path.contains(part))
            .map(|(_, fetched)| fetched.bytes)
            .sum()
    }

    /// Bytes written to all paths.
    pub fn bytes_written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    fn count(&self, location: &Path, ranges: &[Range<u64>]) {
        let mut fetched = locked(&self.fetched);
        let entry = fetched.entry(location.to_string()).or_default();
        entry.requests += 1;
        entry.bytes += ranges
            .iter()
            .map(|range| range.end - range.start)
            .sum::<u64>();
        entry.ranges.extend_from_slice(ranges);
    }
}

impl fmt::Display for CountingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "counting {}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for CountingStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        self.written
            .fetch_add(payload.content_length() as u64, Ordering::Relaxed);
        self.inner.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let upload = self.inner.put_multipart_opts(location, opts).await?;
        Ok(Box::new(CountingUpload {
            upload,
            written: Arc::clone(&self.written),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let is_look = options.head;
        let result = self.inner.get_opts(location, options).await?;
        if !is_look {
            self.count(location, std::slice::from_ref(&result.range));
        }
        Ok(result)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.count(location, ranges);
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct CountingUpload {
    upload: Box<dyn MultipartUpload>,
    written: Arc<AtomicU64>,
}

#[async_trait]
impl MultipartUpload for CountingUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.written
            .fetch_add(data.content_length() as u64, Ordering::Relaxed);
        self.upload.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.upload.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.upload.abort().await
    }
}

/// A poisoned count is still a count.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
