//! Does the store honour create-if-absent? Some answer "yes" to both of two creators; such a store
//! must not hold releases.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tagmill_schemas::error::{Error, Result};

use crate::store::{Create, Store};

const FOLDER: &str = "probe";

static PROBES: AtomicU64 = AtomicU64::new(0);

/// Creates one key twice; the second create must fail and the first content must stay. Removes the
/// key afterwards.
///
/// # Errors
/// Setup for a store where the second create succeeds, that has no such operation, or that can not
/// be written.
pub async fn probe(store: &Store) -> Result<()> {
    let key = fresh_key();
    let tested = create_twice(store, &key).await;
    // Without the right to delete, a probe leaves its key behind; that does no harm.
    if let Err(e) = store.delete(&key).await {
        log::debug!("the probe's key stays: {e}");
    }
    tested
}

async fn create_twice(store: &Store, key: &str) -> Result<()> {
    let first = store.create(key, &b"first"[..]).await?;
    let second = store.create(key, &b"second"[..]).await?;
    let kept = store.get(key).await?;
    match (first, second) {
        // The first may be answered twice when its answer got lost: then too the store refused to
        // replace.
        (_, Create::Exists) if kept == b"first"[..] => Ok(()),
        _ => Err(Error::setup(
            store.stage(),
            "the store does not honour create-if-absent: a key \
                                              was created twice",
        )
        .at(store.name_of(""))
        .fix(
            "publish to a store with conditional writes (If-None-Match), as S3, GCS, MinIO \
                  and local file systems have",
        )),
    }
}

/// A key nobody has used: time and process number are fine here, a probe leaves nothing in a
/// release.
fn fresh_key() -> String {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    format!(
        "{FOLDER}/{}-{nanos}-{}",
        std::process::id(),
        PROBES.fetch_add(1, Ordering::Relaxed)
    )
}
