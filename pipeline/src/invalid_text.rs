//! Files with text that is no UTF-8: the decoder refuses all of a file for one value. Only when it
//! did, files are decoded one by one, and those are read as bytes from then on that can be; a row with
//! such text is rejected, and the night goes on.

use tagmill_night::scan::decode_bytes;
use tagmill_schemas::{Error, Reason, Result};
use tagmill_warehouse::artifact::{decode_all, decode_guarded};
use tagmill_warehouse::store::Promise;

use super::Observer;
use super::sources::{Decision, SourceInput};

/// Marks the files that can be decoded as bytes only; whether there are any. Other errors than of
/// damage have other reasons.
///
/// # Errors
/// Those of the store.
pub async fn mark_invalid_text(
    error: &Error,
    sources: &mut [SourceInput<'_>],
    observer: &dyn Observer,
) -> Result<bool> {
    let place = error.place().unwrap_or_default();
    let is_of_source = place.contains("source ");
    let mut is_marked = false;
    if error.reason() != Some(Reason::Damaged) {
        return Ok(false);
    }
    for input in sources {
        let name = &input.source.name;
        let Decision::Read(files) = &mut input.decision else {
            continue;
        };
        if is_of_source && !place.contains(&format!("source {name}")) {
            continue;
        }
        let store = files.store.clone();
        for file in files
            .files
            .iter_mut()
            .filter(|file| !file.is_text() && !file.is_read_as_bytes())
        {
            let (location, size) = (file.meta.location.clone(), file.meta.size);
            let as_text = decode_guarded(decode_all(&store, location, size)).await;
            if as_text.is_ok() {
                continue;
            }
            let objects = store.explained(Promise::Listed);
            let as_bytes = decode_guarded(decode_bytes(objects, file)).await;
            if as_bytes.is_ok() {
                let path = store.name_of(&file.found.path);
                observer.warn(&format!(
                    "source {name} has text that is no UTF-8, in {path}: rows with such text in a \
                     column that is read are rejected as invalid_text"
                ));
                file.read_as_bytes();
                is_marked = true;
            }
        }
    }
    Ok(is_marked)
}
