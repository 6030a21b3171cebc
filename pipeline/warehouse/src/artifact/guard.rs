//! Decoding bytes that may be damaged: where the Parquet library panics, the file is damaged.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::{FutureExt, TryStreamExt};
use object_store::path::Path;
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::errors::{ParquetError, Result};

use super::reader::file_reader;
use crate::store::Store;

/// Rows decoded at once: a value may be a megabyte.
const BATCH_ROWS: usize = 256;

/// Decodes every column of a Parquet file of a known size and forgets it.
///
/// # Errors
/// Those of the store and of the decoder.
pub async fn decode_all(store: &Store, location: Path, size: u64) -> Result<()> {
    let mut batches = ParquetRecordBatchStreamBuilder::new(file_reader(store, location, size))
        .await?
        .with_batch_size(BATCH_ROWS)
        .build()?;
    while batches.try_next().await?.is_some() {}
    Ok(())
}

/// What the decoder answers; a panic of it as an error.
///
/// # Errors
/// The decoder's own, and one that says where it stopped.
pub async fn decode_guarded<T>(decode: impl Future<Output = Result<T>>) -> Result<T> {
    let caught = AssertUnwindSafe(decode).catch_unwind().await;
    caught.unwrap_or_else(|payload| {
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied());
        let text = text.unwrap_or("no message");
        Err(ParquetError::General(format!(
            "the decoder stopped at: {text}"
        )))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_that_says_what_it_said() {
        let ended = decode_guarded(async {
            let bytes: &[u8] = &[1];
            let at = bytes.len() + 1;
            Ok(bytes[at])
        });
        let error = ended.await.err().map(|error| error.to_string());
        assert!(
            error
                .as_deref()
                .is_some_and(|text| text.contains("out of bounds")),
            "{error:?}"
        );
        assert_eq!(decode_guarded(async { Ok(7) }).await.ok(), Some(7));
    }
}
