//! What others read by themselves, DataFusion above all: an error of the store carries ours, with
//! the file's name and who can act, and bytes that are missing are an error before anybody takes
//! them for a page.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};
use tagmill_schemas::error::Error;

use super::{Store, damaged, explain};

/// What it means that bytes which were there when a file was listed or published are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// None: its writer was not done, a retry can help.
    Listed,
    /// A release names the file: it is damaged.
    Published,
}

/// An object store whose errors of reading are ours.
#[derive(Debug)]
struct Explained {
    inner: Arc<dyn ObjectStore>,
    base: String,
    stage: &'static str,
    promise: Promise,
    failed: Arc<Mutex<Option<Error>>>,
}

impl Store {
    /// The object store for somebody who reads by himself: an error that has to do with a file
    /// carries one of ours as its cause, which names the file.
    pub fn explained(&self, promise: Promise) -> Arc<dyn ObjectStore> {
        let base = if self.is_local() { "" } else { self.base() };
        Arc::new(Explained {
            inner: Arc::clone(self.objects()),
            base: base.to_owned(),
            stage: self.stage(),
            promise,
            failed: Arc::clone(&self.failed),
        })
    }

    /// The newest error that a reader of [`Store::explained`] met: DataFusion makes a text of one
    /// that it meets in a footer, which then looks like damage.
    pub fn newest_failure(&self) -> Option<Error> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.clone()
    }
}

impl Explained {
    fn carry(&self, location: &Path, error: object_store::Error) -> object_store::Error {
        let place = format!("{}/{location}", self.base);
        match error {
            object_store::Error::NotFound { path, .. } => object_store::Error::NotFound {
                path,
                source: Box::new(self.kept(self.lost(&place, "not found".to_owned()))),
            },
            other => external(self.kept(explain(self.stage, &place, "can not read", other))),
        }
    }

    /// The error of a range: beyond the end of a file that was cut it is of each store's own
    /// making.
    async fn carry_range(
        &self,
        location: &Path,
        end: u64,
        error: object_store::Error,
    ) -> object_store::Error {
        match self.inner.head(location).await {
            Ok(now) if now.size < end => self.cut(location, now.size, end),
            _ => self.carry(location, error),
        }
    }

    fn cut(&self, location: &Path, found: u64, expected: u64) -> object_store::Error {
        let place = format!("{}/{location}", self.base);
        let what = format!("found {found} bytes, expected at least {expected}");
        external(self.kept(self.lost(&place, what)))
    }

    fn kept(&self, error: Error) -> Error {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = Some(error.clone());
        error
    }

    fn lost(&self, place: &str, what: String) -> Error {
        match self.promise {
            Promise::Published => damaged(self.stage, place, what),
            Promise::Listed => Error::retry(
                self.stage,
                format!("the file changed since it was listed: {what}"),
            )
            .at(place)
            .fix("run again when its writer is done"),
        }
    }
}

fn external(error: Error) -> object_store::Error {
    object_store::Error::Generic {
        store: "tagmill",
        source: Box::new(error),
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Explained {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let bounded = match &options.range {
            Some(GetRange::Bounded(range)) if !options.head => Some(range.clone()),
            _ => None,
        };
        let result = match (self.inner.get_opts(location, options).await, &bounded) {
            (Ok(result), _) => result,
            (Err(e), None) => return Err(self.carry(location, e)),
            (Err(e), Some(range)) => return Err(self.carry_range(location, range.end, e).await),
        };
        let (meta, range) = (result.meta.clone(), result.range.clone());
        let attributes = result.attributes.clone();
        let payload = match (bounded, result.payload) {
            // One range is fetched as a whole anyway.
            (Some(wanted), payload) => {
                let whole = GetResult {
                    payload,
                    meta: meta.clone(),
                    range: range.clone(),
                    attributes: attributes.clone(),
                };
                let read = whole.bytes().await;
                let bytes = read.map_err(|e| self.carry(location, e))?;
                if (bytes.len() as u64) < wanted.end.saturating_sub(wanted.start) {
                    return Err(self.cut(location, wanted.start + bytes.len() as u64, wanted.end));
                }
                GetResultPayload::Stream(futures::stream::once(async { Ok(bytes) }).boxed())
            }
            (None, GetResultPayload::Stream(parts)) => {
                let explained = Self {
                    inner: Arc::clone(&self.inner),
                    base: self.base.clone(),
                    failed: Arc::clone(&self.failed),
                    ..*self
                };
                let location = location.clone();
                GetResultPayload::Stream(
                    parts
                        .map_err(move |e| explained.carry(&location, e))
                        .boxed(),
                )
            }
            (None, file) => file,
        };
        Ok(GetResult {
            payload,
            meta,
            range,
            attributes,
        })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
        let found = match self.inner.get_ranges(location, ranges).await {
            Ok(found) => found,
            Err(e) => return Err(self.carry_range(location, end, e).await),
        };
        let short = ranges
            .iter()
            .zip(&found)
            .find(|(range, bytes)| (bytes.len() as u64) < range.end.saturating_sub(range.start));
        match short {
            Some((range, bytes)) => {
                Err(self.cut(location, range.start + bytes.len() as u64, range.end))
            }
            None => Ok(found),
        }
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn ours(error: object_store::Error) -> Error {
        let cause = error.source().unwrap();
        cause.downcast_ref::<Error>().unwrap().clone()
    }

    #[tokio::test]
    async fn bytes_that_are_missing_are_damage_of_a_release_and_a_change_of_a_listed_file() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Store::open(folder.path().to_str().unwrap()).unwrap();
        for store in [directory, Store::open("memory://explained").unwrap()] {
            store.put("a/x", "0123456789").await.unwrap();
            let (here, gone) = (
                store.location("a/x").unwrap(),
                store.location("a/y").unwrap(),
            );
            for (promise, exit) in [(Promise::Published, 1), (Promise::Listed, 3)] {
                let objects = store.explained(promise);
                assert_eq!(objects.get_range(&here, 2..4).await.unwrap(), "23");
                for error in [
                    objects.get_range(&here, 5..11).await.unwrap_err(),
                    objects.get_range(&here, 12..14).await.unwrap_err(),
                    objects.get_ranges(&here, &[0..2, 5..11]).await.unwrap_err(),
                    objects.get_range(&gone, 0..1).await.unwrap_err(),
                    objects.get_ranges(&gone, &[0..1, 2..3]).await.unwrap_err(),
                ] {
                    let error = ours(error);
                    assert_eq!(error.exit_code(), exit, "{error}");
                    assert!(error.place().unwrap().contains("a/"), "{error}");
                }
            }
        }
    }
}
