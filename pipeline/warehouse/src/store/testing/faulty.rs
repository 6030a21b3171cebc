//! An object store that fails on purpose.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    UploadPart,
};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// "no space left on device".
    FullDisk,
    /// "connection refused".
    Unreachable,
    /// "read-only file system".
    ReadOnly,
    /// The store denies the permission.
    Denied,
    /// The write happens, the answer is lost.
    LostAnswer,
}

/// Which requests it hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Every write whose path contains the text.
    Writing(&'static str),
    /// The nth write (from 1) and all after it, parts of uploads included.
    FromWrite(u64),
    /// Every read and listing whose path contains the text.
    Reading(&'static str),
    /// The nth read or listing (from 1) and all after it.
    FromRead(u64),
    /// Everything.
    Always,
}

/// Fails on purpose.
#[derive(Debug)]
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    faults: Vec<(When, Fault)>,
    is_create_ignored: bool,
    writes: Arc<AtomicU64>,
    reads: AtomicU64,
}

impl FaultyStore {
    /// Passes everything on to `inner` until a fault is added.
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner,
            faults: Vec::new(),
            is_create_ignored: false,
            writes: Arc::default(),
            reads: AtomicU64::default(),
        }
    }

    /// Adds a fault; the first that fits a request is used.
    pub fn with(mut self, when: When, fault: Fault) -> Self {
        self.faults.push((when, fault));
        self
    }

    /// A store without conditional create: the second create of a key succeeds too.
    pub fn ignoring_create(mut self) -> Self {
        self.is_create_ignored = true;
        self
    }

    fn write_fault(&self, location: &Path) -> Option<Fault> {
        let nth = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        self.faults
            .iter()
            .find(|(when, _)| hits_write(*when, location, nth))
            .map(|(_, fault)| *fault)
    }

    fn read_fault(&self, location: &Path) -> Result<()> {
        let nth = self.reads.fetch_add(1, Ordering::Relaxed) + 1;
        let is_hit = |when: When| match when {
            When::FromRead(first) => nth >= first,
            When::Reading(part) => location.as_ref().contains(part),
            When::Always => true,
            When::Writing(_) | When::FromWrite(_) => false,
        };
        self.faults
            .iter()
            .find(|(when, _)| is_hit(*when))
            .map_or(Ok(()), |(_, fault)| Err(fault.error(location)))
    }
}

fn hits_write(when: When, location: &Path, nth: u64) -> bool {
    match when {
        When::Writing(part) => location.as_ref().contains(part),
        When::FromWrite(first) => nth >= first,
        When::Always => true,
        When::Reading(_) | When::FromRead(_) => false,
    }
}

impl Fault {
    fn error(self, location: &Path) -> Error {
        let io = |kind: io::ErrorKind| Error::Generic {
            store: "faulty",
            source: Box::new(io::Error::from(kind)),
        };
        match self {
            Self::FullDisk => io(io::ErrorKind::StorageFull),
            Self::Unreachable => io(io::ErrorKind::ConnectionRefused),
            Self::ReadOnly => io(io::ErrorKind::ReadOnlyFilesystem),
            Self::Denied => Error::PermissionDenied {
                path: location.to_string(),
                source: "denied on purpose".into(),
            },
            Self::LostAnswer => io(io::ErrorKind::ConnectionReset),
        }
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faulty {}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        mut opts: PutOptions,
    ) -> Result<PutResult> {
        if self.is_create_ignored && opts.mode == PutMode::Create {
            opts.mode = PutMode::Overwrite;
        }
        match self.write_fault(location) {
            None => self.inner.put_opts(location, payload, opts).await,
            Some(fault) => {
                if fault == Fault::LostAnswer {
                    self.inner.put_opts(location, payload, opts).await?;
                }
                Err(fault.error(location))
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let upload = self.inner.put_multipart_opts(location, opts).await?;
        Ok(Box::new(FaultyUpload {
            upload,
            location: location.clone(),
            faults: self.faults.clone(),
            writes: Arc::clone(&self.writes),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.read_fault(location)?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.read_fault(location)?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.read_fault(prefix.unwrap_or(&Path::default())) {
            Ok(()) => self.inner.list(prefix),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.read_fault(prefix.unwrap_or(&Path::default()))?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct FaultyUpload {
    upload: Box<dyn MultipartUpload>,
    location: Path,
    faults: Vec<(When, Fault)>,
    writes: Arc<AtomicU64>,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let nth = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        match self
            .faults
            .iter()
            .find(|(when, _)| hits_write(*when, &self.location, nth))
        {
            None => self.upload.put_part(data),
            Some((_, fault)) => {
                let error = fault.error(&self.location);
                Box::pin(async move { Err(error) })
            }
        }
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.upload.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.upload.abort().await
    }
}
