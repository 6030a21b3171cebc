#!/usr/bin/env bash
# A page of Parquet with a checksum that does not fit is read, and gives another user.
#
# Library   parquet 59.3.2 (the crate that DataFusion 55 reads Parquet with), a file of pyarrow 26.0.1; needs cargo
# Expected  A reader that is given a page with a CRC compares it, or can be told to.
# Happens   It is decided when the crate is compiled: only the feature crc compares, no option of a reader turns it on.
#           Without it user 1000002 is read as user 1000003. With it the same program says that the page differs.
#           pyarrow can be told (page_checksum_verification = True) and refuses the file.
# Matters   One flipped bit in a column of ids is another valid id: the wrong person is in every audience of the first,
#           and nothing later can notice. Who writes checksums believes that they are looked at.
# Upstream  apache/arrow-rs#6289 brought the feature
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check pyarrow==26.0.1

mkdir "$work/src"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "pages"
version = "0.0.0"
edition = "2021"

[features]
crc = ["parquet/crc"]

[dependencies]
parquet = { version = "=59.3.2", default-features = false }

[profile.dev]
debug = false
TOML

cat > "$work/src/main.rs" <<'RUST'
use std::fs::File;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

fn users(path: &str) -> Result<Vec<i64>, ParquetError> {
    let file = SerializedFileReader::new(File::open(path)?)?;
    file.get_row_iter(None)?.map(|row| row?.get_long(0)).collect()
}

fn main() {
    let path = std::env::args().nth(1).unwrap_or_default();
    match users(&path) {
        Ok(users) => println!("{users:?}"),
        Err(error) => println!("error: {error}"),
    }
}
RUST

cat > "$work/expected" <<'SEEN'
pyarrow 26.0.1
pyarrow, page_checksum_verification False  [1000001, 1000003, 1000004]
pyarrow, page_checksum_verification True   error, a checksum: True
parquet, features [], whole               [1000001, 1000002, 1000004]
parquet, features [], flipped             [1000001, 1000003, 1000004]
parquet, features [crc], whole            [1000001, 1000002, 1000004]
parquet, features [crc], flipped          error: Parquet error: Page CRC checksum mismatch
SEEN

"$work/venv/bin/python" - "$work" > "$work/seen" <<'PY'
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

whole, flipped = (Path(sys.argv[1]) / name for name in ["whole.parquet", "flipped.parquet"])
users = [1_000_001, 1_000_002, 1_000_004]
pq.write_table(pa.table({"user": users}), whole, write_page_checksum=True,
               use_dictionary=False, compression="none", write_statistics=False)
data = bytearray(whole.read_bytes())
at = data.index((1_000_002).to_bytes(8, "little"))
data[at] ^= 1
flipped.write_bytes(data)
print("pyarrow", pa.__version__)
for checked in [False, True]:
    try:
        found = pq.read_table(flipped, page_checksum_verification=checked)["user"].to_pylist()
    except OSError as error:
        found = f"error, a checksum: {'CRC checksum verification failed' in str(error)}"
    print(f"pyarrow, page_checksum_verification {checked!s:5}  {found}")
PY
for features in "" crc; do
    for file in whole flipped; do
        printf '%-40s  ' "parquet, features [$features], $file"
        CARGO_TARGET_DIR="$work/target" nice cargo run --quiet --manifest-path "$work/Cargo.toml" \
            --features "$features" -- "$work/$file.parquet"
    done
done >> "$work/seen"

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
