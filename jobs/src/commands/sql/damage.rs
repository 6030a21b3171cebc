//! Which file a statement could not decode: a page that is damaged fails, or makes the decoder panic,
//! where no file has a name any more. Only then the Parquet files that were read are decoded once
//! more, one by one.

use object_store::ObjectStoreExt;
use object_store::path::Path;
use tagmill_schemas::{Error, Reason};
use tagmill_warehouse::artifact::{decode_all, decode_guarded};
use tagmill_warehouse::store::Store;

use super::access::Access;

/// The error with the file that can not be decoded, refused also where it was a panic; as it was
/// when it has another reason or names a file, or every file can be decoded.
pub(super) async fn name_damaged(error: Error, access: &Access) -> Error {
    let is_damage = matches!(error.reason(), Some(Reason::Damaged | Reason::Defect));
    if !is_damage || error.place().is_some() {
        return error;
    }
    if let Some(failure) = access.take_failed() {
        return failure;
    }
    for (store, path) in access.objects_read() {
        if !path.as_ref().ends_with(".parquet") {
            continue;
        }
        if let Some(cause) = damage_of(&store, &path).await {
            return Error::refused("sql", "a file is damaged")
                .for_reason(Reason::Damaged)
                .at(access.name_of(&store, &path))
                .because(cause)
                .fix("restore it from a copy, or write it again");
        }
    }
    error
}

async fn damage_of(store: &Store, path: &Path) -> Option<String> {
    let size = store.objects().head(path).await.ok()?.size;
    let decoded = decode_guarded(decode_all(store, path.clone(), size)).await;
    decoded.err().map(|error| error.to_string())
}
