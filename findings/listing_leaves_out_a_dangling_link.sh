#!/usr/bin/env bash
# A file that cannot be looked at is not in the listing, and the listing succeeds.
#
# Library   object_store 0.13.2 (the crate that DataFusion 55 reads files with); needs cargo
# Expected  Listing a folder in which one entry cannot be looked at fails, or lists it.
# Happens   list and list_with_delimiter leave the entry out and say nothing. head and get of the same path say
#           NotFound. A link whose target is on storage that is not mounted is the common case.
# Matters   "Every Parquet file of the day" is a listing. One hour of 24 is missing, the night is published, and
#           whoever was seen in that hour only is in no audience.
# Upstream  none found
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/src"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "listing"
version = "0.0.0"
edition = "2021"

[dependencies]
futures = "=0.3.34"
object_store = "=0.13.2"
tokio = { version = "=1.54.1", features = ["macros", "rt"] }

[profile.dev]
debug = false
TOML

cat > "$work/src/main.rs" <<'RUST'
use futures::TryStreamExt;
use object_store::{local::LocalFileSystem, path::Path, Error, ObjectStore, ObjectStoreExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let day = std::env::args().nth(1).unwrap_or_default();
    let store = LocalFileSystem::new_with_prefix(day)?;
    let names = |mut found: Vec<Path>| {
        found.sort();
        found.iter().map(Path::to_string).collect::<Vec<_>>()
    };

    let all = store.list(None).map_ok(|entry| entry.location).try_collect().await?;
    println!("list                {:?}", names(all));
    let folder = store.list_with_delimiter(None).await?;
    let folder = folder.objects.into_iter().map(|entry| entry.location).collect();
    println!("list_with_delimiter {:?}", names(folder));
    let missing = Path::from("hour02.parquet");
    println!("head hour02         not found {}", matches!(store.head(&missing).await, Err(Error::NotFound { .. })));
    println!("get hour02          not found {}", matches!(store.get(&missing).await, Err(Error::NotFound { .. })));
    Ok(())
}
RUST

cat > "$work/expected" <<'SEEN'
in the folder       hour01.parquet hour02.parquet hour03.parquet
list                ["hour01.parquet", "hour03.parquet"]
list_with_delimiter ["hour01.parquet", "hour03.parquet"]
head hour02         not found true
get hour02          not found true
SEEN

mkdir "$work/day"
echo one > "$work/day/hour01.parquet"
ln -s "$work/not-mounted/hour02.parquet" "$work/day/hour02.parquet"
echo three > "$work/day/hour03.parquet"
{
    echo "in the folder       $(ls "$work/day" | xargs)"
    CARGO_TARGET_DIR="$work/target" nice cargo run --quiet --manifest-path "$work/Cargo.toml" -- "$work/day"
} > "$work/seen"

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
